"""What the sources of a command line stand for: files, folders of images, folders of videos, the example."""

import hashlib
import importlib.metadata
import os
import sys
import tempfile
from dataclasses import dataclass
from itertools import count
from pathlib import Path

from engines.errors import BadInput
from realtime.sources import open_source
from realtime.sources.base import Source

EXAMPLE = "example"
VIDEO_SUFFIXES = frozenset({".avi", ".m4v", ".mkv", ".mov", ".mp4", ".mpeg", ".mpg", ".mts", ".ts", ".webm", ".wmv"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Recording:
    """One source and the session folder that its replay writes."""

    address: str
    folder: Path
    frame_rate_hz: float | None = None

    def open(self) -> Source:
        """The source, not yet open.

        Raises:
            BadInput: it does not exist or is of no kind that can be read.
        """
        address = str(example_video()) if self.address == EXAMPLE and not Path(EXAMPLE).exists() else self.address
        return open_source(address, frame_rate_hz=self.frame_rate_hz)


def find_recordings(sources: tuple[str, ...], out: Path, frame_rate_hz: float | None) -> list[Recording]:
    """The recordings behind the sources; folders of videos are opened up, in the order of their names.

    Args:
        sources: as the user gave them.
        out: session folder of a single recording, parent folder of several.
        frame_rate_hz: for folders of images.

    Raises:
        BadInput: a folder of videos holds none, or nothing was named.
    """
    addresses = [address for source in sources for address in _opened_up(source)]
    if len(addresses) == 1 and addresses[0] == sources[0]:
        return [Recording(address=addresses[0], folder=out, frame_rate_hz=frame_rate_hz)]
    stems = [Path(address).stem or "recording" for address in addresses]
    taken: set[str] = set()
    recordings = []
    for place, (address, stem) in enumerate(zip(addresses, stems, strict=True)):
        # Another recording may bear the very name that would tell this one from its namesake.
        numbered = (f"{stem}-{number}" for number in count(2))
        name = stem if stem not in stems[:place] else next(one for one in numbered if one not in {*taken, *stems})
        taken.add(name)
        recordings.append(Recording(address=address, folder=out / name, frame_rate_hz=frame_rate_hz))
    return recordings


def _opened_up(source: str) -> list[str]:
    folder = Path(source)
    if not folder.is_dir():
        return [source]
    videos = sorted(str(path) for path in folder.iterdir() if path.suffix.lower() in VIDEO_SUFFIXES)
    return videos or [source]


def example_video() -> Path:
    """The package's own short video with known expressions; made on first use, kept with the temporary files."""
    from trainers.datasets.synthetic_videos import example_video as write_example_video

    version = importlib.metadata.version("onset-live")
    key = hashlib.sha256(f"example {version}".encode()).hexdigest()[:12]
    path = Path(tempfile.gettempdir()) / f"onset-example-{key}" / "example.mp4"
    if not path.is_file():
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as fault:
            raise BadInput(f"{path.parent}: the example cannot be written ({fault.strerror}); set TMPDIR") from None
        print("Filming the example: 12 s of a synthesised face, kept for the next time.", file=sys.stderr)
        unfinished = path.with_name(f"unfinished-{os.getpid()}.mp4")
        write_example_video(unfinished)
        unfinished.replace(path)
    return path
