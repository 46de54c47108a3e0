"""Events as markers of the Lab Streaming Layer, for labs that record EEG, gaze or pulse beside the face."""

import importlib
import json
import logging
import threading
from collections import deque
from contextlib import suppress
from typing import Any

from engines.errors import BackendUnavailable, in_one_line
from realtime.clock import NANOSECONDS, Clock, MonotonicClock, to_seconds
from realtime.events import ExpressionEvent
from realtime.watcher import Look, Watcher

_LOG = logging.getLogger(__name__)
STREAM_NAME, STREAM_TYPE = "Onset", "Markers"
_QUIET = b"[log]\nlevel = -2\n"
"""Errors only: the library writes to the terminal otherwise."""
_REMEMBERED_S = 60


class LabStreaming:
    """An outlet of the Lab Streaming Layer: one marker an event.

    A marker is the event's JSON line with `onset_lsl_s`, `apex_lsl_s` and `offset_lsl_s`, the moments themselves on
    the layer's clock, and bears the time stamp of the onset: an event is known a second or so after it happened.

    Attach `watcher` to a run.

    Args:
        source_id: tells one outlet from another, and lets a receiver find this one again.
        clock: the one that stamps the frames.

    Raises:
        BackendUnavailable: if pylsl is not installed or its library does not load.
    """

    def __init__(self, source_id: str, *, clock: Clock | None = None) -> None:
        self._clock = clock or MonotonicClock()
        self._layer = _load()
        information = self._layer.StreamInfo(
            STREAM_NAME, STREAM_TYPE, 1, self._layer.IRREGULAR_RATE, "string", source_id
        )
        description = information.desc()
        description.append_child_value("manufacturer", "Onset")
        description.append_child_value(
            "marker", "JSON: one expression, its moments in onset_lsl_s, apex_lsl_s, offset_lsl_s"
        )
        self._outlet: Any = self._layer.StreamOutlet(information)
        self._lock = threading.Lock()
        self._began_ns: int | None = None
        self._begun_ns: deque[tuple[int, int]] = deque()  # (second, earliest beginning that one of its frames tells)
        self.watcher = Watcher(on_look=self._note_times, on_event=self.push)
        """Looks on at the run whose events are sent."""

    def push(self, event: ExpressionEvent) -> None:
        """Send an event; returns at once."""
        with self._lock:
            if self._outlet is None or self._began_ns is None:
                return
            # Both clocks read together: they may be different ones, and drift.
            shift_s = float(self._layer.local_clock()) - to_seconds(self._clock.now_ns())
            began_s = to_seconds(self._began_ns) + shift_s
            moments = {"onset": event.onset_ns, "apex": event.apex_ns, "offset": event.offset_ns}
            times_s = {f"{name}_lsl_s": began_s + to_seconds(moment_ns) for name, moment_ns in moments.items()}
            marker = json.dumps({**event.as_record(), **times_s}, ensure_ascii=False)
            try:
                self._outlet.push_sample([marker], times_s["onset_lsl_s"])
            except Exception as fault:  # the network's fault must not end the run
                _LOG.warning("Lab Streaming Layer: event %d was not sent (%s)", event.event_id, in_one_line(fault))

    def close(self) -> None:
        """Take the outlet off the network."""
        with self._lock:
            self._outlet = None

    def _note_times(self, look: Look) -> None:
        """Learn when the source's time began on our clock; the frame that was delayed least says it best.

        Of the last minute only: the sender's clock drifts against ours.
        """
        second, began_ns = look.frame.captured_ns // NANOSECONDS, look.frame.captured_ns - look.frame.time_ns
        if self._begun_ns and self._begun_ns[-1][0] == second:
            began_ns = min(began_ns, self._begun_ns.pop()[1])
        self._begun_ns.append((second, began_ns))
        while self._begun_ns[0][0] <= second - _REMEMBERED_S:
            self._begun_ns.popleft()
        self._began_ns = min(began_ns for _, began_ns in self._begun_ns)


def _load() -> Any:
    try:
        layer = importlib.import_module("pylsl")
    except (ImportError, OSError, RuntimeError) as fault:
        raise BackendUnavailable(
            f"Lab Streaming Layer: pylsl cannot be loaded ({in_one_line(fault)}); "
            "install it with pip install 'onset-live[lsl]'"
        ) from None
    with suppress(AttributeError, ImportError):  # older libraries have no such call
        importlib.import_module("pylsl.lib").lib.lsl_set_config_content(_QUIET)
    return layer
