"""Paths that there are and are not, each with every method, and what may be an id."""

from alike.request import ask
from contract.client import BOOKS, ME, REPORTS, REVOKE, TOKEN, USERS

KNOWN = {
    "/healthz": "GET",
    "/readyz": "GET",
    "/metrics": "GET",
    "/openapi.json": "GET",
    "/docs": "GET",
    "/docs/swagger-ui.css": "GET",
    "/redoc": "GET",
    BOOKS: "GET POST",
    f"{BOOKS}/{{gone}}": "GET PUT PATCH DELETE",
    USERS: "POST",
    ME: "GET",
    TOKEN: "POST",
    REVOKE: "POST",
    REPORTS: "POST",
    f"{REPORTS}/1": "GET",
}
UNKNOWN = [
    *("/", "/nope", "/api", "/api/v1", "/api/v1/", "/healthz/", "//healthz", "///", "/HEALTHZ"),
    *("/docs/", "/openapi.json/", "/openapi.yaml", "/favicon.ico", "/robots.txt", "/static/x"),
    *(f"{BOOKS}/", f"/{BOOKS}", "/api//v1/books", "/API/v1/books", f"{BOOKS}/1/x", f"{BOOKS}/1/"),
    *(f"{BOOKS};x=1", "/healthz;x", "/./healthz", "/x/../healthz", "/%2e/healthz", "/..", "/../x"),
    *("/healthz%2f", "/healthz%00", "/healthz%20", "/%", "/%zz", "/%ff", "/caf%C3%A9", "/caf\xe9"),
    *("/x%2fy", "/%0d%0ax", "/a%3Fb", "/a%22b", "/%F0%9F%93%9A", "/<b>", "/a'b", "/a+b", "/a%2Bb"),
    *("/x?y=1", "/x?%ff", "/~x", "/a:b", "/api/v1/auth", "/api/v1/auth/", f"{TOKEN}/", f"{ME}/"),
    *("/%E0%80%80", "/a%5Cb", "/a\\b", "/a%7Cb", "/x%25y", "/" + "x" * 3000),
]
SAME = [
    *("/healthz?", "/healthz?x=1", "/healthz?x=%ff", "/%68ealthz", "http://test/healthz"),
    *("http://other/healthz", "/healthz?x=1?y", "/healthz?;&=&", "/healthz?%00", "/healthz?x=\xe9"),
    *("/healthz?x=" + "y" * 3000, "http://test", "http://test?x", "healthz", "", "*", "test:80"),
    *(f"{BOOKS}%2f999999999", "/api%2Fv1/users%2Fme", "/docs%2fswagger-ui.css"),
]
IDS = [
    *("0", "00", "01", "-1", "+1", "-0", "1.0", "1.5", "1e3", "0x1", "1_0", "x", "NaN", "null"),
    *("999999999", str(2**31), str(2**63 - 1), str(2**63), str(2**64), "9" * 40, "9" * 3000),
    *("%31", "%30", "1%20", "%201", "1%00", "%00", "%FF", "%", "%ZZ", "1%2F2", "%EF%BC%91"),
    *("%D9%A1", "1%0a", "1%2e0", "1,2", "1;x", "1'", "1%20OR%201=1", ".", "..", "%2e%2e", "*"),
    *("{gone}", "1?x=%ff", "{gone}?page=0"),
]
METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE"]

REQUESTS = {
    **{
        f"{method} {path}": ask(method, path)
        for path, known in KNOWN.items()
        for method in METHODS
        if method not in known.split()
    },
    **{
        f"{method}, which is none, {path}": ask(method, path)
        for method in ("BREW", "get", "PROPFIND", "QUERY")
        for path in ("/healthz", BOOKS, "/nope")
    },
    **{f"{method} /nope": ask(method, "/nope") for method in METHODS},
    **{f"unknown: {path[:40]}": ask("GET", path) for path in UNKNOWN},
    **{f"otherwise: {path[:40]}": ask("GET", path) for path in SAME},
    **{f"id: {name[:40]}": ask("GET", f"{BOOKS}/{name}") for name in IDS},
    **{
        f"report's id: {name}": ask("GET", f"{REPORTS}/{name}", who="owner")
        for name in (
            "0",
            "01",
            "x",
            "1.0",
            str(2**63 - 1),
            str(2**63),
            "%FF",
            "999999999",
            "%31%30%30%30",
        )
    },
    **{
        f"{method} id: {name}, by {who}": ask(method, f"{BOOKS}/{name}", body=body, who=who)
        for name in ("0", "x", str(2**63), "{gone}")
        for method, body in (("PUT", {"title": 1}), ("PATCH", {}), ("DELETE", None))
        for who in ("nobody", "owner")
    },
    **{
        f"{size} bytes for {method} {path}": ask(method, path, body=b"x" * size)
        for size in (2**20, 2**20 + 1)
        for method, path in (("POST", "/nope"), ("DELETE", "/healthz"), ("POST", ME), ("GET", "/"))
    },
}
