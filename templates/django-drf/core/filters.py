"""Query parameters, taken in the form that the document describes and in no other."""

from typing import Any

import django_filters
from django import forms
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django_filters.fields import ChoiceField
from drf_spectacular.utils import extend_schema_field

from core.serializers import ISO_DATE, PLAIN_TEXT

MAX_PAGE_SIZE = 100


class StrictIntegerField(forms.IntegerField):
    """A number; no parameter at all is None."""

    def clean(self, value: Any) -> Any:
        """Return the number."""
        return super().clean(_not_empty(value))


class StrictDateField(forms.DateField):
    """A date as RFC 3339 has it; no parameter at all is None."""

    def clean(self, value: Any) -> Any:
        """Return the date."""
        if value is not None and not ISO_DATE.fullmatch(value):
            raise ValidationError("Must be a date such as 1968-11-05.")
        return super().clean(value)


class StrictChoiceField(ChoiceField):
    """One of the choices; no parameter at all is an empty string."""

    def clean(self, value: Any) -> Any:
        """Return the choice."""
        return super().clean(_not_empty(value))


def _not_empty(value: Any) -> Any:
    if value == "":
        raise ValidationError("Must not be empty.")
    return value


class PageForm(forms.Form):
    """The parameters of every list, which `core.pagination` reads."""

    page = StrictIntegerField(min_value=1, required=False)
    page_size = StrictIntegerField(min_value=1, max_value=MAX_PAGE_SIZE, required=False)


class FilterSet(django_filters.FilterSet):
    """The filters of a list, whose form knows the parameters of its pages too."""

    class Meta:
        form = PageForm

    def filter_queryset(self, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Return what all the filters let through."""
        for name, item in self.filters.items():
            queryset = item.filter(queryset, self.form.cleaned_data[name])
        return queryset


@extend_schema_field({"type": "string", "maxLength": 200, "pattern": PLAIN_TEXT})
class TextFilter(django_filters.CharFilter):
    """A filter by a piece of text, taken as it is."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, max_length=200, strip=False, **kwargs)


class DateFilter(django_filters.DateFilter):
    """A filter by a date."""

    field_class = StrictDateField


class ChoiceFilter(django_filters.ChoiceFilter):
    """A filter by one of some values."""

    field_class = StrictChoiceField
