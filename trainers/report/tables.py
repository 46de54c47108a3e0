"""The scores of a run as a table for a paper, in Markdown and in LaTeX."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from realtime.json_lines import write_atomically
from trainers.report.headline import with_deviation

SCORES_NAME = "scores.md"
COLUMNS = ("clips", "UF1", "UAR", "accuracy")


def metrics_markdown(metrics: Mapping[str, Any]) -> str:
    """The scores of a run as a Markdown table, with what it says under it.

    Args:
        metrics: as `metrics.json` holds them.

    Returns:
        Means and standard deviations over seeds, everything first, then each data set or task; the honest scores alone.
    """
    lines = [f"| {metrics['model']} | {' | '.join(COLUMNS)} |", "|---|" + "---:|" * len(COLUMNS)]
    lines += [f"| {' | '.join(row)} |" for row in _rows(metrics)]
    f1 = ", ".join(f"{label} {value:.3f}" for label, value in (metrics.get("f1_by_class") or {}).items())
    over = ", pooled over tasks" if metrics.get("tasks") else ""
    return "\n".join([*lines, "", f"{_caption(metrics)} F1 by class{over}: {f1}.", ""])


def metrics_latex(metrics: Mapping[str, Any]) -> str:
    """The same table for LaTeX, with rules of the `booktabs` package."""
    lines = [
        f"% {_caption(metrics)}",
        r"\begin{tabular}{l" + "r" * len(COLUMNS) + "}",
        r"\toprule",
        f"{_escaped(str(metrics['model']))} & {' & '.join(COLUMNS)} " + r"\\",
        r"\midrule",
        *(" & ".join(_escaped(cell).replace("±", r"$\pm$") for cell in row) + r" \\" for row in _rows(metrics)),
        r"\bottomrule",
        r"\end{tabular}",
    ]
    return "\n".join(lines) + "\n"


def write_scores(folder: Path, metrics: Mapping[str, Any]) -> Path:
    """Put both tables into `scores.md` of a run's folder.

    Args:
        folder: of the run.
        metrics: as `metrics.json` holds them.

    Returns:
        The file.
    """
    path = folder / SCORES_NAME
    content = f"{metrics_markdown(metrics)}\n```latex\n{metrics_latex(metrics)}```\n"
    write_atomically(path, content.encode())
    return path


def _rows(metrics: Mapping[str, Any]) -> list[Sequence[str]]:
    tasks = metrics.get("tasks")
    name = "mean of tasks" if tasks else "all"
    # Hold-out scores a part of the clips alone.
    clips = metrics.get("clips_scored", metrics.get("clips"))
    rows = [_row(name, {"clips": clips, "mean": metrics["mean"], "sd": metrics.get("sd")})]
    parts = tasks or metrics.get("datasets") or {}
    if tasks or len(parts) > 1:
        rows += [_row(str(part), scores) for part, scores in parts.items()]
    return rows


def _row(name: str, scores: Mapping[str, Any]) -> Sequence[str]:
    deviation = scores.get("sd") or {}
    figures = [with_deviation(scores["mean"][score], deviation.get(score)) for score in ("uf1", "uar", "accuracy")]
    return [name, str(scores.get("clips") or "–"), *figures]


def _caption(metrics: Mapping[str, Any]) -> str:
    seeds = len(metrics.get("seeds") or ())
    over = f"mean ± standard deviation over {seeds} seeds" if seeds > 1 else "one seed"
    pooled = (
        "each task scored by itself" if metrics.get("tasks") else "scores of the confusion matrix pooled over folds"
    )
    return f"{metrics['protocol']}, {over}, {pooled}; no epoch was chosen on a test subject."


def _escaped(text: str) -> str:
    arrow = text.replace("→", "TO-ARROW")
    for sign in "&%$#_":
        arrow = arrow.replace(sign, f"\\{sign}")
    return arrow.replace("TO-ARROW", r"$\to$")
