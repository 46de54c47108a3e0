"""How well expressions are spotted: F1, apex error and false alarms on filmed scenes whose truth is known.

Scenes are filmed into H.264 files (more compressed than the synthesiser's default; the films for the comparison of
frame rates as by default) and go through the whole way of the live system: decoder, tracker, alignment,
movement, spotter. The faces and scripts here are not those on which the spotter's parameters were chosen.
"""

import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import groupby, product
from pathlib import Path
from typing import Any, Literal, get_args

import numpy as np

from realtime.clock import NANOSECONDS
from realtime.events import ExpressionEvent, RejectedMovement
from realtime.faces.alignment import FaceAligner
from realtime.faces.tracker import FaceTracker
from realtime.sources.video_file import VideoFile
from realtime.spotting.motion import MotionExtractor
from realtime.spotting.sample import MotionSample
from realtime.spotting.spotter import Spotter, SpottingParameters
from trainers.datasets.synthetic_rendering import Scene
from trainers.datasets.synthetic_videos import PRESETS, Filming, write_video
from trainers.metrics.spotting import Interval, SpottingScore, match_intervals, score_spotting

RATES_HZ = (30.0, 60.0, 100.0, 200.0)
CONDITIONS = ("still", "moving", "noisy", "blinks")
"""Scenes of `PRESETS` with expressions; "neutral" has none and counts false alarms."""
QUALITY = 20
"""Constant rate factor of H.264: about what a camera application records."""
MINUTES = 5.5
PAIR_SEEDS, PAIR_RATES_HZ = (61, 62), (30.0, 200.0)
"""Scripts that are filmed twice, and at which rates."""
PAIR_S = 12.0
"""Length of each of these films, seconds."""


Codec = Literal["h264", "h264-lossless"]
"""Rate pairs are filmed with both: H.264 leaves out small changes, most of all at 200 Hz, so that what it films is no
longer quite the same movement."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Take:
    """One scene filmed once."""

    condition: str
    rate_hz: float
    seed: int
    identity: int
    duration_s: float
    quality: int = QUALITY
    codec: Codec = "h264"

    @property
    def name(self) -> str:
        """Unique among the takes of a run."""
        return f"{self.condition}-{self.rate_hz:.0f}-{self.seed}-{self.identity}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What is true of a take and what was spotted in it."""

    take: Take
    truths: list[Interval]
    events: list[Interval]
    rejected: int


def film(take: Take, folder: Path) -> tuple[Path, list[dict[str, Any]]]:
    """Film a take into a video file; the file and its truths."""
    parameters = replace(PRESETS[take.condition], identity=take.identity, duration_s=take.duration_s)
    path = folder / f"{take.name}.mp4"
    return path, write_video(
        Scene.plan(parameters, take.seed),
        path,
        Filming(frame_rate_hz=take.rate_hz, quality=take.quality, codec=take.codec),
    )


def movement_of(video: Path) -> Iterator[MotionSample]:
    """Regional movement of every face in every frame of a video."""
    chains: dict[int, tuple[FaceAligner, MotionExtractor]] = {}
    with FaceTracker() as tracker, VideoFile(video) as source:
        while (frame := source.read()) is not None:
            for observation in tracker.push(frame):
                aligner, extractor = chains.setdefault(observation.face_id, (FaceAligner(), MotionExtractor()))
                yield extractor.push(aligner.push(frame, observation))


def spot(
    samples: Iterator[MotionSample] | Sequence[MotionSample], parameters: SpottingParameters | None = None
) -> tuple[list[ExpressionEvent], list[RejectedMovement]]:
    """Spot in the movement of one or more faces; events and rejected movements."""
    spotters: dict[int, Spotter] = {}
    settled: list[ExpressionEvent | RejectedMovement] = []
    for sample in samples:
        spotter = spotters.setdefault(sample.face_id, Spotter(parameters))
        settled += spotter.push(sample)
    for spotter in spotters.values():
        settled += spotter.flush()
    events = [one for one in settled if isinstance(one, ExpressionEvent)]
    return events, [one for one in settled if isinstance(one, RejectedMovement)]


def true_intervals(records: Sequence[dict[str, Any]], name: str) -> list[Interval]:
    """Lines of `truth.jsonl` as intervals of a video."""
    return [
        Interval(video=name, onset_s=one["onset_s"], apex_s=one["apex_s"], offset_s=one["offset_s"], kind=one["kind"])
        for one in records
    ]


def event_intervals(events: Sequence[ExpressionEvent], name: str) -> list[Interval]:
    """Events as intervals of a video."""
    return [
        Interval(
            video=name,
            onset_s=one.onset_ns / NANOSECONDS,
            apex_s=one.apex_ns / NANOSECONDS,
            offset_s=one.offset_ns / NANOSECONDS,
            kind=one.kind,
        )
        for one in events
    ]


def play(take: Take) -> Outcome:
    """Film a take, spot in it, forget the film."""
    with tempfile.TemporaryDirectory(prefix="onset-bench-") as name:
        path, records = film(take, Path(name))
        events, rejected = spot(movement_of(path))
    truths = true_intervals(records, take.name)
    return Outcome(take=take, truths=truths, events=event_intervals(events, take.name), rejected=len(rejected))


def plan(minutes: float, rates_hz: Sequence[float], conditions: Sequence[str]) -> list[Take]:
    """Takes of all conditions at all rates, and a neutral one a rate; as long together as asked for."""
    count = len(rates_hz) * (len(conditions) + 1)
    seconds = max(round(minutes * 60.0 / count, 1), 5.0)
    cells = [(condition, rate) for rate in rates_hz for condition in (*conditions, "neutral")]
    return [
        Take(
            condition=condition, rate_hz=rate, seed=700 + number, identity=5 + 3 * number, duration_s=max(seconds, 5.0)
        )
        for number, (condition, rate) in enumerate(cells)
    ]


def scored(outcomes: Sequence[Outcome], which: str = "micro") -> SpottingScore:
    """Pooled score of some takes."""
    return score_spotting(
        [truth for outcome in outcomes for truth in outcome.truths],
        [event for outcome in outcomes for event in outcome.events],
        which="micro" if which == "micro" else "all",
        durations_s={outcome.take.name: outcome.take.duration_s for outcome in outcomes},
    )


def _figures(outcomes: Sequence[Outcome]) -> dict[str, Any]:
    micro, everything = scored(outcomes), scored(outcomes, "all")
    return {
        "minutes": sum(outcome.take.duration_s for outcome in outcomes) / 60.0,
        "true_micro": micro.true_positives + micro.false_negatives,
        "micro": micro.as_record(),
        "all": everything.as_record(),
        "rejected": sum(outcome.rejected for outcome in outcomes),
    }


def _by(outcomes: Sequence[Outcome], key: Callable[[Outcome], Any]) -> dict[str, dict[str, Any]]:
    ordered = sorted(outcomes, key=key)
    return {str(value): _figures(list(group)) for value, group in groupby(ordered, key=key)}


def rate_differences(slow: Outcome, fast: Outcome) -> list[float]:
    """Largest difference of onset, apex and offset, ms, of each expression spotted in both films of a script."""
    pairs = match_intervals(
        [(one.onset_s, one.offset_s) for one in slow.events], [(one.onset_s, one.offset_s) for one in fast.events]
    )
    differences = []
    for pair in pairs:
        one, other = slow.events[pair.truth], fast.events[pair.event]
        first, second = (np.array([a.onset_s, a.apex_s or 0.0, a.offset_s]) for a in (one, other))
        differences.append(1000.0 * float(np.abs(first - second).max()))
    return differences


def run(
    *,
    quick: bool = False,
    minutes: float | None = None,
    rates_hz: Sequence[float] = RATES_HZ,
    conditions: Sequence[str] = CONDITIONS,
) -> dict[str, Any]:
    """Film, spot and score.

    Args:
        quick: about a minute of video in all.
        minutes: length of all scored takes together; by default 5.5, or 1 when quick.
        rates_hz: frame rates.
        conditions: names of scenes in `PRESETS`.

    Returns:
        Figures over all takes, by condition and by rate, false alarms a minute on a face at rest, and how far the
        intervals of one script differ between films at 30 and at 200 Hz.
    """
    minutes = minutes or (1.0 if quick else MINUTES)
    takes = plan(minutes, (30.0, 100.0) if quick else rates_hz, conditions)
    outcomes = [play(take) for take in takes]
    expressive = [outcome for outcome in outcomes if outcome.take.condition != "neutral"]
    at_rest = [outcome for outcome in outcomes if outcome.take.condition == "neutral"]
    differences = {}
    for condition, codec in product(("still", "moving"), get_args(Codec)):
        films = [_pair(condition, seed, codec) for seed in (PAIR_SEEDS[:1] if quick else PAIR_SEEDS)]
        values = [value for slow, fast in films for value in rate_differences(slow, fast)]
        differences[f"{condition}, {codec}"] = {
            "expressions": len(values),
            "median_ms": float(np.median(values)) if values else None,
            "largest_ms": max(values, default=None),
            "within_one_frame": sum(value <= 1000.0 / min(PAIR_RATES_HZ) + 0.5 for value in values),
        }
    return {
        "overall": _figures(expressive),
        "by_condition": _by(expressive, lambda outcome: outcome.take.condition),
        "by_rate_hz": _by(expressive, lambda outcome: outcome.take.rate_hz),
        "at_rest": {
            "minutes": sum(outcome.take.duration_s for outcome in at_rest) / 60.0,
            "false_alarms": sum(len(outcome.events) for outcome in at_rest),
        },
        "thirty_against_two_hundred_hz": differences,
    }


def _pair(condition: str, seed: int, codec: Codec) -> tuple[Outcome, Outcome]:
    """One script filmed at the lowest and at the highest rate."""
    slow, fast = (
        play(
            Take(
                condition=condition,
                rate_hz=rate_hz,
                seed=seed,
                identity=seed,
                duration_s=PAIR_S,
                quality=Filming().quality,
                codec=codec,
            )
        )
        for rate_hz in PAIR_RATES_HZ
    )
    return slow, fast


def _line(name: str, figures: dict[str, Any]) -> str:
    micro, everything = figures["micro"], figures["all"]
    apex = micro["apex_error_ms"]["median"]
    return (
        f"{name:>10} {figures['minutes']:5.1f} {figures['true_micro']:6d} {micro['f1']:6.3f} {micro['precision']:6.3f} "
        f"{micro['recall']:6.3f} {everything['f1']:6.3f} {'–' if apex is None else format(apex, '.0f'):>7} "
        f"{micro['mean_iou'] or 0.0:6.2f} {micro['false_alarms_per_minute']:7.2f}"
    )


def render(result: dict[str, Any]) -> str:
    """The figures as a table."""
    lines = ["            min.  micro     F1  prec.  recall  F1 all  apex ms    IoU  false/min"]
    lines += [_line(name, figures) for name, figures in result["by_condition"].items()]
    lines += [_line(f"{float(rate):.0f} Hz", figures) for rate, figures in result["by_rate_hz"].items()]
    lines.append(_line("overall", result["overall"]))
    rest = result["at_rest"]
    lines.append(f"face at rest, noisy: {rest['false_alarms']} false alarms in {rest['minutes']:.1f} min")
    for condition, rates in result["thirty_against_two_hundred_hz"].items():
        if rates["expressions"]:
            lines.append(
                f"{condition}, the same script at 30 and at 200 Hz: {rates['within_one_frame']} of "
                f"{rates['expressions']} expressions within one 30 Hz frame in all moments; largest difference "
                f"{rates['median_ms']:.0f} ms (median), {rates['largest_ms']:.0f} ms (worst)"
            )
    return "\n".join(lines)
