"""Who may come in, tried on the door alone and on a whole dashboard."""

import json
import ssl
import subprocess
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from http.client import HTTPResponse
from pathlib import Path

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route, WebSocketRoute
from starlette.testclient import TestClient
from starlette.websockets import WebSocket, WebSocketDisconnect

from demo.dashboard import access
from demo.dashboard.access import Access
from demo.dashboard.server import Address
from engines.errors import BadInput
from tests.demo.dashboard.conftest import Served, opened_page

PASSWORD = "correct horse"


async def _greet(_request: Request) -> Response:
    return PlainTextResponse("inside")


async def _echo(socket: WebSocket) -> None:
    await socket.accept()
    await socket.send_text("inside")
    await socket.close()


def _client(password: str | None = None, host: str = "127.0.0.1") -> TestClient:
    routes = [
        Route("/", _greet),
        Route("/onset/change", _greet, methods=["POST"]),
        WebSocketRoute("/onset/socket", _echo),
    ]
    door = Access(Starlette(routes=routes), host=host, password=password, secure=False)
    return TestClient(door, base_url="http://127.0.0.1:7860", follow_redirects=False)


def test_this_machine_comes_in_without_a_password() -> None:
    client = _client()
    assert client.get("/").text == "inside"
    assert client.post("/onset/change", headers={"origin": "http://127.0.0.1:7860"}).text == "inside"
    with client.websocket_connect("/onset/socket", headers={"host": "127.0.0.1:7860"}) as socket:
        assert socket.receive_text() == "inside"


@pytest.mark.parametrize("host", ["evil.example", "evil.example:7860", "192.0.2.7:7860", "127.0.0.1.evil.example"])
def test_another_name_for_this_machine_is_not_answered(host: str) -> None:
    assert _client().get("/", headers={"host": host}).status_code == 403


@pytest.mark.parametrize("origin", ["http://evil.example", "http://127.0.0.1:9999", "null", "https://localhost"])
def test_another_page_in_the_browser_changes_nothing(origin: str) -> None:
    client = _client()
    assert client.post("/onset/change", headers={"origin": origin}).status_code == 403
    with (
        pytest.raises(WebSocketDisconnect),
        client.websocket_connect("/onset/socket", headers={"origin": origin, "host": "127.0.0.1:7860"}),
    ):
        pass


def test_without_the_password_nothing_is_shown() -> None:
    client = _client(PASSWORD, host="0.0.0.0")
    assert client.get("/").status_code == 401
    shown = client.get("/", headers={"accept": "text/html"})
    assert (shown.status_code, shown.headers["location"]) == (303, "/onset/login?to=/")
    with pytest.raises(WebSocketDisconnect), client.websocket_connect("/onset/socket"):
        pass
    assert client.get("/", headers={"cookie": f"{access.COOKIE}=guess"}).status_code == 401
    assert client.get("/", headers={"authorization": "Bearer wrong"}).status_code == 401


def test_the_password_opens_page_and_sockets() -> None:
    client = _client(PASSWORD, host="0.0.0.0")
    assert "password" in client.get(access.LOGIN).text
    answer = client.post(f"{access.LOGIN}?to=/", data={"password": PASSWORD})
    assert (answer.status_code, answer.headers["location"]) == (303, "/")
    cookie = answer.headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=strict" in cookie
    assert client.get("/").text == "inside"
    given = answer.headers["set-cookie"].split(";")[0]
    with client.websocket_connect("/onset/socket", headers={"cookie": given}) as socket:
        assert socket.receive_text() == "inside"


def test_programs_give_the_password_in_a_header() -> None:
    client = _client(PASSWORD, host="0.0.0.0")
    assert client.get("/", headers={"authorization": f"Bearer {PASSWORD}"}).text == "inside"


def test_guessing_is_slowed_down(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 100.0
    monkeypatch.setattr("demo.dashboard.access.time.monotonic", lambda: now)
    client = _client(PASSWORD, host="0.0.0.0")
    for _ in range(access.FAILURES):
        assert client.post(access.LOGIN, data={"password": "guess"}).status_code == 401
    assert client.post(access.LOGIN, data={"password": PASSWORD}).status_code == 429
    now += access.FAILURE_SPAN_S
    assert client.post(access.LOGIN, data={"password": PASSWORD}).status_code == 303


@pytest.mark.parametrize("onwards", ["//evil.example", "https://evil.example", "/\\evil.example"])
def test_the_password_leads_nowhere_else(onwards: str) -> None:
    client = _client(PASSWORD, host="0.0.0.0")
    answer = client.post(access.LOGIN, params={"to": onwards}, data={"password": PASSWORD})
    assert answer.headers["location"] == "/"


def test_long_requests_are_refused_before_they_are_read() -> None:
    client = _client()
    assert client.post("/onset/change", content=b"x" * (access.LARGEST_REQUEST + 1)).status_code == 413
    assert client.post("/onset/change", content=iter([b"x"])).status_code == 411
    password_sized = _client(PASSWORD).post(access.LOGIN, content=b"x" * (access.LARGEST_FORM + 1))
    assert password_sized.status_code == 413


@pytest.mark.parametrize("host", ["127.0.0.1", "127.0.0.2", "localhost", "::1"])
def test_every_loopback_address_is_this_machine(host: str) -> None:
    assert Address(host=host).password is None
    shown = f"[{host}]:7860" if ":" in host else f"{host}:7860"
    assert _client(host=host).get("/", headers={"host": shown}).text == "inside"


@pytest.mark.parametrize("host", ["127.evil.example", "192.0.2.7", "0.0.0.0", "::"])
def test_what_only_looks_like_this_machine_is_not(host: str) -> None:
    assert not access.is_loopback(host)


def test_checkpoints_may_be_larger_than_other_requests(dashboard: Served) -> None:
    request = urllib.request.Request(f"{dashboard.url}/onset/checkpoints", data=b"x" * (2 * access.LARGEST_REQUEST))
    with urllib.request.urlopen(request) as answer:
        job = dashboard.house.jobs.wait(json.loads(answer.read())["id"])
    # Taken in and looked at, not turned away at the door.
    assert job is not None
    assert "zip" in str(job.error)


def test_pages_carry_their_limits() -> None:
    headers = _client().get("/").headers
    assert "default-src 'self'" in headers["content-security-policy"]
    assert headers["x-content-type-options"] == "nosniff"


def test_other_addresses_demand_a_password() -> None:
    with pytest.raises(BadInput, match=r"--host 0\.0\.0\.0.*--password-file"):
        Address(host="0.0.0.0")
    with pytest.raises(BadInput, match="at least 8"):
        Address(host="0.0.0.0", password="short")
    assert Address(host="0.0.0.0", password=PASSWORD).password == PASSWORD


def test_certificate_and_key_belong_together(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="belong together"):
        Address(certificate=tmp_path / "c.pem")
    with pytest.raises(BadInput, match="no such file"):
        Address(certificate=tmp_path / "c.pem", key=tmp_path / "k.pem")


def test_a_taken_port_is_one_line() -> None:
    with Address(port=0).listen() as taken, pytest.raises(BadInput, match="choose another --port"):
        Address(port=taken.getsockname()[1]).listen()


@pytest.fixture
def secure(tmp_path: Path, serve: Callable[..., AbstractContextManager[Served]]) -> Iterator[Served]:
    """A dashboard with a password and a certificate of its own."""
    certificate, key = tmp_path / "certificate.pem", tmp_path / "key.pem"
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost"]
    names = ["-addext", "subjectAltName=IP:127.0.0.1,DNS:localhost", "-keyout", str(key), "-out", str(certificate)]
    subprocess.run([*command, *names], check=True, capture_output=True)
    with serve(tmp_path / "data", password=PASSWORD, certificate=certificate, key=key) as served:
        yield served


def _fetch(url: str, certificate: Path, **headers: str) -> HTTPResponse:
    context = ssl.create_default_context(cafile=str(certificate))
    answer: HTTPResponse = urllib.request.urlopen(urllib.request.Request(url, headers=headers), context=context)
    return answer


def test_the_whole_dashboard_over_tls(secure: Served, tmp_path: Path) -> None:
    certificate = tmp_path / "certificate.pem"
    assert secure.url.startswith("https://")
    with pytest.raises(urllib.error.HTTPError, match="401") as refused:
        _fetch(f"{secure.url}/onset/jobs", certificate)
    refused.value.close()
    with _fetch(f"{secure.url}/onset/jobs", certificate, Authorization=f"Bearer {PASSWORD}") as answer:
        assert answer.read() == b"[]"


def test_wrong_then_right_password_in_the_browser(secure: Served, browser: object) -> None:
    with browser.new_context(ignore_https_errors=True, locale="zh-CN") as visit:  # type: ignore[attr-defined]
        page = visit.new_page()
        page.goto(secure.url)
        assert page.inner_text("label") == "此面板的密码"
        page.fill("#password", "not the password")
        page.click("button")
        assert page.inner_text("[role=alert]") == "密码不正确。"
        page.fill("#password", PASSWORD)
        page.click("button")
        page.wait_for_selector("#onset-tabs")
        assert page.url == f"{secure.url}/"


def test_the_notice_is_shown_once(dashboard: Served, browser: object) -> None:
    with opened_page(browser, dashboard.url, notice=True) as page:  # type: ignore[arg-type]
        dialog = page.locator("onset-header dialog")
        assert dialog.is_visible()
        assert "lie detector" in dialog.inner_text()
        page.click("onset-header dialog button")
        assert not dialog.is_visible()
        page.reload()
        page.wait_for_selector("html[data-onset=ready]", state="attached")
        assert not dialog.is_visible()
        page.get_by_role("button", name="Limits and privacy").click()
        assert dialog.is_visible()
