"""The report of a training run: one page that needs nothing else and says what the run measured, no more."""

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from engines.errors import BadInput
from tests.realtime.test_report import HOSTILE, Page
from tests.trainers.demo_run import (
    LABELS,
    demo_explanations,
    demo_features,
    demo_folds,
    demo_metrics,
    demo_record,
)
from trainers.feature_file import FeatureFile
from trainers.fold_record import FoldRecord
from trainers.models.registry import MODELS
from trainers.report import metrics_latex, metrics_markdown, write_report, write_scores
from trainers.report.curves import loss_chart
from trainers.report.gallery import rows_to_explain
from trainers.report.headline import LEAKY_WORDS, look_of
from trainers.report.method import method_of
from trainers.report.page import render
from trainers.report.people import mistakes
from trainers.report.predictions import predictions_of


@pytest.fixture(scope="module")
def features() -> FeatureFile:
    return demo_features()


@pytest.fixture(scope="module")
def folds(features: FeatureFile) -> list[FoldRecord]:
    return demo_folds(features)


@pytest.fixture(scope="module")
def metrics(features: FeatureFile, folds: list[FoldRecord]) -> dict[str, Any]:
    return demo_metrics(folds, features)


@pytest.fixture(scope="module")
def demo_page(
    tmp_path_factory: pytest.TempPathFactory,
    features: FeatureFile,
    folds: list[FoldRecord],
    metrics: dict[str, Any],
) -> str:
    folder = tmp_path_factory.mktemp("runs")
    explanations = demo_explanations(features, folds, steps=5)
    page = write_report(folder, demo_record(features, folds), metrics, folds, features, explanations)
    assert [one.name for one in folder.iterdir()] == ["report.html"]
    return page.read_text(encoding="utf-8")


def test_the_page_needs_nothing_but_itself(demo_page: str) -> None:
    page = Page(demo_page)
    policy = page.all("meta", **{"http-equiv": "Content-Security-Policy"})
    assert (policy[0]["content"] or "").startswith("default-src 'none'")
    for _, attributes in page.elements:
        for name in ("src", "href", "poster", "srcset", "action", "data"):
            if (value := attributes.get(name)) is not None:
                assert value.startswith(("data:image/", "#")), value[:80]
    assert "http://" not in demo_page
    assert "https://" not in demo_page
    for style in re.findall(r"<style>(.*?)</style>", demo_page, re.DOTALL):
        assert "url(" not in style
        assert "@import" not in style
    assert {link["href"] for link in page.all("a")} <= {f"#{name}" for name in page.ids}
    assert len(demo_page) < 1_500_000


def test_scores_stand_with_deviation_and_interval(demo_page: str, metrics: dict[str, Any]) -> None:
    text = Page(demo_page).text
    assert f"UF1 {metrics['mean']['uf1']:.3f} ± {metrics['sd']['uf1']:.3f}" in text
    for name, scores in metrics["datasets"].items():
        figures = " ".join(f"{scores['mean'][s]:.3f} ± {scores['sd'][s]:.3f}" for s in ("uf1", "uar", "accuracy"))
        assert f"{name} {scores['clips']} {figures}" in text
    for label, f1 in metrics["f1_by_class"].items():
        assert re.search(rf"{label} \d+ {f1:.3f}", text)
    assert f"seeds as an ensemble {metrics['ensemble_of_seeds']['uf1']:.3f}" in text
    low, high = (float(one) for one in re.findall(r"of the scores between (\S+) and (\d\.\d+)", text)[0])
    assert low < metrics["mean"]["uf1"] < high


def test_the_leaky_score_is_struck_out_and_never_offered_for_a_paper(demo_page: str, metrics: dict[str, Any]) -> None:
    leaky = metrics["leaky_best_epoch"]
    figure = f"UF1 {leaky['mean']['uf1']:.3f} ± {leaky['sd']['uf1']:.3f}"
    assert demo_page.count(figure) == 1
    (aside,) = re.findall(r'<aside class="leaky".*?</aside>', demo_page, re.DOTALL)
    assert f"<s>{figure}</s>" in aside
    assert "not a result" in aside
    assert LEAKY_WORDS in aside
    assert "must not be quoted" in LEAKY_WORDS
    for table in (metrics_markdown(metrics), metrics_latex(metrics)):
        assert f"{leaky['mean']['uf1']:.3f}" not in table


def test_confusion_is_that_of_the_metrics(features: FeatureFile) -> None:
    folds = demo_folds(features, seeds=1)
    metrics = demo_metrics(folds, features)
    content = render(demo_record(features, folds), metrics, folds, features)
    first = re.findall(r'<figure class="matrix">.*?</figure>', content, re.DOTALL)[0]
    cells = [float(count) for count in re.findall(r"</b><span>([\d.]+)</span>", first)]
    np.testing.assert_array_equal(np.reshape(cells, (3, 3)), metrics["confusion"])
    assert content.count('<figure class="matrix">') == 3, "all clips and two data sets"


def test_every_fold_and_the_hardest_are_told(demo_page: str, folds: list[FoldRecord]) -> None:
    text = Page(demo_page).text
    assert "Subject by subject" in text
    for fold in folds:
        assert f"{fold.name} {len(fold.test)} " in text
    shares = [
        float(right) / int(clips) for right, clips in re.findall(r'number">([\d.]+) of (\d+)</span></li>', demo_page)
    ]
    assert len(shares) > 2
    assert np.diff(shares).min() > -0.02, "from the worst on, but for rounding"


def test_mistakes_are_listed_the_surest_first(demo_page: str, features: FeatureFile, folds: list[FoldRecord]) -> None:
    predictions = predictions_of(folds, features)
    wrong = predictions.averaged.argmax(axis=1) != predictions.truth
    listed = mistakes(predictions, features, LABELS)
    assert {one.clip for one in listed} == set(features.clip[predictions.rows[wrong]])
    assert [one.probability for one in listed] == sorted((one.probability for one in listed), reverse=True)
    assert all(one.probability >= one.true_probability and one.true != one.predicted for one in listed)
    text = Page(demo_page).text
    for one in listed:
        assert f"{one.clip} {one.subject} {one.true} {one.predicted} {one.probability:.2f}" in text


def test_curves_of_the_tested_clips_are_marked_as_unused(demo_page: str, folds: list[FoldRecord]) -> None:
    page = Page(demo_page)
    assert "not used for anything" in page.text
    assert len(page.all("path", **{"class": "line test"})) == 3, "one a seed"
    assert len(page.all("path", **{"class": "line training"})) == 1
    assert not page.all("path", **{"class": "line validation"})
    chart = loss_chart(folds)
    assert chart is not None
    last = np.mean([fold.training_losses[-1] for fold in folds])
    assert chart.lines[0].last == f"{last:.3f}"
    across = [float(point.split()[0]) for point in re.findall(r"[\d.]+ [\d.]+", chart.lines[0].path)]
    assert across[0] == 0
    assert across[-1] == 1000


def test_validation_curves_of_folds_that_end_early(features: FeatureFile) -> None:
    folds = demo_folds(features, seeds=1, inner=True, epochs=40)
    run = {**demo_record(features, folds), "settings": {"training": {"patience": 10}}}
    content = render(run, demo_metrics(folds, features), folds, features)
    text = Page(content).text
    assert "inner validation" in text
    assert "Folds end at different epochs" in text
    assert "chosen on validation subjects" in text
    assert "One seed, so no deviation" in text
    assert "nan" not in " ".join(re.findall(r' d="[^"]*"', content))


def test_an_inner_split_without_patience_is_not_said_to_choose(features: FeatureFile) -> None:
    folds = demo_folds(features, seeds=1, inner=True)
    content = render(demo_record(features, folds), demo_metrics(folds, features), folds, features)
    assert "chosen on validation subjects" not in content
    assert "without patience their loss is only drawn" in content


def test_a_pre_training_that_was_not_done_has_no_settings(folds: list[FoldRecord]) -> None:
    settings = {"pretrain": "none", "pretraining": {"drawn_maps": 9000}}
    assert method_of({"settings": settings}, {"model": "ststnet", "protocol": "k-fold"}, folds).settings == [
        ("pretrain", "none")
    ]
    done = method_of({"settings": {**settings, "pretrain": "synthetic"}}, {"model": "ststnet", "protocol": ""}, folds)
    assert ("pretraining.drawn_maps", "9000") in done.settings


def test_only_clips_that_were_tested_are_counted(features: FeatureFile) -> None:
    folds = demo_folds(features, seeds=1)[:1]
    tested = len(folds[0].test)
    metrics = {**demo_metrics(folds, features), "protocol": "hold-out", "clips_scored": tested}
    text = Page(render(demo_record(features, folds), metrics, folds, features)).text
    assert tested < metrics["clips"]
    assert f"All clips {tested} " in text
    assert f"| all | {tested} |" in metrics_markdown(metrics)


def test_a_run_of_a_single_epoch_has_no_curves(features: FeatureFile) -> None:
    folds = [
        replace(fold, training_losses=fold.training_losses[:1], epoch_predictions=fold.epoch_predictions[-1:])
        for fold in demo_folds(features, seeds=1)
    ]
    page = Page(render(demo_record(features, folds), demo_metrics(folds, features), folds, features))
    assert "learning" not in page.ids


def test_without_explanations_there_is_no_gallery(
    demo_page: str, features: FeatureFile, folds: list[FoldRecord]
) -> None:
    assert "looked" in Page(demo_page).ids
    bare = Page(render(demo_record(features, folds), demo_metrics(folds, features), folds, features))
    assert "looked" not in bare.ids
    assert not bare.all("img", src="data:")


def test_the_gallery_names_parts_of_the_face_and_what_the_heat_is_worth(
    demo_page: str, features: FeatureFile, folds: list[FoldRecord]
) -> None:
    page = Page(demo_page)
    rows = rows_to_explain(predictions_of(folds, features))
    assert len(page.all("img", src="data:image/webp")) == 3 * len(rows)
    for row in rows:
        assert str(features.clip[row]) in page.text
    assert re.search(r"Grad-CAM [a-z ]+ \d+ %, [a-z ]+ \d+ %", page.text)
    assert "Grad-CAM at streams.0 (28 × 28)" in page.text
    assert "hottest 20 % of each map covered" in page.text


def test_rows_worth_explaining_hold_right_and_wrong_answers(features: FeatureFile, folds: list[FoldRecord]) -> None:
    predictions = predictions_of(folds, features)
    rows = rows_to_explain(predictions)
    assert len(set(rows.tolist())) == len(rows) == 12
    right = dict(zip(predictions.rows.tolist(), predictions.averaged.argmax(axis=1) == predictions.truth, strict=True))
    for label in range(3):
        of_label = [right[row] for row in rows.tolist() if features.y[row] == label]
        assert sorted(of_label) == [False, False, True, True]


def test_method_settings_and_departures_are_there(demo_page: str) -> None:
    text = Page(demo_page).text
    for words in (
        "training.augmentation.shift_px 1",
        "training.learning_rate 0.002",
        "training.patience none",
        "STSTNet , 1,683 parameters. Liong",
        "Departures from the paper dropout is an argument",
        "All folds train for 20 epochs, fixed beforehand",
        "No subject is ever on both sides",
        "onset-live 0.1.0",
    ):
        assert words in text, words
    assert "/somewhere/private" not in demo_page
    assert "maps.npz" in text


@pytest.mark.parametrize("name", sorted(MODELS))
def test_every_model_is_cited_with_its_departures(name: str, folds: list[FoldRecord]) -> None:
    method = method_of({"model": name, "protocol": "k-fold"}, {"parameters": 7}, folds)
    assert method.citation == MODELS[name].paper
    if "Departures" in (getattr(MODELS[name].build, "func", MODELS[name].build).__doc__ or ""):
        assert any(heading.startswith("Departures") for heading, _ in method.notes)
    assert all(len(heading) < 120 and words for heading, words in method.notes)


def test_labels_of_five_classes_look_different() -> None:
    labels = ("happiness", "disgust", "repression", "surprise", "others")
    assert len({look_of(label, place) for place, label in enumerate(labels)}) == 5
    assert [look_of(label, place) for place, label in enumerate(LABELS)] == list(LABELS)


def test_cross_database_tasks_are_scored_one_by_one(features: FeatureFile) -> None:
    datasets = ("casme2", "smic-hs")
    template = demo_folds(features, seeds=1)[0]
    folds = []
    for place, target in enumerate(datasets):
        test = np.flatnonzero(features.dataset == target)
        answers = (features.y[test] + (np.arange(len(test)) % (3 + place) == 0)) % 3
        folds.append(
            replace(
                template,
                name=f"{datasets[1 - place]} → {target}",
                place=place,
                test=test,
                probabilities=np.eye(3, dtype=np.float32)[answers],
                epoch_predictions=np.repeat(answers[None], len(template.training_losses), axis=0),
            )
        )
    metrics = demo_metrics(folds, features, by_task=True)
    run = {**demo_record(features, folds), "protocol": "cross-database"}
    text = Page(render(run, metrics, folds, features)).text
    assert "Mean of tasks" in text
    for name, scores in metrics["tasks"].items():
        assert f"{name} {scores['clips']} {scores['mean']['uf1']:.3f}" in text
    assert "No subject is ever on both sides" not in text, "parts of SMIC share people"
    assert "on people it had not seen" not in text
    assert "Nothing of the tested set takes part in training" in text
    assert "F1 by class, pooled over tasks" in text
    assert "F1 by class, pooled over tasks: " in metrics_markdown(metrics)
    adapting = {**run, "settings": {"training": {"transfer_weight": 2.0}}}
    assert "take part in training without their labels" in render(adapting, metrics, folds, features)
    assert "| smic-hs → casme2 |" in metrics_markdown(metrics)
    assert r"smic-hs $\to$ casme2" in metrics_latex(metrics)


def test_hostile_names_do_no_harm(folds: list[FoldRecord], metrics: dict[str, Any]) -> None:
    features = demo_features(path=f"/private/{HOSTILE}")
    clips = features.clip.copy().astype(object)
    clips[:] = HOSTILE
    hostile = replace(features, clip=clips.astype(str))
    renamed = [replace(fold, name=HOSTILE) for fold in folds]
    run = {**demo_record(hostile, folds), "model": HOSTILE, "versions": {HOSTILE: HOSTILE}}
    content = render(run, {**metrics, "model": HOSTILE}, renamed, hostile)
    assert "<img src=x" not in content
    assert content.count("<script") == 1
    Page(content)


def test_seeds_that_did_other_folds_are_refused(tmp_path: Path, features: FeatureFile, folds: list[FoldRecord]) -> None:
    metrics = demo_metrics(folds, features)
    with pytest.raises(BadInput, match="folds of seed 2 test other clips than those of seed 0"):
        write_report(tmp_path, {}, metrics, folds[:-1], features)
    with pytest.raises(BadInput, match="at least one fold"):
        write_report(tmp_path, {}, metrics, [], features)
    assert not list(tmp_path.iterdir())


def test_scores_as_tables(tmp_path: Path, metrics: dict[str, Any]) -> None:
    path = write_scores(tmp_path, metrics)
    assert path == tmp_path / "scores.md"
    lines = metrics_markdown(metrics).splitlines()
    assert lines[0] == "| ststnet | clips | UF1 | UAR | accuracy |"
    assert lines[2].startswith(f"| all | 90 | {metrics['mean']['uf1']:.3f} ± {metrics['sd']['uf1']:.3f} |")
    assert [line.count("|") for line in lines[:5]] == [6] * 5
    latex = metrics_latex({**metrics, "model": "my_model & 50%"})
    assert r"my\_model \& 50\% & clips" in latex
    assert latex.count(r"\\") == 4
    assert metrics_markdown(metrics) in path.read_text()
