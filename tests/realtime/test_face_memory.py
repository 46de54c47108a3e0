import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from realtime.clock import NANOSECONDS
from realtime.face_memory import FaceMemory
from realtime.faces.observation import AlignedFace, FaceQuality

QUALITY = FaceQuality(
    eye_opening=(0.3, 0.3), yaw_deg=0, pitch_deg=0, roll_deg=0, mouth_opening=0, brightness=120, width_px=60
)
IMAGE = np.zeros((304, 256, 3), np.uint8)


def face(index: int, time_ns: int) -> AlignedFace:
    return AlignedFace(
        index=index,
        time_ns=time_ns,
        captured_ns=time_ns,
        face_id=1,
        image=IMAGE,
        landmarks=np.zeros((468, 2), np.float32),
        to_crop=np.eye(2, 3),
        quality=QUALITY,
    )


@given(st.lists(st.integers(min_value=1, max_value=NANOSECONDS), min_size=1, max_size=80))
def test_only_the_asked_span_is_kept_and_the_nearest_is_the_nearest(steps_ns: list[int]) -> None:
    memory = FaceMemory(span_s=2.0, limit_bytes=10**12)
    times = np.cumsum(steps_ns).tolist()
    for index, time_ns in enumerate(times):
        memory.keep(face(index, time_ns))
    kept = [time_ns for time_ns in times if times[-1] - time_ns <= 2 * NANOSECONDS]
    assert [held.time_ns for held in memory.between(0, times[-1], 0)] == kept
    wanted = kept[len(kept) // 2] + 1
    assert abs(memory.nearest(wanted).time_ns - wanted) == min(abs(time_ns - wanted) for time_ns in kept)


def test_memory_is_bounded_in_bytes() -> None:
    memory = FaceMemory(span_s=1e6, limit_bytes=3 * IMAGE.nbytes)
    for index in range(50):
        memory.keep(face(index, index))
    assert [held.index for held in memory.between(0, 50, 0)] == [47, 48, 49]


def test_a_clip_holds_no_more_than_was_asked_for() -> None:
    memory = FaceMemory(span_s=10, limit_bytes=10**12)
    for index in range(200):
        memory.keep(face(index, index * 5_000_000))
    clip = memory.between(0, NANOSECONDS, NANOSECONDS // 61)
    assert all(second.time_ns - first.time_ns >= NANOSECONDS // 61 for first, second in itertools.pairwise(clip))
    assert 45 <= len(clip) <= 61


def test_an_empty_memory_says_so() -> None:
    with pytest.raises(LookupError, match="no face yet"):
        FaceMemory(span_s=1, limit_bytes=1).nearest(0)
