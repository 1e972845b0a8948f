"""Web processes end and others begin: the metrics go on."""

from ..client import BOOKS, connect, total
from ..feed import both
from ..processes import until
from ..service import Service


def test_metrics_outlive_the_processes_that_counted(service: Service) -> None:
    """Counters never go back."""
    labels = {"method": "GET", "route": BOOKS, "status": "200"}
    with service.another_web() as (web, base_url), connect(base_url, keep_alive=0) as client:
        for died in range(4):
            processes = both(web, base_url)
            for _ in range(4):
                assert client.get(BOOKS).status_code == 200
            until(
                lambda asked=4 * (died + 1): total(client, **labels) == asked,
                within=5,
                failing=f"not all requests are counted after {died} have died",
            )
            if died < 3:
                processes[died % 2].kill()
                # Seen by its supervisor: uvicorn's may wait 30 s for an answer of one that is dead.
                processes[died % 2].wait(40)
