"""Sessions in chosen formats, as a folder or as one zip: written beside its name, which it gets when it is whole."""

import shutil
import tempfile
import zipfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import count
from pathlib import Path

from engines.errors import BadInput
from realtime.export.formats import Format, chosen_formats
from realtime.export.material import Material, read_material

_PACKED = frozenset({".mp4", ".png", ".jpg"})
"""Files that do not become smaller."""

Report = Callable[[float, str], None]
"""Told how much is done, 0 to 1, and what is being made; ends the export by raising."""


@dataclass(frozen=True, kw_only=True)
class Export:
    """What was exported."""

    out: Path
    files: tuple[str, ...]
    """Names within the folder or the archive."""
    notes: tuple[str, ...]
    """What could not be made, and what to know about the rest."""


def export_sessions(
    folders: Sequence[Path],
    out: Path,
    formats: Sequence[str] = (),
    *,
    recordings: Sequence[Path] = (),
    replace: bool = False,
    report: Report | None = None,
) -> Export:
    """Export sessions; each gets a folder of its own within.

    A format that a session has nothing for (a video without pictures) is left out with a note.

    Args:
        folders: of the sessions.
        out: an archive to write where it ends in .zip, else a folder, made where it is not there.
        formats: names in `FORMATS`; all where none is named.
        recordings: folders where the videos of the sessions may lie, besides where the sessions say.
        replace: write over an archive, or into a folder that holds something.
        report: told how far it is.

    Returns:
        What was written.

    Raises:
        BadInput: if a session cannot be read, a format is not known, nothing at all could be made, or the disk is full.
    """
    chosen, told = chosen_formats(formats), report or (lambda _done, _what: None)
    materials = [read_material(folder, tuple(recordings)) for folder in folders]
    if not materials:
        raise BadInput("export: no session was named; name at least one session folder")
    as_archive = out.suffix.lower() == ".zip"
    _check(out, as_archive=as_archive, replace=replace)
    try:
        with tempfile.TemporaryDirectory(prefix=f".{out.name}.", dir=out.parent) as made:
            target = _Archive(Path(made) / "export.zip") if as_archive else _Folder(out)
            with target:
                notes = _fill(target, materials, chosen, Path(made) / "files", told)
            if isinstance(target, _Archive):
                target.path.replace(out)
    except OSError as fault:
        raise BadInput(
            f"{out}: cannot be written ({fault.strerror}); free some space or choose another name"
        ) from fault
    return Export(out=out, files=tuple(target.files), notes=tuple(notes))


class _Folder:
    """Files of an export side by side."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.files: list[str] = []

    def __enter__(self) -> None:
        self.path.mkdir(parents=True, exist_ok=True)

    def __exit__(self, *_: object) -> None:
        """Nothing is held open."""

    def take(self, file: Path, name: str) -> None:
        place = self.path / name
        place.parent.mkdir(parents=True, exist_ok=True)
        # The files lie on the same disk already.
        file.replace(place)
        self.files.append(name)


class _Archive:
    """Files of an export in a zip, each gone from the disk once it is in."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.files: list[str] = []
        self._zip = zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=6)

    def __enter__(self) -> None:
        """It is open from the beginning."""

    def __exit__(self, *_: object) -> None:
        self._zip.close()

    def take(self, file: Path, name: str) -> None:
        packed = file.suffix.lower() in _PACKED
        self._zip.write(file, name, zipfile.ZIP_STORED if packed else zipfile.ZIP_DEFLATED)
        file.unlink()
        self.files.append(name)


def _check(out: Path, *, as_archive: bool, replace: bool) -> None:
    if not out.parent.is_dir():
        raise BadInput(f"{out}: the folder {out.parent} does not exist; make it first")
    if as_archive and out.is_dir():
        raise BadInput(f"{out}: is a folder; give another name")
    if not as_archive and out.exists() and not out.is_dir():
        raise BadInput(f"{out}: is a file; give a folder, or a name that ends in .zip")
    if out.exists() and not replace and (as_archive or any(out.iterdir())):
        raise BadInput(f"{out}: exists already; give another name or add --overwrite")


def _fill(
    target: _Folder | _Archive, materials: Sequence[Material], chosen: dict[str, Format], place: Path, report: Report
) -> list[str]:
    """Make session after session; gives the notes."""
    notes: list[str] = []
    for number, (material, name) in enumerate(zip(materials, _own_names(materials), strict=True)):

        def told(done: float, what: str, number: int = number, name: str = name) -> None:
            report((number + done) / len(materials), f"{name}: {what}")

        place.mkdir(parents=True)
        files, missing = _make(material, chosen, place, told)
        notes += [f"{name}: {note}" for note in (*material.notes, *missing)]
        for file in files:
            target.take(file, f"{name}/{file.name}")
        shutil.rmtree(place)
    if not target.files:
        raise BadInput(f"export: nothing could be made; {notes[-1] if notes else 'choose other formats'}")
    return notes


def _make(material: Material, chosen: dict[str, Format], place: Path, report: Report) -> tuple[list[Path], list[str]]:
    """One session in all formats, the video first: the annotations link to it. Gives the files and what is missing."""
    files: list[Path] = []
    missing: list[str] = []
    whole, done = sum(made.effort for made in chosen.values()), 0.0
    for name, made in sorted(chosen.items(), key=lambda one: -one[1].effort):

        def told(part: float, name: str = name, done: float = done, effort: float = made.effort) -> None:
            report((done + effort * part) / whole, name)

        told(0.0)
        try:
            files += made.write(material, place, told)
        except BadInput as fault:
            missing.append(f"{name} left out: {fault}")
        done += made.effort
    return sorted(files), missing


def _own_names(materials: Sequence[Material]) -> list[str]:
    """A folder within the export for each session, also where two have the same name."""
    names: list[str] = []
    for material in materials:
        numbered = (material.name if number == 1 else f"{material.name}-{number}" for number in count(1))
        names.append(next(name for name in numbered if name not in names))
    return names
