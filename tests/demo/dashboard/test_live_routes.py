"""The live view's WebSocket and the event stream, over a real server's protocol."""

import asyncio
import http.client
import json
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient

from demo.dashboard.event_stream import as_server_sent, events_since, server_sent_events
from demo.dashboard.live_routes import live_routes
from demo.dashboard.subscribers import Subscriber
from realtime.json_lines import as_json
from realtime.session_folder import SessionWriter
from tests.demo.dashboard.conftest import Served
from tests.demo.dashboard.live_cameras import of_kind, wait_until
from tests.demo.dashboard.test_live_run import CAMERA, Bench
from tests.realtime.session_fixtures import REGIONS, a_rejected, an_event


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    made = Bench(tmp_path / "data")
    yield made
    made.live.close()
    made.cameras.close()


@pytest.fixture
def client(bench: Bench) -> Iterator[TestClient]:
    with TestClient(Starlette(routes=live_routes(bench))) as made:
        yield made


def write_session(bench: Bench, name: str, events: int) -> None:
    """A session folder with some events in it."""
    with SessionWriter(bench.data.sessions / name, source="camera 0", regions=REGIONS) as writer:
        for number in range(events):
            writer.add_event(an_event(onset_s=1.0 + number))


def test_a_page_is_told_the_state_sees_frames_and_gets_no_more_than_it_draws(bench: Bench, client: TestClient) -> None:
    with client.websocket_connect("/onset/live") as socket:
        assert socket.receive_json()["state"] == "idle"
        bench.run(frames=1)
        states = []
        frames: list[dict[str, Any]] = []
        with bench.camera.running():  # the preview leaves out what comes too soon: frames must go on coming
            while len(frames) < 6:
                said = socket.receive()
                if said.get("text"):
                    message = json.loads(said["text"])
                    states += [message["state"]] if message["type"] == "state" else []
                    continue
                content = said["bytes"]
                length = int.from_bytes(content[:4], "big")
                frames.append(json.loads(content[4 : 4 + length]))
                assert content[4 + length :][:2] == b"\xff\xd8", "a JPEG"
                socket.send_json({"type": "seen", "index": frames[-1]["index"]})
                socket.send_text("nonsense")
                socket.send_json({"type": "seen", "index": "not a number"})
    assert states[:3] == ["starting", "waiting-for-camera", "running"]
    indices = [frame["index"] for frame in frames]
    assert indices == sorted(indices)
    wait_until(lambda: not bench.live._viewers)


def test_a_page_that_connects_again_is_told_what_it_missed(bench: Bench, client: TestClient) -> None:
    session = bench.run()
    messages = bench.live._messages
    messages.event(an_event())
    messages.rejected(a_rejected())
    with client.websocket_connect("/onset/live") as socket:
        state, event, rejected = (socket.receive_json() for _ in range(3))
    assert (state["state"], state["session"]) == ("running", session)
    assert (event["type"], event["again"], event["event"]["label"]) == ("event", True, "positive")
    assert (rejected["type"], rejected["again"]) == ("rejected", True)


def test_pages_are_let_go_when_the_dashboard_closes(bench: Bench, client: TestClient) -> None:
    with client.websocket_connect("/onset/live") as socket:
        socket.receive_json()
        bench.live.close()
        ending = socket.receive()
    assert (ending["type"], ending["code"]) == ("websocket.close", 1001)


def test_programs_get_the_same_over_a_websocket(bench: Bench, client: TestClient) -> None:
    with client.websocket_connect("/onset/events") as socket:
        first = socket.receive_json()
        assert (first["type"], first["data"]["state"]) == ("state", "idle")
        session = bench.run()
        while (said := socket.receive_json())["data"]["state"] != "running":
            assert said["type"] == "state"
        event = an_event()
        bench.live._messages.event(event)
        told = socket.receive_json()
    assert (told["type"], told["session"], told["id"]) == ("expression", session, f"{session}/0")
    assert told["data"] == json.loads(as_json(event.as_record()))


def test_a_program_that_was_away_gets_what_it_missed_from_disk(bench: Bench, client: TestClient) -> None:
    bench.live._sessions += ["first", "second", "gone", "third"]
    write_session(bench, "first", 3)
    write_session(bench, "second", 1)
    write_session(bench, "third", 2)
    with client.websocket_connect("/onset/events?after=first/1") as socket:
        got = [socket.receive_json() for _ in range(6)]
    expressions = list(of_kind(got, "expression"))
    assert [one["id"] for one in expressions] == ["first/2", "first/3", "second/1", "third/1", "third/2"]
    assert expressions[0]["data"]["onset_s"] == 2.0
    assert got[-1]["type"] == "state"


@pytest.mark.parametrize("after", ["", "nothing", "../first/1", "first/x", "first/-1", "/", "%2e%2e/1"])
def test_a_place_that_is_none_has_nothing_after_it(bench: Bench, after: str) -> None:
    write_session(bench, "first", 2)
    assert list(events_since(bench.live, bench.data, after)) == []


def test_server_sent_events_are_as_the_standard_has_them() -> None:
    message = {"type": "expression", "session": "a", "id": "a/7", "data": {"label": "positive", "regions": ["chin"]}}
    assert as_server_sent(message) == (
        b'event: expression\nid: a/7\ndata: {"label": "positive", "regions": ["chin"]}\n\n'
    )
    assert as_server_sent({**message, "type": "rejected", "id": None}).startswith(b"event: rejected\ndata: {")


def test_an_event_that_is_on_disk_and_comes_live_is_sent_once(bench: Bench) -> None:
    bench.live._sessions.append("first")
    write_session(bench, "first", 2)

    async def sent() -> list[bytes]:
        waked = asyncio.Event()
        program = Subscriber(waked.set)
        for event_id in (1, 2, 3):
            program.post({"type": "expression", "session": "first", "id": f"first/{event_id}", "data": {}})
        program.close()
        told: AsyncIterator[bytes] = server_sent_events(bench.live, bench.data, program, waked, "first/0")
        return [part async for part in told]

    parts = asyncio.run(sent())
    assert [part.splitlines()[1] for part in parts[1:]] == [b"id: first/1", b"id: first/2", b"id: first/3"]


def test_the_stream_reaches_a_plain_http_client_through_the_whole_server(dashboard: Served) -> None:
    """As `curl -N` would read it, or any program in five lines."""
    place = urlsplit(dashboard.url)
    connection = http.client.HTTPConnection(place.hostname or "", place.port, timeout=30)
    connection.request("GET", "/onset/events")
    answer = connection.getresponse()
    assert answer.getheader("content-type", "").startswith("text/event-stream")
    lines = iter(answer.readline, b"")
    assert next(line for line in lines if line.startswith(b"event:")) == b"event: state\n"
    assert json.loads(next(lines).removeprefix(b"data: "))["state"] == "idle"
    dashboard.house.live._messages.event(an_event())
    assert next(line for line in lines if line.startswith(b"event:")) == b"event: expression\n"
    assert next(lines).startswith(b"id: ")
    assert json.loads(next(lines).removeprefix(b"data: "))["label"] == "positive"
    connection.close()
    wait_until(lambda: len(dashboard.house.live._messages.programs) == 0)


def test_a_start_is_seen_by_a_program(bench: Bench) -> None:
    program = bench.live.listen(lambda: None)
    bench.live.start(CAMERA)
    bench.stop()
    states = [message["data"]["state"] for message in of_kind(program.take(), "state")]
    assert states[0] == states[-1] == "idle"
    assert "starting" in states


def test_a_program_that_knows_a_run_before_the_restart_gets_the_runs_since(bench: Bench) -> None:
    old, *since = (f"2026-11-2{day}_10-00-00_camera-0" for day in (0, 1, 2))
    bench.live._sessions += since
    for name in (old, *since):
        write_session(bench, name, 2)
    told = [message["id"] for message in events_since(bench.live, bench.data, f"{old}/1")]
    assert told == [f"{old}/2", f"{since[0]}/1", f"{since[0]}/2", f"{since[1]}/1", f"{since[1]}/2"]
    assert list(events_since(bench.live, bench.data, "2026-11-19_10-00-00_never/0")) == []
