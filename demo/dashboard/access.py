"""Who may come in: hosts and origins, the password, and what a page may do once it is open."""

import hashlib
import hmac
import secrets
import time
from collections import deque
from http.cookies import SimpleCookie
from ipaddress import ip_address
from urllib.parse import parse_qs, quote, urlsplit

from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from demo.dashboard.login_page import login_page

COOKIE = "onset-access"
LOGIN = "/onset/login"
SHORTEST_PASSWORD = 8
FAILURES = 5
FAILURE_SPAN_S = 60.0
LARGEST_FORM = 4096
LARGEST_REQUEST = 2**20
"""Bytes that our own routes take; videos come in through Gradio's upload, which has its own limit."""
COUNTING = frozenset({"/onset/checkpoints"})
"""Routes that take more, and count it themselves while it comes in."""
_POLICY = "; ".join(
    (
        "default-src 'self'",
        # Gradio writes its configuration and the `js=` of its callbacks into the page.
        "script-src 'self' 'unsafe-inline' 'unsafe-eval' blob:",
        "style-src 'self' 'unsafe-inline'",
        "img-src 'self' data: blob:",
        "media-src 'self' data: blob:",
        "font-src 'self' data:",
        "worker-src 'self' blob:",
        "object-src 'none'",
        "base-uri 'self'",
        "frame-ancestors 'self'",
    )
)
HEADERS = {
    "content-security-policy": _POLICY,
    "x-content-type-options": "nosniff",
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "permissions-policy": "camera=(self), microphone=(), geolocation=()",
}


def is_loopback(host: str) -> bool:
    """Whether an address can be reached from this machine alone."""
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False


class Access:
    """Lets in who may come in; wraps the whole application, its WebSockets too.

    Other pages in the same browser are kept out by the origin that the browser states, other names for this
    machine (a page that points its own name here) by the host. Programs that state no origin need the password
    alone, as `Authorization: Bearer PASSWORD`.

    Args:
        app: what is behind the door.
        host: address that the server listens on; on a loopback address only loopback names are answered.
        password: None leaves the door open, which the caller allows on loopback alone.
        secure: the server speaks TLS; the cookie then travels over it alone.
    """

    def __init__(self, app: ASGIApp, *, host: str, password: str | None, secure: bool) -> None:
        self._app = app
        self._local = is_loopback(host)
        self._password = password
        self._secure = secure
        # One run's cookie; a restart or another password ends all visits.
        self._token = secrets.token_urlsafe(32)
        self._failures: deque[float] = deque(maxlen=FAILURES)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, refuse, or let through."""
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        refusal = self._refusal(scope)
        if refusal is None and scope["type"] == "http" and scope["path"] == LOGIN:
            refusal = await self._login(Request(scope, receive))
        elif refusal is None and not self._known(scope):
            refusal = _ask_for_password(scope)
        if refusal is None:
            await self._app(scope, receive, _with_headers(send))
        elif scope["type"] == "websocket":
            # Before it is accepted: the browser sees a refused handshake.
            await receive()
            await send({"type": "websocket.close", "code": 1008, "reason": "not allowed"})
        else:
            await refusal(scope, receive, _with_headers(send))

    def _refusal(self, scope: Scope) -> Response | None:
        headers = _headers(scope)
        host = headers.get("host", "")
        if self._local and not is_loopback(urlsplit(f"//{host}").hostname or "localhost"):
            return PlainTextResponse(f"{host}: this dashboard answers on this machine only", 403)
        changes = scope["type"] == "websocket" or scope["method"] not in ("GET", "HEAD", "OPTIONS")
        origin = headers.get("origin")
        foreign = origin is not None and urlsplit(origin).netloc != host
        if changes and (foreign or headers.get("sec-fetch-site") == "cross-site"):
            return PlainTextResponse("another page may not use this dashboard", 403)
        if scope["type"] == "http" and scope["path"].startswith("/onset/") and scope["path"] not in COUNTING:
            return _refuse_large(headers)
        return None

    def _known(self, scope: Scope) -> bool:
        if self._password is None:
            return True
        headers = _headers(scope)
        try:
            morsel = SimpleCookie(headers.get("cookie", "")).get(COOKIE)
        except Exception:  # a cookie of somebody else that cannot be read
            morsel = None
        if morsel is not None and hmac.compare_digest(morsel.value.encode(), self._token.encode()):
            return True
        kind, _, given = headers.get("authorization", "").partition(" ")
        return kind.lower() == "bearer" and self._admits(given)

    def _admits(self, given: str) -> bool:
        """Whether the password is right; after several wrong ones within a minute none is."""
        if self._locked():
            return False
        right = self._password is not None and hmac.compare_digest(_digest(given), _digest(self._password))
        if not right:
            self._failures.append(time.monotonic())
        return right

    def _locked(self) -> bool:
        return len(self._failures) == FAILURES and time.monotonic() - self._failures[0] < FAILURE_SPAN_S

    async def _login(self, request: Request) -> Response:
        language = request.headers.get("accept-language", "")
        onwards = request.query_params.get("to", "/")
        # Onwards within this dashboard only.
        onwards = onwards if onwards.startswith("/") and not onwards.startswith(("//", "/\\")) else "/"
        if self._password is None:
            return RedirectResponse("/", 303)
        if request.method != "POST":
            return HTMLResponse(login_page(language))
        given = await _form_password(request)
        if given is None:
            return PlainTextResponse("a password is expected here, nothing longer", 413)
        if self._locked():
            return HTMLResponse(login_page(language, fault="wait"), 429)
        if not self._admits(given):
            return HTMLResponse(login_page(language, fault="wrong"), 401)
        answer = RedirectResponse(onwards, 303)
        answer.set_cookie(COOKIE, self._token, httponly=True, samesite="strict", secure=self._secure, path="/")
        return answer


def _refuse_large(headers: dict[str, str]) -> Response | None:
    if "chunked" in headers.get("transfer-encoding", "").lower():
        return PlainTextResponse("state the length of what you send", 411)
    length = headers.get("content-length", "0")
    if not length.isdecimal() or int(length) > LARGEST_REQUEST:
        return PlainTextResponse(f"at most {LARGEST_REQUEST} bytes are taken here", 413)
    return None


def _ask_for_password(scope: Scope) -> Response:
    headers = _headers(scope)
    if scope["type"] == "http" and scope["method"] == "GET" and "text/html" in headers.get("accept", ""):
        return RedirectResponse(f"{LOGIN}?to={quote(scope['path'])}", 303)
    return PlainTextResponse("the password is missing or wrong: Authorization: Bearer PASSWORD", 401)


async def _form_password(request: Request) -> str | None:
    """The password of a login form; None where more is sent than a password can be."""
    body = b""
    async for part in request.stream():
        body += part
        if len(body) > LARGEST_FORM:
            return None
    return parse_qs(body.decode("utf-8", "replace")).get("password", [""])[0]


def _headers(scope: Scope) -> dict[str, str]:
    return {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]}


def _digest(text: str) -> bytes:
    return hashlib.sha256(text.encode()).digest()


def _with_headers(send: Send) -> Send:
    """Send with our headers on every answer that has none of its own of that name."""

    async def sending(message: Message) -> None:
        if message["type"] == "http.response.start":
            present = {name.lower() for name, _ in message.get("headers", [])}
            ours = [(name.encode(), value.encode()) for name, value in HEADERS.items() if name.encode() not in present]
            message = {**message, "headers": [*message.get("headers", []), *ours]}
        await send(message)

    return sending
