"""Serializers that take what they know, in the form that they show it in, and nothing else."""

import re
from collections.abc import Mapping
from datetime import date
from itertools import islice
from typing import Any, cast

from django.core.validators import RegexValidator
from django.db import models
from drf_spectacular.drainage import set_override
from rest_framework import serializers
from rest_framework.exceptions import ValidationError
from rest_framework.validators import UniqueValidator

MAX_ERRORS = 20  # whatever a body is full of
PLAIN_TEXT = r"^[^\u0000]*$"  # PostgreSQL stores no NUL
WORDS = r"^\s*[^\s\u0000]([^\u0000]{0,%d}[^\s\u0000])?\s*$"
ISO_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


class TextField(serializers.CharField):
    """Text, and not a number that could be read as one."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.validators.append(RegexValidator(PLAIN_TEXT))
        if self.trim_whitespace and self.max_length:
            schema = {"type": "string", "pattern": WORDS % (self.max_length - 2)}
            set_override(self, "field", schema)

    def to_internal_value(self, data: Any) -> str:
        """Return the text."""
        if not isinstance(data, str):
            self.fail("invalid")
        return super().to_internal_value(data)


class DateField(serializers.DateField):
    """A date in the one form that RFC 3339 has for it."""

    def to_internal_value(self, value: Any) -> date:
        """Return the date."""
        if not isinstance(value, str) or not ISO_DATE.fullmatch(value):
            self.fail("invalid", format="YYYY-MM-DD")
        return super().to_internal_value(value)


class StrictFieldsMixin(serializers.Serializer):
    """A serializer for which a field that it does not know is an error."""

    def to_internal_value(self, data: Any) -> Any:
        """Return the validated fields; raise `ValidationError` with all that is wrong."""
        known = {name for name, field in self.fields.items() if not field.read_only}
        given = data if isinstance(data, Mapping) else {}
        unknown = islice((name for name in given if name not in known), MAX_ERRORS)
        errors: dict[str, Any] = {}
        try:
            validated = super().to_internal_value(data)
        except ValidationError as error:
            errors |= cast("dict[str, Any]", error.detail)
        errors |= {name: ["This field is not known."] for name in unknown}
        if errors:
            raise ValidationError(errors)
        return validated


class ModelSerializer(StrictFieldsMixin, serializers.ModelSerializer):
    """A serializer of the model's fields that reads bodies strictly."""

    serializer_field_mapping = {
        **serializers.ModelSerializer.serializer_field_mapping,
        models.CharField: TextField,
        models.DateField: DateField,
    }

    def get_fields(self) -> dict[str, Any]:
        """Return the fields: what has to be unique is for the table to refuse, with 409."""
        fields: dict[str, Any] = super().get_fields()
        for field in fields.values():
            field.validators = [
                found for found in field.validators if not isinstance(found, UniqueValidator)
            ]
        return fields

    def get_unique_together_validators(self) -> list[Any]:
        """Return none, likewise."""
        return []
