"""What a preparation has finished so far, kept beside its output so that a stopped one goes on."""

import hashlib
import importlib.metadata
import json
import shutil
import zipfile
import zlib
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path

import numpy as np

from engines.errors import BadInput
from trainers.annotations import Finding
from trainers.preparation.aligned_clip import clip_frames
from trainers.preparation.clip_maps import ClipJob, PreparedClip
from trainers.saved_arrays import save_arrays


class Parts:
    """One file a finished clip, named by everything that decides what is in it.

    A clip whose settings, coding, images or program version have changed since has another name: its old part is
    never read, and goes when the folder is removed.

    Args:
        out: the feature file that is being made.
    """

    def __init__(self, out: Path) -> None:
        self.folder = out.with_name(f".{out.stem}-parts")
        self._home_was_there = out.parent.is_dir()

    def load(self, job: ClipJob) -> PreparedClip | None:
        """What was finished of a clip; None where nothing, or nothing whole, was."""
        try:
            with self._file(job).open("rb") as file, np.load(file, allow_pickle=False) as part:
                said = json.loads(str(part["said"]))
                maps = part["maps"]
        except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile, zlib.error):
            return None
        return PreparedClip(
            maps=maps,
            variants=tuple(said["variants"]),
            onset=said["onset"],
            apexes=tuple(said["apexes"]),
            offset=said["offset"],
            apex_method=said["apex_method"],
            findings=tuple(Finding(**finding) for finding in said["findings"]),
        )

    def save(self, job: ClipJob, prepared: PreparedClip) -> None:
        """Keep a finished clip, whole or not at all.

        Raises:
            BadInput: if nothing can be written beside the output.
        """
        said = {
            "variants": prepared.variants,
            "onset": prepared.onset,
            "apexes": prepared.apexes,
            "offset": prepared.offset,
            "apex_method": prepared.apex_method,
            "findings": [asdict(finding) for finding in prepared.findings],
        }
        try:
            save_arrays(self._file(job), {"maps": prepared.maps, "said": np.array(json.dumps(said))})
        except OSError as fault:
            reason = f"cannot be written ({fault.strerror})"
            raise BadInput(f"work folder {self.folder} {reason}: choose another place for the output") from None

    def remove(self) -> None:
        """The output is there and the parts have served; or there is none, and no empty folder is left for it."""
        shutil.rmtree(self.folder, ignore_errors=True)
        if not self._home_was_there:
            with suppress(OSError):  # it is not empty: the output is in it
                self.folder.parent.rmdir()

    def _file(self, job: ClipJob) -> Path:
        return self.folder / f"{_fingerprint(job)}.npz"


def _fingerprint(job: ClipJob) -> str:
    files = clip_frames(job.clip, job.settings.lead_in_s, job.settings.lead_out_s)
    stamps = [(number, file.name, _stamp(file)) for number, file in files.items()]
    decisive = {
        "version": importlib.metadata.version("onset-live"),
        "clip": asdict(job.clip),
        "settings": asdict(job.settings),
        "frames": stamps,
    }
    return hashlib.sha256(json.dumps(decisive, sort_keys=True, default=str).encode()).hexdigest()


def _stamp(file: Path) -> tuple[int, int]:
    """Size and time of an image: another one under the same name is another clip."""
    try:
        status = file.stat()
    except OSError:
        return (0, 0)
    return status.st_size, status.st_mtime_ns
