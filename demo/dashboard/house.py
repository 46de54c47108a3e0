"""What all views of the dashboard share: the data folder, the jobs, the live run, what was chosen."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from demo.dashboard.data_folder import DEFAULT_CHECKPOINT, DataFolder
from demo.dashboard.jobs import JobBoard
from demo.dashboard.live_request import AWAY_S
from demo.dashboard.live_run import LiveRun
from realtime.config import Settings
from realtime.sources.browser_cameras import BrowserCameras
from realtime.sources.pushed import PushedSource


@dataclass(kw_only=True)
class Choice:
    """The checkpoint and backend that the next run takes."""

    checkpoint: str = DEFAULT_CHECKPOINT
    """Name in the data folder, or "default"."""
    backend: str = "auto"


@dataclass(kw_only=True)
class House:
    """One dashboard, from its start to its end."""

    data: DataFolder
    settings: Settings
    jobs: JobBoard
    cameras: BrowserCameras
    live: LiveRun
    chosen: Choice = field(default_factory=Choice)
    on_removed: list[Callable[[Path], None]] = field(default_factory=list)
    """Each is told the folder of a session that was deleted; called in any thread."""

    def close(self) -> None:
        """End the live run and every job; what they found is kept."""
        self.live.close()
        self.jobs.close()
        self.cameras.close()


def open_house(data: Path, settings: Settings | None = None) -> House:
    """A dashboard over a data folder, nothing running yet.

    Raises:
        BadInput: if the data folder cannot be used.
    """
    folder, chosen = DataFolder(data), settings or Settings()
    # As long as for a camera of this machine: whoever reloads or loses the network finds the run again.
    cameras = BrowserCameras(make_source=lambda: PushedSource(patience_s=AWAY_S))
    return House(
        data=folder,
        settings=chosen,
        jobs=JobBoard(),
        cameras=cameras,
        live=LiveRun(folder, chosen, cameras),
    )
