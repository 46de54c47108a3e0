"""Colours of flow and strain."""

import colorsys

import numpy as np
import pytest

from engines.errors import BadInput
from engines.flow.pictures import flow_picture, strain_picture


def uniform(u: float, v: float) -> np.ndarray:
    return np.broadcast_to(np.array([u, v], np.float32)[:, None, None], (2, 8, 9)).copy()


def hue_of(u: float, v: float) -> float:
    red, green, blue = flow_picture(uniform(u, v), 1.0)[0, 0] / 255
    return colorsys.rgb_to_hsv(red, green, blue)[0]


def test_stillness_is_white_and_noise_stays_pale() -> None:
    assert (flow_picture(uniform(0, 0)) == 255).all()
    assert flow_picture(uniform(0.005, 0.0)).min() > 230


@pytest.mark.parametrize(("u", "v", "hue"), [(1, 0, 0.0), (0, 1, 0.25), (-1, 0, 0.5), (0, -1, 0.75)])
def test_direction_is_hue(u: float, v: float, hue: float) -> None:
    assert hue_of(u, v) == pytest.approx(hue, abs=0.01)
    assert hue_of(u / 2, v / 2) == pytest.approx(hue, abs=0.02)


def test_longer_is_more_colourful_up_to_the_maximum() -> None:
    spread = [int(np.ptp(flow_picture(uniform(length, 0), 2.0)[0, 0])) for length in (0.2, 1.0, 2.0, 9.0)]
    assert spread[0] < spread[1] < spread[2] == spread[3]


def test_strain_brightens() -> None:
    strain = np.linspace(0, 0.1, 64, dtype=np.float32).reshape(8, 8)
    picture = strain_picture(strain, 0.1)
    assert picture.shape == (8, 8, 3)
    assert picture.dtype == np.uint8
    assert (np.diff(picture.sum(-1, dtype=int).ravel()) >= 0).all()
    assert strain_picture(np.zeros((8, 8), np.float32)).max() < 10


def test_bad_scale_is_refused() -> None:
    with pytest.raises(BadInput, match="maximum_px"):
        flow_picture(uniform(1, 1), 0.0)
    with pytest.raises(BadInput, match="maximum"):
        strain_picture(np.zeros((4, 4), np.float32), -1.0)
