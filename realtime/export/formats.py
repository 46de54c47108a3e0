"""The formats that a session can be exported to, by name: a new one is a file beside this one and a line here."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from engines.errors import BadInput
from realtime.export import annotated_video, document, elan, page, tables
from realtime.export.material import Material, Progress


@dataclass(frozen=True, slots=True)
class Format:
    """One form that a session can take."""

    summary: str
    """What it is, in a few words."""
    write: Callable[[Material, Path, Progress], list[Path]]
    """Writes the files of one session into a folder and names them; `BadInput` where the session has nothing for it."""
    effort: float
    """How long it takes next to the others; for a progress bar."""


FORMATS: Mapping[str, Format] = MappingProxyType(
    {
        "csv": Format("tables of events, rejected movements, remarks and signals", tables.write, 2.0),
        "json": Format("one document with everything but the signals", document.write, 1.0),
        "elan": Format("annotations for ELAN (.eaf), with tiers for kinds, labels, regions and notes", elan.write, 1.0),
        "video": Format(
            "the video (.mp4) with its events, their marks and the curve drawn in", annotated_video.write, 60.0
        ),
        "report": Format("the report (.html), one page that needs nothing else", page.write, 4.0),
    }
)


def chosen_formats(names: Sequence[str]) -> dict[str, Format]:
    """The formats of these names, in the order of `FORMATS`; all of them where none is named.

    Raises:
        BadInput: if one is not known.
    """
    unknown = [name for name in names if name not in FORMATS]
    if unknown:
        raise BadInput(f"{unknown[0]}: not a format of export; choose of {', '.join(FORMATS)}")
    return {name: made for name, made in FORMATS.items() if name in names or not names}
