"""Reports, which the worker computes."""

from kombu.exceptions import OperationalError
from pyramid.httpexceptions import HTTPServiceUnavailable, HTTPTooManyRequests
from pyramid.request import Request
from pyramid.view import view_config
from sqlalchemy import func, select

from app.models import MAX_UNFINISHED, UNFINISHED, Report, User
from app.problems import RETRY_AFTER
from app.reports import ReportResource
from app.resources import Root
from app.tasks import compute_report


@view_config(
    route_name="reports", request_method="POST", permission="create", openapi=True, renderer="json"
)
def request_report(_: Root, request: Request) -> Report:
    """Ask for a report on the catalogue."""
    # One request of a user at a time: two could both find room for one more report.
    owner_id = request.authenticated_userid
    request.dbsession.get(User, owner_id, with_for_update={"key_share": True})
    unfinished = select(func.count()).where(
        Report.owner_id == owner_id, Report.status.in_(UNFINISHED)
    )
    if request.dbsession.scalars(unfinished).one() >= MAX_UNFINISHED:
        raise HTTPTooManyRequests(
            "Too many reports are unfinished; try again.", {"Retry-After": RETRY_AFTER}
        )
    report = Report(owner_id=owner_id)
    request.dbsession.add(report)
    commit(request)  # before the worker can look for it
    try:
        compute_report.delay(report.id)
    except OperationalError as error:
        request.dbsession.delete(report)
        commit(request)
        raise HTTPServiceUnavailable(
            "The task queue is out of reach; try again.", {"Retry-After": RETRY_AFTER}
        ) from error
    request.response.status = 202
    request.response.headers["Location"] = request.route_path("report", id=report.id)
    return report


@view_config(
    route_name="report", request_method="GET", permission="read", openapi=True, renderer="json"
)
def read_report(context: ReportResource, _: Request) -> Report:
    """Show how far a report of one's own is, and its result once it is done."""
    return context.report


def commit(request: Request) -> None:
    """Commit now; pyramid_tm, which ends the request's transaction, finds a new one."""
    request.tm.commit()
    request.tm.begin()
