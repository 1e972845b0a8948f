"""A proxy before a server, as strict as poolers are, that can be paused as any process can.

    python proxy.py PORT SERVER-PORT KIND

Before a `postgresql` it refuses, like PgBouncer, the startup parameter `options`, which may set
what it cannot keep.
"""

import asyncio
import contextlib
import sys

# The numbers in the place of a protocol version with which a client asks for encryption
# (https://www.postgresql.org/docs/current/protocol-message-formats.html).
ENCRYPTION = {80877103, 80877104}
REFUSAL = b"SFATAL\0VFATAL\0C08P01\0Munsupported startup parameter: options\0\0"


async def message(reader: asyncio.StreamReader) -> bytes:
    """Read a message of the startup: its length, which counts itself, and the rest."""
    length = await reader.readexactly(4)
    return length + await reader.readexactly(int.from_bytes(length, "big") - 4)


async def copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(ConnectionError):
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
    writer.close()


async def begin(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bytes:
    """Return what a client of PostgreSQL begins with; nothing if it is refused."""
    startup = await message(reader)
    while int.from_bytes(startup[4:8], "big") in ENCRYPTION:
        writer.write(b"N")
        startup = await message(reader)
    if b"\0options\0" in startup:
        writer.write(b"E" + (len(REFUSAL) + 4).to_bytes(4, "big") + REFUSAL)
        writer.close()
        return b""
    return startup


async def main(port: int, server: int, kind: str) -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        startup = b""
        if kind == "postgresql":
            startup = await begin(reader, writer)
            if not startup:
                return
        behind, to = await asyncio.open_connection("127.0.0.1", server)
        to.write(startup)
        await asyncio.gather(copy(reader, to), copy(behind, writer))

    listener = await asyncio.start_server(serve, "127.0.0.1", port)
    await listener.serve_forever()


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]), int(sys.argv[2]), sys.argv[3]))
