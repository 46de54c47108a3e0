"""A yardstick: a linear support vector machine on the map itself."""

import warnings

import numpy as np
import torch
from jaxtyping import Float, Int
from sklearn.exceptions import ConvergenceWarning
from sklearn.svm import LinearSVC
from torch import Tensor, nn

from engines.errors import BadInput
from trainers.metrics.recognition import confusion_matrix, uf1

COSTS = (1e-4, 3e-4, 1e-3, 3e-3, 1e-2)
"""C among which the inner folds choose."""
INNER_FOLDS = 5


class LinearSVM(nn.Module):
    """One linear layer on a standardised map; its logits are the margins of a one-against-rest machine.

    Input: (N, C, H, W), normalised; standardised here, value by value, by the training maps' mean and deviation.
    Output: (N, classes), signed distances; a softmax over them ranks as they do, but is no calibrated probability.

    Parameters with three classes and maps of 3 × 28 × 28: 7 059 (and 4 704 of the standardisation, which are fixed).

    Reference:
        Fan, Chang, Hsieh, Wang and Lin, LIBLINEAR: a library for large linear classification, JMLR 2008.
    """

    mean: Tensor
    deviation: Tensor

    def __init__(self, classes: int = 3, *, shape: tuple[int, int, int] = (3, 28, 28)) -> None:
        super().__init__()
        values = shape[0] * shape[1] * shape[2]
        self.margin = nn.Linear(values, classes)
        self.register_buffer("mean", torch.zeros(values))
        self.register_buffer("deviation", torch.ones(values))

    def forward(self, maps: Float[Tensor, "N C H W"]) -> Float[Tensor, "N classes"]:
        """Margins of the maps."""
        margins: Tensor = self.margin((maps.flatten(1) - self.mean) / self.deviation)
        return margins


def fit_linear_svm(
    model: nn.Module,
    maps: Float[Tensor, "N C H W"],
    labels: Int[Tensor, "N"],
    people: np.ndarray,
    *,
    seed: int,
) -> None:
    """Fit the machine in place; C is the one that names unseen training subjects best.

    Args:
        model: a `LinearSVM`.
        maps: normalised maps.
        labels: class of each.
        people: subject of each; inner folds keep subjects whole.
        seed: of the solver.

    Raises:
        BadInput: if the model is another, or there are fewer than two classes to tell apart.
    """
    if not isinstance(model, LinearSVM):
        raise BadInput(f"fit_linear_svm: {type(model).__name__} is no LinearSVM; train it instead")
    x, y = maps.flatten(1).double().cpu().numpy(), labels.cpu().numpy()
    if len(np.unique(y)) < 2:
        raise BadInput("linear-svm: the training side of a split has one class alone; give more clips")
    mean, deviation = x.mean(axis=0), x.std(axis=0)
    deviation[deviation < 1e-6] = 1.0
    x = (x - mean) / deviation
    cost = max(COSTS, key=lambda c: (_inner_score(x, y, people, c, seed), -c))
    machine = _machine(x, y, cost, seed)
    classes = model.margin.out_features
    weight, bias = np.zeros((classes, x.shape[1])), np.full(classes, -1e3)
    # Between two classes the solver draws one border; its other side is the first class.
    borders = machine.coef_ if len(machine.classes_) > 2 else np.concatenate([-machine.coef_, machine.coef_])
    offsets = machine.intercept_ if len(machine.classes_) > 2 else np.concatenate(
        [-machine.intercept_, machine.intercept_]
    )  # fmt: skip
    weight[machine.classes_], bias[machine.classes_] = borders, offsets
    with torch.no_grad():
        model.mean.copy_(torch.from_numpy(mean))
        model.deviation.copy_(torch.from_numpy(deviation))
        model.margin.weight.copy_(torch.from_numpy(weight))
        model.margin.bias.copy_(torch.from_numpy(bias))


def _inner_score(x: np.ndarray, y: np.ndarray, people: np.ndarray, cost: float, seed: int) -> float:
    """UF1 pooled over folds of whole training subjects."""
    names = np.unique(people)
    classes = int(y.max()) + 1
    confusion = np.zeros((classes, classes), np.int64)
    for group in np.array_split(names, min(INNER_FOLDS, len(names))):
        tested = np.isin(people, group)
        if len(np.unique(y[~tested])) < 2:
            continue
        predicted = _machine(x[~tested], y[~tested], cost, seed).predict(x[tested])
        confusion += confusion_matrix(y[tested], predicted, classes)
    return uf1(confusion)


def _machine(x: np.ndarray, y: np.ndarray, cost: float, seed: int) -> LinearSVC:
    machine = LinearSVC(C=cost, class_weight="balanced", random_state=seed, max_iter=2000)
    with warnings.catch_warnings():
        # A border a little short of the optimum is a border all the same; the inner folds judge it.
        warnings.simplefilter("ignore", ConvergenceWarning)
        return machine.fit(x, y)
