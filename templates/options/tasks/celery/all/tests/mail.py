"""A mail server for the application to send to."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aiosmtpd.smtp import SMTP, Envelope, Session


class Inbox:
    """Keeps the mails that arrive."""

    def __init__(self) -> None:
        self.url = ""
        self.mails: asyncio.Queue[Envelope] = asyncio.Queue()

    async def handle_DATA(self, _: SMTP, __: Session, envelope: Envelope) -> str:  # noqa: N802
        self.mails.put_nowait(envelope)
        return "250 OK"

    async def to(self, address: str) -> Envelope:
        """Return the next mail to this address; those of other tests may come by the same queue."""
        while (mail := await self.mails.get()).rcpt_tos != [address]:
            pass
        return mail


@asynccontextmanager
async def mail_server() -> AsyncIterator[Inbox]:
    """Serve SMTP on a free port; yield where the mails arrive."""
    inbox = Inbox()
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: SMTP(inbox), "127.0.0.1", 0)
    async with server:
        inbox.url = f"smtp://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        yield inbox
