"""Reports: their URLs, who may know of one, and how it is shown."""

from typing import Any

from pyramid.config import Configurator
from pyramid.decorator import reify
from pyramid.httpexceptions import HTTPNotFound
from pyramid.request import Request

from app.models import Report
from app.renderers import fields, json_renderer
from app.resources import Root
from app.rows import RowResource

# Of what a report has found out: JSONB keeps no order.
MEMBERS = ("total_books", "books_by_author", "books_by_decade", "author", "decade", "count")


def includeme(config: Configurator) -> None:
    """Add the routes, and have views return reports."""
    config.add_route("report", "/api/v1/reports/{id}", factory=ReportResource)
    config.add_route("reports", "/api/v1/reports")
    json_renderer.add_adapter(Report, show_report)


class ReportResource(RowResource):
    """A report, which only its owner may know of."""

    __acl__ = Root.__acl__
    model = Report

    @reify
    def report(self) -> Report:
        """Load the report; raise 404 to anybody else."""
        report: Report = self.row
        if report.owner_id != self.request.authenticated_userid:
            raise HTTPNotFound("No such report.")
        return report


def show_report(report: Report, request: Request) -> dict[str, Any]:
    """Show a report, the members of its result in the order of the document."""
    shown = fields("id", "status", "created_at", "finished_at", "result")(report, request)
    return shown | {"result": in_order(report.result)}


def in_order(value: Any) -> Any:
    """Return a result with its members in their order."""
    if isinstance(value, list):
        return [in_order(item) for item in value]
    if isinstance(value, dict):
        return {name: in_order(value[name]) for name in MEMBERS if name in value}
    return value
