"""Events for other programs, as server-sent events or over a WebSocket: nothing is lost while they were away."""

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from typing import Any

from demo.dashboard.data_folder import DataFolder
from demo.dashboard.live_run import LiveRun
from demo.dashboard.subscribers import Message, Subscriber
from engines.errors import BadInput
from realtime.json_lines import read_lines
from realtime.session_reader import EVENTS_NAME

ALIVE_S = 15.0
"""A comment so often keeps a silent connection open, and tells a program that went away."""


async def socket_events(
    live: LiveRun, data: DataFolder, program: Subscriber, waked: asyncio.Event, after: str | None
) -> AsyncIterator[Message]:
    """What a program is told, until it is let go.

    Args:
        live: the run.
        data: where its sessions lie.
        program: listens already, so that nothing falls between what is on disk and what comes.
        waked: set when there is something to take.
        after: "SESSION/EVENT_ID" of the last event that the program knows; with it come those since.
    """
    async for message in _told(live, data, program, waked, after, None):
        if message is not None:
            yield message


async def server_sent_events(
    live: LiveRun, data: DataFolder, program: Subscriber, waked: asyncio.Event, after: str | None
) -> AsyncIterator[bytes]:
    """The same in the form of server-sent events; arguments as there."""
    yield b"retry: 2000\n\n"
    async for message in _told(live, data, program, waked, after, ALIVE_S):
        yield b": alive\n\n" if message is None else as_server_sent(message)


def as_server_sent(message: Message) -> bytes:
    """One message as server-sent event: its kind, its number where it has one, its line."""
    number = f"id: {message['id']}\n" if message["id"] else ""
    line = json.dumps(message["data"], ensure_ascii=False, allow_nan=False)
    return f"event: {message['type']}\n{number}data: {line}\n\n".encode()


def events_since(live: LiveRun, data: DataFolder, after: str) -> Iterator[Message]:
    """The events after one that a program knows: the rest of that session, and all of this dashboard's later ones.

    A session of an earlier start of the dashboard is none of this one's runs: its name tells which of them are later.

    Args:
        live: knows the later sessions.
        data: where they lie.
        after: "SESSION/EVENT_ID"; anything else has nothing after it.
    """
    session, _, known = after.rpartition("/")
    if not session or not known.isdecimal():
        return
    for name in (session, *_later(live, data, session)):
        try:
            events, _ = read_lines(data.session(name) / EVENTS_NAME)
        except BadInput:  # deleted meanwhile, or never begun
            continue
        for event in events:
            if name != session or event["event_id"] > int(known):
                yield {"type": "expression", "session": name, "id": f"{name}/{event['event_id']}", "data": event}


def _later(live: LiveRun, data: DataFolder, session: str) -> list[str]:
    """The runs of this dashboard that began after a session."""
    runs = list(live.sessions)
    if session in runs:
        return runs[runs.index(session) + 1 :]
    try:
        data.session(session)
    except BadInput:
        return []
    return [name for name in runs if name > session]  # a name begins with the time


async def _told(
    live: LiveRun,
    data: DataFolder,
    program: Subscriber,
    waked: asyncio.Event,
    after: str | None,
    alive_s: float | None,
) -> AsyncIterator[Message | None]:
    sent: set[Any] = set()
    for message in await asyncio.to_thread(lambda: list(events_since(live, data, after or ""))):
        sent.add(message["id"])
        yield message
    while True:
        waked.clear()
        for message in program.take():
            if message["id"] is None or message["id"] not in sent:
                yield message
        if program.closed is not None:
            return
        try:
            await asyncio.wait_for(waked.wait(), alive_s)
        except TimeoutError:
            yield None
