"""Reports, which the worker computes."""

from flask import abort, g, url_for
from kombu.exceptions import OperationalError
from sqlalchemy import func, select

from app import models, schemas
from app.auth import login_required
from app.db import get_session
from app.extensions import Blueprint
from app.problems import RETRY_AFTER, problem_responses
from app.resources import save
from app.tasks import compute_report

reports = Blueprint("reports", __name__, url_prefix="/api/v1/reports")


@reports.post("")
@reports.doc(responses=problem_responses(401, 429, 503))
@login_required
@reports.response(202, schemas.Report)
def request_report() -> tuple[models.Report, dict[str, str]]:
    """Ask for a report on the catalogue."""
    session = get_session()
    # One request of a user at a time: two could both find room for one more report.
    session.get(models.User, g.user.id, with_for_update={"key_share": True})
    unfinished = select(func.count()).where(
        models.Report.owner_id == g.user.id, models.Report.status.in_(models.UNFINISHED)
    )
    if session.scalars(unfinished).one() >= models.MAX_UNFINISHED:
        abort(429, "Too many reports are unfinished; try again.", retry_after=RETRY_AFTER)
    report = models.Report(owner_id=g.user.id)
    save(report)  # before the worker looks for it
    try:
        compute_report.delay(report.id)
    except OperationalError:
        session.delete(report)
        session.commit()
        abort(503, "The task queue is out of reach; try again.", retry_after=RETRY_AFTER)
    return report, {"Location": url_for("reports.read_report", id=report.id)}


@reports.get("/<id:id>")
@reports.doc(responses=problem_responses(401, 404, 503))
@login_required
@reports.response(200, schemas.Report)
def read_report(id: int) -> models.Report:
    """Show how far a report of one's own is, and its result once it is done."""
    report = get_session().get(models.Report, id)
    if report is None or report.owner_id != g.user.id:
        abort(404, "No such report.")
    return report
