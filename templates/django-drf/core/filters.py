"""Query parameters, taken in the form that the document describes and in no other."""

import re
from typing import Any

import django_filters
from django import forms
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.http import HttpRequest
from django_filters.fields import ChoiceField
from django_filters.rest_framework import DjangoFilterBackend
from drf_spectacular.utils import extend_schema_field

from core.parsers import check_encoding
from core.serializers import ISO_DATE, PLAIN_TEXT

MAX_PAGE_SIZE = 100
DIGITS = re.compile("[0-9]+")


class Once(forms.TextInput):
    """Reads a parameter, which may not be given twice."""

    def value_from_datadict(self, data: Any, files: Any, name: str) -> Any:
        """Return the value, or None."""
        if len(data.getlist(name)) > 1:
            raise ValidationError("Must not be given twice.")
        return data.get(name)


class StrictIntegerField(forms.IntegerField):
    """A number in ASCII digits; no parameter at all is None."""

    widget = Once

    def clean(self, value: Any) -> Any:
        """Return the number."""
        if value is not None and not DIGITS.fullmatch(value):
            raise ValidationError("Must be a number such as 20.")
        return super().clean(value)


class StrictDateField(forms.DateField):
    """A date as RFC 3339 has it; no parameter at all is None."""

    widget = Once

    def clean(self, value: Any) -> Any:
        """Return the date."""
        if value is not None and not ISO_DATE.fullmatch(value):
            raise ValidationError("Must be a date such as 1968-11-05.")
        return super().clean(value)


class StrictChoiceField(ChoiceField):
    """One of the choices; no parameter at all is an empty string."""

    widget = Once

    def clean(self, value: Any) -> Any:
        """Return the choice."""
        if value == "":
            raise ValidationError("Must not be empty.")
        return super().clean(value)


class PageForm(forms.Form):
    """The parameters of every list, which `core.pagination` reads."""

    page = StrictIntegerField(min_value=1, required=False)
    page_size = StrictIntegerField(min_value=1, max_value=MAX_PAGE_SIZE, required=False)


class FilterBackend(DjangoFilterBackend):
    """Reads the parameters, if they are UTF-8."""

    def get_filterset_kwargs(
        self, request: HttpRequest, queryset: Any, view: Any
    ) -> dict[str, Any]:
        """Return what the filter set is made of."""
        check_encoding(request.META["QUERY_STRING"].encode("latin-1"), "The query is not UTF-8.")
        return super().get_filterset_kwargs(request, queryset, view)


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
        super().__init__(*args, max_length=200, strip=False, widget=Once, **kwargs)


class DateFilter(django_filters.DateFilter):
    """A filter by a date."""

    field_class = StrictDateField


class ChoiceFilter(django_filters.ChoiceFilter):
    """A filter by one of some values."""

    field_class = StrictChoiceField


@extend_schema_field(bool)
class BooleanFilter(ChoiceFilter):
    """A filter by `true` or `false`."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        choices = [("true", "true"), ("false", "false")]
        super().__init__(*args, choices=choices, **kwargs)

    def filter(self, qs: Any, value: str) -> Any:
        """Return the rows whose field is so."""
        return super().filter(qs, value and value == "true")
