"""Spotting metrics of recorded sessions, or of published score curves, against the truth: the work of `onset score`."""

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

from demo.score_tables import score_table
from demo.scored_runs import Videos, read_videos
from engines.errors import BadInput
from realtime.json_lines import write_atomically
from trainers.metrics.interval_matching import MINIMUM_IOU, Interval, Matching, Pairing, Which, pair_up
from trainers.metrics.spotting import SpottingScore, score_pairing

__all__ = ["MatchRules", "score", "score_table", "score_videos", "write_matches"]

RATE_TOLERANCE = 0.05
"""Videos whose measured frame rates differ by less than this share belong to one rate."""
MOMENTS = ("onset", "apex", "offset")


@dataclass(frozen=True, kw_only=True)
class MatchRules:
    """What counts as a hit."""

    minimum_iou: float = MINIMUM_IOU
    """Intersection over union from which an event is a hit."""
    matching: Matching = "best"
    """Where an interval could go with several: "best" finds the most hits; "first" is the greedy way of published
    code."""


def score(
    truth: str | Path,
    events: Sequence[str | Path],
    minimum_iou: float = MINIMUM_IOU,
    *,
    matching: Matching = "best",
    in_order: bool = False,
) -> dict[str, Any]:
    """Score event files against the true expressions.

    Args:
        truth: `truth.jsonl`, one true expression a line; a `scene.json` beside it names the videos without any.
        events: session folders, or files of events; each is matched with a video by the stem of the session's
            source, of its folder or of the file itself, or, where no name fits and no session says what it watched,
            by its place, with a note. A file whose lines name their `video` may cover several.
        minimum_iou: intersection over union from which an event is a hit.
        matching: how to choose where an interval could go with several.
        in_order: pair videos and events by their places, whatever they are called.

    Returns:
        See `score_videos`.

    Raises:
        BadInput: if a file cannot be read, or the videos of truth and events do not fit together.
    """
    videos = read_videos(Path(truth), [Path(path) for path in events], in_order=in_order)
    return score_videos(videos, MatchRules(minimum_iou=minimum_iou, matching=matching))


def score_videos(videos: Videos, rules: MatchRules) -> dict[str, Any]:
    """Score what was spotted in some videos.

    Args:
        videos: with their true and spotted expressions.
        rules: what counts as a hit.

    Returns:
        The record of `SpottingScore` under "micro", "macro" and "all" (or the kinds that the videos are scored for);
        `videos`, `duration_s`, `minimum_iou`, `matching`, `notes`; `by_rate_hz`, the same by frame rate, empty where
        the rate of a video is not known; `by_video` with frame rate, hits, false alarms and misses. Ready for JSON.
    """
    rates = _grouped(videos.frame_rates_hz) if set(videos.names) <= set(videos.frame_rates_hz) else {}
    groups = {
        rate: [video for video in videos.names if rates.get(video) == rate] for rate in sorted(set(rates.values()))
    }
    return {
        **_figures(videos, videos.names, rules),
        "minimum_iou": rules.minimum_iou,
        "matching": rules.matching,
        "notes": list(videos.notes),
        "by_rate_hz": {f"{rate:g}": _figures(videos, names, rules) for rate, names in groups.items()},
        "by_video": {
            video: {"frame_rate_hz": videos.frame_rates_hz.get(video), **_counts(videos, video, rules)}
            for video in videos.names
        },
    }


def write_matches(videos: Videos, rules: MatchRules, path: Path) -> int:
    """Write which event hit which truth as a table: a row for each hit, each missed truth and each false alarm.

    The pairing is made for micro, macro and all, as the scores are: column `counted_as` tells the three apart. Errors
    are event − truth; what an outcome does not have is empty.

    Args:
        videos: with their true and spotted expressions.
        rules: what counts as a hit.
        path: the .csv file.

    Returns:
        The number of rows.

    Raises:
        BadInput: if the file cannot be written.
    """
    rows: list[dict[str, Any]] = []
    for which in videos.kinds:
        pairing = _pairing(videos, videos.names, which, rules)
        rows += [
            *(_row(videos, which, "hit", hit.truth, hit.event, hit.iou) for hit in pairing.hits),
            *(_row(videos, which, "missed", truth, None, None) for truth in pairing.missed),
            *(_row(videos, which, "false alarm", None, event, None) for event in pairing.false_alarms),
        ]
    text = io.StringIO()
    writer = csv.DictWriter(text, list(_row(videos, "all", "", None, None, None)), lineterminator="\n")
    writer.writeheader()
    writer.writerows(sorted(rows, key=lambda row: (videos.kinds.index(row["counted_as"]), row["video"], _begin(row))))
    try:
        write_atomically(path, text.getvalue().encode())
    except OSError as fault:
        raise BadInput(f"{path}: cannot be written ({fault.strerror}); choose another file for --matches") from None
    return len(rows)


def _figures(videos: Videos, names: Sequence[str], rules: MatchRules) -> dict[str, Any]:
    """Scores of some of the videos, pooled."""
    known = set(names) <= set(videos.durations_s)
    duration_s = sum(videos.durations_s[video] for video in names) if known else None
    scores = {which: score_pairing(_pairing(videos, names, which, rules), duration_s) for which in videos.kinds}
    return {
        "videos": len(names),
        "duration_s": duration_s,
        **{which: result.as_record() for which, result in scores.items()},
    }


def _counts(videos: Videos, video: str, rules: MatchRules) -> dict[str, int]:
    result: SpottingScore = score_pairing(_pairing(videos, [video], videos.kinds[-1], rules))
    return {
        "true_positives": result.true_positives,
        "false_positives": result.false_positives,
        "false_negatives": result.false_negatives,
    }


def _pairing(videos: Videos, names: Sequence[str], which: Which, rules: MatchRules) -> Pairing:
    return pair_up(
        [truth for truth in videos.truths if truth.video in names],
        [event for event in videos.spotted if event.video in names],
        which=which,
        minimum_iou=rules.minimum_iou,
        matching=rules.matching,
    )


def _grouped(rates_hz: Mapping[str, float]) -> dict[str, float]:
    """The rate that each video is counted under: measured rates that lie close together share their median."""
    groups: list[list[str]] = []
    for video in sorted(rates_hz, key=lambda name: rates_hz[name]):
        if groups and rates_hz[video] <= rates_hz[groups[-1][0]] * (1.0 + RATE_TOLERANCE):
            groups[-1].append(video)
        else:
            groups.append([video])
    return {video: round(median(rates_hz[one] for one in group), 1) for group in groups for video in group}


def _row(
    videos: Videos, which: Which, outcome: str, truth: Interval | None, event: Interval | None, iou: float | None
) -> dict[str, Any]:
    """One row of the table of matches."""
    either = truth or event
    row: dict[str, Any] = {
        "counted_as": which,
        "video": either.video if either else "",
        "frame_rate_hz": videos.frame_rates_hz.get(either.video, "") if either else "",
        "outcome": outcome,
    }
    for name, side in (("truth", truth), ("event", event)):
        row |= {f"{name}_{moment}_s": _value(side, f"{moment}_s") for moment in MOMENTS}
        row |= {f"{name}_{what}": _value(side, what) for what in ("kind", "label")}
    row["iou"] = "" if iou is None else round(iou, 6)
    for moment in MOMENTS:
        known = truth and event and None not in (getattr(truth, f"{moment}_s"), getattr(event, f"{moment}_s"))
        error_s = getattr(event, f"{moment}_s") - getattr(truth, f"{moment}_s") if known else None
        row[f"{moment}_error_ms"] = "" if error_s is None else round(1000.0 * error_s, 3)
    return row


def _value(side: Interval | None, name: str) -> Any:
    value = getattr(side, name, None)
    return "" if value is None else value


def _begin(row: Mapping[str, Any]) -> float:
    return float(row["event_onset_s"] if row["truth_onset_s"] == "" else row["truth_onset_s"])
