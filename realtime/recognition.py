"""From a spotted event to its label: flow between its frames, the model's input, class probabilities."""

from dataclasses import dataclass, replace

import cv2
import numpy as np
from jaxtyping import Float32, UInt8

from engines.checkpoint import Checkpoint
from engines.errors import BadCheckpoint
from engines.event_reading import open_reader
from engines.flow import Tvl1Parameters
from engines.inputs import EventImages
from engines.inputs.steady_flow import FlowSolver
from engines.sessions.base import InferenceSession
from realtime.events import ExpressionEvent
from realtime.faces.observation import CROP_HEIGHT, CROP_WIDTH, AlignedFace


@dataclass(frozen=True, slots=True, kw_only=True)
class Recognition:
    """A labelled event and what it was read from."""

    event: ExpressionEvent
    """With label, probabilities and checkpoint filled in."""
    flow: Float32[np.ndarray, "2 h w"]
    """Onset to apex, head movement removed, pixels of the canonical crop, on a coarser grid that covers it whole."""
    strain: Float32[np.ndarray, "h w"]
    """Optical strain of that flow, dimensionless, on the same grid."""
    features: UInt8[np.ndarray, "H W C"]
    """The feature map that the model was given, before normalisation."""


class Recogniser:
    """Labels events with one model. Holds no event: the same crops always give the same answer.

    Args:
        session: an open session; the caller closes it.
        checkpoint: what the session runs; taken from the session where left out.
        flow: parameters of TV-L1; OpenCV's defaults where left out.
        flow_engine: computes TV-L1, as `engines.flow.open_flow` gives it; the CPU where left out. The caller closes it.

    Raises:
        BadCheckpoint: if the session runs another checkpoint than the one given.
    """

    def __init__(
        self,
        session: InferenceSession,
        checkpoint: Checkpoint | None = None,
        flow: Tvl1Parameters | None = None,
        flow_engine: FlowSolver | None = None,
    ) -> None:
        if checkpoint is not None and checkpoint != session.checkpoint:
            raise BadCheckpoint(f"the session runs {session.checkpoint.folder}, not {checkpoint.folder}: open another")
        self._checkpoint = session.checkpoint
        self._reader = open_reader(session, flow_engine, flow)
        self._warm_up()

    @property
    def choice(self) -> str:
        """How events are read, on the host or on the card, and why."""
        return self._reader.choice

    def recognise(
        self, event: ExpressionEvent, onset: AlignedFace, apex: AlignedFace, offset: AlignedFace
    ) -> Recognition:
        """Label an event.

        Args:
            event: as the spotter settled it.
            onset: the aligned face at the event's onset.
            apex: at its apex.
            offset: at its offset.

        Returns:
            The event with label and probabilities, and the pictures of its movement.
        """
        card = self._checkpoint.card
        reading = self._reader.read(EventImages(onset=_gray(onset), apex=_gray(apex), offset=_gray(offset)))
        labelled = replace(
            event,
            label=card.classes[int(np.argmax(reading.probabilities))],
            probabilities={
                name: round(float(share), 6) for name, share in zip(card.classes, reading.probabilities, strict=True)
            },
            checkpoint=self._checkpoint.name,
        )
        return Recognition(event=labelled, flow=reading.flow, strain=reading.strain, features=reading.features)

    def _warm_up(self) -> None:
        """Load and compile everything that the first event would wait for."""
        blank = np.zeros((CROP_HEIGHT, CROP_WIDTH), np.uint8)
        self._reader.read(EventImages(onset=blank, apex=blank, offset=blank))


def _gray(face: AlignedFace) -> UInt8[np.ndarray, "304 256"]:
    gray: np.ndarray = cv2.cvtColor(face.image, cv2.COLOR_RGB2GRAY)
    return gray
