"""Where the model looked, clip by clip, and what the heat turned out to be worth."""

import base64
from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from jaxtyping import Int64, UInt8

from trainers.explanation_pictures import APEX_CHANNEL
from trainers.face_regions import ELSEWHERE
from trainers.feature_file import FeatureFile
from trainers.heat import COVERED_SHARE, Explanation, Heat
from trainers.report.headline import look_of
from trainers.report.predictions import Predictions

METHODS = {"grad-cam": "Grad-CAM", "occlusion": "Occlusion"}
NAMED_REGIONS = 3
QUALITY = 82
PICTURE_BYTES = 6_000_000
"""Of all pictures together; later clips are left out and counted."""


@dataclass(frozen=True, kw_only=True)
class Picture:
    """A picture with what stands under it."""

    name: str
    caption: str
    address: str
    alternative: str


@dataclass(frozen=True, kw_only=True)
class Card:
    """One clip."""

    clip: str
    subject: str
    true: str
    true_look: str
    answer: str
    answer_look: str
    certainty: str
    held_out: str
    """What the folds said of it, when it was not trained on: label and probability; empty where none tested it."""
    held_out_look: str
    held_out_right: bool
    pictures: Sequence[Picture]
    readings: Sequence[tuple[str, str, str]]
    """A line a method: its name, the parts of the face in words, and the probability with them covered."""


@dataclass(frozen=True, kw_only=True)
class Gallery:
    """All clips that are shown, and what holds for all of them."""

    cards: Sequence[Card]
    left_out: int
    methods: str
    worth: str


def rows_to_explain(predictions: Predictions, *, each: int = 2) -> Int64[np.ndarray, "rows"]:
    """Clips worth looking at: of every class the surest right answers and the surest wrong ones.

    Args:
        predictions: of the run.
        each: how many of either, a class.

    Returns:
        Rows of the feature file, none twice.
    """
    averaged = predictions.averaged
    answer, certainty = averaged.argmax(axis=1), averaged.max(axis=1)
    rows: list[int] = []
    for label in range(averaged.shape[1]):
        for right in (True, False):
            there = np.flatnonzero((predictions.truth == label) & ((answer == label) == right))
            rows += predictions.rows[there[np.argsort(-certainty[there], kind="stable")][:each]].tolist()
    return np.array(list(dict.fromkeys(rows)), np.int64)


def build_gallery(
    explanations: Sequence[Explanation],
    predictions: Predictions,
    features: FeatureFile,
    labels: Sequence[str],
    recipe: str,
) -> Gallery | None:
    """Cards of all explanations; None where there are none."""
    if not explanations:
        return None
    cards, size = [], 0
    for explanation in explanations:
        card = _card(explanation, predictions, features, labels, recipe)
        size += sum(len(picture.address) for picture in card.pictures)
        if size > PICTURE_BYTES:
            break
        cards.append(card)
    return Gallery(
        cards=cards,
        left_out=len(explanations) - len(cards),
        methods=_methods(explanations[0].heats),
        worth=_worth(explanations),
    )


def _card(
    explanation: Explanation, predictions: Predictions, features: FeatureFile, labels: Sequence[str], recipe: str
) -> Card:
    row = explanation.row
    true, clip = int(features.y[row]), f"{features.dataset[row]}/{features.subject[row]}, {features.clip[row]}"
    shown = "Apex, as the model was shown it" if recipe in APEX_CHANNEL else "Flow onset to apex, hue is direction"
    left_out = _held_out(row, predictions, labels)
    pictures = [_picture("Input", "apex" if recipe in APEX_CHANNEL else "flow", explanation.shown, f"{shown}: {clip}")]
    pictures += [
        _picture(METHODS[heat.method], "", heat.picture, f"{METHODS[heat.method]} for {explanation.target}: {clip}")
        for heat in explanation.heats
    ]
    return Card(
        clip=str(features.clip[row]),
        subject=f"{features.dataset[row]}/{features.subject[row]}",
        true=labels[true],
        true_look=look_of(labels[true], true),
        answer=explanation.target,
        answer_look=look_of(explanation.target, list(labels).index(explanation.target)),
        certainty=percent(explanation.probability),
        held_out=f"{left_out[0]}, {percent(left_out[1])}" if left_out else "",
        held_out_look=look_of(left_out[0], list(labels).index(left_out[0])) if left_out else "",
        held_out_right=not left_out or left_out[0] == labels[true],
        pictures=pictures,
        readings=[
            (METHODS[heat.method], in_words(heat), percent(heat.covered_probability)) for heat in explanation.heats
        ],
    )


def percent(share: float) -> str:
    """`31 %`, kept on one line."""
    return f"{100 * share:.0f}\N{NO-BREAK SPACE}%"


def in_words(heat: Heat) -> str:
    """The parts with the most heat: "left lip corner 31 %, left cheek 20 %"."""
    named = [(name, share) for name, share in heat.regions if name != ELSEWHERE and share >= 0.05]
    if not named:
        return "nothing speaks for the answer" if not heat.values.any() else "spread thin, no part stands out"
    return ", ".join(f"{name} {percent(share)}" for name, share in named[:NAMED_REGIONS])


def _held_out(row: int, predictions: Predictions, labels: Sequence[str]) -> tuple[str, float] | None:
    """Label and probability from the fold that tested a clip; None where none did."""
    columns = np.flatnonzero(predictions.rows == row)
    if not len(columns):
        return None
    averaged = predictions.averaged[columns[0]]
    return labels[int(averaged.argmax())], float(averaged.max())


def _methods(heats: Sequence[Heat]) -> str:
    words = []
    for heat in heats:
        if heat.method == "grad-cam":
            words.append(f"Grad-CAM at {heat.layer.replace(', ', ' and ')}")
        else:
            words.append("occlusion, the loss of evidence when a square of the map is covered")
    grad_cam = any(heat.method == "grad-cam" for heat in heats)
    why = "" if grad_cam else " (no Grad-CAM: this model has no convolution whose maps still tell places apart)"
    return " and ".join(words) + why


def _worth(explanations: Sequence[Explanation]) -> str:
    """What covering the hottest part did on average: a heat map that marks nothing the model needs changes little."""
    words = []
    for place, heat in enumerate(explanations[0].heats):
        covered = float(np.mean([explanation.heats[place].covered_probability for explanation in explanations]))
        words.append(f"to {percent(covered)} by {METHODS[heat.method]}")
    before = float(np.mean([explanation.probability for explanation in explanations]))
    return (
        f"With the hottest {percent(COVERED_SHARE)} of each map covered, the mean probability of these answers goes "
        f"from {percent(before)} {' and '.join(words)}."
    )


def _picture(name: str, caption: str, picture: UInt8[np.ndarray, "h w 3"], alternative: str) -> Picture:
    bgr = cv2.cvtColor(picture, cv2.COLOR_RGB2BGR)
    _, content = cv2.imencode(".webp", bgr, [cv2.IMWRITE_WEBP_QUALITY, QUALITY])
    address = f"data:image/webp;base64,{base64.b64encode(np.asarray(content).tobytes()).decode('ascii')}"
    return Picture(name=name, caption=caption, address=address, alternative=alternative)
