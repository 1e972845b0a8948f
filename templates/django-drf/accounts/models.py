"""Users, and what is kept of their tokens."""

import uuid
from typing import Any

from django.contrib.auth.models import AbstractBaseUser, BaseUserManager, PermissionsMixin
from django.core.exceptions import ValidationError
from django.db import models

from accounts import addresses


def validate_address(address: str) -> None:
    """Check that a text is an email address."""
    try:
        addresses.parse(address)
    except ValueError as error:
        raise ValidationError(str(error)) from error


class UserManager(BaseUserManager["User"]):
    """Makes users, and finds one by the email address in whatever spelling."""

    def create_user(self, email: str, password: str, **fields: Any) -> "User":
        """Return a new user; raise `IntegrityError` if the address is taken."""
        user = self.model(email=self.model.normalize_username(email), **fields)
        user.set_password(password)
        user.save(using=self._db)
        return user

    def create_superuser(self, email: str, password: str, **fields: Any) -> "User":
        """Return a new user who may do everything in the admin site."""
        return self.create_user(email, password, is_staff=True, is_superuser=True, **fields)

    def get_by_natural_key(self, username: str | None) -> "User":
        """Return the user who logs in with this address."""
        return self.get(email=self.model.normalize_username(username or ""))


class User(AbstractBaseUser, PermissionsMixin):
    """Somebody who may create books; the email address is as `addresses.parse` has it."""

    email = models.CharField(
        max_length=addresses.LONGEST, unique=True, validators=[validate_address]
    )
    is_active = models.BooleanField("active", default=True)
    is_staff = models.BooleanField("may use the admin site", default=False)
    created_at = models.DateTimeField(auto_now_add=True)

    USERNAME_FIELD = "email"

    objects = UserManager()

    @classmethod
    def normalize_username(cls, username: str) -> str:
        """Return the address as it is kept."""
        return addresses.lookup_form(username)


class RefreshToken(models.Model):
    """A family of refresh tokens: all that descend from one login, of which the last is valid."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4)
    jti = models.UUIDField(default=uuid.uuid4)
    user = models.ForeignKey(User, on_delete=models.CASCADE)
    expires_at = models.DateTimeField(db_index=True)

    def __str__(self) -> str:
        return str(self.id)
