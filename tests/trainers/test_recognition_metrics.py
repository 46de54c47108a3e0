"""Recognition scores against scikit-learn and by hand."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn import metrics

from engines.errors import BadInput
from trainers.metrics.recognition import accuracy, confusion_matrix, recognition_scores, uar, uf1


@given(st.lists(st.tuples(st.integers(0, 2), st.integers(0, 2)), min_size=1, max_size=60))
def test_agrees_with_scikit_learn(pairs: list[tuple[int, int]]) -> None:
    truth = np.array([pair[0] for pair in pairs])
    predicted = np.array([pair[1] for pair in pairs])
    confusion = confusion_matrix(truth, predicted, 3)
    np.testing.assert_array_equal(confusion, metrics.confusion_matrix(truth, predicted, labels=[0, 1, 2]))
    assert uf1(confusion) == pytest.approx(
        metrics.f1_score(truth, predicted, labels=[0, 1, 2], average="macro", zero_division=0)
    )
    assert uar(confusion) == pytest.approx(
        metrics.recall_score(truth, predicted, labels=[0, 1, 2], average="macro", zero_division=0)
    )
    assert accuracy(confusion) == pytest.approx(metrics.accuracy_score(truth, predicted))


def test_rows_are_the_truth() -> None:
    confusion = confusion_matrix(np.array([0, 0, 1]), np.array([1, 1, 1]), 2)
    assert confusion.tolist() == [[0, 2], [0, 1]]
    assert uar(confusion) == 0.5
    assert uf1(confusion) == pytest.approx((0 + 2 / 4) / 2)
    assert recognition_scores(confusion)["confusion"] == [[0, 2], [0, 1]]


@pytest.mark.parametrize(
    ("truth", "predicted"), [([0, 1], [0]), ([0, 3], [0, 1]), ([0, -1], [0, 1])], ids=["length", "high", "low"]
)
def test_bad_labels_are_refused(truth: list[int], predicted: list[int]) -> None:
    with pytest.raises(BadInput, match="labels must be"):
        confusion_matrix(np.array(truth), np.array(predicted), 3)
