"""The mail that greets a new user."""

from pyramid.request import Request

from app.tasks import enqueue_welcome_email


def welcome(request: Request, address: str) -> None:
    """Ask the worker for the mail, once the user is committed."""

    def enqueue(committed: bool) -> None:
        if committed:
            enqueue_welcome_email(address)

    request.tm.get().addAfterCommitHook(enqueue)
