"""Replaying a recording behind the dashboard: what the command line does, with progress in the browser."""

from dataclasses import replace
from pathlib import Path
from typing import Any

from demo.dashboard.house import House
from demo.dashboard.jobs import Job, Progress
from demo.recordings import VIDEO_SUFFIXES
from engines.errors import BadInput
from realtime.pipeline import FrameCounts
from realtime.session_run import SessionRun
from realtime.sources import VideoFile
from realtime.watcher import Watcher

CANCELLED = "cancelled in the dashboard"
_REPORT_EVERY = 10


def take_in(house: House, upload: Path) -> Path:
    """Keep a video that was handed in, under its name or the next free one.

    Args:
        house: whose data folder it goes to.
        upload: where it was written; it is moved, not copied.

    Returns:
        Where it is now.

    Raises:
        BadInput: if it is no video that can be read; it is removed then.
    """
    try:
        if upload.suffix.lower() not in VIDEO_SUFFIXES:
            raise BadInput(f"{upload.name}: not a video by its name; give one of {', '.join(sorted(VIDEO_SUFFIXES))}")
        try:
            with VideoFile(upload) as video:
                video.read()
        except BadInput as fault:
            raise BadInput(str(fault).replace(str(upload), upload.name)) from None
        kept = house.data.new_recording(upload.name)
        upload.replace(kept)
        return kept
    finally:
        upload.unlink(missing_ok=True)


def start_replay(house: House, recording: Path, sensitivity: float | None = None) -> Job:
    """Replay a recording in the background; the job's result names the session.

    Args:
        house: where the session goes, and what runs it.
        recording: a video.
        sensitivity: where the spotter's dial stands, 1 to 9; as configured by default.

    Raises:
        BadInput: if the dial cannot stand there or the chosen checkpoint is gone.
    """
    settings = house.settings
    if sensitivity is not None:
        settings = replace(settings, spotting=replace(settings.spotting, sensitivity=float(sensitivity)))
    checkpoint, backend = house.data.checkpoint(house.chosen.checkpoint), house.chosen.backend

    def work(progress: Progress) -> dict[str, Any]:
        run = SessionRun(
            VideoFile(recording),
            house.data.new_session(recording.stem),
            settings,
            checkpoint=checkpoint,
            backend=backend,
        )
        return _follow(run, progress)

    return house.jobs.start("replay", recording.name, work)


def _follow(run: SessionRun, progress: Progress) -> dict[str, Any]:
    """Run to the end, or until it is cancelled; what was found until then is kept as a session."""
    events = 0

    def on_frame(counts: FrameCounts, _faces: int) -> None:
        if progress.cancelled:
            run.stop(CANCELLED)
        elif counts.read % _REPORT_EVERY == 0:
            _report(progress, counts.read, run.source.frame_count, events)

    for _ in run.run(Watcher(on_frame=on_frame)):
        events += 1
        _report(progress, run.counts.read, run.source.frame_count, events)
    return {"session": run.folder.name, "state": run.state, "reason": run.reason, "events": events}


def _report(progress: Progress, read: int, of: int | None, events: int) -> None:
    found = f"{events} event{'' if events == 1 else 's'}"
    if not of:
        progress.report(None, f"frame {read}, {found}")
        return
    # The report is still to be drawn when the last frame is read.
    progress.report(min(0.99, read / of), f"frame {read} of {of}, {found}")
