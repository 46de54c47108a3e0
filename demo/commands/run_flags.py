"""Flags that replay and live share: defaults, then the TOML file of `--config`, then the flags themselves."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Annotated, Literal

import tyro

from realtime.config import Settings
from realtime.configuration_file import load_configuration


@dataclass(frozen=True, kw_only=True)
class RunFlags:
    """What every run is told."""

    out: Path
    """Session folder to write."""
    checkpoint: str = "default"
    """Folder of a trained model."""
    backend: Literal["auto", "onnxruntime", "tensorrt"] = "auto"
    """What runs the model."""
    overwrite: bool = False
    """Replace a session that is already in the folder."""
    config: Path | None = None
    """TOML file with settings; flags win over it."""
    json: bool = False
    """Print one JSON object at the end instead of text."""
    sensitivity: float | None = None
    """The spotter's dial, from 1 (only what is beyond doubt) to 9 (whatever might be a micro-expression); 5 by default.
    Short for `--spotting.sensitivity`."""
    settings: Annotated[Settings, tyro.conf.arg(name="")] = field(default_factory=Settings)

    @property
    def chosen(self) -> Settings:
        """The settings with the dial where it was turned to."""
        if self.sensitivity is None:
            return self.settings
        return replace(self.settings, spotting=replace(self.settings.spotting, sensitivity=self.sensitivity))


def settings_under(words: Sequence[str]) -> Settings:
    """Default settings with the file named after `--config` laid over them; the flags go on top later.

    Args:
        words: the command line after the command's name.
    """
    for position, word in enumerate(words):
        if word == "--config" and position + 1 < len(words):
            return load_configuration(Path(words[position + 1]), Settings())
        if word.startswith("--config="):
            return load_configuration(Path(word.removeprefix("--config=")), Settings())
    return Settings()
