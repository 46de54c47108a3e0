"""Replaying many recordings on the machines of a cluster, each by the code that replays it here."""

import io
import json
import sys
from collections.abc import Sequence
from contextlib import redirect_stderr
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from demo.recordings import Recording
from demo.run_display import BAD_INPUT, INTERRUPTED, follow
from engines.errors import OnsetError
from realtime.config import Settings
from realtime.session_run import SessionRun
from trainers.workers import Workers


@dataclass(frozen=True, kw_only=True)
class ReplayJob:
    """One recording, and all that its replay is told."""

    recording: Recording
    settings: Settings
    checkpoint: str
    backend: str
    overwrite: bool

    def session_run(self) -> SessionRun:
        """The run, not yet begun.

        Raises:
            BadInput: the recording does not exist or is of no kind that can be read.
        """
        return SessionRun(
            self.recording.open(),
            self.recording.folder,
            self.settings,
            checkpoint=self.checkpoint,
            backend=self.backend,
            overwrite=self.overwrite,
        )

    def for_any_machine(self) -> "ReplayJob":
        """The same with whole paths: a worker's current folder is another one."""
        recording = self.recording
        address = str(Path(recording.address).resolve()) if Path(recording.address).exists() else recording.address
        checkpoint = str(Path(self.checkpoint).resolve()) if Path(self.checkpoint).is_dir() else self.checkpoint
        there = replace(recording, address=address, folder=recording.folder.resolve())
        return replace(self, recording=there, checkpoint=checkpoint)


@dataclass(frozen=True, kw_only=True)
class Replayed:
    """What became of a recording."""

    code: int
    """Exit code of its replay."""
    summary: dict[str, Any]
    """For `--json`."""
    said: str
    """What the replay would have said on standard error."""


def replay_job(job: ReplayJob) -> Replayed:
    """Replay one recording, in a worker: what is called off ends cleanly, with all that was found so far saved."""
    with redirect_stderr(io.StringIO()) as said:
        try:
            code, summary = follow(job.session_run(), quiet=True)
        except OnsetError as fault:
            print(f"onset: {fault}", file=said)
            code, summary = BAD_INPUT, {"source": job.recording.address, "error": str(fault)}
    return Replayed(code=code, summary=summary, said=said.getvalue())


def replay_on(workers: Workers, jobs: Sequence[ReplayJob], *, quiet: bool) -> tuple[int, list[dict[str, Any]]]:
    """Replay recordings, as many at a time as there are workers; one that cannot be read does not stop the others.

    Args:
        workers: of a cluster.
        jobs: the recordings.
        quiet: nothing on standard output.

    Returns:
        Exit code, and the summaries of the recordings that came to an end, in their order.
    """
    console = Console(stderr=True, highlight=False)
    columns = TextColumn("replaying"), BarColumn(), MofNCompleteColumn(), TextColumn("recordings"), TimeElapsedColumn()
    done: dict[int, Replayed] = {}
    interrupted = False
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task("replaying", total=len(jobs))
        try:
            for place, replayed in workers.run(replay_job, [job.for_any_machine() for job in jobs]):
                done[place] = replayed
                bar.advance(task)
                _tell(replayed, quiet=quiet)
        except KeyboardInterrupt:
            interrupted = True
    if interrupted:
        print(f"onset: stopped with Ctrl-C, {len(done)} of {len(jobs)} recordings done; all is kept", file=sys.stderr)
    code = INTERRUPTED if interrupted else max((one.code for one in done.values()), default=0)
    return code, [replayed.summary for _, replayed in sorted(done.items())]


def _tell(replayed: Replayed, *, quiet: bool) -> None:
    for line in replayed.said.splitlines():
        print(line, file=sys.stderr)
    if quiet or "events" not in replayed.summary:
        return
    summary = replayed.summary
    dropped = f", {summary['dropped']} dropped" if summary["dropped"] else ""
    print(
        f"{summary['session']}: {summary['state']}: {summary['events']['micro']} micro- and "
        f"{summary['events']['macro']} macro-expressions ({summary['frames']} frames{dropped})",
        flush=True,
    )


def summaries_as_json(summaries: Sequence[dict[str, Any]], *, single: bool) -> str:
    """The one JSON object of `--json`."""
    return json.dumps(summaries[0] if single and summaries else {"sessions": list(summaries)})
