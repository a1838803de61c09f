"""Who may speak to the app: this machine, under its own name, with the link that this start printed.

A page on the internet can make a browser send requests to localhost. It cannot read the token of this start, cannot
set the `Host` that we answer to, and its `Origin` is not ours; each of the three is asked for.
"""

import hmac
from dataclasses import dataclass
from urllib.parse import urlsplit

from fastapi import Request, Response
from fastapi.responses import JSONResponse, PlainTextResponse, RedirectResponse
from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

LOCAL = frozenset({"localhost", "127.0.0.1", "::1"})
COOKIE = "safelight_token"
SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; media-src 'self'; "
    "connect-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)
HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Door:
    """What a request must bring. `hosts` are the names this start answers to, without a port."""

    token: str
    hosts: frozenset[str] = LOCAL
    tls: bool = False

    def answer(self, request: Request) -> Response | None:
        """What a request is told before it reaches a route; None where it may go on."""
        refused = self.refusal(request)
        if refused is None and request.query_params.get("token") and request.method in SAFE:
            return self._welcome(request)
        return refused

    def refusal(self, request: Request) -> Response | None:
        """None for a request that may go on."""
        if _name(request.headers.get("host", "")) not in self.hosts:
            return _no(421, "This is not a name that the review app answers to.", "Open the link that it printed.")
        bearer = request.headers.get("authorization", "").removeprefix("Bearer ")
        given = (bearer, request.cookies.get(COOKIE, ""), request.query_params.get("token", ""))
        if not any(hmac.compare_digest(self.token.encode(), each.encode("utf-8", "replace")) for each in given):
            return self._stranger(request)
        if request.method not in SAFE and not hmac.compare_digest(self.token.encode(), bearer.encode()):
            return self._foreign(request)
        return None

    def _foreign(self, request: Request) -> Response | None:
        """A write that another site's page has sent carries that site's origin; ours names our own."""
        origin = request.headers.get("origin")
        site = request.headers.get("sec-fetch-site")
        own = origin is not None and urlsplit(origin).netloc == request.headers.get("host")
        if own or (origin is None and site == "same-origin"):
            return None
        return _no(403, "This request comes from another page.", "Only the app's own pages may write.")

    @staticmethod
    def _stranger(request: Request) -> Response:
        told = "Open the link that `safelight review` printed: it holds the key to this start."
        if request.url.path.startswith("/api/"):
            return _no(401, "The key of this start is missing.", told)
        return PlainTextResponse(told, status_code=401)

    def _welcome(self, request: Request) -> Response:
        """Turns the link's token into a cookie, so that it does not stay in the address."""
        address = request.url.remove_query_params("token")
        answer = RedirectResponse(f"{address.path}?{address.query}".rstrip("?"), status_code=303)
        answer.set_cookie(COOKIE, self.token, httponly=True, samesite="strict", secure=self.tls)
        return answer


class Guard:
    """Stands before the app: asks the door, and puts the headers on every answer."""

    def __init__(self, app: ASGIApp, door: Door) -> None:
        self.app, self.door = app, door

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        if scope["type"] == "lifespan":
            await self.app(scope, receive, send)
            return

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers.setdefault(name, value)
                headers.setdefault("Cache-Control", "no-store")
            await send(message)

        answer = self.door.answer(Request(scope)) if scope["type"] == "http" else _no(404, "Nothing is here.", "")
        await (self.app if answer is None else answer)(scope, receive, with_headers)


def _name(host: str) -> str:
    """The name in a `Host` header, without port and brackets."""
    try:
        return (urlsplit(f"//{host}").hostname or "").lower()
    except ValueError:
        return ""


def _no(status: int, cause: str, remedy: str) -> JSONResponse:
    return JSONResponse({"code": "not-allowed", "cause": cause, "remedy": remedy}, status_code=status)
