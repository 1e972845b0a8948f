"""Lists, a page at a time."""

from collections.abc import Sequence
from typing import Any
from urllib.parse import urlencode

from rest_framework.pagination import BasePagination
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from core.filters import MAX_PAGE_SIZE

PAGE_SIZE = 20


class Pagination(BasePagination):
    """Pages by number, for lists whose filter set has checked the parameters of `PageForm`."""

    def paginate_queryset(self, queryset: Any, request: Request, view: Any = None) -> list[Any]:
        """Return the items of the page; a page past the end has none."""
        self.request = request
        self.page = int(request.query_params.get("page", 1))
        self.page_size = int(request.query_params.get("page_size", PAGE_SIZE))
        self.query = {"page": self.page, "page_size": self.page_size}
        for name, item in view.filterset_class.base_filters.items():
            if value := request.query_params.get(name, item.extra.get("initial")):
                self.query[name] = item.field.clean(value)  # as it would be sent: 7, not 007
        self.total = queryset.count()
        self.pages = -(-self.total // self.page_size)
        start = (self.page - 1) * self.page_size
        return list(queryset[start : start + self.page_size]) if start < self.total else []

    def get_paginated_response(self, data: Sequence[Any]) -> Response:
        """Return the page, with `Link` (RFC 8288) to the pages around it."""
        body = {
            "items": data,
            "page": self.page,
            "page_size": self.page_size,
            "total": self.total,
            "pages": self.pages,
        }
        return Response(body, headers={"Link": self.links()})

    def links(self) -> str:
        """Return the value of `Link`."""
        last = max(self.pages, 1)
        targets = {
            "first": 1,
            "prev": min(self.page - 1, last),
            "next": self.page + 1,
            "last": last,
        }
        return ", ".join(
            f'<{self.request.path}?{urlencode({**self.query, "page": number})}>; rel="{rel}"'
            for rel, number in targets.items()
            if 1 <= number <= last
        )

    def get_paginated_response_schema(self, schema: dict[str, Any]) -> dict[str, Any]:
        """Return the schema of a page."""
        counts = {name: {"type": "integer"} for name in ("page", "page_size", "total", "pages")}
        properties = {"items": schema, **counts}
        return {"type": "object", "required": [*properties], "properties": properties}

    def get_schema_operation_parameters(self, view: APIView) -> list[dict[str, Any]]:
        """Return the description of the parameters."""
        limits = {
            "page": {"minimum": 1, "default": 1},
            "page_size": {"minimum": 1, "maximum": MAX_PAGE_SIZE, "default": PAGE_SIZE},
        }
        return [
            {"name": name, "in": "query", "schema": {"type": "integer", **schema}}
            for name, schema in limits.items()
        ]
