"""The smoke leaves nothing out."""

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from .conftest import RAN

# So many tests the smoke has at least: fewer are a part of it.
WHOLE = 50


@pytest.mark.smoke
@pytest.mark.last
def test_every_operation_has_been_asked(
    anonymous: httpx.Client, combination: str, request: pytest.FixtureRequest
) -> None:
    """Every operation of the document has answered with a 2xx by now."""
    if request.session.stash.get(RAN, {}).get(combination, 0) < WHOLE:
        pytest.skip("needs the rest of the smoke before it")
    paths = anonymous.get("/openapi.json").json()["paths"]
    described = {
        (method.upper(), path)
        for path, item in paths.items()
        for method, operation in item.items()
        if "responses" in operation  # and not what its methods share
    }
    families = text_string_to_metric_families(anonymous.get("/metrics").text)
    asked = {
        (sample.labels["method"], sample.labels["route"])
        for family in families
        for sample in family.samples
        if sample.name == "http_requests_total" and sample.labels["status"].startswith("2")
    }
    assert described - asked == set()
