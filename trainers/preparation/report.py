"""What a preparation says of itself: how many clips, which labels, and everything that was repaired or left out."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from trainers.annotations import Clip, Finding, Outcome
from trainers.splits import SAME_PEOPLE


@dataclass(frozen=True, slots=True, kw_only=True)
class Used:
    """A clip that is in the feature file."""

    clip: Clip
    label: str
    """In the scheme of the file."""
    apex_method: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DatasetReport:
    """What became of one data set."""

    name: str
    root: Path
    rows: int
    """Of the coding table."""
    read: int
    """Clips that the importer could read."""
    used: tuple[Used, ...]
    other_kind: int
    """Clips read that were not asked for, such as macro-expressions."""
    dropped: tuple[Finding, ...]
    """Clips for which the label scheme has no label."""
    findings: tuple[Finding, ...]
    """Of the importer, then of the preparation."""
    published: Mapping[str, int] = field(default_factory=dict)
    """Clips by label as the study of the label scheme counts them; empty where it does not."""

    @property
    def labels(self) -> dict[str, int]:
        """Used clips by label."""
        return dict(sorted(Counter(used.label for used in self.used).items()))

    @property
    def apexes(self) -> dict[str, int]:
        """Used clips by the method that found their apex."""
        return dict(sorted(Counter(used.apex_method for used in self.used).items()))

    @property
    def subjects(self) -> int:
        """Subjects with a used clip."""
        return len({used.clip.subject for used in self.used})

    def found(self, outcome: Outcome) -> list[Finding]:
        """Findings of one outcome."""
        return [finding for finding in self.findings if finding.outcome == outcome]

    def as_record(self) -> dict[str, Any]:
        """For `--json`."""
        return {
            "root": str(self.root),
            "rows": self.rows,
            "read": self.read,
            "clips": len(self.used),
            "subjects": self.subjects,
            "labels": self.labels,
            "published_labels": dict(self.published),
            "apexes": self.apexes,
            "other_kind": self.other_kind,
            "dropped": [str(finding) for finding in self.dropped],
            "repaired": [str(finding) for finding in self.found("repaired")],
            "rejected": [str(finding) for finding in self.found("rejected")],
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Preparation:
    """A feature file that was made, and its report."""

    path: Path
    report: Path
    """The text beside the feature file."""
    recipe: str
    size: tuple[int, int]
    scheme: str
    """Label scheme."""
    views: int
    """Maps of further views, beside one for each clip."""
    datasets: Sequence[DatasetReport] = field(default_factory=tuple)

    @property
    def clips(self) -> int:
        """Clips in the file."""
        return sum(len(dataset.used) for dataset in self.datasets)

    @property
    def subjects(self) -> int:
        """People in the file; those of different data sets are different people, but for `SAME_PEOPLE`."""
        groups = [(SAME_PEOPLE.get(dataset.name, dataset.name), dataset) for dataset in self.datasets]
        return len({(group, used.clip.subject) for group, dataset in groups for used in dataset.used})

    @property
    def labels(self) -> dict[str, int]:
        """Clips by label."""
        total: Counter[str] = Counter()
        for dataset in self.datasets:
            total.update(dataset.labels)
        return dict(sorted(total.items()))

    def count(self, outcome: Outcome) -> int:
        """Findings of one outcome over all data sets."""
        return sum(len(dataset.found(outcome)) for dataset in self.datasets)

    @property
    def summary(self) -> str:
        """One line for a person."""
        views = f" and {self.views} further views" if self.views else ""
        dropped = sum(len(dataset.dropped) for dataset in self.datasets)
        return (
            f"{self.path}: {self.clips} clips{views} of {self.subjects} subjects ({_counted(self.labels)}), "
            f"{self.recipe} maps of {self.size[0]}×{self.size[1]}, labels {self.scheme}; "
            f"{dropped} without a label, {self.count('repaired')} repaired, {self.count('rejected')} rejected"
        )

    def as_record(self) -> dict[str, Any]:
        """For `--json`."""
        return {
            "out": str(self.path),
            "report": str(self.report),
            "recipe": self.recipe,
            "size": list(self.size),
            "label_scheme": self.scheme,
            "clips": self.clips,
            "views": self.views,
            "subjects": self.subjects,
            "labels": self.labels,
            "repaired": self.count("repaired"),
            "rejected": self.count("rejected"),
            "datasets": {dataset.name: dataset.as_record() for dataset in self.datasets},
        }

    def as_text(self) -> str:
        """The report that lies beside the feature file."""
        return "\n".join([self.summary, *(line for dataset in self.datasets for line in _lines(dataset))]) + "\n"


def _lines(dataset: DatasetReport) -> Iterator[str]:
    yield ""
    yield f"{dataset.name}: {dataset.root}"
    yield f"  {dataset.rows} rows in the coding table, {dataset.read} clips read"
    yield f"  used: {len(dataset.used)} clips of {dataset.subjects} subjects ({_counted(dataset.labels)})"
    if dataset.published and dataset.published != dataset.labels:
        yield f"  not the clips of the label scheme's study, which counts {_counted(dataset.published)}"
    yield f"  apex: {_counted(dataset.apexes)}"
    if dataset.other_kind:
        yield f"  left out: {dataset.other_kind} clips of the kind that was not asked for"
    yield from (f"  {finding}" for finding in dataset.findings)
    yield from (f"  no label: {finding.clip}: {finding.fault}" for finding in dataset.dropped)


def _counted(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{name} {count}" for name, count in counts.items()) or "none"
