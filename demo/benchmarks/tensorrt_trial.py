"""A checkpoint in TensorRT for a benchmark: its engine is built into a copy, so that nothing is left behind."""

import shutil
from pathlib import Path

from engines.checkpoint import CARD_FILE, MODEL_FILE, WEIGHTS_FILE, Checkpoint, load_checkpoint
from engines.errors import OnsetError
from engines.graphics_card import GraphicsCard, find_card
from engines.sessions import InferenceSession, open_session


def copied(checkpoint: Checkpoint, folder: Path) -> Checkpoint:
    """The same checkpoint elsewhere, without the engines that may lie beside it.

    Args:
        checkpoint: the checkpoint.
        folder: made, and named as the checkpoint is called.
    """
    folder.mkdir(parents=True)
    for file in (CARD_FILE, MODEL_FILE, WEIGHTS_FILE):
        shutil.copy2(checkpoint.folder / file, folder / file)
    return load_checkpoint(folder)


def opened_in_tensorrt(checkpoint: Checkpoint, folder: Path) -> tuple[InferenceSession | None, str]:
    """A float32 TensorRT session where one can run.

    Args:
        checkpoint: the checkpoint.
        folder: a new one, for the copy and its engine.

    Returns:
        The open session, to be closed, and what it is; or None and why there is none.
    """
    try:
        if isinstance(find_card(), GraphicsCard):
            from engines.tensorrt.build import build_engine

            checkpoint = copied(checkpoint, folder)
            build_engine(checkpoint, precision="fp32")
        session = open_session(checkpoint, backend="tensorrt")
    except OnsetError as fault:
        return None, str(fault)
    return session, session.describe()
