import cv2
import numpy as np
import pytest

from engines.errors import BadInput
from engines.flow import Tvl1Parameters
from engines.inputs import RECIPES, EventImages, feature_map, flow_strain_from_field, mirrored, normalise
from engines.inputs.event_images import magnified_step
from engines.inputs.recipes import hue_gray, stretched
from tests.engines.test_steady_flow import at, texture

QUICK = Tvl1Parameters.quick()


@pytest.fixture(scope="module")
def images() -> EventImages:
    """The right half of the face moves right and up, then back."""
    onset = texture(8)
    y, x = np.mgrid[0:304, 0:256].astype(np.float32)
    bump = np.exp(-((x - 180) ** 2 + (y - 220) ** 2) / (2 * 25**2))
    apex = cv2.remap(onset, x - 2 * bump, y + 1.5 * bump, cv2.INTER_CUBIC)
    return EventImages(onset=onset, apex=apex, offset=onset, flow_parameters=QUICK)


@pytest.mark.parametrize("name", sorted(RECIPES))
def test_every_recipe_makes_what_it_states(images: EventImages, name: str) -> None:
    recipe = RECIPES[name]
    features = feature_map(name, images)
    assert features.shape == (*recipe.size, recipe.channels)
    assert features.dtype == np.uint8
    assert feature_map(name, images, (40, 36)).shape == (40, 36, recipe.channels)
    tensor = normalise(features[None], recipe.normalisation)
    assert tensor.shape == (1, recipe.channels, *recipe.size)
    assert np.isfinite(tensor).all()
    assert features.std() > 1


def test_flow_strain_shows_where_and_whither(images: EventImages) -> None:
    u, v, strain = (feature_map("flow-strain", images)[..., channel].astype(int) for channel in range(3))
    row, column = np.unravel_index(u.argmax(), u.shape)
    assert abs(row - 220 / 304 * 28) < 3
    assert abs(column - 180 / 256 * 28) < 3
    assert (u.min(), u.max()) == (0, 255)
    assert v[row, column] < 40
    assert np.median(v) > 200
    assert strain[row - 5 : row + 6, column - 5 : column + 6].max() == 255


def test_flow_is_onset_to_apex_in_crop_pixels(images: EventImages) -> None:
    np.testing.assert_allclose(at(images.flow, 181, 219), (2, -1.5), atol=0.4)
    np.testing.assert_allclose(at(images.return_flow, 181, 219), (-2, 1.5), atol=0.5)
    assert images.strain.shape == (133, 112)


def test_strain_is_that_of_the_crop_whatever_the_grid() -> None:
    y, x = np.mgrid[0:304, 0:256].astype(np.float32)
    image = texture(9)
    # Everything under the rigid part is stretched across by 2 %.
    stretch = np.clip((y - 190) / 20, 0, 1) * 0.02 * (x - 128)
    apex = cv2.remap(image, x - stretch, y, cv2.INTER_CUBIC)
    strain = EventImages(onset=image, apex=apex, offset=image, flow_parameters=QUICK).strain
    assert np.median(strain[100:122, 18:94]) == pytest.approx(0.02, abs=0.006)


def test_a_map_can_be_made_of_a_field_alone(images: EventImages) -> None:
    np.testing.assert_array_equal(flow_strain_from_field(images.flow), feature_map("flow-strain", images))
    np.testing.assert_array_equal(flow_strain_from_field(images.flow * 0.25), feature_map("flow-strain", images))


def test_the_dual_branches_share_their_flow(images: EventImages) -> None:
    features = feature_map("dual-branch", images)
    np.testing.assert_array_equal(features[..., 0], features[..., 3])
    np.testing.assert_array_equal(features[..., 1], features[..., 4])
    assert np.abs(features[..., 2].astype(int) - features[..., 5]).max() > 50


def test_edssnet_sees_the_movement_magnified(images: EventImages) -> None:
    features = feature_map("edssnet", images)
    assert np.all(features[..., 0] == features[..., 1])
    plain = feature_map("apex", images, (112, 112))[..., 0].astype(int)
    change = np.abs(features[..., 0].astype(int) - plain)
    moved, still = change[70:95, 65:95].mean(), change[5:50, 5:50].mean()
    assert moved > 30
    assert still < 3
    given = EventImages(
        onset=images.onset,
        apex=images.apex,
        offset=images.offset,
        magnified_apex=np.full((304, 256), 77, np.uint8),
        flow_parameters=QUICK,
    )
    assert np.all(feature_map("edssnet", given)[..., :3] == 77)


def test_magnification_passes_over_light_that_changes_everywhere() -> None:
    dark = texture(3) * 0.5 + 40
    np.testing.assert_allclose(magnified_step(dark, dark + 10), dark + 10, atol=0.1)


def test_madtn_holds_two_flows_and_the_apex(images: EventImages) -> None:
    features = feature_map("madtn", images)
    np.testing.assert_array_equal(features[..., 1], feature_map("apex", images, (112, 112))[..., 0])
    there, back = features[81, 79, 0], features[81, 79, 2]
    assert there != back
    assert np.abs(features[..., 0].astype(int) - 255).argmax() != 0
    still = hue_gray(np.zeros((2, 4, 4), np.float32))
    np.testing.assert_allclose(still, 255)


def test_hues_match_opencv() -> None:
    angles = np.linspace(0, 2 * np.pi, 36, endpoint=False)
    flow = np.stack([np.cos(angles), np.sin(angles)]).reshape(2, 6, 6).astype(np.float32)
    degrees = np.degrees(angles).reshape(6, 6).astype(np.float32)
    hsv = np.stack([degrees, np.ones_like(degrees), np.ones_like(degrees)], axis=-1)
    gray = cv2.cvtColor(cv2.cvtColor(hsv, cv2.COLOR_HSV2RGB), cv2.COLOR_RGB2GRAY)
    np.testing.assert_allclose(hue_gray(flow), gray * 255, atol=0.5)


@pytest.mark.parametrize("name", [name for name, recipe in RECIPES.items() if recipe.mirrored is not None])
def test_mirroring_a_map_is_seeing_a_mirrored_face(images: EventImages, name: str) -> None:
    flipped = EventImages(
        onset=np.ascontiguousarray(images.onset[:, ::-1]),
        apex=np.ascontiguousarray(images.apex[:, ::-1]),
        offset=np.ascontiguousarray(images.offset[:, ::-1]),
        flow_parameters=QUICK,
    )
    seen = feature_map(name, flipped)[None].astype(int)
    features = feature_map(name, images)[None]
    difference = np.abs(mirrored(features, name) - seen)
    assert difference.mean() < 2
    assert np.percentile(difference, 99) < 25
    np.testing.assert_array_equal(mirrored(mirrored(features, name), name), features)


def test_raw_maps_are_mirrored_by_their_sign() -> None:
    raw = np.random.default_rng(0).normal(size=(2, 4, 5, 3)).astype(np.float32)
    turned = mirrored(raw, "flow-strain")
    np.testing.assert_array_equal(turned[..., 0], -raw[:, :, ::-1, 0])
    np.testing.assert_array_equal(turned[..., 1:], raw[:, :, ::-1, 1:])


def test_hues_cannot_be_mirrored() -> None:
    with pytest.raises(BadInput, match="cannot be mirrored"):
        mirrored(np.zeros((1, 4, 4, 3), np.uint8), "madtn")


def test_a_still_face_gives_calm_maps() -> None:
    image = np.rint(texture(2)).astype(np.uint8)
    still = EventImages(onset=image, apex=image, offset=image, flow_parameters=QUICK)
    for name, recipe in RECIPES.items():
        assert np.isfinite(normalise(feature_map(name, still)[None], recipe.normalisation)).all()
    assert np.all(feature_map("flow-strain", still) == 0)


def test_stretching_reaches_both_ends() -> None:
    assert stretched(np.array([[-3.0, 0.0, 1.0]], np.float32)).tolist() == [[0, 191, 255]]
    assert stretched(np.full((2, 2), 5.0, np.float32)).tolist() == [[0, 0], [0, 0]]


def test_wrong_images_are_refused() -> None:
    image = np.zeros((30, 20), np.uint8)
    with pytest.raises(BadInput, match="apex image must be gray"):
        EventImages(onset=image, apex=np.zeros((30, 21), np.uint8), offset=image)
    with pytest.raises(BadInput, match="recipe 'crystal-ball' is unknown: use one of"):
        feature_map("crystal-ball", EventImages(onset=image, apex=image, offset=image))
