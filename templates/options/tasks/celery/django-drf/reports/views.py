"""Reports, which the worker computes."""

from typing import cast

from django.db import transaction
from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema, extend_schema_view
from kombu.exceptions import OperationalError
from rest_framework.mixins import RetrieveModelMixin
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import GenericViewSet

from accounts.models import User
from core.openapi import problem_responses
from core.problems import RETRY_AFTER, TryLaterError
from core.views import APIView
from reports.models import Report
from reports.serializers import ReportSerializer
from reports.tasks import UNFINISHED, compute_report

MAX_UNFINISHED = 10  # reports of a user


@extend_schema_view(
    create=extend_schema(
        "request_report",
        request=None,
        responses={202: ReportSerializer, **problem_responses(401, 429, 503)},
    ),
    retrieve=extend_schema(
        "read_report",
        summary="Show how far a report of one's own is, and its result once it is done",
        responses={200: ReportSerializer, **problem_responses(401, 404, 503)},
    ),
)
@extend_schema(tags=["reports"])
class ReportViewSet(APIView, RetrieveModelMixin, GenericViewSet):
    """Reports, each for its owner alone."""

    queryset = Report.objects.all()
    serializer_class = ReportSerializer
    parser_classes = ()
    lookup_url_kwarg = "id"
    lookup_value_converter = "id"

    def get_queryset(self) -> QuerySet[Report]:
        """Return the reports of the current user."""
        return super().get_queryset().filter(owner=self.request.user.pk)

    def create(self, request: Request) -> Response:
        """Ask for a report on the catalogue."""
        owner = cast(User, request.user)
        try:
            with transaction.atomic():
                # One request of a user at a time: two could both find room for one more report.
                User.objects.select_for_update(no_key=True).get(pk=owner.pk)
                if self.get_queryset().filter(status__in=UNFINISHED).count() >= MAX_UNFINISHED:
                    detail = "Too many reports are unfinished; try again."
                    raise TryLaterError(429, detail, int(RETRY_AFTER))
                report = Report.objects.create(owner=owner)
                compute_report.delay_on_commit(report.pk)  # type: ignore[attr-defined]
        except OperationalError as error:  # the broker's, and after the commit
            report.delete()
            detail = "The task queue is out of reach; try again."
            raise TryLaterError(503, detail, int(RETRY_AFTER)) from error
        headers = {"Location": f"{request.path}/{report.pk}"}
        return Response(self.get_serializer(report).data, 202, headers=headers)
