"""Reports, which the worker computes."""

import asyncio

from fastapi import APIRouter, HTTPException, Request, Response
from kombu.exceptions import OperationalError
from sqlalchemy import func, select

from app import models, schemas
from app.db import save
from app.dependencies import CurrentUser, Id, SessionDep
from app.problems import RETRY_AFTER, problem_responses
from app.tasks import compute_report

router = APIRouter(prefix="/api/v1/reports", tags=["reports"])


@router.post(
    "",
    status_code=202,
    response_model=schemas.Report,
    responses=problem_responses(401, 429, 503),
)
async def request_report(
    user: CurrentUser, session: SessionDep, request: Request, response: Response
) -> models.Report:
    """Ask for a report on the catalogue."""
    # One request of a user at a time: two could both find room for one more report.
    await session.get(models.User, user.id, with_for_update={"key_share": True})
    unfinished = select(func.count()).where(
        models.Report.owner_id == user.id, models.Report.status.in_(models.UNFINISHED)
    )
    if (await session.scalars(unfinished)).one() >= models.MAX_UNFINISHED:
        raise HTTPException(
            429, "Too many reports are unfinished; try again.", {"Retry-After": RETRY_AFTER}
        )
    report = await save(session, models.Report(owner_id=user.id))  # before the worker looks for it
    try:
        await asyncio.to_thread(compute_report.delay, report.id)
    except OperationalError as error:
        await session.delete(report)
        await session.commit()
        raise HTTPException(
            503, "The task queue is out of reach; try again.", {"Retry-After": RETRY_AFTER}
        ) from error
    response.headers["Location"] = f"{request.url.path}/{report.id}"
    return report


@router.get("/{id:id}", response_model=schemas.Report, responses=problem_responses(401, 404, 503))
async def read_report(report_id: Id, user: CurrentUser, session: SessionDep) -> models.Report:
    """Show how far a report of one's own is, and its result once it is done."""
    report = await session.get(models.Report, report_id)
    if report is None or report.owner_id != user.id:
        raise HTTPException(404, "No such report.")
    return report
