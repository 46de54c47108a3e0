"""What the live run tells: to the pages that show it, and to other programs that take its events."""

import json
import threading
from collections import deque
from dataclasses import dataclass
from typing import Any, Literal

from demo.dashboard.live_viewer import LiveViewer
from demo.dashboard.subscribers import Message, Subscriber, Subscribers
from realtime.clock import Clock
from realtime.events import ExpressionEvent, RejectedMovement
from realtime.json_lines import as_json

KEPT = 200
"""Events, and rejected movements, of the run that a page gets when it connects."""
Level = Literal["info", "warning", "error"]


@dataclass(kw_only=True)
class _Told:
    """An event that pages were told of."""

    event: ExpressionEvent
    line: dict[str, Any]
    drawn: bool = False


class LiveMessages:
    """Everybody who listens to the live run; nothing here waits for any of them.

    Args:
        clock: the one that stamps the frames.
    """

    def __init__(self, clock: Clock) -> None:
        self.viewers = Subscribers()
        """Pages that show the run."""
        self.programs = Subscribers()
        """Other programs that take its events."""
        self._clock = clock
        # What is told and what is remembered go together: who comes in between misses nothing and hears nothing twice.
        self._lock = threading.RLock()
        self._session: str | None = None
        self._state: Message = {}
        self._events: deque[_Told] = deque(maxlen=KEPT)
        self._rejected: deque[dict[str, Any]] = deque(maxlen=KEPT)

    def begin(self, session: str) -> None:
        """A new run: what was told of the last one is not told again."""
        with self._lock:
            self._session = session
            self._events.clear()
            self._rejected.clear()

    def welcome(self, viewer: LiveViewer) -> None:
        """Tell a new page the state and what was found so far, and let it listen."""
        with self._lock:
            viewer.post(self._state)
            for told in list(self._events):
                viewer.post({**self._event_message(told), "again": True})
            for line in list(self._rejected):
                viewer.post({**self._rejected_message(line), "again": True})
            self.viewers.add(viewer)

    def state(self, state: Message) -> None:
        """Tell everybody how the run stands."""
        with self._lock:
            self._state = {"type": "state", **state}
            self.viewers.post(self._state)
            self._send_out("state", {name: state[name] for name in ("state", "session", "source", "reason")}, None)

    def event(self, event: ExpressionEvent) -> None:
        """Tell everybody of an event that is on disk."""
        with self._lock:
            told = _Told(event=event, line=_plain(event.as_record()))
            self._events.append(told)
            self.viewers.post(self._event_message(told))
            self._send_out("expression", told.line, f"{self._session}/{event.event_id}")

    def media(self, event: ExpressionEvent) -> None:
        """Tell the pages that an event's pictures are on disk."""
        with self._lock:
            for told in list(self._events):
                if told.event.event_id == event.event_id:
                    told.drawn = True
            self.viewers.post(
                {
                    "type": "media",
                    "session": self._session,
                    "event_id": event.event_id,
                    "media": self._media(event),
                }
            )

    def rejected(self, rejected: RejectedMovement) -> None:
        """Tell everybody of a movement that was not reported."""
        with self._lock:
            line = _plain(rejected.as_record())
            self._rejected.append(line)
            self.viewers.post(self._rejected_message(line))
            self._send_out("rejected", line, None)

    def conditions(self, record: dict[str, Any] | None) -> None:
        """Tell the pages how well the faces can be watched."""
        self.viewers.post({"type": "conditions", "conditions": None if record is None else _plain(record)})

    def notice(self, level: Level, text: str) -> None:
        """Tell the pages one line."""
        self.viewers.post({"type": "notice", "level": level, "text": text})

    def close(self) -> None:
        """Let everybody go."""
        self.viewers.close()
        self.programs.close()

    def listen(self, program: Subscriber) -> None:
        """Let another program take what is found from now on; it is told the state first."""
        with self._lock:
            names = ("state", "session", "source", "reason")
            program.post(_outgoing("state", self._session, {name: self._state.get(name) for name in names}, None))
            self.programs.add(program)

    def _send_out(self, kind: str, data: dict[str, Any], identifier: str | None) -> None:
        self.programs.post(_outgoing(kind, self._session, data, identifier))

    def _event_message(self, told: _Told) -> Message:
        return {
            "type": "event",
            "session": self._session,
            "event": told.line,
            "media": self._media(told.event) if told.drawn else None,
            "settled_age_ms": round((self._clock.now_ns() - told.event.settled_captured_ns) / 1e6, 1),
        }

    def _rejected_message(self, line: dict[str, Any]) -> Message:
        return {"type": "rejected", "session": self._session, "rejected": line}

    def _media(self, event: ExpressionEvent) -> str:
        return f"/onset/sessions/{self._session}/files/events/{event.event_id:04d}/"


def _outgoing(kind: str, session: str | None, data: dict[str, Any], identifier: str | None) -> Message:
    """What other programs get: the same over a WebSocket and as server-sent event."""
    return {"type": kind, "session": session, "id": identifier, "data": data}


def _plain(record: dict[str, Any]) -> dict[str, Any]:
    """A record exactly as its JSON line has it: no NaN, no array."""
    plain: dict[str, Any] = json.loads(as_json(record, indent=None))
    return plain
