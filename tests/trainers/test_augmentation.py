"""What a mirror, a turn and a blur do to a map, and that nothing else changes."""

import numpy as np
import pytest
import torch

from engines.inputs import RECIPES, mirrored, normalise
from trainers.augmentation import AugmentationParameters, Mirror, augmented, blurred, mirror_of, rotated
from trainers.augmentation import mirrored as mirrored_tensor

STILL = AugmentationParameters(mirror_probability=0.0, shift_px=0, noise=0.0)


@pytest.mark.parametrize("recipe", sorted(RECIPES))
def test_a_mirror_in_training_is_the_live_one(recipe: str) -> None:
    """Mirroring the map and then normalising is what mirroring the normalised tensor gives."""
    entry = RECIPES[recipe]
    mirror = mirror_of(recipe, entry.normalisation)
    if entry.mirrored is None:
        assert mirror is None
        return
    assert mirror is not None
    maps = np.random.default_rng(1).integers(0, 256, (3, 12, 12, entry.channels), np.uint8)
    wanted = normalise(mirrored(maps, recipe), entry.normalisation)
    given = mirrored_tensor(torch.from_numpy(normalise(maps, entry.normalisation)), mirror)
    np.testing.assert_allclose(given.numpy(), wanted, atol=2e-6)


def test_maps_without_a_mirror_are_never_mirrored() -> None:
    maps = torch.rand(20, 3, 8, 8)
    always = AugmentationParameters(mirror_probability=1.0, shift_px=0, noise=0.0)
    torch.testing.assert_close(augmented(maps, always, torch.Generator(), None), maps, rtol=0, atol=0)
    turned = augmented(maps, always, torch.Generator(), Mirror(horizontal=(1,), centre=0.5))
    torch.testing.assert_close(turned[:, 0], maps[:, 0].flip(-1))
    torch.testing.assert_close(turned[:, 1], 1 - maps[:, 1].flip(-1))


def test_a_quarter_turn_is_exact_on_a_square_map() -> None:
    maps = torch.rand(2, 3, 9, 9)
    turned = rotated(maps, torch.tensor([90.0, -90.0]))
    torch.testing.assert_close(turned[0], torch.rot90(maps[0], -1, (1, 2)), atol=1e-5, rtol=0)
    torch.testing.assert_close(turned[1], torch.rot90(maps[1], 1, (1, 2)), atol=1e-5, rtol=0)


def test_a_turn_does_not_shear_a_map_that_is_not_square() -> None:
    """A spot 6 pixels right of the middle lies 6 pixels below it after a quarter turn clockwise."""
    maps = torch.zeros(1, 1, 41, 21)
    maps[0, 0, 20, 16] = 1.0
    turned = rotated(maps, torch.tensor([90.0]))
    assert divmod(int(turned.argmax()), 21) == (26, 10)


def test_a_blur_keeps_means_and_flattens() -> None:
    flat = torch.full((1, 2, 10, 10), 0.7)
    torch.testing.assert_close(blurred(flat), flat)
    spot = torch.zeros(1, 1, 11, 11)
    spot[0, 0, 5, 5] = 1.0
    soft = blurred(spot)
    assert float(soft.sum()) == pytest.approx(1.0, abs=1e-6)
    assert 0.1 < float(soft[0, 0, 5, 5]) < 0.2
    assert int((soft > 0).sum()) == 25


def test_everything_comes_from_the_generator() -> None:
    maps = torch.rand(6, 3, 12, 12)
    every = AugmentationParameters(blur_probability=0.5, rotation_deg=20.0)
    first, second, other = (augmented(maps, every, torch.Generator().manual_seed(seed)) for seed in (1, 1, 2))
    torch.testing.assert_close(first, second, rtol=0, atol=0)
    assert not torch.equal(first, other)
    torch.testing.assert_close(augmented(maps, STILL, torch.Generator()), maps, rtol=0, atol=0)
