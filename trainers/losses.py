"""What training makes small, beside plain cross-entropy: focal loss, and the distance between two databases."""

from collections.abc import Callable, Sequence

import torch
import torch.nn.functional as functional
from jaxtyping import Float, Int
from torch import Tensor

from engines.errors import BadInput

FOCAL_GAMMA, FOCAL_ALPHA = 2.0, 0.25
"""Focusing and balance of Lin et al.; the SE-ResNeXt-50 paper names the loss and cites them, and gives no numbers."""
KERNEL_WIDTHS = (1.0, 2.0, 4.0, 8.0, 16.0)
"""δ of MADTN's Gaussian kernels, section 3.2."""
TRANSFER_WEIGHT = 2.0
"""λ of MADTN's eq. (7), section 3.2."""


def focal_loss(
    logits: Float[Tensor, "N K"],
    labels: Int[Tensor, "N"],
    *,
    gamma: float = FOCAL_GAMMA,
    alpha: float | Float[Tensor, "K"] = FOCAL_ALPHA,
) -> Float[Tensor, ""]:
    r"""Cross-entropy that counts an example less the surer the network is of its class.

    .. math:: -\frac1N \sum_n \alpha_{y_n} (1 - p_n)^\gamma \log p_n

    with p the probability given to the true class. Choice: Lin et al. balance two classes with α and 1 − α; among
    more, one number for all of them only scales the loss, and one a class (such as its inverse frequency) balances.
    The mean is over the examples, not over their weights.

    Args:
        logits: of each example.
        labels: true classes, 0 to K − 1.
        gamma: focusing, not negative; with 0 and an alpha of 1 this is cross-entropy.
        alpha: weight of all classes, or of each.

    Returns:
        The loss, not negative.

    Raises:
        BadInput: if gamma is negative or there are no examples.

    Reference:
        Lin, Goyal, Girshick, He and Dollár, Focal loss for dense object detection, ICCV 2017.
    """
    if gamma < 0:
        raise BadInput(f"focal loss: gamma is {gamma:g}; give 0 (plain cross-entropy) or more")
    if not len(labels):
        raise BadInput("focal loss: there are no examples; give a batch of one or more")
    log_probability = -functional.cross_entropy(logits, labels, reduction="none")
    # Not exactly zero, where the slope of a power below one is infinite.
    missing = (-torch.expm1(log_probability)).clamp_min(torch.finfo(logits.dtype).tiny)
    weight = alpha[labels] if isinstance(alpha, Tensor) else alpha
    return -(weight * missing**gamma * log_probability).mean()


def squared_mmd(
    source: Float[Tensor, "S D"], target: Float[Tensor, "T D"], *, widths: Sequence[float] = KERNEL_WIDTHS
) -> Float[Tensor, ""]:
    r"""Unbiased squared maximum mean discrepancy of two sets of features, eq. (6) of MADTN.

    .. math::

        \frac{1}{S(S-1)} \sum_{i \ne j} \kappa(s_i, s_j) + \frac{1}{T(T-1)} \sum_{i \ne j} \kappa(t_i, t_j)
        - \frac{2}{ST} \sum_{i,j} \kappa(s_i, t_j), \qquad
        \kappa(a, b) = \sum_\delta \exp\left(-\frac{\lVert a - b \rVert^2}{2 \delta^2}\right)

    Choice: the paper lists five widths and does not say how their kernels are joined; they are added, as in the
    moment matching networks of Li et al.

    Args:
        source: deep features of the labelled database, two examples or more.
        target: deep features of the other database, two or more; the numbers need not be equal.
        widths: δ of the kernels, all above zero.

    Returns:
        About zero where both come from one distribution, and as unbiased then a little below zero half of the
        time; at most twice the number of kernels.

    Raises:
        BadInput: if either has fewer than two examples, or a width is not above zero.

    Reference:
        Gretton, Borgwardt, Rasch, Schölkopf and Smola, A kernel two-sample test, JMLR 2012; Li, Swersky and Zemel,
        Generative moment matching networks, ICML 2015.
    """
    if min(len(source), len(target)) < 2:
        raise BadInput(
            f"MMD: {len(source)} examples of the source and {len(target)} of the target; give two or more of each"
        )
    if not widths or min(widths) <= 0:
        raise BadInput(f"MMD: kernel widths are {', '.join(f'{width:g}' for width in widths)}; give some above zero")
    return (
        _mean_of_pairs(_kernel(source, source, widths))
        + _mean_of_pairs(_kernel(target, target, widths))
        - 2 * _kernel(source, target, widths).mean()
    )


def transfer_loss(
    logits: Float[Tensor, "S K"],
    labels: Int[Tensor, "S"],
    source: Float[Tensor, "S D"],
    target: Float[Tensor, "T D"],
    *,
    weight: float = TRANSFER_WEIGHT,
    label_loss: Callable[[Tensor, Tensor], Tensor] = functional.cross_entropy,
) -> Float[Tensor, ""]:
    """What MADTN makes small, eq. (7): cross-entropy over the source plus weighted squared MMD.

    Args:
        logits: of the source's examples.
        labels: their true classes; the target's are not asked for.
        source: their deep features.
        target: deep features of the target's examples.
        weight: λ.
        label_loss: of logits and labels; cross-entropy in the paper.

    Returns:
        The loss.

    Raises:
        BadInput: if source or target has fewer than two examples.
    """
    return label_loss(logits, labels) + weight * squared_mmd(source, target)


def _kernel(rows: Float[Tensor, "S D"], columns: Float[Tensor, "T D"], widths: Sequence[float]) -> Float[Tensor, "S T"]:
    # Differences themselves: by way of products, near features would lose their digits, and roots have no slope at 0.
    squared = (rows[:, None] - columns[None]).square().sum(dim=-1)
    return torch.stack([torch.exp(-squared / (2 * width**2)) for width in widths]).sum(dim=0)


def _mean_of_pairs(kernel: Float[Tensor, "S S"]) -> Float[Tensor, ""]:
    """Mean without the diagonal."""
    count = len(kernel)
    return (kernel.sum() - kernel.diagonal().sum()) / (count * (count - 1))
