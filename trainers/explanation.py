"""Where on a map a model looked when it answered, and which parts of the face lie there."""

from collections.abc import Sequence

import numpy as np
import torch
import torch.nn.functional as functional
from captum.attr import LayerGradCam, Occlusion
from jaxtyping import Float, Float32, Int
from torch import Tensor, nn

from engines.errors import BadInput
from engines.inputs import normalise
from trainers.explanation_pictures import heat_picture, input_picture
from trainers.face_regions import shares_by_region
from trainers.feature_file import FeatureFile
from trainers.heat import COVERED_SHARE, Explanation, Heat, Method
from trainers.models.registry import ModelEntry

SQUARES_ACROSS = 7
"""Occlusion covers squares of this fraction of a map's width."""
FINE_WIDTH = 64
"""On maps up to this wide, pixels, the squares overlap by half; on wider ones, which cost more, not at all."""
BATCH = 16


@torch.enable_grad()
def explain(
    model: nn.Module,
    entry: ModelEntry,
    features: FeatureFile,
    rows: Sequence[int] | Int[np.ndarray, "rows"],
    *,
    label_names: Sequence[str] | None = None,
) -> list[Explanation]:
    """Say where a model looked on some clips, by Grad-CAM and by occlusion.

    Grad-CAM, from captum, is taken at the convolutions that no other convolution follows (two in a model of two
    branches, whose maps are added). A transformer mixes its patches, so that what stands in a place no longer
    tells of that place: it is explained by occlusion alone, which covers squares of the map one after the other and
    draws how much of the answer's logit is lost. On real flow maps occlusion found what small networks needed better
    than Grad-CAM did (`covered_probability` says so for every clip), so both are drawn.

    Args:
        model: of `entry`, giving logits; it is left in evaluation mode.
        entry: says how its maps are normalised and which recipe made them.
        features: maps.
        rows: which of them.
        label_names: of the model's classes, where the feature file does not name them.

    Returns:
        One explanation a row, in the order of `rows`; the same input gives the same explanations.

    Raises:
        BadInput: if a row is not there.

    Reference:
        Selvaraju et al., Grad-CAM: visual explanations from deep networks via gradient-based localization, ICCV 2017;
        Zeiler and Fergus, Visualizing and understanding convolutional networks, ECCV 2014.
    """
    chosen = np.asarray(rows, np.int64)
    if len(chosen) and not 0 <= chosen.min() <= chosen.max() < len(features):
        raise BadInput(f"rows to explain must be 0 to {len(features) - 1}, not {chosen.min()} to {chosen.max()}")
    names = tuple(label_names or features.label_names or map(str, range(int(features.y.max()) + 1)))
    model.eval()
    explained: list[Explanation] = []
    for first in range(0, len(chosen), BATCH):
        explained += _explained(model, entry, features, chosen[first : first + BATCH], names)
    return explained


def _explained(
    model: nn.Module, entry: ModelEntry, features: FeatureFile, rows: Int[np.ndarray, "n"], names: Sequence[str]
) -> list[Explanation]:
    device = next((parameter.device for parameter in model.parameters()), torch.device("cpu"))
    maps = torch.from_numpy(normalise(features.x[rows], entry.normalisation)).to(device)
    given = _probabilities(model, maps)
    answer = given.argmax(dim=1)
    layers = last_convolutions(model, maps[:1])
    evidence: list[tuple[Method, str, Tensor]] = [("occlusion", "", occlusion(model, maps, answer))]
    if layers:
        evidence.insert(0, ("grad-cam", ", ".join(layers), grad_cam(model, list(layers.values()), maps, answer)))
    heats: list[list[Heat]] = [[] for _ in rows]
    for method, layer, raw in evidence:
        scaled = _scaled(raw)
        covered = _probabilities(model, _covered(maps, scaled)).gather(1, answer[:, None])
        for place, (row, values) in enumerate(zip(rows, scaled.cpu().numpy(), strict=True)):
            heat = Heat(
                method=method,
                layer=layer,
                values=values,
                regions=tuple(shares_by_region(values).items()),
                covered_probability=float(covered[place, 0]),
                picture=heat_picture(values, features.x[row], entry.recipe),
            )
            heats[place].append(heat)
    return [
        Explanation(
            row=int(row),
            target=names[int(answer[place])],
            probability=float(given[place, answer[place]]),
            shown=input_picture(features.x[row], entry.recipe),
            heats=tuple(heats[place]),
        )
        for place, row in enumerate(rows)
    ]


def last_convolutions(model: nn.Module, example: Float[Tensor, "1 C H W"]) -> dict[str, nn.Conv2d]:
    """The convolutions whose maps still say where: those that no other convolution follows.

    Left out are maps of one pixel, gates (a single channel, as spatial attention makes), and patch embeddings (a stride
    as large as the filter), behind which a transformer mixes the places.

    Args:
        model: in evaluation mode.
        example: one input.

    Returns:
        Layers by name with their maps' size, such as "fusion.0 (7 × 7)"; none for a transformer.
    """
    outputs: dict[str, tuple[nn.Conv2d, Tensor]] = {}
    handles = [
        layer.register_forward_hook(lambda layer, _, output, name=name: outputs.__setitem__(name, (layer, output)))
        for name, layer in model.named_modules()
        if isinstance(layer, nn.Conv2d) and _keeps_places(layer)
    ]
    try:
        model(example.clone().requires_grad_())
    finally:
        for handle in handles:
            handle.remove()
    left = {name: found for name, found in outputs.items() if min(found[1].shape[2:]) > 1}
    last = []
    while left:
        name, (layer, output) = left.popitem()
        last.append((f"{name} ({output.shape[2]} × {output.shape[3]})", layer))
        read = _reads(output, [earlier for _, earlier in left.values()])
        left = {name: found for (name, found), follows in zip(left.items(), read, strict=True) if not follows}
    return dict(reversed(last))


def _keeps_places(layer: nn.Conv2d) -> bool:
    patches = layer.kernel_size[0] > 1 and layer.stride == layer.kernel_size
    return layer.out_channels > 1 and not patches


def _reads(later: Tensor, earlier: Sequence[Tensor]) -> list[bool]:
    """Which maps another one is computed from."""
    if not earlier:
        return []
    gradients = torch.autograd.grad(later.sum(), list(earlier), retain_graph=True, allow_unused=True)
    return [gradient is not None for gradient in gradients]


def grad_cam(
    model: nn.Module, layers: Sequence[nn.Conv2d], maps: Float[Tensor, "n C H W"], answer: Int[Tensor, "n"]
) -> Float[Tensor, "n H W"]:
    """Grad-CAM at some layers, added, then cut at 0: what speaks for the answer.

    Args:
        model: in evaluation mode, giving logits.
        layers: whose maps are weighed by their mean gradients.
        maps: normalised.
        answer: class of each map.

    Returns:
        Evidence at the size of the maps, in no unit.
    """
    total = maps.new_zeros(len(maps), 1, *maps.shape[2:])
    for layer in layers:
        weighed = LayerGradCam(model, layer).attribute(maps.clone().requires_grad_(), target=answer)
        assert isinstance(weighed, Tensor)  # of one layer with one output
        total += functional.interpolate(weighed.detach(), maps.shape[2:], mode="bilinear", align_corners=False)
    return total[:, 0].clamp_min(0)


@torch.no_grad()
def occlusion(model: nn.Module, maps: Float[Tensor, "n C H W"], answer: Int[Tensor, "n"]) -> Float[Tensor, "n H W"]:
    """How much of the answer's logit is lost when a square of the map is covered by its medians, cut at 0.

    Args:
        model: in evaluation mode, giving logits.
        maps: normalised.
        answer: class of each map.

    Returns:
        Mean loss over the squares that cover a pixel, logits.
    """
    size = max(maps.shape[3] // SQUARES_ACROSS, 1)
    step = max(size // 2, 1) if maps.shape[3] <= FINE_WIDTH else size
    lost: Tensor = Occlusion(model).attribute(
        maps,
        target=answer,
        sliding_window_shapes=(maps.shape[1], size, size),
        strides=(maps.shape[1], step, step),
        baselines=_medians(maps).expand_as(maps),
        perturbations_per_eval=8,
    )
    # One value a step, drawn out evenly: squares would show edges that the model did not see.
    steps = (-(-maps.shape[2] // step), -(-maps.shape[3] // step))
    coarse = functional.adaptive_avg_pool2d(lost.mean(dim=1, keepdim=True), steps)
    return functional.interpolate(coarse, maps.shape[2:], mode="bilinear", align_corners=False)[:, 0].clamp_min(0)


@torch.no_grad()
def _probabilities(model: nn.Module, maps: Float[Tensor, "n C H W"]) -> Float[Tensor, "n K"]:
    return torch.softmax(model(maps), dim=1)


def _medians(maps: Float[Tensor, "n C H W"]) -> Float[Tensor, "n C 1 1"]:
    """Of each channel: no movement in a flow, the face's middle gray in a picture."""
    return maps.flatten(2).median(dim=2).values[:, :, None, None]


def _scaled(heat: Float[Tensor, "n H W"]) -> Float32[Tensor, "n H W"]:
    largest = heat.flatten(1).amax(dim=1)[:, None, None]
    return torch.where(largest > 0, heat / largest.clamp_min(1e-30), 0.0)


def _covered(maps: Float[Tensor, "n C H W"], heat: Float[Tensor, "n H W"]) -> Float[Tensor, "n C H W"]:
    """The maps without the places where the heat is highest."""
    limit = heat.flatten(1).quantile(1 - COVERED_SHARE, dim=1)[:, None, None]
    return torch.where((heat > limit)[:, None], _medians(maps), maps)
