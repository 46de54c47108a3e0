"""Files of a session that the browser may have: what a run writes, by its place in the folder, and nothing else."""

import re
from pathlib import Path

from starlette.responses import FileResponse, Response

from engines.errors import BadInput

_PLACES = re.compile(
    r"(?:session\.json|(?:events|rejected|remarks)\.jsonl|signals\.parquet|report\.html|recording(?:-\d{1,4})?\.mp4"
    r"|events/\d{4,9}/(?:(?:onset|apex|offset|flow|strain)\.png|clip\.mp4))"
)
_KINDS = {
    ".png": "image/png",
    ".mp4": "video/mp4",
    ".html": "text/html",
    ".json": "application/json",
    ".jsonl": "application/x-ndjson",
    ".parquet": "application/vnd.apache.parquet",
}
_SHOWN = frozenset({".png", ".mp4", ".html"})
"""Others are handed out as downloads."""
PRIVATE = {"cache-control": "no-store"}
"""Faces are personal data: the browser keeps them no longer than the page that shows them."""
REPORT_POLICY = (
    "sandbox allow-scripts; default-src 'none'; img-src data:; media-src data:; style-src 'unsafe-inline'; "
    "script-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'self'"
)
"""The report runs as a stranger: it has scripts of its own, which must not steer the dashboard."""


def file_of_session(folder: Path, place: str) -> Path:
    """A file of a session.

    Args:
        folder: of the session.
        place: as the browser gave it.

    Raises:
        BadInput: if it is nothing that a run writes, is not there, or is a link that leads elsewhere.
    """
    path = folder / place if _PLACES.fullmatch(place) else None
    if path is None or not path.is_file() or path.resolve() != folder.resolve() / place:
        raise BadInput("there is no such file in the session; open the session again")
    return path


def file_answer(path: Path) -> Response:
    """The file for the browser, a part of it where it asks for a part; films are played so.

    Args:
        path: from `file_of_session`.
    """
    suffix = path.suffix
    headers = {**PRIVATE, "content-security-policy": REPORT_POLICY} if suffix == ".html" else PRIVATE
    name = None if suffix in _SHOWN else path.name
    return FileResponse(path, media_type=_KINDS[suffix], headers=headers, filename=name)
