"""Spotting metrics of recorded sessions against a truth file: the work behind `onset score`."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.table import Table

from engines.errors import BadInput
from realtime.json_lines import Record, read_lines
from trainers.metrics.spotting import MINIMUM_IOU, Interval, SpottingScore, Which, score_spotting

KINDS: tuple[Which, ...] = ("micro", "macro", "all")


@dataclass(frozen=True, kw_only=True)
class Spotted:
    """What one run reported, and on what."""

    path: Path
    """The events file."""
    names: tuple[str, ...]
    """Stems by which its video may be known: of the session's source, of the folder, of the file."""
    events: tuple[Record, ...]
    duration_s: float | None


def score(truth: str | Path, events: Sequence[str | Path], minimum_iou: float = MINIMUM_IOU) -> dict[str, Any]:
    """Score event files against the true expressions.

    Args:
        truth: `truth.jsonl`, one true expression a line; a `scene.json` beside it names the videos without any.
        events: session folders, or files of events; each is matched with a video by the stem of the session's
            source, of its folder or of the file itself, or else by its place when there is one for each video.
        minimum_iou: intersection over union from which an event is a hit.

    Returns:
        For "micro", "macro" and "all" the record of `SpottingScore`; `videos`, `duration_s`, `minimum_iou`, and
        `by_video` with hits, false alarms and misses of all kinds. Ready for JSON.

    Raises:
        BadInput: if a file cannot be read, or the videos of truth and events do not fit together.
    """
    truth = Path(truth)
    truths = [_interval(truth, number, record) for number, record in enumerate(_lines(truth), start=1)]
    durations_s = _described_videos(truth)
    videos = sorted({interval.video for interval in truths} | set(durations_s))
    if not videos:
        raise BadInput(f"{truth}: names no video; give the truth.jsonl that `onset synthesize` wrote")
    spotted: list[Interval] = []
    for video, run in _assign(videos, [_read_spotted(Path(path)) for path in events], truth).items():
        spotted += [
            _interval(run.path, number, {**record, "video": video}) for number, record in enumerate(run.events, start=1)
        ]
        if run.duration_s is not None:
            durations_s[video] = run.duration_s
    known = durations_s if set(durations_s) == set(videos) else None
    scores = {
        kind: score_spotting(truths, spotted, which=kind, durations_s=known, minimum_iou=minimum_iou) for kind in KINDS
    }
    return {
        "videos": len(videos),
        "duration_s": sum(known.values()) if known else None,
        "minimum_iou": minimum_iou,
        **{kind: result.as_record() for kind, result in scores.items()},
        "by_video": {video: _brief(video, truths, spotted, minimum_iou) for video in videos},
    }


def _brief(video: str, truths: Sequence[Interval], spotted: Sequence[Interval], minimum_iou: float) -> dict[str, int]:
    result: SpottingScore = score_spotting(
        [truth for truth in truths if truth.video == video],
        [event for event in spotted if event.video == video],
        minimum_iou=minimum_iou,
    )
    return {
        "true_positives": result.true_positives,
        "false_positives": result.false_positives,
        "false_negatives": result.false_negatives,
    }


def score_table(result: Mapping[str, Any]) -> Table:
    """The scores as a table, a column a kind.

    Args:
        result: from `score`.

    Returns:
        A table for Rich's console.
    """
    length = "" if result["duration_s"] is None else f", {result['duration_s'] / 60:.1f} min"
    table = Table(title=f"spotting, {result['videos']} videos{length}, IoU ≥ {result['minimum_iou']:g}")
    table.add_column("")
    for kind in KINDS:
        table.add_column(kind, justify="right")
    for heading, read in ROWS.items():
        table.add_row(heading, *(read(result[kind]) for kind in KINDS))
    table.caption = "moments: absolute error of the hits, median / 95th percentile"
    return table


def _figure(value: float | None, form: str) -> str:
    return "–" if value is None else format(value, form)


def _error(error: Mapping[str, float | None]) -> str:
    if error["median"] is None:
        return "–"
    return f"{_figure(error['median'], '.0f')} / {_figure(error['p95'], '.0f')}"


ROWS: dict[str, Callable[[Mapping[str, Any]], str]] = {
    "hits": lambda score: str(score["true_positives"]),
    "false alarms": lambda score: str(score["false_positives"]),
    "missed": lambda score: str(score["false_negatives"]),
    "precision": lambda score: _figure(score["precision"], ".3f"),
    "recall": lambda score: _figure(score["recall"], ".3f"),
    "F1": lambda score: _figure(score["f1"], ".3f"),
    "false alarms a minute": lambda score: _figure(score["false_alarms_per_minute"], ".2f"),
    "onset, ms": lambda score: _error(score["onset_error_ms"]),
    "apex, ms": lambda score: _error(score["apex_error_ms"]),
    "offset, ms": lambda score: _error(score["offset_error_ms"]),
    "F1 of labels": lambda score: _figure(None if score["analysis"] is None else score["analysis"]["f1"], ".3f"),
    "STRS": lambda score: _figure(score["strs"], ".3f"),
}
"""What a row of the table is called, and how it is read from a kind's record."""


def _lines(path: Path) -> tuple[Record, ...]:
    if not path.is_file():
        raise BadInput(f"{path}: no such file; give a file of JSON lines")
    return read_lines(path)[0]


def _interval(path: Path, number: int, record: Record) -> Interval:
    try:
        kind = str(record.get("kind", "micro"))
        interval = Interval(
            video=str(record["video"]),
            onset_s=float(record["onset_s"]),
            offset_s=float(record["offset_s"]),
            apex_s=None if record.get("apex_s") is None else float(record["apex_s"]),
            kind="macro" if kind == "macro" else "micro",
            label=None if record.get("label") is None else str(record["label"]),
        )
    except KeyError as missing:
        raise BadInput(f"{path}: line {number} has no {missing.args[0]}; expected onset_s and offset_s") from None
    except (TypeError, ValueError) as error:
        raise BadInput(f"{path}: line {number}: {error}; times are numbers in seconds") from None
    if interval.offset_s < interval.onset_s:
        raise BadInput(f"{path}: line {number} ends before it begins; onset_s must not be after offset_s")
    return interval


def _described_videos(truth: Path) -> dict[str, float]:
    """Videos and their lengths as the synthesiser described them beside its truth file, if it did."""
    description = truth.with_name("scene.json")
    if not description.is_file():
        return {}
    try:
        videos = json.loads(description.read_bytes())["videos"]
        return {str(video["video"]): float(video["parameters"]["duration_s"]) for video in videos}
    except (ValueError, KeyError, TypeError) as error:
        raise BadInput(f"{description}: not a description by `onset synthesize` ({error}); remove it") from None


def _read_spotted(path: Path) -> Spotted:
    file = path / "events.jsonl" if path.is_dir() else path
    names, duration_s = [file.parent.name, file.stem], None
    session = file.parent / "session.json"
    if file.name == "events.jsonl" and session.is_file():
        try:
            record = json.loads(session.read_bytes())
        except ValueError:
            raise BadInput(f"{session}: damaged; remove it, or give the events file of another run") from None
        if record.get("source"):
            names.insert(0, Path(str(record["source"])).stem)
        duration_s = record.get("duration_s")
    return Spotted(path=file, names=tuple(names), events=_lines(file), duration_s=duration_s or None)


def _assign(videos: Sequence[str], runs: Sequence[Spotted], truth: Path) -> dict[str, Spotted]:
    """Which run watched which video."""
    by_stem = {Path(video).stem: video for video in videos}
    named = [next((by_stem[name] for name in run.names if name in by_stem), None) for run in runs]
    if not any(named) and len(runs) == len(videos):
        return dict(zip(videos, runs, strict=True))
    assigned: dict[str, Spotted] = {}
    for video, run in zip(named, runs, strict=True):
        if video is None:
            raise BadInput(
                f"{run.path}: belongs to none of the videos of {truth} ({', '.join(videos[:3])}…); "
                "give the session of one of them"
            )
        if video in assigned:
            raise BadInput(f"{run.path}: a second run of {video}, after {assigned[video].path}; give one a video")
        assigned[video] = run
    missing = [video for video in videos if video not in assigned]
    if missing:
        raise BadInput(
            f"{truth}: no events given for {missing[0]} ({len(missing)} of {len(videos)} videos); "
            "give a session for each video"
        )
    return assigned
