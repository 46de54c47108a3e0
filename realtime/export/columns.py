"""What every column of the exported tables means, with its unit."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType

MOMENTS = ("onset", "apex", "offset")
_UNIT_PX = "canthus-normalised px"
"""Pixels of a face whose inner eye corners are 64 px apart."""

Meaning = tuple[str, str]
"""Unit, and what the column says."""

_MOVEMENT: Mapping[str, Meaning] = MappingProxyType(
    {
        "face_id": ("", "which face, numbered from 1 in order of appearance"),
        "onset_s": ("s", "when the movement begins, from the start of the recording"),
        "apex_s": ("s", "when it is strongest"),
        "offset_s": ("s", "when it has gone"),
        "onset_index": ("frame", "the same as 0-based number of the frame in the source"),
        "apex_index": ("frame", "the same as 0-based number of the frame in the source"),
        "offset_index": ("frame", "the same as 0-based number of the frame in the source"),
        "duration_ms": ("ms", "onset to offset"),
        "regions": ("", "which parts of the face moved, strongest first; left and right are the subject's"),
        "strength_px": (_UNIT_PX, "peak movement over these regions"),
        "threshold_px": (_UNIT_PX, "what the movement had to exceed"),
    }
)
_SAID: Mapping[str, Meaning] = MappingProxyType(
    {
        "corrected_label": ("", "what a person called it afterwards; empty where nobody did"),
        "note": ("", "what a person noted about it"),
    }
)
_EVENTS: Mapping[str, Meaning] = MappingProxyType(
    {
        "event_id": ("", "number of the event in the session"),
        "kind": ("", "micro: at most half a second; macro: longer"),
        "label": ("", "what the model called it; never changed afterwards"),
        **_SAID,
        **_MOVEMENT,
        "description": ("", "movements and suggested action units in words"),
        "action_units": ("", "suggested action units: number, side where one-sided, score from 0 to 1"),
    }
)
_EVENTS_LAST: Mapping[str, Meaning] = MappingProxyType(
    {
        "latency_ms": ("ms", "from the capture of the frame that settled it to its being written"),
        "checkpoint": ("", "the model that gave the label"),
    }
)
REJECTED: Mapping[str, Meaning] = MappingProxyType(
    {
        "rejected_number": ("", "number of the movement in the session"),
        "reason": ("", "why it was not reported"),
        **_SAID,
        **_MOVEMENT,
    }
)
REMARKS: Mapping[str, Meaning] = MappingProxyType(
    {
        "remark_id": ("", "number of the remark in the session"),
        "made_at": ("ISO 8601", "when it was made"),
        "event_id": ("", "the event that it is about, if it is about one"),
        "rejected_number": ("", "the rejected movement that it is about, if it is about one"),
        "time_s": ("s", "the moment that it is about, if it is about one"),
        "label": ("", "corrected label"),
        "note": ("", "anything else"),
        "stands": ("", "yes: the newest about its subject, and not taken back; no: an earlier one"),
    }
)
_SIGNALS: Mapping[str, Meaning] = MappingProxyType(
    {
        "index": ("frame", "0-based number of the frame in the source"),
        "time_s": ("s", "from the start of the recording"),
        "face_id": ("", "which face; 0: the frame showed none"),
        "strength": (_UNIT_PX, "movement that the spotter weighed"),
        "threshold": (_UNIT_PX, "what it had to exceed; empty while there was none yet"),
        "gates": ("", "why the frame is hard to read: a blink, a turn of the head and the like"),
    }
)


def probability(label: str) -> str:
    """Name of the column with the probability of a label."""
    return f"probability_{label}"


def event_columns(classes: Sequence[str]) -> list[str]:
    """Columns of `events.csv`.

    Args:
        classes: labels that the model gives probabilities for.
    """
    return [*_EVENTS, *map(probability, classes), *_EVENTS_LAST]


def legend(classes: Sequence[str], regions: Sequence[str]) -> list[dict[str, str]]:
    """Rows of `columns.csv`: `table`, `column`, `unit`, `meaning`.

    Args:
        classes: labels that the model gives probabilities for.
        regions: parts of the face whose movement the signals hold.
    """
    chances = {probability(label): ("0 to 1", f"how likely the model finds {label}") for label in classes}
    tables: dict[str, Mapping[str, Meaning]] = {
        "events.csv": {**_EVENTS, **chances, **_EVENTS_LAST},
        "rejected.csv": REJECTED,
        "remarks.csv": REMARKS,
        "signals.csv": {**_SIGNALS, **_regions(regions)},
    }
    return [
        {"table": table, "column": name, "unit": unit, "meaning": meaning}
        for table, meanings in tables.items()
        for name, (unit, meaning) in meanings.items()
    ]


def _regions(regions: Sequence[str]) -> dict[str, Meaning]:
    ways = {"x": "to the right of the image", "y": "down"}
    return {
        f"{region.replace(' ', '_')}_{axis}": (
            _UNIT_PX,
            f"movement of the {region} {way}, empty where it could not be read",
        )
        for region in regions
        for axis, way in ways.items()
    }
