"""Reads events on the graphics card: two crops go there, flow, strain, map and probabilities come back."""

from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np

from engines.card_inputs.chain import CardSession, EventChain, fits_card
from engines.card_inputs.forms import card_form
from engines.card_inputs.steps import CardFlow
from engines.errors import BackendUnavailable, BadCheckpoint, BadInput, OnsetError, in_one_line
from engines.event_reading import EventReading
from engines.flow import Tvl1Parameters
from engines.inputs import EventImages
from engines.inputs.steady_flow import FlowSolver, Size
from engines.sessions.base import InferenceSession

THREADS = 512
"""Of the blocks that work alone: as many as the vectors that one of them sorts, halved."""


def open_card_reader(
    session: InferenceSession, flow_engine: FlowSolver | None, parameters: Tvl1Parameters | None = None
) -> "CardReader | str":
    """A reader on the card, or why there is none, in words.

    Args:
        session: open.
        flow_engine: computes TV-L1.
        parameters: of TV-L1.
    """
    card = session.checkpoint.card
    if not isinstance(session, CardSession):
        return f"{session.backend} takes its input from the host"
    if not isinstance(flow_engine, CardFlow):
        return f"{flow_name(flow_engine)} flow is computed on the host"
    if card_form(card) is None:
        return f"{card.recipe} maps with {card.normalisation} are made on the host"
    return CardReader(session, flow_engine, parameters)


def flow_name(flow_engine: FlowSolver | None) -> str:
    """Name of a flow engine; the CPU's where there is none."""
    return str(getattr(flow_engine, "name", "cpu"))


class CardReader:
    """Reads events without leaving the card; agrees with `HostReader` up to rounding.

    Flow, strain and probabilities differ from those of the host by what the order of float32 sums makes out, and by
    what the two flow engines differ; a value of the map that lay half-way between two whole numbers may then be the
    other one. Where a last bit ends a round of TV-L1 an iteration sooner or later, flow differs by some thousandths of
    a pixel, as it does on the host under such a change. The offset is not looked at: no map made here needs it.

    Args:
        session: open; the caller closes it.
        flow: computes TV-L1 on the card; the caller closes it.
        parameters: of TV-L1, for images that bring none.
        threads: most threads of the blocks that work alone, a power of two up to 512.

    Raises:
        BadInput: if the checkpoint's input is not made on the card.
    """

    def __init__(
        self,
        session: CardSession,
        flow: CardFlow,
        parameters: Tvl1Parameters | None = None,
        *,
        threads: int = THREADS,
    ) -> None:
        card = session.checkpoint.card
        form = card_form(card)
        if form is None:
            raise BadInput(f"{card.recipe} maps with {card.normalisation} are not made on the card: use a HostReader")
        self.choice = f"card: flow, {card.recipe} map and model stay there"
        self._session, self._flow, self._form = session, flow, form
        self._parameters = parameters
        self._threads = threads
        self._chain: EventChain | None = None
        self._made_for: tuple[Size, np.dtype] | None = None

    def read(self, images: EventImages) -> EventReading:
        """Read one event.

        Args:
            images: onset and apex; parameters of TV-L1 in them go before the reader's own.

        Returns:
            The reading, in arrays of its own.

        Raises:
            BackendUnavailable: if the card fails.
            BadInput: if the crops are too large.
            BadCheckpoint: if the model gives values that are not finite.
        """
        parameters = images.flow_parameters or self._parameters
        with self._explained():
            reading = self._chain_for(images).run(images.onset, images.apex, parameters, self._flow, self._session)
        if not np.isfinite(reading.probabilities).all():
            folder = self._session.checkpoint.folder
            raise BadCheckpoint(f"checkpoint {folder}: the model gives values that are not finite")
        return reading

    def _chain_for(self, images: EventImages) -> EventChain:
        """Work arrays for these crops; those for others go, as a run has crops of one size and type only."""
        (height, width), kind = images.onset.shape, np.result_type(images.onset, images.apex)
        size = (height, width)
        if self._chain is None or self._made_for != (size, kind):
            if not fits_card(size):
                raise BadInput(f"crops of {height} × {width} pixels are too tall for the card: use a HostReader")
            self._chain = EventChain(size, kind, self._session.checkpoint.card, self._form, threads=self._threads)
            self._made_for = (size, kind)
        return self._chain

    @contextmanager
    def _explained(self) -> Iterator[None]:
        """Turn a fault of the card or its driver into one line that names the checkpoint.

        The libraries have exceptions of their own, none of which a user can do anything with.
        """
        try:
            yield
        except OnsetError:
            raise
        except Exception as fault:
            raise BackendUnavailable(
                f"reading an event on the card failed with checkpoint {self._session.checkpoint.name} "
                f"({in_one_line(fault)}); use --backend onnxruntime"
            ) from fault
