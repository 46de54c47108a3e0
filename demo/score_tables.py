"""Spotting scores as tables for a terminal: pooled, by frame rate, by video."""

from collections.abc import Callable, Mapping
from typing import Any

from rich.table import Table

KINDS = ("micro", "macro", "all")


def score_table(result: Mapping[str, Any]) -> Table:
    """The pooled scores, a column a kind.

    Args:
        result: from `demo.score.score_videos`.

    Returns:
        A table for Rich's console.
    """
    length = "" if result["duration_s"] is None else f", {result['duration_s'] / 60:.1f} min"
    rule = "" if result["matching"] == "best" else ", greedy matching"
    table = Table(title=f"spotting, {result['videos']} videos{length}, IoU ≥ {result['minimum_iou']:g}{rule}")
    kinds = [kind for kind in KINDS if kind in result]
    table.add_column("")
    for kind in kinds:
        table.add_column(kind, justify="right")
    for heading, read in ROWS.items():
        table.add_row(heading, *(read(result[kind]) for kind in kinds))
    table.caption = "moments: absolute error of the hits, median / 95th percentile"
    return table


def by_rate_table(result: Mapping[str, Any]) -> Table | None:
    """A row for each frame rate; None where all videos have one rate, or the rate of one is not known.

    Args:
        result: from `demo.score.score_videos`.
    """
    if len(result["by_rate_hz"]) < 2:
        return None
    table = Table(title="by frame rate")
    for heading in ("Hz", "videos", "min"):
        table.add_column(heading, justify="right")
    kinds = [kind for kind in KINDS if kind in result]
    for kind in kinds:
        table.add_column(f"{kind}: hits, false, missed", justify="right")
        table.add_column("F1", justify="right")
    for heading in ("false/min", "apex, ms"):
        table.add_column(heading, justify="right")
    for rate, figures in result["by_rate_hz"].items():
        last = figures[kinds[-1]]
        minutes = None if figures["duration_s"] is None else figures["duration_s"] / 60.0
        table.add_row(
            rate,
            str(figures["videos"]),
            _figure(minutes, ".1f"),
            *(cell for kind in kinds for cell in (_counts(figures[kind]), _figure(figures[kind]["f1"], ".3f"))),
            _figure(last["false_alarms_per_minute"], ".2f"),
            _error(last["apex_error_ms"]),
        )
    return table


def by_video_table(result: Mapping[str, Any]) -> Table:
    """A row for each video: what was hit, missed and falsely reported, whatever its kind.

    Args:
        result: from `demo.score.score_videos`.
    """
    table = Table("video", title="by video")
    for heading in ("Hz", "hits, false, missed"):
        table.add_column(heading, justify="right")
    for video, figures in result["by_video"].items():
        table.add_row(video, _figure(figures["frame_rate_hz"], ".1f"), _counts(figures))
    return table


def _counts(score: Mapping[str, Any]) -> str:
    return ", ".join(str(score[name]) for name in ("true_positives", "false_positives", "false_negatives"))


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
    "F1": lambda score: _figure(score["f1"], ".4f"),
    "false alarms a minute": lambda score: _figure(score["false_alarms_per_minute"], ".2f"),
    "onset, ms": lambda score: _error(score["onset_error_ms"]),
    "apex, ms": lambda score: _error(score["apex_error_ms"]),
    "offset, ms": lambda score: _error(score["offset_error_ms"]),
    "F1 of labels": lambda score: _figure(None if score["analysis"] is None else score["analysis"]["f1"], ".3f"),
    "STRS": lambda score: _figure(score["strs"], ".3f"),
    "STRS, a class never hit counts 0": lambda score: _figure(score["strs_of_all_labels"], ".3f"),
}
"""What a row of the table is called, and how it is read from a kind's record."""
