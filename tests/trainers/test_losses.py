"""Losses against plain NumPy and against what they must do to a network."""

import numpy as np
import pytest
import torch
import torch.nn.functional as functional

from engines.errors import BadInput
from trainers.losses import (
    FOCAL_ALPHA,
    FOCAL_GAMMA,
    KERNEL_WIDTHS,
    TRANSFER_WEIGHT,
    focal_loss,
    squared_mmd,
    transfer_loss,
)


def features(count: int, seed: int, *, middle: float = 0.0) -> torch.Tensor:
    return middle + 2.0 * torch.randn(count, 5, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def kernel(one: np.ndarray, other: np.ndarray) -> float:
    return float(sum(np.exp(-np.sum((one - other) ** 2) / (2.0 * width**2)) for width in (1, 2, 4, 8, 16)))


def oracle(source: np.ndarray, target: np.ndarray) -> float:
    """Eq. (6), pair by pair."""
    rows, columns = range(len(source)), range(len(target))
    among = [kernel(source[i], source[j]) for i in rows for j in rows if i != j]
    beside = [kernel(target[i], target[j]) for i in columns for j in columns if i != j]
    across = [kernel(source[i], target[j]) for i in rows for j in columns]
    return sum(among) / len(among) + sum(beside) / len(beside) - 2 * sum(across) / len(across)


def test_the_papers_numbers() -> None:
    assert list(KERNEL_WIDTHS) == [1, 2, 4, 8, 16]
    assert (TRANSFER_WEIGHT, FOCAL_GAMMA, FOCAL_ALPHA) == (2.0, 2.0, 0.25)


@pytest.mark.parametrize("counts", [(2, 2), (7, 7), (3, 8)])
def test_mmd_is_equation_6(counts: tuple[int, int]) -> None:
    source, target = features(counts[0], 1), features(counts[1], 2, middle=0.7)
    wanted = oracle(source.numpy(), target.numpy())
    assert abs(wanted) > 1e-3
    assert float(squared_mmd(source, target)) == pytest.approx(wanted, rel=1e-12)
    assert float(squared_mmd(source.float(), target.float())) == pytest.approx(wanted, abs=1e-5)


def test_mmd_has_no_bias() -> None:
    same = np.array([float(squared_mmd(features(6, 2 * draw), features(5, 2 * draw + 1))) for draw in range(400)])
    error = same.std() / np.sqrt(len(same))
    assert abs(same.mean()) < 3 * error < 0.1, "two samples of one distribution: about zero, on either side"
    assert (same < 0).mean() > 0.3
    assert float(squared_mmd(features(40, 1), features(40, 2, middle=3.0))) > 10 * error


def test_mmd_has_the_right_slope() -> None:
    source, target = features(3, 1).requires_grad_(), features(4, 2).requires_grad_()
    assert torch.autograd.gradcheck(squared_mmd, (source, target))
    # Two features in one place: the distance itself has no slope there, its square has.
    torch.stack([source[0], source[0]]).retain_grad()
    squared_mmd(torch.stack([source[0], source[0]]), target).backward()  # type: ignore[no-untyped-call]
    assert source.grad is not None
    assert source.grad.isfinite().all()


def test_following_the_slope_brings_databases_together() -> None:
    source, target = features(12, 1), features(12, 2, middle=3.0).requires_grad_()
    before = float(squared_mmd(source, target).detach())
    optimiser = torch.optim.Adam([target], lr=0.1)
    for _ in range(60):
        optimiser.zero_grad()
        squared_mmd(source, target).backward()  # type: ignore[no-untyped-call]
        optimiser.step()
    assert float(squared_mmd(source, target).detach()) < 0.1 * before
    assert abs(float((source.mean() - target.mean()).detach())) < 1.0


def test_transfer_loss_is_equation_7() -> None:
    source, target = features(6, 1), features(4, 2, middle=1.0)
    logits, labels = source[:, :3], torch.tensor([0, 1, 2, 0, 1, 2])
    plain, distance = functional.cross_entropy(logits, labels), squared_mmd(source, target)
    torch.testing.assert_close(transfer_loss(logits, labels, source, target), plain + 2.0 * distance)
    torch.testing.assert_close(transfer_loss(logits, labels, source, target, weight=0.0), plain)


def test_mmd_says_what_it_lacks() -> None:
    with pytest.raises(BadInput, match=r"1 examples of the source and 4 of the target; give two or more of each"):
        squared_mmd(features(1, 1), features(4, 2))
    with pytest.raises(BadInput, match=r"kernel widths are 1, 0; give some above zero"):
        squared_mmd(features(2, 1), features(2, 2), widths=(1.0, 0.0))
    with pytest.raises(BadInput, match="give some above zero"):
        squared_mmd(features(2, 1), features(2, 2), widths=())


@pytest.mark.parametrize("gamma", [0.0, 0.5, 2.0, 5.0])
def test_focal_loss_is_its_formula(gamma: float) -> None:
    logits, labels = features(8, 3), torch.tensor([0, 1, 2, 3, 4, 0, 1, 2])
    weights = np.array([0.1, 0.2, 0.3, 0.4, 0.5])
    exponentials = np.exp(logits.numpy())
    given = (exponentials / exponentials.sum(axis=1, keepdims=True))[np.arange(8), labels.numpy()]
    terms = -((1 - given) ** gamma) * np.log(given)
    assert float(focal_loss(logits, labels, gamma=gamma)) == pytest.approx(0.25 * terms.mean(), rel=1e-9)
    one_a_class = focal_loss(logits, labels, gamma=gamma, alpha=torch.from_numpy(weights))
    assert float(one_a_class) == pytest.approx((weights[labels.numpy()] * terms).mean(), rel=1e-9)


def test_focal_loss_without_focus_is_cross_entropy() -> None:
    logits, labels = features(8, 3), torch.arange(8) % 5
    wanted = functional.cross_entropy(logits, labels)
    torch.testing.assert_close(focal_loss(logits, labels, gamma=0.0, alpha=1.0), wanted)


def test_focal_loss_looks_past_what_is_sure() -> None:
    sure, unsure = torch.tensor([[4.0, 0.0]]), torch.tensor([[0.0, 0.0]])
    label = torch.tensor([0])
    focal = focal_loss(unsure, label) / focal_loss(sure, label)
    assert focal > 100 * functional.cross_entropy(unsure, label) / functional.cross_entropy(sure, label)


@pytest.mark.parametrize("gamma", [0.0, 0.3, 2.0])
@pytest.mark.parametrize("logit", [-200.0, 0.0, 200.0])
def test_focal_loss_has_a_slope_everywhere(gamma: float, logit: float) -> None:
    logits = torch.tensor([[logit, 0.0, 0.0]], requires_grad=True)
    loss = focal_loss(logits, torch.tensor([0]), gamma=gamma)
    loss.backward()  # type: ignore[no-untyped-call]
    assert loss.isfinite()
    assert loss >= 0
    assert logits.grad is not None
    assert logits.grad.isfinite().all()


def test_focal_loss_says_what_it_lacks() -> None:
    with pytest.raises(BadInput, match="gamma is -1"):
        focal_loss(features(2, 1), torch.tensor([0, 1]), gamma=-1.0)
    with pytest.raises(BadInput, match="no examples"):
        focal_loss(torch.zeros(0, 3), torch.zeros(0, dtype=torch.long))
