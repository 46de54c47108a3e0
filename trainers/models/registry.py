"""Every model by the name that the command line and a card use."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from types import MappingProxyType
from typing import Literal

from torch import nn

from engines.errors import BadInput
from trainers.augmentation import AugmentationParameters
from trainers.losses import TRANSFER_WEIGHT
from trainers.models.compact_cnn import CompactCNN
from trainers.models.dual_attention_crossvit import DualAttentionCrossViT
from trainers.models.dual_branch import DualBranchNet
from trainers.models.edssnet import EDSSNet
from trainers.models.linear_svm import LinearSVM, fit_linear_svm
from trainers.models.madtn import MADTN
from trainers.models.se_resnext import SEResNeXt50
from trainers.models.ststnet import STSTNet
from trainers.training_parameters import TrainingParameters

Views = Literal["none", "neighbours", "middle"]


@dataclass(frozen=True, slots=True, kw_only=True)
class SyntheticTraining:
    """How a model is trained on synthetic maps."""

    learning_rate: float
    """What it trains well with."""
    epochs: int
    """How long, on some 18 000 maps."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelEntry:
    """A model that can be trained, exported and named in a card."""

    name: str
    build: Callable[[int], nn.Module]
    """From the number of classes to a fresh model."""
    recipe: str
    """Input recipe, a name in `engines.inputs.RECIPES`."""
    normalisation: str
    """A name in `engines.inputs.NORMALISATIONS`."""
    input_shape: tuple[int, int, int]
    """Channels, height and width."""
    paper: str
    """Citation for the card."""
    protocol: str = "leave-one-subject-out"
    """What its paper scores it by: a name in `trainers.protocol.PROTOCOLS`."""
    training: TrainingParameters = field(default_factory=TrainingParameters)
    """How its paper trains it; our own choice where it is silent (see the model's docstring)."""
    ours: TrainingParameters | None = None
    """Settings of our own that served real maps well; None where we have tried none."""
    views: Views = "none"
    """Further views of a clip that its paper trains on: frames next to the apex, or all of the clip's middle."""
    fit: Callable[..., None] | None = None
    """Fits the model in place where it is not trained by epochs: (model, maps, labels, people, *, seed)."""
    synthetic: SyntheticTraining | None = None
    """None where the default checkpoint is not made of it."""


_DUAL_ATTENTION = "Ran, Shi, Jiang and Wang, Micro-expression recognition based on dual attention CrossViT, 2022"
_RECIPE, _NORMALISATION = "flow-strain", "centred-flow-log-strain"
"""What the small networks take."""
_PLAIN = AugmentationParameters(mirror_probability=0.0, shift_px=0, noise=0.0)
_AS_PUBLISHED = TrainingParameters(
    schedule="constant", every_map=True, weight_decay=0.0, label_smoothing=0.0, averaging=0.0
)
"""What all five papers have in common: one rate, all maps every epoch, the last step's weights, labels as they are."""
_OWN = TrainingParameters(epochs=40, batch=64, averaging=0.99, test_time_mirror=True)
"""What serves a small network on some hundred real maps."""

MODELS: Mapping[str, ModelEntry] = MappingProxyType(
    {
        entry.name: entry
        for entry in (
            ModelEntry(
                name="compact-cnn",
                build=CompactCNN,
                input_shape=(3, 28, 28),
                paper="none: the project's own small CNN",
                synthetic=SyntheticTraining(learning_rate=2e-3, epochs=6),
                recipe=_RECIPE,
                normalisation=_NORMALISATION,
                training=_OWN,
                ours=_OWN,
            ),
            ModelEntry(
                name="dual-attention-crossvit",
                build=DualAttentionCrossViT,
                input_shape=(3, 28, 28),
                paper=_DUAL_ATTENTION,
                synthetic=SyntheticTraining(learning_rate=1e-3, epochs=10),
                recipe=_RECIPE,
                normalisation=_NORMALISATION,
                training=replace(
                    _AS_PUBLISHED, optimiser="adam", learning_rate=5e-4, batch=256, epochs=800, augmentation=_PLAIN
                ),
                ours=replace(_OWN, epochs=20, learning_rate=1e-3),
            ),
            ModelEntry(
                name="dual-attention-crossvit-fine",
                build=partial(DualAttentionCrossViT, patches=(7, 4), widths=(48, 32)),
                input_shape=(3, 28, 28),
                paper=f"{_DUAL_ATTENTION}, with patches of 7 and 4 pixels instead of 28 and 14",
                synthetic=SyntheticTraining(learning_rate=1e-3, epochs=10),
                recipe=_RECIPE,
                normalisation=_NORMALISATION,
                training=replace(_OWN, learning_rate=1e-3),
                ours=replace(_OWN, learning_rate=1e-3),
            ),
            ModelEntry(
                name="dual-branch",
                build=DualBranchNet,
                recipe="dual-branch",
                normalisation="centred-flow-log-strain",
                input_shape=(6, 112, 112),
                paper="Li and Zhu, Micro-expression recognition based on video magnification and dual-branch network, "
                "2022, doi:10.37188/CJLCD.2021-0320",
                training=replace(
                    _AS_PUBLISHED,
                    optimiser="adam",
                    learning_rate=1e-4,
                    batch=16,
                    epochs=30,
                    augmentation=replace(_PLAIN, mirror_probability=0.5, blur_probability=0.5),
                ),
            ),
            ModelEntry(
                name="edssnet",
                build=EDSSNet,
                recipe="edssnet",
                normalisation="unit-interval",
                input_shape=(6, 112, 112),
                paper="Li, Chen, Wang and Wang, Enhanced dual-stream shallow convolutional neural network for facial "
                "micro-expression recognition, 2021",
                protocol="k-fold",
                training=replace(
                    _AS_PUBLISHED,
                    optimiser="sgd",
                    learning_rate=1e-3,
                    weight_decay=1e-2,
                    batch=16,
                    epochs=1000,
                    patience=20,
                    augmentation=replace(_PLAIN, mirror_probability=0.5),
                ),
                views="neighbours",
            ),
            ModelEntry(
                name="linear-svm",
                build=LinearSVM,
                input_shape=(3, 28, 28),
                paper="none: a yardstick, fitted by LIBLINEAR",
                training=replace(_OWN, epochs=1, test_time_mirror=False),
                fit=fit_linear_svm,
                recipe=_RECIPE,
                normalisation=_NORMALISATION,
            ),
            ModelEntry(
                name="madtn",
                build=MADTN,
                recipe="madtn",
                normalisation="unit-interval",
                input_shape=(3, 112, 112),
                paper="Xia, Zheng, Zong and Jiang, Motion attention deep transfer network for cross-database "
                "micro-expression recognition, ICPR 2020 workshops",
                protocol="cross-database",
                training=replace(
                    _AS_PUBLISHED,
                    optimiser="adam",
                    learning_rate=2e-4,
                    batch=32,
                    epochs=100,
                    transfer_weight=TRANSFER_WEIGHT,
                    augmentation=replace(_PLAIN, rotation_deg=30.0),
                ),
                views="middle",
            ),
            ModelEntry(
                name="se-resnext-50",
                build=SEResNeXt50,
                recipe="apex",
                normalisation="imagenet",
                input_shape=(3, 224, 224),
                paper="Ren et al., Micro-expression recognition based on improved residual network and apex frame",
                training=replace(
                    _AS_PUBLISHED,
                    optimiser="adam",
                    learning_rate=1e-4,
                    batch=2,
                    epochs=100,
                    loss="focal",
                    augmentation=replace(_PLAIN, mirror_probability=0.5, rotation_deg=15.0),
                ),
            ),
            ModelEntry(
                name="ststnet",
                build=STSTNet,
                input_shape=(3, 28, 28),
                paper="Liong, Gan, See, Khor and Huang, Shallow triple stream three-dimensional CNN (STSTNet) "
                "for micro-expression recognition, FG 2019",
                synthetic=SyntheticTraining(learning_rate=2e-3, epochs=6),
                recipe=_RECIPE,
                normalisation=_NORMALISATION,
                training=_OWN,
                ours=_OWN,
            ),
        )
    }
)
"""The registry; every entry is tested to train, export and agree with ONNX Runtime."""


def model_entry(name: str) -> ModelEntry:
    """Look a model up.

    Args:
        name: a name in `MODELS`.

    Raises:
        BadInput: if there is no such model; the message lists those there are.
    """
    if name not in MODELS:
        raise BadInput(f"model {name!r} is unknown: use one of {', '.join(sorted(MODELS))}")
    return MODELS[name]


def parameter_count(model: nn.Module) -> int:
    """Number of weights, frozen ones too; running statistics are not weights."""
    return sum(parameter.numel() for parameter in model.parameters())
