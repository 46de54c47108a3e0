"""A browser's camera against the file that it films: what is lost on the way, in events and in frames.

A real Chromium plays a film with known expressions as its webcam. What arrives is spotted in as it came, and set
against the same film read from its file: as untouched planes and as JPEG over the dashboard's WebSocket, and through
the video codec of a WebRTC call, which is what pages usually do with a camera. Every picture carries its number.
"""

import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from demo.benchmarks.browser_camera_clip import Clip, write_clip
from demo.benchmarks.browser_camera_coding import CALL_BITS_PER_S, recode
from demo.benchmarks.browser_camera_stand import Certificate, self_signed, serve
from demo.benchmarks.browser_camera_take import (
    Taken,
    added_movement_px,
    movement_in,
    outcome_of,
    picture_error,
    same_frames,
    take_camera,
    take_file,
)
from demo.benchmarks.spotting_figures import scored
from demo.benchmarks.spotting_takes import Outcome
from demo.progress_bar import bar_of

SHOWS_PROGRESS = True
"""It draws a progress bar of its own."""
WAYS: dict[str, dict[str, Any] | None] = {
    "the file": None,
    "planes": {"coding": "raw"},
    "JPEG 0.95": {"coding": "jpeg", "quality": 0.95},
    "WebRTC": {"coding": "raw", "webRtc": True},
    "JPEG alone": {"recode": "jpeg", "quality": 0.95},
    "VP8 alone": {"recode": "vp8", "bits_per_s": CALL_BITS_PER_S},
}
"""Of the last two the coding alone, picture by picture and in no hurry: they lose none, however busy the machine is."""
IDENTITIES, CLIP_S = (0, 1, 4, 6), 24.0
QUICK_IDENTITIES, QUICK_CLIP_S = (1,), 16.0
LINK_S = 12.0
TRIES, FEW = 2, 0.01
"""Takes of a film, until so few of its pictures are missing: a browser on a busy machine does not film them all."""
LINKS = (
    (30.0, "planes", False),
    (30.0, "planes", True),
    (60.0, "planes", False),
    (60.0, "planes", True),
    (60.0, "JPEG 0.95", True),
)
"""Frames a second, coding, and whether over TLS."""


def run(*, quick: bool = False, speed: float = 1.0) -> dict[str, Any]:
    """Film, play, take down, spot and score.

    Args:
        quick: one face for a quarter of a minute instead of four for twenty-four seconds each.

        speed: below 1 the films of the ways are played slower and the times scaled back, so that a machine that is busy
            with other things films every picture; the call gets as many bits a picture as it does at full speed.

    Returns:
        Figures of each way over all films, and of each link.

    Raises:
        BadInput: if Chromium, Playwright or openssl is missing.
    """
    identities, seconds = (QUICK_IDENTITIES, QUICK_CLIP_S) if quick else (IDENTITIES, CLIP_S)
    steps = len(identities) * len(WAYS) + len(LINKS)
    with tempfile.TemporaryDirectory(prefix="onset-bench-") as name, bar_of("browser-camera bench") as bar:
        done = iter(range(1, steps + 1))

        def step() -> None:
            bar(next(done), steps)

        ways = _ways(Path(name), identities, seconds, speed, step)
        links = _links(Path(name), step)
    return {"ways": ways, "links": links}


def render(result: dict[str, Any]) -> str:
    """Two tables."""
    lines = [
        f"{'way':>10} {'true':>5} {'F1':>6} {'same frames':>12} {'false/min':>10} {'apex ms':>8} {'p95':>6} "
        f"{'rms gray':>9} {'added px':>9} {'p95':>6} {'film':>6} {'came':>6}"
    ]
    lines += [_way_line(way, row) for way, row in result["ways"].items()]
    lines.append(f"\n{'link':>24} {'film':>6} {'read':>6} {'known lost':>11} {'Mbit/s':>7} {'p50 ms':>7} {'p95 ms':>7}")
    lines += [
        f"{row['name']:>24} {row['pictures']:6d} {row['came']:6d} {row['dropped']:11d} {row['megabits_s']:7.1f} "
        f"{row['wait_ms']['p50']:7.1f} {row['wait_ms']['p95']:7.1f}"
        for row in result["links"]
    ]
    return "\n".join(lines)


def _way_line(way: str, row: dict[str, Any]) -> str:
    micro, added = row["micro"], row["added_movement_px"] or {"p50": None, "p95": None}
    apex = micro["apex_error_ms"]
    return (
        f"{way:>10} {micro['true_positives'] + micro['false_negatives']:5d} {micro['f1']:6.3f} "
        f"{row['micro_same_frames']['f1']:12.3f} {micro['false_alarms_per_minute']:10.2f} "
        f"{_shown(apex['median']):>8} {_shown(apex['p95']):>6} {row['picture_error']:9.2f} "
        f"{_shown(added['p50'], 3):>9} {_shown(added['p95'], 3):>6} {row['pictures']:6d} {row['came']:6d}"
    )


def _ways(
    folder: Path, identities: Sequence[int], seconds: float, speed: float, step: Callable[[], None]
) -> dict[str, dict[str, Any]]:
    passages: dict[str, list[_Passage]] = {way: [] for way in WAYS}
    for identity in identities:
        clip = write_clip(folder, identity=identity, frame_rate_hz=30.0, duration_s=seconds, speed=speed)
        film = take_file(clip)
        for way, settings in WAYS.items():
            passages[way].append(_passage(way, film, None if settings is None else _come(film, settings)))
            step()
        clip.path.unlink()
    return {way: _figures(some) for way, some in passages.items()}


@dataclass(frozen=True, kw_only=True)
class _Passage:
    """One film that came one way."""

    outcome: Outcome
    untouched: Outcome
    """Spotted in the film's own pictures of the frames that came."""
    added_px: list[float]
    picture_error: float
    counts: dict[str, int]


def _passage(way: str, film: Taken, taken: Taken | None) -> _Passage:
    if taken is None:
        outcome = outcome_of(film, movement_in(film), way)
        return _Passage(outcome=outcome, untouched=outcome, added_px=[], picture_error=0.0, counts=_counts(film))
    own = same_frames(taken, film)
    samples, untouched = movement_in(taken), movement_in(own)
    return _Passage(
        outcome=outcome_of(taken, samples, way),
        untouched=outcome_of(own, untouched, way),
        added_px=added_movement_px(samples, untouched),
        picture_error=picture_error(taken),
        counts=_counts(taken),
    )


def _figures(passages: Sequence[_Passage]) -> dict[str, Any]:
    added_px = [length for one in passages for length in one.added_px]
    shares = {f"p{share}": float(np.percentile(added_px, share)) for share in (50, 95)} if added_px else None
    return {
        "micro": scored([one.outcome for one in passages]).as_record(),
        "micro_same_frames": scored([one.untouched for one in passages]).as_record(),
        "all": scored([one.outcome for one in passages], "all").as_record(),
        "picture_error": float(np.sqrt(np.mean([one.picture_error**2 for one in passages]))),
        "added_movement_px": shares,
        **{name: sum(one.counts[name] for one in passages) for name in ("pictures", "came", "dropped")},
    }


def _links(folder: Path, step: Callable[[], None]) -> list[dict[str, Any]]:
    certificate = self_signed(folder)
    clips = {
        rate_hz: write_clip(folder, identity=1, frame_rate_hz=rate_hz, duration_s=LINK_S)
        for rate_hz in sorted({rate_hz for rate_hz, _, _ in LINKS})
    }
    rows = []
    for rate_hz, way, secure in LINKS:
        taken = _taken(clips[rate_hz], WAYS[way] or {}, certificate if secure else None)
        seconds = (taken.frames[-1].time_ns - taken.frames[0].time_ns) / 1e9
        waits = {f"p{share}": float(np.percentile(taken.waits_ms, share)) for share in (50, 95)}
        rows.append(
            {
                "name": f"{rate_hz:.0f} fps {way}{' TLS' if secure else ''}",
                **_counts(taken),
                "megabits_s": taken.page.get("bytes", 0) * 8 / 1e6 / seconds,
                "wait_ms": waits,
                "page": {name: value for name, value in taken.page.items() if name != "states"},
            }
        )
        step()
    return rows


def _taken(clip: Clip, settings: dict[str, Any], certificate: Certificate | None = None) -> Taken:
    """One take; where a busy machine kept the browser from filming, once more, and the better one counts."""
    best: Taken | None = None
    for _ in range(TRIES):
        with serve(certificate) as stand:
            taken = take_camera(stand, clip, **settings, **_bits(clip, settings))
        best = taken if best is None or len(taken.frames) > len(best.frames) else best
        if best.missing <= FEW * clip.frames:
            break
    assert best is not None
    return best


def _come(film: Taken, settings: dict[str, Any]) -> Taken:
    if "recode" not in settings:
        return _taken(film.clip, settings)
    with serve() as stand:
        return recode(stand, film, settings["recode"], **{key: settings[key] for key in settings if key != "recode"})


def _bits(clip: Clip, settings: dict[str, Any]) -> dict[str, Any]:
    slowed = "webRtc" in settings and clip.speed < 1
    return {"mostBitsPerSecond": round(CALL_BITS_PER_S * clip.speed)} if slowed else {}


def _counts(taken: Taken) -> dict[str, int]:
    """Pictures of the film from the first that came to the last, how many came, and how many were counted as lost."""
    return {"pictures": len(taken.frames) + taken.missing, "came": len(taken.frames), "dropped": taken.dropped}


def _shown(value: float | None, digits: int = 1) -> str:
    return "–" if value is None else f"{value:.{digits}f}"
