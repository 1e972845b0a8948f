"""The least that Tornado can do: the measure of what the service does beside it."""

import asyncio
import sys

from tornado.process import fork_processes
from tornado.web import Application, RequestHandler


class HelloHandler(RequestHandler):
    """`/`."""

    def get(self) -> None:
        """Say hello."""
        self.write({"hello": "world"})


async def main(port: int) -> None:
    """Serve until somebody ends the process."""
    Application([("/", HelloHandler)]).listen(port, "127.0.0.1", reuse_port=True)
    await asyncio.Event().wait()


fork_processes(2)
asyncio.run(main(int(sys.argv[1])))
