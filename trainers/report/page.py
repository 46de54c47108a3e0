"""From a training run to `report.html`."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any

import jinja2
import numpy as np
from markupsafe import Markup

from engines.errors import BadInput
from realtime.json_lines import write_atomically
from realtime.report.wording import counted, length
from trainers.feature_file import FeatureFile
from trainers.fold_record import FoldRecord
from trainers.heat import Explanation
from trainers.report import curves
from trainers.report.confusion import matrices
from trainers.report.gallery import build_gallery
from trainers.report.headline import LEAKY_WORDS, class_scores, score_rows, with_deviation
from trainers.report.method import Method, method_of
from trainers.report.people import LISTED_MISTAKES, folds_of, hardest, mistakes
from trainers.report.predictions import Predictions, predictions_of
from trainers.report.tables import metrics_latex, metrics_markdown

REPORT_NAME = "report.html"
OPEN_FOLDS = 24
"""Tables with more rows are folded."""


@dataclass(frozen=True, kw_only=True)
class Header:
    """What was trained on what."""

    title: str
    protocol: str
    state: str
    look: str
    facts: Sequence[tuple[str, str]]


def write_report(
    folder: Path,
    run: Mapping[str, Any],
    metrics: Mapping[str, Any],
    folds: Sequence[FoldRecord],
    features: FeatureFile,
    explanations: Sequence[Explanation] = (),
) -> Path:
    """Draw the report of a training run: one page that needs nothing but itself.

    Args:
        folder: of the run.
        run: as `run.json` holds it.
        metrics: as `metrics.json` holds them.
        folds: of every seed.
        features: what the folds' rows point into.
        explanations: of some clips; none is fine.

    Returns:
        The page, `report.html` in the folder.

    Raises:
        BadInput: if there is no fold, the seeds did not do the same folds, or the page cannot be written.
    """
    page = folder / REPORT_NAME
    content = render(run, metrics, folds, features, explanations)
    try:
        write_atomically(page, content.encode())
    except OSError as fault:
        raise BadInput(f"{page}: cannot be written ({fault.strerror}); free some space") from fault
    return page


def render(
    run: Mapping[str, Any],
    metrics: Mapping[str, Any],
    folds: Sequence[FoldRecord],
    features: FeatureFile,
    explanations: Sequence[Explanation] = (),
) -> str:
    """The page as text; arguments as those of `write_report`."""
    predictions, labels = predictions_of(folds, features), _labels(metrics, features)
    method = method_of(run, metrics, folds)
    by_fold = folds_of(predictions, labels, _seconds(folds))
    missed = mistakes(predictions, features, labels)
    return _template().render(
        header=_header(run, metrics, predictions, method),
        rows=score_rows(metrics, predictions, len(labels)),
        classes=class_scores(metrics, predictions, labels),
        ensemble=_ensemble(metrics),
        leaky=_leaky(metrics),
        leaky_words=LEAKY_WORDS,
        seeds=predictions.seeds,
        matrices=matrices(predictions, labels),
        charts=[chart for chart in (curves.loss_chart(folds), curves.test_chart(predictions)) if chart],
        folds=by_fold,
        subjects_alone=method.protocol.lower().endswith("leave one subject out"),
        hardest=hardest(by_fold),
        open_folds=len(by_fold) <= OPEN_FOLDS,
        mistakes=missed[:LISTED_MISTAKES],
        mistakes_count=len(missed),
        tested=len(predictions.rows),
        by_task="tasks" in metrics,
        gallery=build_gallery(explanations, predictions, features, labels, _recipe(run, features)),
        method=method,
        markdown=metrics_markdown(metrics),
        latex=metrics_latex(metrics),
        width=curves.WIDTH,
        height=curves.HEIGHT,
        style=_asset("realtime.report", "report.css") + Markup("\n") + _asset("trainers.report", "training.css"),
        script=_asset("realtime.report", "report.js"),
    )


def _labels(metrics: Mapping[str, Any], features: FeatureFile) -> Sequence[str]:
    given = metrics.get("label_names") or features.label_names
    return [str(name) for name in given or range(int(features.y.max()) + 1)]


def _recipe(run: Mapping[str, Any], features: FeatureFile) -> str:
    return str((run.get("features") or {}).get("recipe") or features.recipe or "flow-strain")


def _seconds(folds: Sequence[FoldRecord]) -> list[float]:
    """Mean over seeds, by fold."""
    places = sorted({fold.place for fold in folds})
    return [float(np.mean([fold.seconds for fold in folds if fold.place == place])) for place in places]


def _header(run: Mapping[str, Any], metrics: Mapping[str, Any], predictions: Predictions, method: Method) -> Header:
    names = sorted({str(name) for name in predictions.dataset})
    complete = run.get("state") in (None, "complete", "running")
    return Header(
        title=f"{method.model} on {' + '.join(names)}",
        protocol=method.protocol,
        state="Complete" if complete else str(run["state"]).capitalize(),
        look="complete" if complete else "stopped",
        facts=[
            ("Clips", f"{len(np.unique(predictions.rows)):,}"),
            ("Subjects", f"{len(np.unique(predictions.subject)):,}"),
            ("Folds × seeds", f"{len(predictions.fold_names)} × {len(predictions.seeds)}"),
            ("Parameters", method.parameters),
            ("Training, all folds", length(float(metrics.get("seconds") or 0.0))),
            ("Peak memory", f"{float(metrics.get('peak_memory_mib') or 0.0):,.0f} MiB"),
        ],
    )


def _ensemble(metrics: Mapping[str, Any]) -> Mapping[str, str] | None:
    """Scores of the probabilities averaged over seeds; None for one seed, where they are the scores themselves."""
    scores = metrics.get("ensemble_of_seeds")
    if not scores or len(metrics.get("seeds") or ()) < 2:
        return None
    return {name: f"{float(scores[name]):.3f}" for name in ("uf1", "uar", "accuracy")}


def _leaky(metrics: Mapping[str, Any]) -> Mapping[str, str] | None:
    scores = metrics.get("leaky_best_epoch")
    if not scores:
        return None
    deviation = scores.get("sd") or {}
    return {name: with_deviation(scores["mean"].get(name), deviation.get(name)) for name in ("uf1", "uar", "accuracy")}


def _template() -> jinja2.Template:
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("trainers.report", "assets"),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
    )
    environment.filters["counted"] = counted
    return environment.get_template("training.html.j2")


def _asset(package: str, name: str) -> Markup:
    """A style sheet or script of ours, put into the page as it is."""
    return Markup((files(package) / "assets" / name).read_text(encoding="utf-8"))
