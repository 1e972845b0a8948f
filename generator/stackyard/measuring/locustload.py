"""Load by Locust, where there is no wrk and no hey: run by its path, in a process of its own.

Its arguments are a URL, a method, a body, connections, seconds and a JSON object of headers. It
prints what came of it as JSON: times in microseconds.
"""

# gevent has to have patched the standard library before anything else of it is imported.
from locust import FastHttpUser, task
from locust.env import Environment

# ruff: isort: split
import json
import sys
from typing import Any

import gevent


def main() -> None:
    """Send what is told for as long as is told, and print what came of it."""
    url, method, body, connections, seconds, headers = sys.argv[1:]

    class Visitor(FastHttpUser):
        host = url

        @task
        def ask(self) -> None:
            """Send it, and wait for the answer."""
            self.client.request(method, url, data=body or None, headers=json.loads(headers))

    environment: Any = Environment(user_classes=[Visitor])
    runner = environment.create_local_runner()
    runner.start(int(connections), spawn_rate=int(connections))
    gevent.sleep(float(seconds))
    total = environment.stats.total
    told = {
        "answers": total.num_requests,
        "errors": total.num_failures,
        "microseconds": round(float(seconds) * 1_000_000),
        "p50": (total.get_response_time_percentile(0.5) or 0) * 1000,
        "p99": (total.get_response_time_percentile(0.99) or 0) * 1000,
    }
    sys.stdout.write(f"{json.dumps(told)}\n")
    runner.quit()


main()
