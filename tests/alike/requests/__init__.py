"""What the services are asked, by name, in the order in which they are."""

from . import (
    access,
    bodies,
    books,
    conditions,
    cors,
    headers,
    listing,
    operations,
    order,
    paths,
    tokens,
    users,
)

# The shelf is read first, and what counts requests last.
PARTS = [listing, paths, headers, cors, access, books, bodies, conditions, order, users, tokens]
REQUESTS = {
    name: request for part in [*PARTS, operations] for name, request in part.REQUESTS.items()
}
