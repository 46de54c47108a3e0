"""`onset doctor`: what this machine can run, and why not."""

import json
from collections.abc import Sequence
from dataclasses import dataclass

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from engines.doctor import Finding, examine, table

_COLOURS = {"ok": "green", "missing": "dim", "unusable": "yellow"}


@dataclass(frozen=True, kw_only=True)
class Doctor:
    """What this machine can run, and why not: each part with its state, the reason and what to do."""

    json: bool = False
    """Print one JSON object instead of a table."""

    def run(self) -> int:
        """Examine and print."""
        findings = examine()
        if self.json:
            print(json.dumps({"findings": [finding.as_record() for finding in findings]}))
        else:
            Console().print(_rich_table(findings))
        return 0


def _rich_table(findings: Sequence[Finding]) -> Table:
    shown = Table(title="What this machine can run", title_justify="left")
    for heading in ("part", "state", "found", "what to do"):
        shown.add_column(heading, overflow="fold")
    for finding, row in zip(findings, table(findings), strict=True):
        name, state, detail, remedy = (escape(cell) for cell in row)
        colour = "red" if finding.required and finding.state != "ok" else _COLOURS[finding.state]
        shown.add_row(name, f"[{colour}]{state}[/]", detail, remedy)
    return shown


def defaults(_words: Sequence[str]) -> Doctor:
    """Defaults under the flags."""
    return Doctor()


COMMAND = Doctor
