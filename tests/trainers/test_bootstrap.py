"""The interval over subjects: what it holds, that it draws people and not clips, that it repeats itself."""

import numpy as np
import pytest

from engines.errors import BadInput
from trainers.metrics.bootstrap import subject_bootstrap
from trainers.metrics.recognition import accuracy, confusion_matrix, uf1


def some_answers(clips: int = 120, seeds: int = 2, right: float = 0.7) -> tuple[np.ndarray, np.ndarray]:
    generator = np.random.default_rng(0)
    truth = generator.integers(0, 3, clips)
    wrong = generator.random((seeds, clips)) > right
    return truth, np.where(wrong, (truth + generator.integers(1, 3, (seeds, clips))) % 3, truth)


def test_the_interval_is_that_of_drawing_subjects_one_by_one() -> None:
    truth, predicted = some_answers(40)
    subject = np.repeat([f"sub{index}" for index in range(8)], 5)
    found = subject_bootstrap(truth, predicted, subject, 3, resamples=300, seed=4)
    generator = np.random.default_rng(4)
    scores = []
    for times in generator.multinomial(8, np.full(8, 1 / 8), size=300):
        clips = np.concatenate([np.flatnonzero(subject == f"sub{one}") for one in np.repeat(np.arange(8), times)])
        scores.append(np.mean([uf1(confusion_matrix(truth[clips], guess[clips], 3)) for guess in predicted]))
    assert (found.low, found.high) == pytest.approx(tuple(np.quantile(scores, (0.025, 0.975))))
    assert (found.level, found.resamples, found.subjects) == (0.95, 300, 8)


def test_it_holds_the_score_and_repeats_itself() -> None:
    truth, predicted = some_answers()
    subject = np.arange(120) // 6
    one, other = (subject_bootstrap(truth, predicted, subject, 3, resamples=500) for _ in range(2))
    assert one == other
    score = np.mean([uf1(confusion_matrix(truth, guess, 3)) for guess in predicted])
    assert one.low < score < one.high
    narrower = subject_bootstrap(truth, predicted, subject, 3, resamples=500, level=0.5)
    assert one.low < narrower.low < narrower.high < one.high


def test_clips_of_one_person_do_not_count_as_many_people() -> None:
    truth = np.tile([0, 1, 2], 40)
    right = np.repeat(np.arange(20) % 2 == 0, 6)  # a person is read well throughout, or not at all
    predicted = np.where(right, truth, (truth + 1) % 3)[None]
    by_person = subject_bootstrap(truth, predicted, np.arange(120) // 6, 3, score=accuracy, resamples=800)
    by_clip = subject_bootstrap(truth, predicted, np.arange(120), 3, score=accuracy, resamples=800)
    assert by_person.high - by_person.low > 2 * (by_clip.high - by_clip.low)
    # Half of twenty people: the deviation is √(0.25/20), the interval about 3.92 of them.
    assert by_person.high - by_person.low == pytest.approx(3.92 * (0.25 / 20) ** 0.5, rel=0.15)


def test_one_subject_leaves_nothing_to_draw() -> None:
    truth, predicted = some_answers(12)
    found = subject_bootstrap(truth, predicted, np.full(12, "only"), 3, resamples=50)
    assert found.low == pytest.approx(found.high)


@pytest.mark.parametrize(("clips", "subjects"), [(0, 0), (12, 11)])
def test_what_cannot_be_drawn_is_refused(clips: int, subjects: int) -> None:
    truth, predicted = some_answers(12)
    with pytest.raises(BadInput, match="bootstrap needs a subject and a prediction a clip"):
        subject_bootstrap(truth[:clips], predicted[:, :clips], np.arange(subjects), 3)
