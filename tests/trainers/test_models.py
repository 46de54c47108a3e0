"""Every registered model: its size, its shape, and that it learns."""

import numpy as np
import pytest
import torch

from engines.errors import BadInput
from engines.inputs import NORMALISATIONS, RECIPES, normalise
from trainers.augmentation import AugmentationParameters, augmented, mirrored, shifted
from trainers.datasets.synthetic import SyntheticMapParameters, generate_maps
from trainers.models.dual_attention_crossvit import DualAttention, DualAttentionCrossViT
from trainers.models.ensemble import ProbabilityEnsemble
from trainers.models.registry import MODELS, model_entry, parameter_count
from trainers.models.ststnet import STSTNet
from trainers.training import TrainingParameters, probabilities, train

PARAMETERS = {
    "compact-cnn": 15_651,
    "dual-attention-crossvit": 280_835,
    "dual-attention-crossvit-fine": 81_859,
    "dual-branch": 42_485_315,
    "edssnet": 4_046_219,
    "linear-svm": 7_059,
    "madtn": 1_629_731,
    "se-resnext-50": 25_517_043,
    "ststnet": 1_683,
}


def test_every_model_has_its_size_asserted() -> None:
    assert set(PARAMETERS) == set(MODELS)


@pytest.mark.parametrize("name", sorted(MODELS))
def test_size_shape_and_docstring(name: str) -> None:
    entry = model_entry(name)
    model = entry.build(3).eval()
    assert parameter_count(model) == PARAMETERS[name]
    stated = (type(model).__doc__ or "").replace(" ", " ")
    assert f"{PARAMETERS[name]:,}".replace(",", " ") in stated, "the docstring states the count"
    assert model(torch.zeros(5, *entry.input_shape)).shape == (5, 3)
    assert entry.recipe in RECIPES
    assert entry.normalisation in NORMALISATIONS


def test_unknown_model_is_named() -> None:
    with pytest.raises(BadInput, match="'alexnet' is unknown: use one of compact-cnn"):
        model_entry("alexnet")


def test_dual_attention_gates_what_attention_gives() -> None:
    torch.manual_seed(0)
    attention = DualAttention(8, 2).eval()
    tokens = torch.randn(3, 5, 8)
    ungated = attention(tokens) / torch.sigmoid(attention.guide(attention.query(tokens[:, :1])))
    with torch.no_grad():
        attention.guide.weight.zero_()
        attention.guide.bias.fill_(-100.0)
    assert attention(tokens).abs().max() < 1e-12, "a guide of zero lets nothing through"
    with torch.no_grad():
        attention.guide.bias.fill_(100.0)
    torch.testing.assert_close(attention(tokens), ungated)


def test_crossvit_branches_read_each_other() -> None:
    torch.manual_seed(0)
    model = DualAttentionCrossViT(dropout=0.0).eval()
    large, small = torch.randn(2, 2, 64), torch.randn(2, 5, 32)
    changed = small.clone()
    changed[:, 3] *= -1.0
    exchange = model.get_submodule("encoders.0.to_large.0")
    one, other = exchange(large, small), exchange(large, changed)
    assert (one[:, 0] - other[:, 0]).abs().max() > 1e-4, "the class token reads the other branch"
    torch.testing.assert_close(one[:, 1:], large[:, 1:])


def test_ensemble_gives_mean_probabilities() -> None:
    torch.manual_seed(0)
    members = [STSTNet().eval(), STSTNet().eval()]
    maps = torch.randn(4, 3, 28, 28)
    wanted = torch.stack([member(maps).softmax(1) for member in members]).mean(0)
    torch.testing.assert_close(ProbabilityEnsemble(members).eval()(maps).softmax(1), wanted)


def test_mirror_turns_horizontal_flow_and_undoes_itself() -> None:
    maps = torch.randn(2, 3, 28, 28)
    turned = mirrored(maps)
    torch.testing.assert_close(turned[:, 0], -maps[:, 0].flip(-1))
    torch.testing.assert_close(turned[:, 1:], maps[:, 1:].flip(-1))
    torch.testing.assert_close(mirrored(turned), maps)


def test_shift_moves_at_most_its_limit() -> None:
    maps = torch.zeros(40, 1, 9, 9)
    maps[:, :, 4, 4] = 1.0
    moved = shifted(maps, 1, torch.Generator().manual_seed(0))
    rows, columns = torch.nonzero(moved[:, 0] == 1.0, as_tuple=True)[1:]
    assert set(rows.tolist()) == set(columns.tolist()) == {3, 4, 5}
    assert len(rows) == 40


def test_augmentation_without_anything_changes_nothing() -> None:
    maps = torch.randn(3, 3, 28, 28)
    still = AugmentationParameters(mirror_probability=0.0, shift_px=0, noise=0.0)
    torch.testing.assert_close(augmented(maps, still, torch.Generator()), maps)


def test_training_learns_to_read_generated_maps_and_repeats_itself() -> None:
    torch.set_num_threads(1)
    drawn = SyntheticMapParameters(filmed_share=0.0)
    maps, unseen = generate_maps(1500, 5, drawn), generate_maps(300, 6, drawn)
    x = torch.from_numpy(normalise(maps.x, "centred-flow-log-strain"))
    y = torch.from_numpy(maps.y)
    models = []
    for _ in range(2):
        torch.manual_seed(3)
        trained = train(STSTNet(), x, y, TrainingParameters(epochs=4, learning_rate=5e-3, averaging=0.9), seed=3)
        assert trained.losses[-1] < trained.losses[0]
        models.append(trained.model)
    guessed = probabilities(models[0], torch.from_numpy(normalise(unseen.x, "centred-flow-log-strain")))
    assert np.mean(guessed.argmax(1).numpy() == unseen.y) > 0.8
    for one, other in zip(models[0].state_dict().values(), models[1].state_dict().values(), strict=True):
        torch.testing.assert_close(one, other, rtol=0, atol=0)
