"""The mail that greets a new user."""

from functools import partial

from flask import Response, after_this_request

from app.tasks import enqueue_welcome_email


def welcome(address: str) -> None:
    """Ask the worker for the mail once the client has its answer: no broker keeps it waiting."""

    @after_this_request
    def enqueue(response: Response) -> Response:
        response.call_on_close(partial(enqueue_welcome_email, address))
        return response
