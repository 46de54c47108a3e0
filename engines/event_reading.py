"""From the images of an event to flow, strain, feature map and class probabilities: on the host, or on the card."""

from dataclasses import dataclass, replace
from typing import Protocol, runtime_checkable

import numpy as np
from jaxtyping import Float32, UInt8

from engines.classification import classify
from engines.flow import Tvl1Parameters
from engines.inputs import EventImages, feature_map
from engines.inputs.steady_flow import FlowSolver
from engines.sessions.base import InferenceSession


@dataclass(frozen=True, slots=True, kw_only=True)
class EventReading:
    """What a model saw in an event, and what it made of it."""

    flow: Float32[np.ndarray, "2 h w"]
    """Onset to apex, head movement removed, pixels of the images, on a coarser grid that covers them whole."""
    strain: Float32[np.ndarray, "h w"]
    """Optical strain of that flow, dimensionless."""
    features: UInt8[np.ndarray, "H W C"]
    """The feature map that the model was given, before normalisation."""
    probabilities: Float32[np.ndarray, "K"]
    """One a class, in the order of the card's classes."""


@runtime_checkable
class EventReader(Protocol):
    """Reads events with one model and one flow engine. One thread at a time."""

    @property
    def choice(self) -> str:
        """How events are read and why, in words."""

    def read(self, images: EventImages) -> EventReading:
        """Read one event.

        Args:
            images: its onset, apex and offset; parameters of TV-L1 in them go before the reader's own.

        Returns:
            The reading, in arrays of its own.
        """


class HostReader:
    """Reads events step by step, every step's result on the host; the oracle of the card's chain.

    Args:
        session: open; the caller closes it.
        flow_engine: computes TV-L1; the CPU if None.
        parameters: of TV-L1, for images that bring none.
        choice: why this reader, in words.
    """

    def __init__(
        self,
        session: InferenceSession,
        flow_engine: FlowSolver | None = None,
        parameters: Tvl1Parameters | None = None,
        *,
        choice: str = "host: as asked",
    ) -> None:
        self.choice = choice
        self._session = session
        self._flow_engine = flow_engine
        self._parameters = parameters

    def read(self, images: EventImages) -> EventReading:
        """Read one event; see `EventReader`."""
        card = self._session.checkpoint.card
        given = replace(
            images,
            flow_engine=images.flow_engine or self._flow_engine,
            flow_parameters=images.flow_parameters or self._parameters,
        )
        features = feature_map(card.recipe, given, card.input_shape[1:])
        probabilities = classify(self._session, features[np.newaxis])[0]
        return EventReading(flow=given.flow, strain=given.strain, features=features, probabilities=probabilities)


def open_reader(
    session: InferenceSession, flow_engine: FlowSolver | None = None, parameters: Tvl1Parameters | None = None
) -> EventReader:
    """The quickest way to read events with this session and this flow engine.

    Args:
        session: open; the caller closes it.
        flow_engine: computes TV-L1, as `engines.flow.open_flow` gives it; the CPU if None. The caller closes it.
        parameters: of TV-L1; the default ones if None.

    Returns:
        A reader that never leaves the card where session, flow engine and recipe are all at home there, else one that
        takes every step from the host; its `choice` says which and why.
    """
    # Brings in nothing of CUDA: the kernels are loaded when a card's reader reads.
    from engines.card_reading import open_card_reader

    opened = open_card_reader(session, flow_engine, parameters)
    if isinstance(opened, str):
        return HostReader(session, flow_engine, parameters, choice=f"host: {opened}")
    return opened
