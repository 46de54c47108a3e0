"""`onset build`: a TensorRT engine from a checkpoint."""

import json
import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from types import FrameType
from typing import Annotated, Any, Literal

import tyro
from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TaskProgressColumn, TextColumn, TimeElapsedColumn

from engines.checkpoint import Checkpoint, load_checkpoint
from engines.graphics_card import GraphicsCard, find_card
from engines.tensorrt.build import BuildStopped, BuiltEngine, build_engine
from engines.tensorrt.flavour import TITLES
from engines.tensorrt.key import LARGEST_BATCH
from engines.tensorrt.store import ENGINES_FOLDER, MANIFEST_SUFFIX, checkpoint_word


@dataclass(frozen=True, kw_only=True)
class Build:
    """Build the TensorRT engine of a checkpoint, for this machine's card or for named compute capabilities."""

    checkpoint: tyro.conf.Positional[str]
    """Folder of a trained model, or "default"."""
    precision: Literal["fp32", "fp16"] = "fp32"
    """fp32 agrees best with ONNX Runtime; fp16 is faster on cards with tensor cores, and the only one for Turing."""
    compute_capability: Annotated[tuple[tuple[str, ...], ...], tyro.conf.UseAppendAction] = ()
    """Cards that the engine is for, such as 8.6 8.9: `onset doctor` shows a card's. This machine's by default."""
    flavour: Literal["rtx", "datacenter"] | None = None
    """TensorRT for RTX, or datacenter TensorRT; the first installed one that serves the cards by default."""
    largest_batch: int = LARGEST_BATCH
    """Most maps in one call."""
    rebuild: bool = False
    """Build even where a fitting engine is there."""
    json: bool = False
    """Print one JSON object instead of text."""

    def run(self) -> int:
        """Build with a progress bar, and say where the engine lies."""
        checkpoint = load_checkpoint(self.checkpoint)
        console = Console(stderr=True, highlight=False)
        with _stopping() as stopped, _progress(console) as (on_step, on_share):
            try:
                built = build_engine(
                    checkpoint,
                    precision=self.precision,
                    capabilities=[capability for given in self.compute_capability for capability in given],
                    flavour=self.flavour,
                    largest_batch=self.largest_batch,
                    on_step=on_step,
                    on_share=on_share,
                    stopped=stopped,
                    rebuild=self.rebuild,
                )
            except BuildStopped:
                raise KeyboardInterrupt from None
        if self.json:
            print(json.dumps(_record(built)))
            return 0
        for remark in built.warnings:
            console.print(f"onset: TensorRT remarks: {remark}", style="yellow", markup=False, soft_wrap=True)
        print(_said(built, checkpoint))
        return 0


def _record(built: BuiltEngine) -> dict[str, Any]:
    """What was built, for scripts."""
    manifest, key = built.stored.manifest, built.stored.manifest.key
    return {
        "engine": str(built.stored.path),
        "manifest": str(built.stored.path.with_suffix(MANIFEST_SUFFIX)),
        "kept": built.kept,
        "bytes": manifest.engine_bytes,
        "seconds": manifest.build_seconds,
        "sha256": manifest.engine_sha256,
        "flavour": key.flavour,
        "version": key.version,
        "compute_capabilities": list(key.capabilities),
        "precision": key.precision,
        "batches": list(key.profile),
        "warnings": list(built.warnings),
    }


def _said(built: BuiltEngine, checkpoint: Checkpoint) -> str:
    """What was built and what to do with it, for a person."""
    manifest, key = built.stored.manifest, built.stored.manifest.key
    found = "was there already, and whole (--rebuild builds it anew)"
    how = found if built.kept else f"built in {manifest.build_seconds:.1f} s"
    return (
        f"{built.stored.path}\n"
        f"  {how}: {manifest.engine_bytes / 1e6:.1f} MB, {key.precision}, batches of {key.profile[0]} to "
        f"{key.profile[2]}\n"
        f"  for compute capability {key.cards}, with {TITLES[key.flavour]} {key.version}\n"
        f"  next: {_next(built, checkpoint)}"
    )


def _next(built: BuiltEngine, checkpoint: Checkpoint) -> str:
    """What to type where the engine can run: here, or on another machine."""
    key, card = built.stored.manifest.key, find_card()
    if isinstance(card, GraphicsCard) and card.capability in key.capabilities:
        return f"onset replay SOURCE --out DIR --checkpoint {checkpoint_word(checkpoint)} --backend tensorrt"
    return (
        f"take the checkpoint's folder with its {ENGINES_FOLDER}/ to a machine with such a card and "
        f"{TITLES[key.flavour]} {key.version}, and run: onset doctor FOLDER"
    )


@contextmanager
def _progress(console: Console) -> Iterator[tuple[Callable[[str], None], Callable[[float], None]]]:
    """A bar and the step in words where there is a terminal, nothing otherwise."""
    columns = SpinnerColumn(), BarColumn(), TaskProgressColumn(), TimeElapsedColumn(), TextColumn("{task.description}")
    with Progress(*columns, console=console, disable=not console.is_terminal, transient=True) as bar:
        task = bar.add_task("starting TensorRT", total=1.0)
        yield (
            # Drawn at once: some steps are shorter than the bar's own pause between drawings.
            lambda words: bar.update(task, description=words, refresh=True),
            lambda share: bar.update(task, completed=share),
        )


@contextmanager
def _stopping() -> Iterator[Callable[[], bool]]:
    """Ctrl-C is noted and ends the build at its next step: raised inside TensorRT's own code, it would be lost."""
    asked = threading.Event()

    def interrupt(number: int, _frame: FrameType | None) -> None:
        asked.set()
        signal.signal(number, signal.default_int_handler)

    before = signal.signal(signal.SIGINT, interrupt)
    try:
        yield asked.is_set
    finally:
        signal.signal(signal.SIGINT, before)


def defaults(_words: Sequence[str]) -> Build:
    """Defaults under the flags."""
    return Build(checkpoint=tyro.MISSING)


COMMAND = Build
