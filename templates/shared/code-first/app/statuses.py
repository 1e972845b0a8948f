"""What the statuses of errors mean, in the words of the OpenAPI document."""

WHEN = {
    400: "The body is not JSON, or the query is not UTF-8",
    401: "There is no token, or it is not valid",
    403: "Only its creator may change it",
    404: "There is none",
    409: "What has to be unique is taken, or others refer to it",
    412: "It has changed since",
    413: "The body is larger than 1 MiB",
    415: "The body is not application/json",
    422: "The request is not valid",
    429: "The client has asked too often",
    503: "A system that the request needs is out of reach",
}
REFUSED_GRANT = "The grant is refused (RFC 6749, section 5.2)"
NOT_READY = "A system that requests need is out of reach"
