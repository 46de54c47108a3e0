"""The generator's own, batched map maker and the recipe of the live path give the same maps."""

import numpy as np

from engines.inputs import flow_strain_from_field, normalise
from trainers.datasets.synthetic import WORK_HEIGHT, WORK_WIDTH, stretched_maps


def test_generated_maps_are_those_of_the_live_recipe() -> None:
    rng = np.random.default_rng(4)
    y, x = np.mgrid[0:WORK_HEIGHT, 0:WORK_WIDTH].astype(np.float32)
    flows = []
    for _ in range(5):
        bumps = [
            rng.normal(size=(2, 1, 1)) * np.exp(-((x - rng.uniform(8, 48)) ** 2 + (y - rng.uniform(8, 58)) ** 2) / 60)
            for _ in range(4)
        ]
        flows.append(np.sum(bumps, axis=0))
    batch = np.stack(flows).astype(np.float32)
    generated = stretched_maps(batch)
    live = np.stack([flow_strain_from_field(flow) for flow in batch])
    # The one rounds, the other cuts off: a gray level apart at most.
    assert np.abs(generated.astype(int) - live).max() <= 1
    difference = normalise(generated, "centred-flow-log-strain") - normalise(live, "centred-flow-log-strain")
    assert np.abs(difference).max() < 0.08
