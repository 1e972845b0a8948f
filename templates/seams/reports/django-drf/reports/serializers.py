"""The bodies of responses about reports."""

from rest_framework import serializers

from reports.models import Report


class AuthorCountSerializer(serializers.Serializer):
    """How many books an author has."""

    author = serializers.CharField()
    count = serializers.IntegerField()


class DecadeCountSerializer(serializers.Serializer):
    """How many books were published in the ten years from `decade`."""

    decade = serializers.IntegerField()
    count = serializers.IntegerField()


class SummarySerializer(serializers.Serializer):
    """What a report finds out about the catalogue."""

    total_books = serializers.IntegerField()
    books_by_author = AuthorCountSerializer(many=True)
    books_by_decade = DecadeCountSerializer(many=True)


class ReportSerializer(serializers.ModelSerializer):
    """A report as the API shows one; `result` is there once it is done."""

    result = SummarySerializer(allow_null=True, read_only=True)

    class Meta:
        model = Report
        fields = ["id", "status", "created_at", "finished_at", "result"]
        read_only_fields = fields
