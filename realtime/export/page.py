"""The report of a session, drawn anew so that the remarks made since the run are in it."""

from pathlib import Path

from realtime.export.material import Material, Progress
from realtime.json_lines import write_atomically
from realtime.report.page import render


def write(material: Material, folder: Path, progress: Progress) -> list[Path]:
    """Write `NAME.html`; the session's own report is left as it is.

    Args:
        material: the session.
        folder: where to.
        progress: told how much is done.
    """
    path = folder / f"{material.name}.html"
    write_atomically(path, render(material.session).encode())
    progress(1.0)
    return [path]
