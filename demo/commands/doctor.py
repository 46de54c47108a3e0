"""`onset doctor`: what this machine can run, and why not."""

import json
from collections.abc import Sequence
from dataclasses import dataclass

import tyro
from rich import box
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from engines.doctor import Finding, examine, table

KERNELS_IN = ("engines.flow", "realtime.spotting")
"""Packages whose kernels a replay uses."""
_COLOURS = {"ok": "green", "missing": "dim", "unusable": "yellow"}
_SECTIONS = ("camera", "cuda driver", "onnxruntime", "default checkpoint")
"""What the first row of a part of the table is called; the first part needs no line above it."""


@dataclass(frozen=True, kw_only=True)
class Doctor:
    """What this machine can run, and why not: each part with its state, the reason and what to do."""

    checkpoints: tyro.conf.Positional[tuple[str, ...]] = ()
    """Checkpoint folders to look at besides the one that ships with Onset."""
    json: bool = False
    """Print one JSON object instead of a table."""

    def run(self) -> int:
        """Examine and print."""
        console = Console()
        if self.json:
            findings = examine(self.checkpoints, kernels_in=KERNELS_IN)
            print(json.dumps({"findings": [finding.as_record() for finding in findings]}))
            return 0
        with console.status("Looking at this machine"):
            findings = examine(self.checkpoints, kernels_in=KERNELS_IN)
        console.print(_rich_table(findings))
        for line in verdict(findings):
            console.print(escape(line))
        return 0


def verdict(findings: Sequence[Finding]) -> list[str]:
    """What it comes to, in one line or two."""
    broken = [finding.name for finding in findings if finding.required and finding.state != "ok"]
    absent = [finding.name for finding in findings if not finding.required and finding.state != "ok"]
    first = f"Not ready: {', '.join(broken)}." if broken else "Everything that a replay needs is here."
    return [first, *([f"Optional, and not ready: {', '.join(dict.fromkeys(absent))}."] if absent else [])]


def _rich_table(findings: Sequence[Finding]) -> Table:
    shown = Table(title="What this machine can run", title_justify="left", box=box.SIMPLE_HEAD, pad_edge=False)
    shown.add_column("part", no_wrap=True)
    shown.add_column("state", no_wrap=True)
    shown.add_column("what was found, and → what to do", overflow="fold")
    before, said = "", dict[str, str]()
    for finding, row in zip(findings, table(findings), strict=True):
        section = next((start for start in _SECTIONS if finding.name.startswith(start)), before)
        if section != before:
            shown.add_section()
        before = section
        name, state, detail, remedy = (escape(cell) for cell in row)
        first = said.setdefault(remedy, name)  # several parts often wait for the same thing
        colour = "red" if finding.required and finding.state != "ok" else _COLOURS[finding.state]
        cure = "" if not remedy else f"\n[bold]→[/] {remedy if first == name else f'as for {first}'}"
        shown.add_row(name, f"[{colour}]{state}[/]", f"{detail}{cure}")
    return shown


def defaults(_words: Sequence[str]) -> Doctor:
    """Defaults under the flags."""
    return Doctor()


COMMAND = Doctor
