"""`onset export`: sessions in forms that other programs read."""

import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import tyro

from demo.progress_bar import bar_of
from realtime.export import export_sessions

_STEPS = 1000


@dataclass(frozen=True, kw_only=True)
class Export:
    """Export sessions in forms that other programs read, with corrected labels and notes beside what was spotted.

    The forms: tables (csv), one document (json), annotations for ELAN (elan), the video with its events drawn in
    (video), the report (report).
    """

    sessions: tyro.conf.Positional[tuple[Path, ...]]
    """Session folders; each becomes a folder within the export."""
    out: Path
    """Archive to write where it ends in .zip, else a folder."""
    formats: tuple[str, ...] = ()
    """Of csv, json, elan, video, report; all by default."""
    recordings: tuple[Path, ...] = ()
    """Folders where the recordings lie now, if they are not where the sessions say."""
    overwrite: bool = False
    """Write over an archive, or into a folder that holds something."""
    json: bool = False
    """Print one JSON object instead of text."""

    def run(self) -> int:
        """Export; what a session has nothing for is said and left out."""
        with bar_of("exporting") as show:
            export = export_sessions(
                self.sessions,
                self.out,
                self.formats,
                recordings=self.recordings,
                replace=self.overwrite,
                report=lambda done, _what: show(round(_STEPS * done), _STEPS),
            )
        if self.json:
            print(json.dumps({"out": str(export.out), "files": export.files, "notes": export.notes}))
            return 0
        for note in export.notes:
            print(f"onset: {note}", file=sys.stderr)
        print(f"{export.out}: {len(export.files)} files")
        return 0


def defaults(_words: Sequence[str]) -> Export:
    """Defaults under the flags."""
    return Export(sessions=tyro.MISSING, out=tyro.MISSING)


COMMAND = Export
