"""Numbers and names of a session in the words of the page."""

import math
import re
from collections.abc import Mapping
from datetime import datetime

STAGES: Mapping[str, str] = {
    "read": "Read the picture",
    "decode": "Read the picture",
    "wait": "Wait for the face reader",
    "track": "Find the face",
    "align": "Align the face",
    "movement": "Measure movement",
    "spot": "Spot expressions",
    "frame": "Whole frame",
    "recognise": "Flow and classification",
    "write_event": "Write the event",
    "settled_to_disk": "Settling frame to event written",
    "event_on_disk": "Settling frame to event safe on disk",
    "draw_event": "Pictures and clip",
}
"""Stages of `latency_ms` in the order of the data."""

STATES: Mapping[str, tuple[str, str]] = {
    "complete": ("Complete", "The source was read to its end."),
    "stopped": ("Stopped", "The run was ended before the source was; everything up to then is here."),
    "failed": ("Failed", "The run broke off; everything up to then is here."),
    "interrupted": ("Interrupted", "The run was cut off before it could finish; everything reported is here."),
}


def clock_time(time_s: float, *, decimals: int = 2) -> str:
    """Time in the recording: `0:04.20`, `12:03.40`, `1:02:03.4`."""
    ticks = round(max(0.0, time_s) * 10**decimals)
    whole, fraction = divmod(ticks, 10**decimals)
    hours, minutes, seconds = whole // 3600, whole // 60 % 60, whole % 60
    start = f"{hours}:{minutes:02d}" if hours else f"{minutes}"
    return f"{start}:{seconds:02d}" + (f".{fraction:0{decimals}d}" if decimals else "")


def length(duration_s: float) -> str:
    """Length of the recording in words: `52 s`, `10 min 3 s`, `1 h 2 min`."""
    if duration_s < 10:
        return f"{duration_s:.1f} s"
    whole = round(duration_s)
    hours, minutes, seconds = whole // 3600, whole // 60 % 60, whole % 60
    parts = [(hours, "h"), (minutes, "min"), (0 if hours else seconds, "s")]
    return " ".join(f"{number} {unit}" for number, unit in parts if number)


def short_time(duration_s: float) -> str:
    """Length of a movement: `240 ms`, `1.35 s`."""
    return f"{1000 * duration_s:.0f} ms" if duration_s < 0.9995 else f"{duration_s:.2f} s"


def milliseconds(value_ms: float | None) -> str:
    """A latency with two or three digits that matter."""
    if value_ms is None or not math.isfinite(value_ms):
        return "–"
    if value_ms < 0.1:
        return f"{1000 * value_ms:.0f} µs"
    return f"{value_ms:.2f} ms" if value_ms < 10 else f"{value_ms:,.0f} ms"


def counted(number: int, one: str, many: str | None = None) -> str:
    """`1 event`, `3 events`, `no events`."""
    return f"{number or 'no'} {one if number == 1 else many or one + 's'}"


def date(record_time: object) -> str:
    """`20 November 2026, 18:37 UTC` of an ISO time; the text itself where it is none."""
    try:
        moment = datetime.fromisoformat(str(record_time))
    except ValueError:
        return str(record_time or "unknown")
    return f"{moment.day} {moment:%B %Y, %H:%M} {moment.tzname() or ''}".strip()


def without_numbers(reason: str) -> str:
    """A reason as the heading of its group: what varies from one movement to the next is left out."""
    general = re.sub(r"\s+from [\d.]+ s to [\d.]+ s", "", reason)
    general = re.split(r": |, (?=[\d.]+ )", general)[0]
    return re.sub(r"\d+(\.\d+)?( ?%)?", "…", general)


GATES: Mapping[str, str] = {
    "blink": "Blink",
    "blink-left": "Blink, left eye",
    "blink-right": "Blink, right eye",
    "head-turn": "Head turned fast",
    "light": "Light jumped",
    "occluded": "Something over the face",
    "out-left": "Left of the face out of the picture",
    "out-right": "Right of the face out of the picture",
    "out-above": "Forehead out of the picture",
    "out-below": "Chin out of the picture",
    "restart": "Face found again",
    "saccade": "Eyes jumped",
    "speech": "Speaking or chewing",
    "face-lost": "Face lost",
    "no-face": "No face",
}
"""Gates of `signals.parquet` in words."""
