"""One take: a film played to a browser's camera, taken down as it arrives, and what is spotted in it."""

import threading
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import chain
from typing import TYPE_CHECKING, Any

import numpy as np

from demo.benchmarks.browser_camera_clip import STRIP_PX, Clip, read_number
from demo.benchmarks.browser_camera_stand import Stand, browse, send_camera
from demo.benchmarks.spotting_chain import movement_of, spot
from demo.benchmarks.spotting_takes import Outcome
from engines.errors import BadInput
from realtime.capture import Capture
from realtime.clock import MonotonicClock
from realtime.frames import Frame
from realtime.sources import ScriptedSource, VideoFile
from realtime.sources.pushed import PushedSource
from realtime.spotting.sample import MotionSample
from trainers.metrics.spotting import Interval

if TYPE_CHECKING:
    from playwright.sync_api import Page

_COMPARE_EVERY = 10
_WAIT_MS = 100
_SPARE_S = 30.0


@dataclass(kw_only=True)
class Taken:
    """What arrived of a film."""

    clip: Clip
    frames: list[Frame] = field(default_factory=list)
    numbers: list[int] = field(default_factory=list)
    """Number of the picture in the film that each frame shows."""
    waits_ms: list[float] = field(default_factory=list)
    """From the capture of each frame to its being decoded here."""
    dropped: int = 0
    """Frames that the source knows to be lost."""
    page: dict[str, Any] = field(default_factory=dict)
    """The page's own counts."""

    def add(self, frame: Frame, number: int) -> None:
        """Keep a frame, at the time that the scene's own clock shows."""
        self.frames.append(replace(frame, time_ns=round(frame.time_ns * self.clip.speed)))
        self.numbers.append(number)

    @property
    def missing(self) -> int:
        """Pictures of the film, between the first and the last that came, that did not come."""
        return (max(self.numbers) - min(self.numbers) + 1 - len(set(self.numbers))) if self.numbers else 0


def take_file(clip: Clip) -> Taken:
    """The film itself, read from its file."""
    taken = Taken(clip=clip)
    with VideoFile(clip.path) as film:
        for frame in film:
            taken.add(frame, frame.index)
    return taken


def take_camera(stand: Stand, clip: Clip, **settings: Any) -> Taken:
    """The film through a browser's camera, once from its start to its end.

    Args:
        stand: serves the page.
        clip: the film.
        settings: of the page: coding, quality, webRtc.

    Raises:
        BadInput: if nothing came, or there is no browser.
    """
    taken, (ticket, source) = Taken(clip=clip), stand.cameras.offer()
    thread = threading.Thread(target=_take_down, args=(source, taken), name="onset-camera-take")
    limit_s = 2 * clip.frames / (clip.frame_rate_hz * clip.speed) + _SPARE_S
    with browse(stand, clip.path) as page:
        thread.start()
        try:
            send_camera(page, ticket, frameRate=clip.frame_rate_hz * clip.speed, **settings)
            _wait(page, thread, limit_s)
            taken.page = page.evaluate("({...window.sender.figures(), states: window.states})")
        finally:
            source.interrupt()
            thread.join()
    if not taken.frames:
        raise BadInput(f"bench browser-camera: no picture came through the browser ({taken.page}); try again")
    return taken


def _wait(page: "Page", thread: threading.Thread, limit_s: float) -> None:
    for _ in range(round(limit_s * 1000 / _WAIT_MS)):
        if not thread.is_alive():
            return
        page.wait_for_timeout(_WAIT_MS)


def _take_down(source: PushedSource, taken: Taken) -> None:
    """Keep every frame until the film begins again; nothing else is done meanwhile, so that nothing is held up."""
    clock = MonotonicClock()
    with Capture(source, stall_s=_SPARE_S) as capture:
        for frame in capture:
            number = read_number(frame.image)
            if taken.numbers and number < taken.numbers[-1] - taken.clip.frames // 2:
                break
            taken.add(frame, number)
            taken.waits_ms.append((clock.now_ns() - frame.captured_ns) / 1e6)
            taken.dropped = capture.dropped


def same_frames(taken: Taken, film: Taken) -> Taken:
    """The film's own pictures of those frames that arrived, at the same times: what the way itself did is left out.

    Args:
        taken: what arrived.
        film: all of it, from its file.
    """
    pictures = {number: frame.image for number, frame in zip(film.numbers, film.frames, strict=True)}
    frames = [replace(frame, image=pictures[number]) for number, frame in zip(taken.numbers, taken.frames, strict=True)]
    return Taken(clip=taken.clip, frames=frames, numbers=taken.numbers, dropped=taken.dropped)


def movement_in(taken: Taken) -> list[MotionSample]:
    """Regional movement in what arrived, at the times at which it was filmed."""
    return list(movement_of(ScriptedSource((frame.time_ns, frame.image) for frame in taken.frames)))


def added_movement_px(samples: Sequence[MotionSample], untouched: Sequence[MotionSample]) -> list[float]:
    """By how much each region seems to jump from frame to frame that does not in the film itself.

    Args:
        samples: of frames as they arrived.
        untouched: of the film's own pictures of the same frames.

    Returns:
        One length a region and pair of frames, canthus-normalised pixels.
    """
    pairs = ({sample.index: sample.displacement for sample in some} for some in (samples, untouched))
    one, other = pairs
    departures = [
        (one[index + 1] - one[index]) - (other[index + 1] - other[index])
        for index in one
        if all(index in found and index + 1 in found for found in (one, other))
    ]
    lengths = np.linalg.norm(np.asarray(departures), axis=-1).ravel() if departures else np.zeros(0)
    return [float(length) for length in lengths[~np.isnan(lengths)]]


def outcome_of(taken: Taken, samples: Sequence[MotionSample], way: str) -> Outcome:
    """Spot in what arrived, and set it on the film's own time axis.

    Args:
        taken: frames and their numbers.
        samples: movement in them.
        way: how they came.
    """
    events, rejected = spot(samples)
    clip = taken.clip

    def film_s(position: int) -> float:
        return taken.numbers[position] / clip.frame_rate_hz

    name = clip.path.stem
    spotted = [
        Interval(
            video=name,
            onset_s=film_s(event.onset_index),
            apex_s=film_s(event.apex_index),
            offset_s=film_s(event.offset_index),
            kind=event.kind,
        )
        for event in events
    ]
    return Outcome(
        name=name,
        condition=way,
        rate_hz=clip.frame_rate_hz,
        identity=name,
        duration_s=clip.frames / clip.frame_rate_hz,
        truths=[Interval(video=name, onset_s=one.onset_s, apex_s=one.apex_s, offset_s=one.offset_s, kind=one.kind)
                for one in clip.truths],
        amplitudes_px=list(clip.amplitudes_px),
        calm=[True] * len(clip.truths),
        events=spotted,
        rejected=len(rejected),
    )  # fmt: skip


def picture_error(taken: Taken) -> float:
    """Root mean square departure from the film, over some frames, gray levels of 255."""
    some = {number: frame.image for number, frame in _every(zip(taken.numbers, taken.frames, strict=True))}
    squares = []
    with VideoFile(taken.clip.path) as film:
        for frame in film:
            if frame.index in some:
                departure = _gray(frame.image) - _gray(some[frame.index])
                squares.append(float(np.square(departure).mean()))
    return float(np.sqrt(np.mean(squares)))


def _every(frames: Iterable[tuple[int, Frame]]) -> Iterator[tuple[int, Frame]]:
    return chain.from_iterable([one] if place % _COMPARE_EVERY == 0 else [] for place, one in enumerate(frames))


def _gray(image: np.ndarray) -> np.ndarray:
    return np.asarray(image[STRIP_PX:].astype(np.float32) @ np.array([0.299, 0.587, 0.114], np.float32))
