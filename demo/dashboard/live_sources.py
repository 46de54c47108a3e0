"""What the live view can choose from: cameras of this machine by name, and checkpoints."""

import re
from collections.abc import Sequence

from demo.dashboard.data_folder import DEFAULT_CHECKPOINT, DataFolder
from engines.checkpoint import CARD_FILE
from engines.doctor.cameras import PICTURE, Probe, cameras
from engines.doctor.finding import Finding
from engines.doctor.probe import Probed, probe


def machine_cameras(ask: Probe = probe) -> list[tuple[str, str]]:
    """Cameras of this machine: what each is called, and the source that opens it.

    No camera is opened for it: one that another program, or the run itself, uses stays undisturbed.

    Args:
        ask: runs a look in a process of its own.
    """

    def formats_only(arguments: Sequence[str], time_limit_s: float) -> Probed:
        if PICTURE in arguments:
            return Probed(output="a picture when it is opened", fault="")
        return ask(arguments, time_limit_s)

    found = [one for one in cameras(ask=formats_only) if re.fullmatch(r"camera \d+", one.name)]
    return [(_title(one), one.name) for one in found]


def _title(finding: Finding) -> str:
    """The name without the sizes behind it, such as "camera 0 · HD Webcam"."""
    name = finding.detail.partition(":")[0].strip()
    return finding.name if not name or name.startswith(("gives", "/")) else f"{finding.name} · {name}"


def checkpoint_names(data: DataFolder) -> list[str]:
    """Checkpoints that a run can take: the one that ships, then those of the data folder by name."""
    folders = sorted(data.checkpoints.iterdir()) if data.checkpoints.is_dir() else []
    return [DEFAULT_CHECKPOINT, *(path.name for path in folders if (path / CARD_FILE).is_file())]
