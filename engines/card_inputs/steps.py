"""The steps of an event on the card, each with its work arrays: nothing is allocated while events are read.

The kernels, and numba-cuda with them, are imported when the first step is made.
"""

from typing import Any, Protocol, runtime_checkable

import numpy as np

from engines.card_inputs.card_stream import CardStream
from engines.card_inputs.resampling import Tables, resampling_tables
from engines.flow import Tvl1Parameters
from engines.inputs.head_movement import head_samples
from engines.inputs.steady_flow import MARGIN, Size

BLOCK = (32, 8)
"""Threads of a block where each makes one pixel: a warp runs along a row."""
SHARES = 2**18
"""Trust as a whole number: so many are full trust, and their sums stay far from the limit of int32."""


@runtime_checkable
class CardFlow(Protocol):
    """A flow engine whose images and flow stay on the card: `engines.flow.cuda.CudaTvl1`."""

    name: str

    def __call__(
        self, previous: np.ndarray, following: np.ndarray, parameters: Tvl1Parameters | None = None
    ) -> np.ndarray:
        """Flow between host arrays, as `engines.flow.tvl1`."""

    def solve_on_card(
        self, previous: Any, following: Any, parameters: Tvl1Parameters | None = None, *, stream: Any = None
    ) -> Any:
        """Flow (N, 2, H, W) between device arrays (N, H, W)."""


def blocks_of(size: Size) -> tuple[int, int]:
    """Blocks that cover so many rows and columns."""
    height, width = size
    return -(-width // BLOCK[0]), -(-height // BLOCK[1])


def tables_on_card(card: CardStream, tables: Tables) -> tuple[Any, ...]:
    """First pixels and weights of the rows, then of the columns."""
    return tuple(card.constant(part) for table in tables for part in (table.first, table.weights))


class FramedFlow:
    """TV-L1 between two images brought to one size, with the mirrored frame round them.

    Args:
        card: where it happens.
        images: height and width of the images.
        size: height and width that they are brought to.
    """

    def __init__(self, card: CardStream, images: Size, size: Size) -> None:
        from engines.card_inputs.framing_kernel import frame_pair

        self.size = size
        self._stream = card.stream
        self._tables = tables_on_card(card, resampling_tables(*images, *size))
        framed = (size[0] + 2 * MARGIN, size[1] + 2 * MARGIN)
        self.framed = card.array((2, *framed))
        self._previous, self._following = self.framed[0:1], self.framed[1:2]
        self._frame_pair = card.launch(frame_pair, blocks_of(framed), BLOCK)

    def frame(self, previous: Any, following: Any) -> None:
        """Fill `framed` with both images."""
        self._frame_pair(previous, following, *self._tables, self.framed)

    def solve(self, flow: CardFlow, previous: Any, following: Any, parameters: Tvl1Parameters | None) -> Any:
        """The framed field (1, 2, h + 16, w + 16), valid until the engine's next call."""
        self.frame(previous, following)
        return flow.solve_on_card(self._previous, self._following, parameters, stream=self._stream)


class HeadFit:
    """Fits the movement of the head in a framed field.

    Args:
        card: where it happens.
        size: height and width of the field without its frame.
        threads: of the block, a power of two.
    """

    def __init__(self, card: CardStream, size: Size, threads: int) -> None:
        from engines.card_inputs.head_kernel import hold_head, measure_head

        self._hold = card.launch(hold_head, 1, threads)
        self._measure = card.launch(measure_head, 1, threads)
        samples = head_samples(*size)
        self._samples = (
            samples.step,
            len(range(0, size[1], samples.step)),
            card.constant(samples.trust.astype(np.float32)),
            card.constant(np.rint(samples.trust * SHARES).astype(np.int32)),
            slots_of(size),
        )

    def measure(self, field: Any, movement: Any) -> None:
        """Leave the movement, in pixels of the field, in a float32 array (4,)."""
        self._measure(field, *self._samples, movement)

    def hold(self, field: Any, *, first: bool, images: Size, pixels: float, held: tuple[Any, Any]) -> None:
        """Add the movement to what the head did since the event's first fit, and decide whether it kept still.

        Args:
            field: framed flow from the earlier image to the later one as it was last held.
            first: whether this is the event's first fit.
            images: height and width of the images.
            pixels: of the images, in one of the field.
            held: movement float32 (4,) and stillness int32 (1,), both on the card.
        """
        self._hold(field, *self._samples, int(first), np.float32(pixels), images[0], images[1], *held)


def slots_of(size: Size) -> int:
    """The power of two that holds the samples of a field of this height and width."""
    points = len(head_samples(*size).x)
    return max(2, 1 << (points - 1).bit_length())


class FaceMover:
    """Moves the later image back by what the head did.

    Args:
        card: where it happens.
        images: height and width of the images.
    """

    def __init__(self, card: CardStream, images: Size) -> None:
        from engines.card_inputs.warping_kernel import cubic_weights, move_back

        self._cubic = card.constant(cubic_weights())
        self._move_back = card.launch(move_back, blocks_of(images), BLOCK)

    def move(self, later: Any, held: tuple[Any, Any], image: Any) -> None:
        """Fill `image`, float32 (H, W): `held` is movement and stillness, as `HeadFit.hold` leaves them."""
        self._move_back(later, *held, self._cubic, image)
