"""The authors of the catalogue."""

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from books.models import Book
from core.openapi import problem_responses
from core.views import APIView


class AuthorsSerializer(serializers.Serializer):
    """Everybody who has written a book of the catalogue."""

    items = serializers.ListField(child=serializers.CharField())


@extend_schema(tags=["authors"], responses={200: AuthorsSerializer, **problem_responses(503)})
class AuthorsView(APIView):
    """Authors: everybody may read them."""

    permission_classes = ()

    def get(self, _: Request) -> Response:
        """List authors by name."""
        names = Book.objects.order_by("author").values_list("author", flat=True).distinct()
        return Response({"items": [*names]})
