"""How clips become maps."""

from dataclasses import dataclass
from typing import Literal

from engines.errors import BadInput
from engines.inputs import RECIPES
from engines.inputs.recipes import Size
from trainers.apex import ApexMethod
from trainers.datasets.synthetic_clips import Views


@dataclass(frozen=True, kw_only=True)
class PreparationSettings:
    """What decides the maps of a clip, beside the clip itself."""

    recipe: str = "flow-strain"
    """Input recipe, a name in `engines.inputs.RECIPES`."""
    size: Size | None = None
    """Height and width of the maps; the recipe's own if None."""
    apex: Literal["annotated"] | ApexMethod = "annotated"
    """"annotated" takes the database's apex where it gives one; any other finds every clip's anew."""
    missing_apex: ApexMethod = "spotter"
    """Finds the apex of clips for which the database gives none."""
    views: Views = "none"
    """Further views of each clip, to train on: the frames beside the apex as apexes ("apex-1", "apex+1": EDSSNet), or
    the middle 20 % of its frames ("middle-1" …: MADTN)."""
    lead_in_s: float = 1.0
    """Frames before the onset that run through the live path first, seconds, where the folder has them: the aligner's
    low-pass and the spotter's rest have settled by then."""
    lead_out_s: float = 0.5
    """The same after the offset, so that the spotter can settle the event."""

    def __post_init__(self) -> None:
        """Refuse what cannot work."""
        if self.recipe not in RECIPES:
            raise BadInput(f"input recipe {self.recipe!r} is unknown: use one of {', '.join(sorted(RECIPES))}")
        if self.size is not None and min(self.size) < 1:
            raise BadInput(f"a map of {self.size[0]}×{self.size[1]} pixels is not possible: give a positive size")
        if min(self.lead_in_s, self.lead_out_s) < 0:
            raise BadInput(f"lead-in {self.lead_in_s} s and lead-out {self.lead_out_s} s: neither can be negative")

    @property
    def map_size(self) -> Size:
        """Height and width of the maps, pixels."""
        return self.size or RECIPES[self.recipe].size


def settings_of_model(name: str) -> PreparationSettings:
    """Recipe, input size and further views that a registered model takes.

    Args:
        name: a name in `trainers.models.registry.MODELS`.

    Raises:
        BadInput: if there is no such model.
    """
    # Brings PyTorch in, which nothing else here needs.
    from trainers.models.registry import model_entry

    entry = model_entry(name)
    return PreparationSettings(recipe=entry.recipe, size=entry.input_shape[1:], views=entry.views)
