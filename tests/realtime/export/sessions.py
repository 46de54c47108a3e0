"""A session with all that an export has to carry: a film, events that overlap, two faces, remarks in two languages."""

from pathlib import Path
from typing import Any

import numpy as np

from realtime.events import ExpressionEvent, RegionalMovement, SuggestedUnit
from realtime.session_folder import SessionStatistics, SessionWriter
from realtime.session_remarks import add_remark
from tests.realtime.session_fixtures import REGIONS, HandClock, a_rejected, a_sample, an_event
from tests.videos import write_numbered

RATE_HZ = 20
SECONDS = 6


def film(path: Path) -> Path:
    """Six seconds of numbered pictures at 20 Hz."""
    path.parent.mkdir(parents=True, exist_ok=True)
    return write_numbered(path, RATE_HZ * SECONDS, frame_rate=RATE_HZ)


def an_expression(**changes: Any) -> ExpressionEvent:
    return an_event(
        **{
            "movements": (RegionalMovement(region="right lip corner", right_px=-1.0, down_px=-1.2),),
            "action_units": (SuggestedUnit(unit=12, name="lip corner puller", side="right", score=0.93),),
            "description": "right lip corner up and out, 1.6 px: AU12, one-sided",
            **changes,
        }
    )


def write_session(folder: Path, *, source: str = "talk.mp4", finish: bool = True, further: Any = None) -> Path:
    """Events 1 and 2 are micro, 3 a macro over both, 4 of a second face while 1 lasts; two rejected overlap."""
    writer = SessionWriter(
        folder, source=source, regions=REGIONS, checkpoint="default", clock=HandClock(), further=further
    )
    for index in range(RATE_HZ * SECONDS):
        if index == 3:
            writer.add_empty_frame(index, round(1e9 * index / RATE_HZ))
            continue
        sample = a_sample(index, gates=("blink", "speech") if index == 5 else ())
        sample = type(sample)(
            index=index,
            time_ns=round(1e9 * index / RATE_HZ),
            captured_ns=0,
            face_id=1,
            displacement=np.full((len(REGIONS), 2), 0.25 * index, np.float32),
            gates=sample.gates,
        )
        writer.add_sample(sample, strength=0.5 + 0.001 * index, threshold=float("nan") if index < 10 else 0.8)
    writer.add_event(an_expression(onset_s=1.0))
    writer.add_event(an_expression(onset_s=3.0, label="negative"))
    writer.add_event(an_event(0.9, kind="macro", offset_ns=3_900_000_000, label=None, probabilities={}))
    writer.add_event(an_expression(onset_s=1.1, face_id=2, label="surprise"))
    writer.add_rejected(a_rejected(2.0))
    writer.add_rejected(a_rejected(2.05, reason="the head turned"))
    if finish:
        statistics = SessionStatistics(frames_read=RATE_HZ * SECONDS, duration_s=SECONDS - 1 / RATE_HZ)
        writer.finish("complete", statistics=statistics)
    else:
        writer._events.close()
        writer._rejected.close()
        writer._signals._stream.close()
    return folder


def with_remarks(folder: Path) -> Path:
    add_remark(folder, event_id=2, label="contempt", note="first thought")
    add_remark(folder, event_id=2, label="轻蔑", note='half a smile; "really"')
    add_remark(folder, rejected_number=2, note="was one after all")
    add_remark(folder, time_s=4.5, note="=telephone rang")
    return folder
