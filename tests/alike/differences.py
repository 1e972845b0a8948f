"""What the five services answer differently, and why: every difference that there is."""

BROKEN = (
    "It is no request by RFC 9112: the server refuses it before the application sees it, with 400"
    " and the words and headers of its own parser."
)
METHODS = (
    "The parser of uvicorn knows the methods that are registered alone, and refuses others with"
    " 400; small letters are refused by that of waitress as well."
)
TARGETS = (
    "A target without a path: no client sends one, and each server makes something else of it."
)
FEED = "The page of the live feed is at `/` of Tornado's service."
METRICS = (
    "They count Tornado's page of the feed; and FastAPI refuses too large a body before there is a"
    " route to name, as `unmatched`."
)
BLANKS = "The parser of uvicorn leaves the blanks after a value there; no browser sends any."
NO_UNICODE = (
    "The instance of a path that is not UTF-8: Django, which keeps its escapes, is the only one"
    " that tells more than a replacement character."
)
SURROGATES = (
    "Pydantic reads no name with a lone surrogate, and so names the body; it is 422 all the same."
)

DIFFERENCES: dict[str, str] = {
    "list: author=\u00c3\u00a9": BROKEN,
    "bad query: published_from=٢٠٢٣-٠١-٠٥": BROKEN,
    "bad query: search=\u00ff": BROKEN,
    "unknown: /caf\u00e9": BROKEN,
    "otherwise: /healthz?x=\u00e9": BROKEN,
    "otherwise: ": BROKEN,
    "host ''": BROKEN,
    "host 'Host: a b'": BROKEN,
    "host 'Host: a/b'": BROKEN,
    "host 'Host: a,b'": BROKEN,
    r"host 'Host: test\r\nHost: test'": BROKEN,
    r"host 'Host: test\r\nHost: other'": BROKEN,
    "host 'Host: \u00ff'": BROKEN,
    "host 'Host: test:x'": BROKEN,
    "host 'Host: user@test'": BROKEN,
    "host 'Host: test:x' for a creation": BROKEN,
    "host 'Host: user@test' for a creation": BROKEN,
    "BREW, which is none, /healthz": METHODS,
    "BREW, which is none, /api/v1/books": METHODS,
    "BREW, which is none, /nope": METHODS,
    "get, which is none, /healthz": METHODS,
    "get, which is none, /api/v1/books": METHODS,
    "get, which is none, /nope": METHODS,
    "otherwise: http://test": TARGETS,
    "otherwise: http://test?x": TARGETS,
    "otherwise: healthz": TARGETS,
    "otherwise: *": TARGETS,
    "otherwise: test:80": TARGETS,
    "unknown: /": FEED,
    "1048576 bytes for GET /": FEED,
    "metrics as OpenMetrics": METRICS,
    "metrics by name": METRICS,
    "GET /metrics": METRICS,
    "unknown: /%ff": NO_UNICODE,
    "unknown: /%E0%80%80": NO_UNICODE,
    "id: %FF": NO_UNICODE,
    "report's id: %FF": NO_UNICODE,
    "GET from ' https://app.example.org '": BLANKS,
    "OPTIONS from ' https://app.example.org '": BLANKS,
    "JSON: a surrogate in a name": SURROGATES,
}
"""The reason, by the name of the request."""
