"""The bodies of requests and responses about users and tokens."""

from typing import Any

from drf_spectacular.utils import extend_schema_field, extend_schema_serializer
from rest_framework import serializers

from accounts import addresses
from accounts.models import User
from core.serializers import StrictFieldsMixin, TextField


class UserSerializer(serializers.Serializer):
    """A user as the API shows one."""

    id = serializers.IntegerField()
    email = serializers.CharField()
    created_at = serializers.DateTimeField()


@extend_schema_field({"type": "string", "format": "email"})
class AddressField(serializers.CharField):
    """An email address, in the form in which it is stored."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(trim_whitespace=False, **kwargs)

    def to_internal_value(self, data: Any) -> str:
        """Return the address."""
        try:
            return addresses.parse(super().to_internal_value(data))
        except ValueError as error:
            raise serializers.ValidationError(str(error)) from error


@extend_schema_serializer(component_name="User")
class RegistrationSerializer(StrictFieldsMixin):
    """A registration."""

    email = AddressField(max_length=addresses.LONGEST)
    password = TextField(min_length=12, max_length=128, trim_whitespace=False)

    def create(self, validated_data: dict[str, Any]) -> User:
        """Return a new user; raise `IntegrityError` if the address is taken."""
        return User.objects.create_user(**validated_data)


class TokenRequestSerializer(serializers.Serializer):
    """A request for tokens (RFC 6749, sections 4.3.2 and 6)."""

    grant_type = serializers.CharField(trim_whitespace=False)
    username = serializers.CharField(required=False, trim_whitespace=False)
    password = serializers.CharField(required=False, trim_whitespace=False)
    refresh_token = serializers.CharField(required=False, trim_whitespace=False)


class TokenPairSerializer(serializers.Serializer):
    """The answer to a grant (RFC 6749, section 5.1)."""

    access_token = serializers.CharField()
    refresh_token = serializers.CharField()
    token_type = serializers.ChoiceField(["bearer"])
    expires_in = serializers.IntegerField()


class TokenErrorSerializer(serializers.Serializer):
    """The refusal of a grant (RFC 6749, section 5.2)."""

    error = serializers.ChoiceField(["invalid_request", "invalid_grant", "unsupported_grant_type"])
    error_description = serializers.CharField()


class RevocationSerializer(serializers.Serializer):
    """A request to end a token (RFC 7009, section 2.1)."""

    token = serializers.CharField(trim_whitespace=False)
