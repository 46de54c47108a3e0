"""`onset evaluate`: recognition scores of a checkpoint on a feature file, without training."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import tyro
from rich.console import Console

from demo.evaluate import evaluate, score_table


@dataclass(frozen=True, kw_only=True)
class Evaluate:
    """Score a checkpoint on a feature file as it is: UF1, UAR and accuracy, pooled and per data set."""

    checkpoint: tyro.conf.Positional[str] = "default"
    """Folder of a trained model."""
    features: Path
    """Feature file (.npz) with x, y, subject, dataset, clip and label_names."""
    backend: Literal["auto", "onnxruntime", "tensorrt"] = "auto"
    """What runs the model."""
    json: bool = False
    """Print one JSON object instead of a table."""

    def run(self) -> int:
        """Classify and score."""
        result = evaluate(self.checkpoint, self.features, backend=self.backend)
        if self.json:
            print(json.dumps(result))
        else:
            Console().print(score_table(result))
        return 0


def defaults(_words: Sequence[str]) -> Evaluate:
    """Defaults under the flags."""
    return Evaluate(features=tyro.MISSING)


COMMAND = Evaluate
