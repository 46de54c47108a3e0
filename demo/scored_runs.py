"""What `onset score` reads: true expressions, the events of runs, and which run watched which video."""

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from engines.errors import BadInput
from realtime.json_lines import Record, read_lines
from trainers.metrics.interval_matching import Interval, Which


@dataclass(frozen=True, kw_only=True)
class Spotted:
    """What one run reported, and on what."""

    path: Path
    """The events file."""
    source: str | None = None
    """Stem of the source that its session.json names."""
    names: tuple[str, ...]
    """Stems by which its video may be known besides: of the folder, of the file."""
    events: tuple[Record, ...]
    duration_s: float | None = None
    frame_rate_hz: float | None = None


@dataclass(kw_only=True)
class Videos:
    """True and spotted expressions of some videos."""

    names: list[str]
    truths: list[Interval]
    kinds: tuple[Which, ...] = ("micro", "macro", "all")
    """What is scored."""
    spotted: list[Interval] = field(default_factory=list)
    durations_s: dict[str, float] = field(default_factory=dict)
    """Of the videos whose length is known."""
    frame_rates_hz: dict[str, float] = field(default_factory=dict)
    """Of the videos whose frame rate is known."""
    notes: list[str] = field(default_factory=list)
    """What a reader of the scores should know about how the files were read."""


def read_videos(truth: Path, events: Sequence[Path], *, in_order: bool = False) -> Videos:
    """Read a truth file and the runs that go with it.

    Args:
        truth: `truth.jsonl`; a `scene.json` beside it names the videos without expressions, lengths and frame rates.
        events: session folders, or files of events.
        in_order: pair videos, in the order of their names, with `events` as they are given, whatever these are called.

    Raises:
        BadInput: if a file cannot be read, or the videos of truth and events do not fit together.
    """
    truths = [_interval(truth, number, record) for number, record in enumerate(_lines(truth), start=1)]
    read = Videos(names=[], truths=truths)
    _add_description(read, truth)
    read.names = sorted({interval.video for interval in truths} | set(read.durations_s))
    if not read.names:
        raise BadInput(f"{truth}: names no video; give the truth.jsonl that `onset synthesize` wrote")
    runs = [run for path in events for run in _by_video(_read_spotted(path), read.names)]
    for video, run in _assign(read, runs, truth, in_order=in_order).items():
        read.spotted += [
            _interval(run.path, number, {**record, "video": video}) for number, record in enumerate(run.events, start=1)
        ]
        if run.duration_s is not None:
            read.durations_s[video] = run.duration_s
        if run.frame_rate_hz is not None:
            read.frame_rates_hz.setdefault(video, run.frame_rate_hz)
    return read


def _lines(path: Path) -> tuple[Record, ...]:
    if not path.is_file():
        raise BadInput(f"{path}: no such file; give a file of JSON lines")
    return read_lines(path)[0]


def _interval(path: Path, number: int, record: Record) -> Interval:
    kind = record.get("kind", "micro")
    if kind not in ("micro", "macro"):
        raise BadInput(f"{path}: line {number}: kind {kind!r} is neither micro nor macro; write one of the two")
    try:
        interval = Interval(
            video=str(record["video"]),
            onset_s=float(record["onset_s"]),
            offset_s=float(record["offset_s"]),
            apex_s=None if record.get("apex_s") is None else float(record["apex_s"]),
            kind=kind,
            label=None if record.get("label") is None else str(record["label"]),
        )
    except KeyError as missing:
        raise BadInput(f"{path}: line {number} has no {missing.args[0]}; expected onset_s and offset_s") from None
    except (TypeError, ValueError) as error:
        raise BadInput(f"{path}: line {number}: {error}; times are numbers in seconds") from None
    moments = (interval.onset_s, interval.offset_s, interval.apex_s or 0.0)
    if not all(map(math.isfinite, moments)):
        raise BadInput(f"{path}: line {number} holds a time that is not finite; times are numbers in seconds")
    if interval.offset_s < interval.onset_s:
        raise BadInput(f"{path}: line {number} ends before it begins; onset_s must not be after offset_s")
    return interval


def _add_description(read: Videos, truth: Path) -> None:
    """Lengths and frame rates as the synthesiser described them beside its truth file, if it did."""
    description = truth.with_name("scene.json")
    if not description.is_file():
        return
    try:
        for video in json.loads(description.read_bytes())["videos"]:
            read.durations_s[str(video["video"])] = float(video["parameters"]["duration_s"])
            if "filming" in video:
                read.frame_rates_hz[str(video["video"])] = float(video["filming"]["frame_rate_hz"])
    except (ValueError, KeyError, TypeError) as error:
        raise BadInput(f"{description}: not a description by `onset synthesize` ({error}); remove it") from None


def _read_spotted(path: Path) -> Spotted:
    file = path / "events.jsonl" if path.is_dir() else path
    run = Spotted(path=file, names=(file.parent.name, file.stem), events=_lines(file))
    session = file.parent / "session.json"
    if file.name != "events.jsonl" or not session.is_file():
        return run
    try:
        record = json.loads(session.read_bytes())
        return replace(
            run,
            source=Path(str(record["source"])).stem if record.get("source") else None,
            duration_s=float(record.get("duration_s") or 0.0) or None,
            frame_rate_hz=float(record.get("frame_rate_hz") or 0.0) or None,
        )
    except (ValueError, TypeError, AttributeError):
        raise BadInput(f"{session}: damaged; remove it, or give the events file of another run") from None


def _by_video(run: Spotted, videos: Sequence[str]) -> list[Spotted]:
    """A run for each video, where every line of the file names its own; else the run as it is."""
    if run.source is not None or not run.events or not all("video" in record for record in run.events):
        return [run]
    named = {str(record["video"]) for record in run.events}
    # Such a file covers all videos: those that it does not name had no event.
    return [
        replace(run, names=(Path(video).stem,), events=tuple(one for one in run.events if str(one["video"]) == video))
        for video in sorted(named | set(videos))
    ]


def _assign(read: Videos, runs: Sequence[Spotted], truth: Path, *, in_order: bool) -> Mapping[str, Spotted]:
    """Which run watched which video."""
    if in_order:
        return _in_order(read.names, runs, truth)
    by_stem = {Path(video).stem: video for video in read.names}
    named = [next((by_stem[name] for name in _names(run) if name in by_stem), None) for run in runs]
    if not any(named) and len(runs) == len(read.names) and not any(run.source for run in runs):
        read.notes.append(
            "no name of an events file fits a video; taken in the order given: "
            + ", ".join(f"{video} ← {run.path}" for video, run in zip(read.names[:3], runs, strict=False))
        )
        return _in_order(read.names, runs, truth)
    assigned: dict[str, Spotted] = {}
    for video, run in zip(named, runs, strict=True):
        if video is None:
            raise BadInput(
                f"{run.path}: {f'watched {run.source!r} and ' if run.source else ''}belongs to none of the videos of "
                f"{truth} ({_few(read.names)}); give the session of one of them, or --in-order"
            )
        if video in assigned:
            raise BadInput(f"{run.path}: a second run of {video}, after {assigned[video].path}; give one a video")
        assigned[video] = run
    missing = [video for video in read.names if video not in assigned]
    if missing:
        raise BadInput(
            f"{truth}: no events given for {missing[0]} ({len(missing)} of {len(read.names)} videos); "
            "give a session for each video"
        )
    return assigned


def _in_order(videos: Sequence[str], runs: Sequence[Spotted], truth: Path) -> Mapping[str, Spotted]:
    if len(videos) != len(runs):
        raise BadInput(f"{truth}: has {len(videos)} videos ({_few(videos)}) and {len(runs)} events; give one for each")
    return dict(zip(videos, runs, strict=True))


def _names(run: Spotted) -> tuple[str, ...]:
    """What a run's video may be called, likeliest first."""
    return run.names if run.source is None else (run.source, *run.names)


def _few(names: Sequence[str]) -> str:
    return ", ".join(names[:3]) + ("…" if len(names) > 3 else "")
