"""Reports, which the worker computes."""

import asyncio

from kombu.exceptions import OperationalError
from sqlalchemy import func, select

from app import models, schemas
from app.db import Session, save
from app.handlers.base import BaseHandler, authenticated
from app.openapi import operation
from app.problems import RETRY_AFTER, ProblemError
from app.tasks import compute_report


class ReportsHandler(BaseHandler):
    """`/api/v1/reports`."""

    @authenticated
    @operation("request_report", answer=schemas.Report, status=202, errors=(429,))
    async def post(self) -> None:
        """Ask for a report on the catalogue."""
        owner_id = self.current_user.id
        report = models.Report(owner_id=owner_id)
        unfinished = select(func.count()).where(
            models.Report.owner_id == owner_id, models.Report.status.in_(models.UNFINISHED)
        )
        async with Session() as session:
            # One request of a user at a time: two could both find room for one more report.
            await session.get(models.User, owner_id, with_for_update={"key_share": True})
            if (await session.scalars(unfinished)).one() >= models.MAX_UNFINISHED:
                raise ProblemError(
                    429, "Too many reports are unfinished; try again.", {"Retry-After": RETRY_AFTER}
                )
            await save(session, report)  # before the worker looks for it
            try:
                await asyncio.to_thread(compute_report.delay, report.id)
            except OperationalError as error:
                await session.delete(report)
                await session.commit()
                raise ProblemError(
                    503, "The task queue is out of reach; try again.", {"Retry-After": RETRY_AFTER}
                ) from error
        self.set_status(202)
        self.set_header("Location", f"{self.prefix}/api/v1/reports/{report.id}")
        self.answer(schemas.Report.model_validate(report))


class ReportHandler(BaseHandler):
    """`/api/v1/reports/{id}`."""

    @authenticated
    @operation("read_report", answer=schemas.Report)
    async def get(self, id: str) -> None:
        """Show how far a report of one's own is, and its result once it is done."""
        async with Session() as session:
            report = await session.get(models.Report, int(id))
        if report is None or report.owner_id != self.current_user.id:
            raise ProblemError(404, "No such report.")
        self.answer(schemas.Report.model_validate(report))
