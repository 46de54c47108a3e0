"""How the scores were come by: model, protocol, settings, versions, cost."""

import inspect
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from realtime.report.wording import length
from trainers.fold_record import FoldRecord

PROTOCOL_WORDS: Mapping[str, str] = {
    "leave-one-subject-out": "Leave one subject out",
    "megc-2019-composite": "MEGC 2019 composite, leave one subject out",
    "k-fold": "K-fold over subjects",
    "cross-database": "Cross-database",
    "hold-out": "Hold-out over subjects",
}
RULES: Mapping[str, str] = {
    "leave-one-subject-out": "Every subject is tested once by a model that learned from all other subjects.",
    "megc-2019-composite": "Every subject of the composite set is tested once by a model that learned from all others.",
    "k-fold": "Subjects are dealt into folds; every fold is tested once by a model that learned from other subjects.",
    "cross-database": "The model learns from one data set and is tested on another; each task is scored by itself. "
    "SMIC's three parts filmed partly the same people, which tasks between them do not part.",
    "hold-out": "A part of the subjects is tested by a model that learned from the others.",
}


@dataclass(frozen=True, kw_only=True)
class Method:
    """What a reader needs to do it again."""

    protocol: str
    rule: str
    choice: str
    """What decided which epoch's weights were kept."""
    model: str
    citation: str
    parameters: str
    notes: Sequence[tuple[str, str]]
    """Paragraphs of the model's documentation: departures from the paper, choices where it is silent."""
    facts: Sequence[tuple[str, str]]
    settings: Sequence[tuple[str, str]]
    versions: Sequence[tuple[str, str]]


def method_of(run: Mapping[str, Any], metrics: Mapping[str, Any], folds: Sequence[FoldRecord]) -> Method:
    """Gather it from the run's record and the model's documentation."""
    name = str(run.get("model") or metrics.get("model"))
    protocol = str(run.get("protocol") or metrics.get("protocol"))
    title, citation, notes = _documentation(name)
    features = run.get("features") or {}
    settings = run.get("settings") or metrics.get("settings") or {}
    apart = _seen(settings) if protocol == "cross-database" else " No subject is ever on both sides of a split."
    return Method(
        protocol=PROTOCOL_WORDS.get(protocol, protocol),
        rule=f"{RULES.get(protocol, '')}{apart}".strip(),
        choice=_choice(folds, settings.get("training") or {}),
        model=title,
        citation=str(run.get("paper") or citation),
        parameters=f"{int(metrics['parameters']):,}" if metrics.get("parameters") else "–",
        notes=notes,
        facts=[
            *_facts("Maps", features),
            ("Labels", ", ".join(map(str, run.get("label_names") or metrics.get("label_names") or ()))),
            ("Seeds", ", ".join(map(str, run.get("seeds") or sorted({fold.seed for fold in folds})))),
            ("Folds", str(len({fold.place for fold in folds}))),
            ("Training, all folds", length(float(metrics.get("seconds") or 0.0))),
            ("Peak memory of a process", f"{float(metrics.get('peak_memory_mib') or 0.0):,.0f} MiB"),
            *([("Device", str(run["device"]))] if run.get("device") else []),
        ],
        settings=list(_flat(_that_counted(settings))),
        versions=[(str(key), str(value)) for key, value in (run.get("versions") or {}).items()],
    )


def _seen(settings: Mapping[str, Any]) -> str:
    """What a task's training had of the set that it is tested on."""
    if not (settings.get("training") or {}).get("transfer_weight"):
        return " Nothing of the tested set takes part in training."
    return " The tested set's maps take part in training without their labels, as domain adaptation does."


def _choice(folds: Sequence[FoldRecord], training: Mapping[str, Any]) -> str:
    inner = any(len(fold.validation) for fold in folds)
    if inner and training.get("patience") is not None:
        return "The epoch whose weights are kept was chosen on validation subjects of the training side."
    aside = (
        " The subjects of the inner split were neither trained on nor asked: without patience their loss is only drawn."
        if inner
        else ""
    )
    kept = sorted({fold.kept_epoch for fold in folds})
    if len(kept) == 1:
        epochs = "1 epoch" if kept[0] == 1 else f"{kept[0]} epochs"
        return f"All folds train for {epochs}, fixed beforehand, and keep the last weights.{aside}"
    return f"The number of epochs was fixed beforehand, and the last weights are kept.{aside}"


def _that_counted(settings: Mapping[str, Any]) -> Mapping[str, Any]:
    """Without those of a pre-training that was not done."""
    without = settings.get("pretrain", "none") == "none"
    return {key: value for key, value in settings.items() if not (without and key == "pretraining")}


def _documentation(name: str) -> tuple[str, str, list[tuple[str, str]]]:
    """Name, citation and documented departures of a registered model; what is known of any other."""
    # Brings PyTorch in, which the page itself does not need.
    from trainers.models.registry import MODELS

    entry = MODELS.get(name)
    if entry is None:
        return name, "", []
    built = getattr(entry.build, "func", entry.build)
    documentation = inspect.getdoc(built) or ""
    paragraphs = [" ".join(paragraph.split()) for paragraph in documentation.split("\n\n")]
    wanted = re.compile(r"(Departures?[^:.]*|Where the paper is silent[^:.]*|Choices?[^:.]*|From the paper)[:.] ?(.*)")
    found = [wanted.match(paragraph) for paragraph in paragraphs]
    notes = [(match[1], match[2]) for match in found if match and match[2]]
    return getattr(built, "__name__", name), entry.paper, notes


def _facts(title: str, features: Mapping[str, Any]) -> list[tuple[str, str]]:
    facts = [("Data", str(features["origin"]))] if features.get("origin") else []
    if features.get("path"):
        # The name alone: a path tells where somebody keeps their files.
        facts.append(("Feature file", re.split(r"[/\\]", str(features["path"]))[-1]))
    shape = " × ".join(map(str, features.get("shape") or ()))
    words = [str(features[key]) for key in ("recipe", "normalisation") if features.get(key)]
    if shape or words:
        facts.append((title, ", ".join([*words, *([shape] if shape else [])])))
    if features.get("sha256"):
        facts.append(("SHA-256 of the file", str(features["sha256"])))
    return facts


def _flat(settings: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, str]]:
    """Nested settings as one list, `training.learning_rate` and so on."""
    for key, value in settings.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", _plain(value)


def _plain(value: Any) -> str:
    if value is None:
        return "none"
    if isinstance(value, list | tuple):
        return ", ".join(map(_plain, value)) or "none"
    return f"{value:g}" if isinstance(value, float) else str(value).lower() if isinstance(value, bool) else str(value)
