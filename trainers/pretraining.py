"""Weights that have seen movements before the first fold: `--pretrain synthetic`.

A network is trained on synthesised movements alone, once for each seed; every fold of that seed starts from it. The
weights are a function of model, seed and parameters, so a run that goes on after a stop, or on another machine, starts
its folds from the same ones; a copy in the run's folder spares the time.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from pathlib import Path

import numpy as np
import safetensors
import safetensors.numpy
import torch
from jaxtyping import Int64, UInt8

from engines.errors import BadInput
from engines.inputs import normalise
from engines.weights import safetensors_bytes
from realtime.json_lines import write_atomically
from trainers.augmentation import mirror_of
from trainers.datasets.action_units import LABEL_NAMES
from trainers.datasets.synthetic import GENERATOR_VERSION, SyntheticMapParameters, generate_maps
from trainers.datasets.synthetic_clips import CLIPS_VERSION, SyntheticClipParameters, synthetic_features
from trainers.models.registry import ModelEntry
from trainers.training import train
from trainers.training_parameters import TrainingParameters

Weights = Mapping[str, np.ndarray]
Size = tuple[int, int]
FINE_TUNING_SHARE = 0.25
"""Of the learning rate from scratch: what serves fine-tuning, so that what was learned is not washed out at once."""
_DRAWN_RECIPE = "flow-strain"
"""The input that `generate_maps` makes; clips are filmed for all others."""


@dataclass(frozen=True, kw_only=True)
class PretrainingParameters:
    """What a network sees before the first fold, and how it is trained on it."""

    drawn_maps: int = 9_000
    """Maps whose flow is drawn, for models of flow and strain."""
    filmed_maps: int = 3_000
    """Maps whose flow TV-L1 measured, for models of flow and strain."""
    clips: SyntheticClipParameters = field(
        default_factory=lambda: SyntheticClipParameters(subjects=60, clips_per_subject=15)
    )
    """Sequences, for all other models."""
    maps_seed: int = 601
    """Of maps and clips: all seeds of a run learn from the same ones, as they do from the same real ones."""
    training: TrainingParameters = field(
        default_factory=lambda: TrainingParameters(epochs=12, batch=64, learning_rate=1e-3)
    )
    """Epochs and learning rate are the model's own where the registry has them for synthetic maps."""

    def __post_init__(self) -> None:
        """Refuse what gives no maps.

        Raises:
            BadInput: naming the fields.
        """
        if min(self.drawn_maps, self.filmed_maps) < 0 or self.drawn_maps + self.filmed_maps < 1:
            given = f"{self.drawn_maps} drawn and {self.filmed_maps} filmed maps"
            raise BadInput(f"synthetic pre-training on {given}: give 1 or more")


def initial_weights(
    entry: ModelEntry,
    label_names: Sequence[str],
    *,
    seed: int,
    folder: Path,
    parameters: PretrainingParameters | None = None,
    processes: int = 1,
    device: str = "cpu",
) -> dict[str, np.ndarray]:
    """What every fold of a seed starts from.

    Args:
        entry: of the model.
        label_names: of the real data. Where they are the synthetic ones, in whatever order, the last layer is kept;
            otherwise it is fresh and the rest is kept.
        seed: of the network.
        folder: where the weights are kept, and looked for.
        parameters: what is learned from and how.
        processes: that make the maps; does not change the result.
        device: "cpu" or "cuda".

    Returns:
        Arrays by parameter name.

    Raises:
        BadInput: if the model is not trained by epochs, or the weights that were kept cannot be read.
    """
    parameters = parameters or PretrainingParameters()
    file = folder / f"{entry.name}-seed{seed}-{_fingerprint(entry, seed, parameters)}.safetensors"
    if not file.is_file():
        made = pretrained(entry, seed=seed, parameters=parameters, processes=processes, device=device)
        _keep(file, made)
    return for_labels(_kept(file), entry, label_names, seed=seed)


def pretrained(
    entry: ModelEntry,
    *,
    seed: int,
    parameters: PretrainingParameters | None = None,
    processes: int = 1,
    device: str = "cpu",
) -> dict[str, np.ndarray]:
    """Train a fresh network on synthesised movements: negative, positive, surprise.

    Args:
        entry: of the model.
        seed: of weights, shuffling and augmentation.
        parameters: what is learned from and how.
        processes: that make the maps; does not change the result.
        device: "cpu" or "cuda".

    Returns:
        Arrays by parameter name.

    Raises:
        BadInput: if the model is not trained by epochs.
    """
    if entry.fit is not None:
        raise BadInput(f"model {entry.name!r} is fitted at once and starts from nothing: leave --pretrain out")
    parameters = parameters or PretrainingParameters()
    x, y = _maps(entry.recipe, entry.input_shape[1:], parameters, processes)
    threads = torch.get_num_threads()
    torch.set_num_threads(1)  # sums come out the same however many cores there are
    try:
        torch.manual_seed(seed)
        trained = train(
            entry.build(len(LABEL_NAMES)).to(device),
            torch.from_numpy(normalise(x, entry.normalisation)).to(device),
            torch.from_numpy(y).to(device),
            _training(entry, parameters),
            seed=seed,
            mirror=mirror_of(entry.recipe, entry.normalisation),
        )
    finally:
        torch.set_num_threads(threads)
    return _arrays(trained.model)


def for_labels(weights: Weights, entry: ModelEntry, label_names: Sequence[str], *, seed: int) -> dict[str, np.ndarray]:
    """Pre-trained weights for a network that tells other classes apart.

    Args:
        weights: of a network that knows `LABEL_NAMES`.
        entry: of the model.
        label_names: of the network to be.
        seed: of the last layer, where it is fresh.

    Returns:
        The same arrays but for the last layer: in the order of the labels where they are the same, else fresh.
    """
    if set(label_names) == set(LABEL_NAMES) and len(label_names) == len(LABEL_NAMES):
        order = [LABEL_NAMES.index(name) for name in label_names]
        last = {name: weights[name][order] for name in last_layer(entry)}
    else:
        torch.manual_seed(seed)
        fresh = _arrays(entry.build(len(label_names)))
        last = {name: fresh[name] for name in last_layer(entry)}
    return {**weights, **last}


def last_layer(entry: ModelEntry) -> tuple[str, ...]:
    """Names of the arrays that have a row for each class.

    Args:
        entry: of the model.
    """
    with torch.device("meta"):  # shapes alone
        three, four = (entry.build(classes).state_dict() for classes in (3, 4))
    return tuple(name for name in three if three[name].shape != four[name].shape)


def fine_tuning(training: TrainingParameters) -> TrainingParameters:
    """How a network that has been pre-trained goes on: as from scratch, at a lower learning rate."""
    return replace(training, learning_rate=FINE_TUNING_SHARE * training.learning_rate)


@lru_cache(maxsize=1)
def _maps(
    recipe: str, size: Size, parameters: PretrainingParameters, processes: int
) -> tuple[UInt8[np.ndarray, "N H W C"], Int64[np.ndarray, "N"]]:
    """What all seeds of a run learn from, made once."""
    if recipe != _DRAWN_RECIPE or size != (28, 28):
        made = synthetic_features(recipe, parameters.clips, size=size, seed=parameters.maps_seed, processes=processes)
        return made.x, made.y
    parts = [
        generate_maps(count, parameters.maps_seed, SyntheticMapParameters(filmed_share=share), processes=processes)
        for count, share in ((parameters.drawn_maps, 0.0), (parameters.filmed_maps, 1.0))
        if count
    ]
    return np.concatenate([part.x for part in parts]), np.concatenate([part.y for part in parts])


def _training(entry: ModelEntry, parameters: PretrainingParameters) -> TrainingParameters:
    if entry.synthetic is None:
        return parameters.training
    own = entry.synthetic
    return replace(parameters.training, epochs=own.epochs, learning_rate=own.learning_rate)


def _arrays(model: torch.nn.Module) -> dict[str, np.ndarray]:
    return {name: value.detach().cpu().numpy() for name, value in model.state_dict().items()}


def _fingerprint(entry: ModelEntry, seed: int, parameters: PretrainingParameters) -> str:
    """Tells weights of other settings, or of another generator, apart."""
    settings = (entry.name, seed, parameters, _training(entry, parameters), GENERATOR_VERSION, CLIPS_VERSION)
    return hashlib.sha256(repr(settings).encode()).hexdigest()[:12]


def _keep(file: Path, weights: Weights) -> None:
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(file, safetensors_bytes(weights))
    except OSError as fault:
        raise BadInput(f"weights {file} cannot be written ({fault.strerror}): choose another place") from None


def _kept(file: Path) -> dict[str, np.ndarray]:
    try:
        weights: dict[str, np.ndarray] = safetensors.numpy.load_file(file)
    except (OSError, safetensors.SafetensorError):
        raise BadInput(f"weights {file} cannot be read: remove the file, and they are made again") from None
    return weights
