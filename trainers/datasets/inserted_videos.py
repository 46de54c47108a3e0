"""Recordings with inserted movements as video files, and the truth of what was inserted."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from realtime.sources.base import Source
from trainers.datasets.inserted_footage import InsertedFootage
from trainers.datasets.synthetic_videos import Filming, encode_video, movement_records


def inserted_records(footage: InsertedFootage, times_ns: Sequence[int], video: str = "") -> list[dict[str, Any]]:
    """What was inserted, as lines of `truth.jsonl`.

    Args:
        footage: the recording with its movements.
        times_ns: times of its frames, increasing.
        video: name of the file; the recording's own if not given.

    Returns:
        One record a movement; the subject is named after the recording.
    """
    source = Path(footage.name)
    return movement_records(footage.movements, times_ns, video or source.name, source.stem)


def write_inserted(
    footage: InsertedFootage,
    path: str | Path,
    filming: Filming | None = None,
    progress: Callable[[int], None] | None = None,
) -> list[dict[str, Any]]:
    """Write a recording with its inserted movements into a video file.

    Args:
        footage: what to write, closed.
        path: the file, `.mp4` or `.mkv`.
        filming: codec and quality, or a bit rate; by default without loss. Frame times are the recording's.
        progress: called with the frames done after every one.

    Returns:
        What was inserted, as lines of `truth.jsonl`.

    Raises:
        BadInput: if the recording cannot be read or the file cannot be written.
    """
    filming = filming or Filming(frame_rate_hz=_nominal_hz(footage), codec="h264-lossless")
    with footage:
        frames = ((frame.time_ns, _even(frame.image)) for frame in footage)
        times_ns = encode_video(frames, path, filming, progress)
    return inserted_records(footage, times_ns, Path(path).name)


def _nominal_hz(footage: Source) -> float:
    """The recording's stated rate, which an encoder wants; frames keep their own times whatever it says."""
    with footage:
        stated = footage.frame_rate_hz or 30.0
    return min(max(stated, 1.0), 1000.0)


def _even(image: Any) -> Any:
    """H.264 halves the colours, so both sides must be even."""
    rows, columns = image.shape[0] // 2 * 2, image.shape[1] // 2 * 2
    return image[:rows, :columns]
