"""`onset doctor`: what this machine can run, and why not."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass

from rich.console import Console
from rich.table import Table

from engines.doctor import Finding, examine

_COLOURS = {"ok": "green", "missing": "yellow", "unusable": "red"}


@dataclass(frozen=True, kw_only=True)
class Doctor:
    """What this machine can run, and why not: each part with its state, the reason and what to do."""

    json: bool = False
    """Print one JSON object instead of a table."""

    def run(self) -> int:
        """Examine and print."""
        findings = examine()
        if self.json:
            print(json.dumps({"findings": [asdict(finding) for finding in findings]}))
        else:
            Console().print(_table(findings))
        return 0


def _table(findings: Sequence[Finding]) -> Table:
    table = Table(title="What this machine can run", title_justify="left", show_lines=False)
    for heading in ("part", "state", "found", "what to do"):
        table.add_column(heading, overflow="fold")
    for finding in findings:
        state = f"[{_COLOURS.get(finding.state, 'white')}]{finding.state}[/]"
        table.add_row(finding.name, state, finding.detail, finding.remedy or "")
    return table


def defaults(_words: Sequence[str]) -> Doctor:
    """Defaults under the flags."""
    return Doctor()


COMMAND = Doctor
