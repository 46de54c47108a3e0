"""From a checkpoint to a TensorRT engine beside it."""

import hashlib
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from typing import Any

from engines.checkpoint import DEFAULT, MODEL_FILE, Checkpoint, load_checkpoint
from engines.errors import BackendUnavailable, BadCheckpoint, BadInput
from engines.graphics_card import GraphicsCard, NoCard, find_card
from engines.tensorrt.flavour import EXTRAS, Flavour, chosen_flavour, installed_flavours
from engines.tensorrt.key import (
    LARGEST_BATCH,
    EngineKey,
    batch_profile,
    checked_capabilities,
    checked_precision,
)
from engines.tensorrt.log import HeardLog, listening, shared_log
from engines.tensorrt.manifest import EngineManifest
from engines.tensorrt.network import build_fault, parsed_network
from engines.tensorrt.precision import half_precision
from engines.tensorrt.progress import BuildProgress, progress_monitor
from engines.tensorrt.store import StoredEngine, kept_engine, open_folder, write_engine


@dataclass(frozen=True, slots=True, kw_only=True)
class BuiltEngine:
    """An engine that is there now."""

    stored: StoredEngine
    kept: bool
    """It was there already and was left as it is."""
    warnings: tuple[str, ...] = ()
    """What TensorRT remarked on while building."""


class BuildStopped(Exception):
    """The build was asked to end early; nothing was written."""


def build_engine(
    checkpoint: str | Path | Checkpoint = DEFAULT,
    *,
    precision: str = "fp32",
    capabilities: Iterable[str] = (),
    flavour: str | Flavour | None = None,
    largest_batch: int = LARGEST_BATCH,
    on_step: Callable[[str], None] = lambda _words: None,
    on_share: Callable[[float], None] = lambda _share: None,
    stopped: Callable[[], bool] = lambda: False,
    rebuild: bool = False,
    card: Callable[[], GraphicsCard | NoCard] = find_card,
) -> BuiltEngine:
    """Build the engine of a checkpoint and place it in `CHECKPOINT/engines/`.

    An engine of the same key (model, TensorRT, cards, precision, batch sizes) that is there and whole is kept.

    Args:
        checkpoint: a folder, or "default".
        precision: "fp32" or "fp16".
        capabilities: compute capabilities that the engine is for, such as "8.9"; this machine's card by default.
        flavour: "rtx" or "datacenter"; the first installed one that serves the cards by default.
        largest_batch: most maps in one call.
        on_step: hears what is being done, in words.
        on_share: hears how much of TensorRT's work is done, 0 to 1.
        stopped: asked now and then whether to end early.
        rebuild: build even where an engine is there.
        card: asks for this machine's card.

    Returns:
        The engine and whether it was there already.

    Raises:
        BadInput: if an argument does not fit, or the folder cannot be written to.
        BadCheckpoint: if the checkpoint is not whole, or TensorRT cannot build its graph.
        BackendUnavailable: if no TensorRT that could do it is installed.
        BuildStopped: if it was asked to end early.
    """
    asked_precision, profile, named = (
        checked_precision(precision),
        batch_profile(largest_batch),
        checked_capabilities(capabilities),
    )
    loaded = load_checkpoint(checkpoint)
    taken = _taken_flavour(flavour, named, card)
    key = EngineKey(
        model_sha256=loaded.card.files[MODEL_FILE],
        flavour=taken.name,
        version=taken.version,
        capabilities=_served(taken, named, card()),
        precision=asked_precision,
        profile=profile,
    )
    kept = None if rebuild else kept_engine(loaded, key)
    if kept is not None:
        return BuiltEngine(stored=kept, kept=True)
    open_folder(loaded)
    heard, started_s = HeardLog(), time.monotonic()
    progress = BuildProgress(on_step, on_share, stopped)
    with listening(heard):
        content, network = _compiled(taken, loaded, key, progress, heard)
    on_step("writing engine and manifest")
    manifest = EngineManifest(
        key=key,
        engine_sha256=hashlib.sha256(content).hexdigest(),
        engine_bytes=len(content),
        build_seconds=round(time.monotonic() - started_s, 3),
        input_name=network.get_input(0).name,
        input_shape=loaded.card.input_shape,
        output_name=network.get_output(0).name,
        output_count=len(loaded.card.classes),
        created=datetime.now(UTC).isoformat(timespec="seconds"),
        onset_version=_version(),
    )
    stored = write_engine(loaded, content, manifest)
    return BuiltEngine(stored=stored, kept=False, warnings=tuple(dict.fromkeys(heard.warnings)))


def _compiled(
    flavour: Flavour, checkpoint: Checkpoint, key: EngineKey, progress: BuildProgress, heard: HeardLog
) -> tuple[bytes, Any]:
    """The engine's bytes, and the network that it was made from."""
    graph = checkpoint.model_path.read_bytes()
    if key.precision == "fp16":
        progress.tell("converting the graph to fp16")
        try:
            graph = half_precision(graph)
        except BadCheckpoint as fault:
            raise BadCheckpoint(f"checkpoint {checkpoint.folder}: {MODEL_FILE}: {fault}") from None
    progress.tell("reading the graph")
    trt, logger = flavour.module, shared_log(flavour.module)
    builder = _builder(flavour, logger, heard)
    network = parsed_network(flavour, builder, logger, graph, checkpoint)
    config = builder.create_builder_config()
    flavour.keep_full_float32(config)
    flavour.target(config, key.capabilities)
    profile, given = builder.create_optimization_profile(), network.get_input(0)
    profile.set_shape(given.name, *((batch, *checkpoint.card.input_shape) for batch in key.profile))
    config.add_optimization_profile(profile)
    monitor = progress_monitor(trt, progress)
    config.progress_monitor = monitor
    serialised = builder.build_serialized_network(network, config)
    progress.raise_fault()
    if serialised is None:
        if progress.stopped():
            raise BuildStopped
        raise build_fault(flavour, heard, checkpoint)
    return bytes(serialised), network


def _builder(flavour: Flavour, logger: Any, heard: HeardLog) -> Any:
    try:
        return flavour.module.Builder(logger)
    except Exception as fault:  # the bindings raise whatever the library left behind
        reason = heard.errors[-1] if heard.errors else str(fault)
        raise BackendUnavailable(
            f"{flavour.title} does not start here ({reason}): `onset doctor` says what is missing"
        ) from None


def _taken_flavour(
    asked: str | Flavour | None, capabilities: Sequence[str], card: Callable[[], GraphicsCard | NoCard]
) -> Flavour:
    """The flavour that is asked for, or the first that serves the cards."""
    if isinstance(asked, Flavour):
        return asked
    if asked is None:
        found = card()
        wanted = capabilities or ((found.capability,) if isinstance(found, GraphicsCard) else ())
        for flavour in installed_flavours():
            if set(wanted) <= set(flavour.capabilities):
                return flavour
    return chosen_flavour(asked)


def _served(flavour: Flavour, named: tuple[str, ...], card: GraphicsCard | NoCard) -> tuple[str, ...]:
    """The compute capabilities to build for, all of which the flavour can."""
    if not flavour.builds_without_card and isinstance(card, NoCard):
        raise BackendUnavailable(
            f"{flavour.title} builds on the card that the engine is for, and there is {card.detail}: "
            f"build where the card is, or install TensorRT for RTX: pip install 'onset-live[{EXTRAS['rtx']}]'"
        )
    known = ", ".join(flavour.capabilities)
    if not named and isinstance(card, NoCard):
        raise BadInput(
            f"no card to build for ({card.detail}): name compute capabilities with --compute-capability; "
            f"{flavour.title} knows {known}"
        )
    wanted = named or ((card.capability,) if isinstance(card, GraphicsCard) else ())
    unknown = [capability for capability in wanted if capability not in flavour.capabilities]
    if not unknown:
        return wanted
    if flavour.builds_without_card:
        raise BadInput(
            f"compute capability {', '.join(unknown)}: {flavour.title} builds for {known}; for datacenter cards "
            f"pip install 'onset-live[{EXTRAS['datacenter']}]' on the machine with the card"
        )
    raise BadInput(
        f"compute capability {', '.join(unknown)}: {flavour.title} builds for this machine's card alone ({known}); "
        "leave --compute-capability out"
    )


def _version() -> str:
    try:
        return metadata.version("onset-live")
    except metadata.PackageNotFoundError:
        return "unknown"
