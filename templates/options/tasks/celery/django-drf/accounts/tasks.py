"""What the worker does about users."""

import smtplib

import structlog
from celery import shared_task
from django.conf import settings
from django.core.mail import send_mail
from django.db import InterfaceError
from django.db import OperationalError as DatabaseError
from django.utils import timezone
from kombu.exceptions import OperationalError

from accounts.models import RefreshToken

logger = structlog.get_logger()


@shared_task(autoretry_for=(OSError, smtplib.SMTPException), retry_backoff=True)
def send_welcome_email(address: str) -> None:
    """Greet a new user; without `SMTP_URL` the mail is only logged."""
    if not settings.EMAIL_HOST:
        logger.info("mail not sent, as SMTP_URL is not set", subject="Welcome")
        return
    if not address.isascii():  # Django knows no SMTPUTF8 (RFC 6531), and would write to another
        logger.warning("mail not sent: Django takes ASCII addresses alone", subject="Welcome")
        return
    send_mail("Welcome", "Your account is ready.\n", None, [address])
    logger.info("mail sent", subject="Welcome")


def enqueue_welcome_email(address: str) -> None:
    """Ask the worker for the mail; a broker out of reach costs the mail, with a log line."""
    try:
        send_welcome_email.delay(address)
    except OperationalError as error:
        logger.warning("welcome mail lost: the broker is out of reach", error=str(error))


@shared_task(autoretry_for=(DatabaseError, InterfaceError), retry_backoff=True)
def delete_expired_refresh_tokens() -> None:
    """Forget the refresh tokens that are past their time."""
    RefreshToken.objects.filter(expires_at__lt=timezone.now()).delete()
