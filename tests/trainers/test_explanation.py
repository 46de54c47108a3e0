"""Explanations find what a network looks at, name the part of the face, and repeat themselves."""

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn

import trainers.explanation as explanation_module
from engines.errors import BadInput
from realtime.faces.landmarks import REGION_NAMES
from realtime.faces.observation import CROP_HEIGHT, CROP_WIDTH, PUPIL_DISTANCE, PUPIL_HEIGHT
from trainers.datasets.synthetic import SyntheticMapParameters, generate_maps
from trainers.explanation import explain, last_convolutions
from trainers.face_regions import ELSEWHERE, face_plan, region_names, region_of_pixel, shares_by_region
from trainers.feature_file import FeatureFile
from trainers.heat import Explanation
from trainers.models.registry import MODELS, ModelEntry, model_entry

SMALL = {"se-resnext-50": 64, "dual-branch": 32}
"""Models that take maps of any size are tried on small ones, pixels."""
LAST = {
    "compact-cnn": ["features.8 (7 × 7)"],
    "dual-attention-crossvit": [],
    "dual-attention-crossvit-fine": [],
    "dual-branch": ["magnitude.15.residual.3 (2 × 2)", "strain.15.residual.3 (2 × 2)"],
    "edssnet": ["fusion.0 (7 × 7)"],
    "linear-svm": [],
    "madtn": ["convolutions.6 (28 × 28)"],
    "se-resnext-50": ["stages.3.2.residual.6 (2 × 2)"],
    "ststnet": ["streams.0 (28 × 28)"],
}


def features_of(x: np.ndarray, y: np.ndarray | None = None) -> FeatureFile:
    names = np.array([f"sub{index}" for index in range(len(x))])
    return FeatureFile(
        path=Path("maps.npz"),
        x=x,
        y=np.zeros(len(x), np.int64) if y is None else y,
        subject=names,
        dataset=np.full(len(x), "made"),
        clip=names,
        label_names=("negative", "positive", "surprise"),
        variant=np.full(len(x), ""),
    )


def some_features(entry: ModelEntry, count: int = 2) -> FeatureFile:
    """Maps with one bright patch each on noise."""
    channels, height, width = entry.input_shape
    size = SMALL.get(entry.name, height)
    generator = np.random.default_rng(0)
    x = generator.integers(90, 130, (count, size, size * width // height, channels)).astype(np.uint8)
    x[:, size // 2 : size * 3 // 4, size // 4 : size // 2] += 90
    return features_of(x)


class LooksAt(nn.Module):
    """A network whose second class is evidence in one cell of a 4 × 4 grid over the map, and nothing else."""

    def __init__(self, cell: tuple[int, int]) -> None:
        super().__init__()
        self.cell = cell
        self.bright = nn.Conv2d(3, 2, 3, padding=1)
        with torch.no_grad():
            self.bright.weight.fill_(1 / 27)
            self.bright.weight[1] *= -1
            self.bright.bias = None
        self.window = nn.Parameter(torch.zeros(28, 28), requires_grad=False)
        row, column = cell
        self.window[7 * row : 7 * row + 7, 7 * column : 7 * column + 7] = 1

    def forward(self, maps: Tensor) -> Tensor:
        evidence = (self.bright(maps * self.window).relu()[:, 0]).mean((1, 2))
        return torch.stack([torch.full_like(evidence, -1.0), 40 * evidence], dim=1)


def entry_of(model: nn.Module, normalisation: str = "unit-interval") -> ModelEntry:
    return ModelEntry(
        name="made up",
        build=lambda _: model,
        recipe="flow-strain",
        normalisation=normalisation,
        input_shape=(3, 28, 28),
        paper="none",
    )


@pytest.mark.parametrize(("cell", "part"), [((0, 3), "left"), ((0, 0), "right"), ((2, 1), ""), ((3, 2), "")])
def test_a_network_that_looks_in_one_corner_is_found_out(cell: tuple[int, int], part: str) -> None:
    model = LooksAt(cell).eval()
    x = np.random.default_rng(1).choice(np.array([40, 210], np.uint8), (3, 28, 28, 3), p=(0.6, 0.4))
    for explanation in explain(model, entry_of(model), features_of(x), range(3)):
        assert explanation.target == "positive"
        assert [heat.method for heat in explanation.heats] == ["grad-cam", "occlusion"]
        for heat in explanation.heats:
            row, column = cell
            rows, columns = slice(7 * row, 7 * row + 7), slice(7 * column, 7 * column + 7)
            total = heat.values.sum()
            assert heat.values[rows, columns].sum() > 0.4 * total, "six times what chance gives"
            centre = [(heat.values.sum(axis=axis) @ np.arange(28)) / total for axis in (1, 0)]
            assert centre == pytest.approx((7 * row + 3, 7 * column + 3), abs=2)
            assert part in heat.regions[0][0]


def test_covering_the_hottest_part_takes_the_evidence_away() -> None:
    model = LooksAt((2, 1)).eval()
    x = np.full((1, 28, 28, 3), 20, np.uint8)
    x[:, 14:21, 7:14] = 220
    (explanation,) = explain(model, entry_of(model), features_of(x), [0])
    assert explanation.probability > 0.9
    for heat in explanation.heats:
        assert heat.covered_probability < 0.8


@pytest.mark.parametrize("name", sorted(MODELS))
def test_every_registered_model_can_be_explained(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(explanation_module, "SQUARES_ACROSS", 3)  # a few forward passes instead of hundreds
    torch.set_num_threads(1)
    torch.manual_seed(0)
    entry = model_entry(name)
    model = entry.build(3).eval().requires_grad_(False)
    features = some_features(entry, count=1 if entry.input_shape[1] > 28 else 2)
    explanations = explain(model, entry, features, range(len(features)))
    shape = features.x.shape[1:3]
    channels = features.x.shape[3]
    example = torch.zeros(1, channels, *shape)
    assert list(last_convolutions(model, example)) == LAST[name]
    for explanation in explanations:
        methods = [heat.method for heat in explanation.heats]
        assert methods == (["grad-cam", "occlusion"] if LAST[name] else ["occlusion"])
        assert explanation.shown.shape == (CROP_HEIGHT, CROP_WIDTH, 3)
        for heat in explanation.heats:
            assert heat.values.shape == shape
            assert np.isfinite(heat.values).all()
            assert 0 <= heat.values.min() < heat.values.max() == 1
            assert sum(share for _, share in heat.regions) == pytest.approx(1)
            assert heat.picture.shape == (CROP_HEIGHT, CROP_WIDTH, 3)
            assert (heat.picture != explanation.shown).any()


def test_the_same_input_gives_the_same_explanations() -> None:
    maps = generate_maps(6, 3, SyntheticMapParameters(filmed_share=0.0))
    torch.manual_seed(0)
    entry = model_entry("ststnet")
    model = entry.build(3)
    runs: list[list[Explanation]] = [explain(model, entry, features_of(maps.x, maps.y), [4, 0]) for _ in range(2)]
    for one, other in zip(*runs, strict=True):
        assert (one.row, one.target, one.probability) == (other.row, other.target, other.probability)
        for heat, again in zip(one.heats, other.heats, strict=True):
            np.testing.assert_array_equal(heat.values, again.values)
            np.testing.assert_array_equal(heat.picture, again.picture)
            assert heat.regions == again.regions
    assert [explanation.row for explanation in runs[0]] == [4, 0]


def test_a_model_without_evidence_has_no_heat() -> None:
    head = nn.Linear(4, 3)
    nn.init.zeros_(head.weight)
    model = nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), head)
    (explanation,) = explain(model, entry_of(model), features_of(np.full((1, 28, 28, 3), 7, np.uint8)), [0])
    for heat in explanation.heats:
        assert heat.values.max() == 0
        assert heat.regions[0][1] == 0


def test_rows_that_are_not_there_are_refused() -> None:
    entry = model_entry("ststnet")
    with pytest.raises(BadInput, match="rows to explain must be 0 to 1, not 0 to 2"):
        explain(entry.build(3), entry, some_features(entry), [0, 2])


def test_the_plan_lies_upright_in_the_canonical_crop() -> None:
    plan = face_plan()
    right, left = (np.vstack([plan.patches[f"{side} {lid} lid"] for lid in ("upper", "lower")]).mean(axis=0)
                   for side in ("right", "left"))  # fmt: skip
    assert left[0] - right[0] == pytest.approx(PUPIL_DISTANCE, rel=0.05)
    assert (right[1] + left[1]) / 2 == pytest.approx(PUPIL_HEIGHT * CROP_HEIGHT, abs=6)
    for name in REGION_NAMES:
        x, y = plan.patches[name].mean(axis=0)
        assert 0 < x < CROP_WIDTH
        assert 0 < y < CROP_HEIGHT
        if name.startswith("left"):
            other = plan.patches[name.replace("left", "right")].mean(axis=0)
            assert x + other[0] == pytest.approx(CROP_WIDTH, abs=6), name
            assert y == pytest.approx(other[1], abs=4), name


def test_heat_on_a_part_of_the_face_is_named_after_it() -> None:
    for height, width in ((28, 28), (112, 112), (CROP_HEIGHT, CROP_WIDTH)):
        for name, middles in face_plan().patches.items():
            heat = np.zeros((height, width))
            x, y = middles[0]
            row, column = int(np.clip(y / CROP_HEIGHT, 0, 0.99) * height), int(np.clip(x / CROP_WIDTH, 0, 0.99) * width)
            heat[row, column] = 2.0
            shares = shares_by_region(heat)
            assert next(iter(shares.items())) == (name, 1.0) or height == 28, name
            assert sum(shares.values()) == pytest.approx(1)
        assert region_names()[-1] == ELSEWHERE
        assert len(np.unique(region_of_pixel(height, width))) == len(region_names())
