"""Folds over Ray are the folds of this machine, to the digit."""

from pathlib import Path

import numpy as np

from tests.trainers.ray_of_two import needs_ray, ray_of_two
from tests.trainers.test_training_run import new_run, scores_of
from trainers.fold_record import load_fold
from trainers.workers import LocalWorkers


@needs_ray
def test_two_ray_workers_give_what_one_process_gives(tmp_path: Path) -> None:
    local, far = new_run(tmp_path / "local"), new_run(tmp_path / "ray")
    wanted = local.run(LocalWorkers(1))
    with ray_of_two() as workers:
        assert workers.count == 2
        given = far.run(workers)
        (weights,) = far.finished_weights(workers, [1])
    assert scores_of(given) == scores_of(wanted)
    for path in sorted((tmp_path / "local" / "folds").iterdir()):
        here, there = load_fold(path), load_fold(tmp_path / "ray" / "folds" / path.name)
        np.testing.assert_array_equal(here.probabilities, there.probabilities)
        np.testing.assert_array_equal(here.epoch_predictions, there.epoch_predictions)
    for name, value in local.finished_weights(LocalWorkers(1), [1])[0].items():
        np.testing.assert_array_equal(weights[name], value)
