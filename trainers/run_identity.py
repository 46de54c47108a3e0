"""Whether two runs are one: a sum over everything that decides their numbers."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict
from importlib import metadata
from typing import TYPE_CHECKING

import numpy as np

from trainers.feature_file import FeatureFile
from trainers.splits import Split

if TYPE_CHECKING:
    from trainers.training_run import RunParameters


def identity_of(model: str, features: FeatureFile, parameters: "RunParameters", splits: Sequence[Split]) -> str:
    """SHA-256 over data, model, settings, splits and PyTorch's version, in hexadecimal digits.

    The number of seeds is left out: more seeds go on from those that are there.

    Args:
        model: its name.
        features: the data; the path does not count, the content does.
        parameters: of the run.
        splits: what the protocol made of them.
    """
    settings = asdict(parameters)
    del settings["seeds"]
    if parameters.pretrain == "none":
        del settings["pretraining"]
    digest = hashlib.sha256(
        json.dumps({"model": model, "torch": metadata.version("torch"), **settings}, sort_keys=True).encode()
    )
    for array in (features.x, features.y):
        digest.update(str((array.dtype, array.shape)).encode())
        digest.update(np.ascontiguousarray(array).data)
    for names in (features.subject, features.dataset, features.variant, features.label_names or ()):
        digest.update("\n".join(map(str, names)).encode())
    for split in splits:
        for rows in (split.train, split.validation, split.test, split.target):
            digest.update(rows.astype(np.int64).tobytes() + b"|")
    return digest.hexdigest()
