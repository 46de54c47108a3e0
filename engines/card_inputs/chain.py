"""Everything between two crops and the class probabilities, queued on the card as one chain."""

from typing import Any, Protocol, runtime_checkable

import numpy as np

from engines.card import ModelCard
from engines.card_inputs.card_stream import CardStream
from engines.card_inputs.forms import CardForm
from engines.card_inputs.map_step import MapStep
from engines.card_inputs.steps import CardFlow, FaceMover, FramedFlow, HeadFit, slots_of
from engines.checkpoint import Checkpoint
from engines.event_reading import EventReading
from engines.flow import Tvl1Parameters
from engines.inputs.steady_flow import HOLDING_ROUNDS, Size, working_sizes

SLOTS = 2048
"""Most samples of a flow field that the card sorts."""


@runtime_checkable
class CardSession(Protocol):
    """A session that takes its input on the card: `engines.sessions.tensorrt.TensorRtSession`."""

    checkpoint: Checkpoint

    def run_on_card(self, tensor: Any, *, stream: Any = None) -> Any:
        """What the model gives (N, K) for a device array (N, C, H, W)."""


def fits_card(images: Size) -> bool:
    """Whether images of this height and width can be read on the card."""
    return max(slots_of(size) for size in working_sizes(*images)) <= SLOTS


class EventChain:
    """Work arrays for crops of one size and type, and the order of the steps. Holds nothing of an event.

    One upload of both crops, one stream, one download of flow, strain, map and probabilities; nothing in between asks
    the host. Whether the head kept still is decided on the card: the second look at a still head is then taken for
    nothing, which costs less than a question to the host.

    Args:
        images: height and width of the crops.
        kind: uint8, or float32 on the scale 0–255.
        model: card of the checkpoint.
        form: how its input is made.
        threads: most threads of the blocks that work alone, a power of two.
    """

    def __init__(self, images: Size, kind: np.dtype, model: ModelCard, form: CardForm, *, threads: int) -> None:
        self._card = card = CardStream()
        self._images = images
        working, coarse = working_sizes(*images)
        self._coarse, self._working = FramedFlow(card, images, coarse), FramedFlow(card, images, working)
        self._coarse_fit, self._working_fit = HeadFit(card, coarse, threads), HeadFit(card, working, threads)
        self._mover = FaceMover(card, images)
        self._map = MapStep(card, model, form, size=working, image_width=images[1], threads=threads)
        self._crops_host = card.staging((2, *images), kind)
        self._crops = card.array((2, *images), kind)
        self._previous, self._later = self._crops[0], self._crops[1]
        self._steadied = card.array(images)
        self._held = (card.array(4), card.array(1, np.int32))
        self._fit = card.array(4)

    def run(
        self,
        onset: np.ndarray,
        apex: np.ndarray,
        parameters: Tvl1Parameters | None,
        flow: CardFlow,
        session: CardSession,
    ) -> EventReading:
        """Read one event.

        Args:
            onset: crop of the size and type that the chain was made for.
            apex: likewise.
            parameters: of TV-L1; the default ones if None.
            flow: computes TV-L1 on the card.
            session: runs the model.

        Returns:
            The reading, in arrays of its own.
        """
        self._crops_host[0], self._crops_host[1] = onset, apex
        self._crops.copy_to_device(self._crops_host, stream=self._card.stream)
        following = self._later
        for done in range(HOLDING_ROUNDS):
            self._hold_head(flow, following, first=done == 0)
            following = self._steadied
        field = self._working.solve(flow, self._previous, following, parameters)
        self._working_fit.measure(field, self._fit)
        given = session.run_on_card(self._map.make_input(field, self._fit), stream=self._card.stream)
        self._map.take_output(given)
        self._card.wait()
        return self._map.reading()

    def _hold_head(self, flow: CardFlow, following: Any, *, first: bool) -> None:
        """One look at the head's movement, and the later crop with all of it moved back."""
        field = self._coarse.solve(flow, self._previous, following, Tvl1Parameters.quick())
        pixels = self._images[1] / self._coarse.size[1]
        self._coarse_fit.hold(field, first=first, images=self._images, pixels=pixels, held=self._held)
        self._mover.move(self._later, self._held, self._steadied)
