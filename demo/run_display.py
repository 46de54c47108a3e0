"""A run on a terminal: progress, events as they come, notices, and Ctrl-C that keeps everything."""

import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeRemainingColumn

from demo.kernels import prepare_kernels
from realtime.events import ExpressionEvent
from realtime.pipeline import FrameCounts, Watcher
from realtime.session_run import SessionRun

INTERRUPTED = 130
BAD_INPUT = 2
INTERRUPT_REASON = "stopped with Ctrl-C"
DURATION_REASON = "the asked duration is over"


def follow(run: SessionRun, *, quiet: bool, duration_s: float | None = None) -> tuple[int, dict[str, Any]]:
    """Run to the end and show it.

    Args:
        run: not yet begun.
        quiet: nothing on stdout; a JSON object follows from the caller.
        duration_s: end by itself after this long, seconds.

    Returns:
        Exit code and a summary for `--json`.
    """
    console = Console(stderr=True, highlight=False)
    prepare_kernels(console)
    kinds = {"micro": 0, "macro": 0}
    said: list[str] = []
    with _stopping_cleanly(run), _progress(run, console) as show:

        def on_frame(counts: FrameCounts, faces: int) -> None:
            show(counts, faces)
            if duration_s is not None and counts.duration_s >= duration_s:
                run.stop(DURATION_REASON)

        def on_notice(text: str) -> None:
            said.append(text)
            console.print(f"onset: {text}", style="yellow", markup=False, soft_wrap=True)

        watcher = Watcher(on_frame=on_frame, on_notice=on_notice)
        for event in run.run(watcher):
            kinds[event.kind] += 1
            if not quiet:
                print(described(event), flush=True)
    if not quiet:
        _print_ending(run, kinds)
    if run.reason and run.state == "stopped" and run.reason not in (INTERRUPT_REASON, DURATION_REASON, *said):
        print(f"onset: {run.reason}", file=sys.stderr)
    return _exit_code(run), {
        "session": str(run.folder),
        "state": run.state,
        "reason": run.reason,
        "frames": run.counts.read,
        "dropped": run.counts.dropped,
        "events": kinds,
    }


def described(event: ExpressionEvent) -> str:
    """One line for a person: when, what, how sure, which regions moved and how."""
    label = ""
    if event.label is not None:
        label = f"{event.label} {event.probabilities.get(event.label, 0.0):.0%}  "
    times = f"{event.onset_ns / 1e9:.3f}–{event.apex_ns / 1e9:.3f}–{event.offset_ns / 1e9:.3f} s"
    moved = event.description or f"{', '.join(event.regions)}  {event.strength:.1f} px"
    return f"{event.event_id:4d}  {event.kind}  {times}  {label}{moved}"


def _exit_code(run: SessionRun) -> int:
    if run.reason == INTERRUPT_REASON:
        return INTERRUPTED
    return BAD_INPUT if run.source.fault else 0


def _print_ending(run: SessionRun, kinds: dict[str, int]) -> None:
    counts = run.counts
    faces = f"{counts.with_face / counts.read:.0%}" if counts.read else "none"
    dropped = f", {counts.dropped} dropped" if counts.dropped else ""
    print(
        f"{run.state}: {kinds['micro']} micro- and {kinds['macro']} macro-expressions in {counts.duration_s:.1f} s "
        f"({counts.read} frames{dropped}, a face in {faces} of them)"
    )
    if run.conditions is not None:
        print(run.conditions.in_words())
    if run.report is not None:
        print(f"report: {run.report}")


@contextmanager
def _stopping_cleanly(run: SessionRun) -> Iterator[None]:
    """The first Ctrl-C or termination asks the run to end and keep everything; a second one is not held back."""

    def interrupt(number: int, _frame: FrameType | None) -> None:
        run.stop(INTERRUPT_REASON)
        signal.signal(number, signal.default_int_handler)

    before = {number: signal.signal(number, interrupt) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def _progress(run: SessionRun, console: Console) -> Iterator[Callable[[FrameCounts, int], None]]:
    """A bar where there is a terminal, nothing otherwise."""
    if not console.is_terminal:
        yield lambda _counts, _faces: None
        return
    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[state]}"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console, transient=True) as progress:
        task = progress.add_task(run.source.name, total=run.source.frame_count, state="")

        def show(counts: FrameCounts, faces: int) -> None:
            if counts.read % 10 == 0:
                state = "no face" if not faces else f"{counts.dropped} dropped" if counts.dropped else "face"
                progress.update(task, completed=counts.read, state=state)

        yield show
