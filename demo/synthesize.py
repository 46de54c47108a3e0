"""Making videos with known expressions, with a progress bar: the work behind `onset synthesize`."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from trainers.datasets.synthetic_videos import Take, synthesize


def make_videos(
    out: str | Path, takes: Sequence[Take], *, overwrite: bool = False, console: Console | None = None
) -> dict[str, Any]:
    """Write the videos, `truth.jsonl` and `scene.json`, with a progress bar where the console is a terminal.

    Args:
        out: folder.
        takes: what to film; see `trainers.datasets.synthetic_videos.plan_takes`.
        overwrite: allow a folder that already holds synthetic videos.
        console: where the bar goes; standard error by default.

    Returns:
        `out`, number of `videos`, their length `duration_s`, and numbers of `micro` and `macro` expressions.

    Raises:
        BadInput: if the folder cannot be used, or a face picture holds no face.
    """
    console = console or Console(stderr=True)
    columns = TextColumn("filming"), BarColumn(), MofNCompleteColumn(), TextColumn("frames"), TimeRemainingColumn()
    with Progress(*columns, console=console, disable=not console.is_terminal) as bar:
        task = bar.add_task("filming", total=None)
        records = synthesize(
            out, takes, overwrite=overwrite,
            progress=lambda done, total: bar.update(task, completed=done, total=total),
        )  # fmt: skip
    kinds = [record["kind"] for record in records]
    return {
        "out": str(out),
        "videos": len(takes),
        "duration_s": sum(take.parameters.duration_s for take in takes),
        "micro": kinds.count("micro"),
        "macro": kinds.count("macro"),
    }
