"""From a database's clips to a feature file: alignment, apex, flow and maps, by the code that runs live."""

from trainers.preparation.preparing import prepare
from trainers.preparation.report import Preparation
from trainers.preparation.settings import PreparationSettings, settings_of_model

__all__ = ["Preparation", "PreparationSettings", "prepare", "settings_of_model"]
