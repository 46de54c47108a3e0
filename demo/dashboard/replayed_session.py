"""A session as the replay view shows it: what was spotted, what was not, what people said of it, what can be seen."""

from functools import cache
from pathlib import Path
from typing import Any

from demo.dashboard.house import House
from engines.checkpoint import load_checkpoint
from engines.errors import OnsetError
from realtime.session_frames import find_footage
from realtime.session_reader import REPORT_NAME, Session, read_session
from realtime.session_remarks import read_remarks

PICTURES = ("onset", "apex", "offset", "flow", "strain")
_TOLD = (
    "source", "started_at", "finished_at", "reason", "frames", "duration_s", "frame_rate_hz", "checkpoint", "backend",
    "sensitivity", "conditions", "counts", "source_format",
)  # fmt: skip


def replayed_session(house: House, folder: Path) -> dict[str, Any]:
    """All there is to know of a session but its course, as a JSON value.

    Args:
        house: where its source may lie, and what is running.
        folder: the session.

    Raises:
        BadInput: if it is no session, or a file of it is damaged.
    """
    session = read_session(folder)
    footage = find_footage(session, (house.data.recordings,))
    return {
        "name": folder.name,
        "state": session.state,
        "record": {name: session.record.get(name) for name in _TOLD},
        "notes": list(session.notes),
        "footage": {
            "there": footage.path is not None,
            "recorded": bool(footage.recordings),
            "source": Path(str(session.record.get("source") or "")).name,
            "missing": footage.missing,
            "live": footage.live,
        },
        "events": [{**event, "pictures": _pictures(session, event)} for event in session.events],
        "rejected": list(session.rejected),
        "remarks": [remark.as_record() for remark in read_remarks(folder)],
        "labels": _labels(session, house),
        "report": (folder / REPORT_NAME).is_file(),
    }


def _pictures(session: Session, event: dict[str, Any]) -> list[str]:
    """Which pictures of an event were written."""
    folder = session.media(int(event["event_id"]))
    return [name for name in PICTURES if (folder / f"{name}.png").is_file()]


def _labels(session: Session, house: House) -> list[str]:
    """What an expression can be called: the classes of the checkpoint that looked at the session, or would now."""
    spotted = dict.fromkeys(label for event in session.events for label in event.get("probabilities") or {})
    try:
        return [*spotted] or _classes(str(house.data.checkpoint(house.chosen.checkpoint)))
    except OnsetError:  # the checkpoint is gone: a label can still be typed
        return []


@cache
def _classes(checkpoint: str) -> list[str]:
    return list(load_checkpoint(checkpoint).card.classes)
