import numpy as np

from engines import load_checkpoint, open_session
from engines.classification import classify
from engines.inputs import RECIPES, mirrored


def test_the_shipped_checkpoint_is_whole_and_says_what_it_is() -> None:
    checkpoint = load_checkpoint("default")
    card = checkpoint.card
    assert checkpoint.name == "default"
    assert set(card.classes) == {"negative", "positive", "surprise"}
    assert card.input_shape[0] == RECIPES[card.recipe].channels
    for text in (card.training_data, card.protocol, card.limits, card.paper, card.created, card.onset_version):
        assert text
    assert "ynthetic" in card.training_data


def test_the_shipped_checkpoint_classifies_and_sees_a_face_and_its_mirror_alike() -> None:
    with open_session("default") as session:
        card = session.checkpoint.card
        channels, height, width = card.input_shape
        maps = np.random.default_rng(0).integers(0, 256, (3, height, width, channels), dtype=np.uint8)
        probabilities = classify(session, maps)
        np.testing.assert_allclose(probabilities.sum(axis=1), 1, atol=1e-5)
        if card.test_time_mirror:
            np.testing.assert_allclose(classify(session, mirrored(maps, card.recipe)), probabilities, atol=1e-4)


def test_the_shipped_checkpoint_reads_plain_movements() -> None:
    y, x = np.mgrid[0:28, 0:28].astype(np.float32)

    def bump(column: float, row: float, spread: float) -> np.ndarray:
        shape: np.ndarray = np.exp(-((x - column) ** 2 + (y - row) ** 2) / (2 * spread**2))
        return shape

    corners, brows = (bump(8, 20, 2.5), bump(20, 20, 2.5)), (bump(7, 4, 3), bump(21, 4, 3))
    zero = np.zeros_like(x)
    smile = (corners[1] - corners[0], -0.8 * (corners[0] + corners[1]))
    raised_brows = (zero, -(brows[0] + brows[1]))
    maps = []
    for u, v in (smile, raised_brows):
        (u_y, u_x), (v_y, v_x) = np.gradient(u), np.gradient(v)
        maps.append(np.stack([u, v, np.sqrt(u_x**2 + v_y**2 + 0.5 * (u_y + v_x) ** 2)], axis=-1))
    with open_session("default") as session:
        if session.checkpoint.card.recipe != "flow-strain":
            return
        found = classify(session, np.stack(maps).astype(np.float32)).argmax(axis=1)
        assert [session.checkpoint.card.classes[place] for place in found] == ["positive", "surprise"]
