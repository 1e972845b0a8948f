"""What resources show, read through the cache."""

from typing import Any, TypeVar

from django.http import HttpResponse
from rest_framework.request import Request
from rest_framework.response import Response

from core.cache import cache
from core.proxies import under
from core.renderers import JSONRenderer

ViewSet = TypeVar("ViewSet", bound=type[Any])


def read_through(viewset: ViewSet) -> ViewSet:
    """Have a resource's rows, and the first page of its list, be looked up in the cache first."""
    list_page, read_row = viewset.list, viewset.read

    def list_through(view: Any, request: Request, *args: Any, **kwargs: Any) -> Any:
        if request.META["QUERY_STRING"]:  # there is no end of these, which would fill the cache
            return list_page(view, request, *args, **kwargs)
        prefix = request.META["SCRIPT_NAME"]

        def load() -> bytes:
            page: Response = list_page(view, request, *args, **kwargs)
            link = page["Link"].replace(f"<{prefix}/", "</")
            return link.encode() + b"\n" + JSONRenderer().render(page.data)

        entry, _ = cache.read_through(f"{view.meta.model_name}s", load)
        link, body = entry.split(b"\n", 1)
        headers = {"Link": under(prefix, link.decode())}
        return HttpResponse(body, content_type="application/json", headers=headers)

    def read_row_through(view: Any) -> HttpResponse:
        name = f"{view.meta.model_name}:{view.kwargs['id']}"
        body, hit = cache.read_through(name, lambda: read_row(view).content)
        headers = {"X-Cache": "hit" if hit else "miss"}
        return HttpResponse(body, content_type="application/json", headers=headers)

    viewset.list, viewset.read = list_through, read_row_through
    return viewset
