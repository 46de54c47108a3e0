"""TV-L1 optical flow on an NVIDIA card: one launch a call, however many pairs.

Few pairs are each solved by many blocks, so that a single one is soon done; many pairs by one block each, so that none
waits for another. It is the same compiled kernel and the same order of additions, and so the same bits.
"""

import threading
import warnings
from collections import OrderedDict
from collections.abc import Hashable, Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import Any, Self

import numpy as np
from jaxtyping import Float32
from numba import cuda, float32, int32, int64
from numba.cuda.core.errors import NumbaPerformanceWarning

from engines.card_compilation import SIMULATED
from engines.errors import BackendUnavailable, BadInput, in_one_line
from engines.flow import cuda_tile_kernel as tiles
from engines.flow.cuda_plan import CardPlan, make_plan, teams_for
from engines.flow.cuda_solver_kernel import solve_pairs
from engines.flow.cuda_team_kernel import COUNTER_SPACING
from engines.flow.parameters import MINIMUM_SIDE_PX, Tvl1Parameters, checked_images

ROUNDS = 4
"""Pairs that a team solves in one launch, at most: a card that also draws the screen is not held up for long."""
KEPT = 4
"""Plans, and sets of image arrays, that are kept at once; the one that was used longest ago goes first."""
_SIGNATURE = (
    float32[:, :, ::1],
    float32[:, :, ::1],
    float32[:, :, :, ::1],
    float32[::1],
    int64[::1],
    float32[::1],
    int32[::1],
    int64,
    int64,
    int64,
)


class CudaTvl1:
    """TV-L1 on the card, with the parameters and the result of `engines.flow.tvl1`; a `FlowEngine`.

    Work arrays are kept from call to call. One call runs at a time; further threads wait. The same images give the same
    bits on one card, alone or in a batch.

    Args:
        choice: which engine this is and why it was taken, in words.

    Raises:
        BackendUnavailable: if the kernel cannot be compiled or loaded.
    """

    name = "cuda"

    def __init__(self, choice: str = "cuda: asked for") -> None:
        self._lock = threading.Lock()
        self._plans: OrderedDict[Hashable, tuple[CardPlan, Any, Any]] = OrderedDict()
        self._images: OrderedDict[Hashable, tuple[Any, Any]] = OrderedDict()
        self._results: OrderedDict[Hashable, Any] = OrderedDict()
        self._launches: dict[Hashable, Any] = {}
        self._work: Any = None
        self._arrived: Any = None
        self._capacity, self._together = _compiled()
        self.choice = (
            choice if self._together else f"{choice}; this card runs one block a pair, so single pairs are slow"
        )

    def __call__(
        self, previous: np.ndarray, following: np.ndarray, parameters: Tvl1Parameters | None = None
    ) -> Float32[np.ndarray, "2 H W"] | Float32[np.ndarray, "N 2 H W"]:
        """Dense flow from one image to another, or between each pair of two stacks; as `engines.flow.tvl1`.

        Args:
            previous: (H, W) or (N, H, W), uint8, or float32 on the scale 0–255.
            following: of the same shape.
            parameters: the default ones if None.

        Returns:
            Horizontal and vertical displacement, pixels: `following` at x + flow looks as `previous` at x.

        Raises:
            BadInput: if the images are not as above.
            BackendUnavailable: if the card fails.
        """
        first, second = checked_images(previous, following)
        if not len(first):
            return np.empty((0, 2, *first.shape[1:]), np.float32)
        with self._lock, _card_faults():
            on_card = self._kept(
                self._images,
                first.shape,
                lambda: (_empty(first.shape), _empty(first.shape)),
            )
            for target, source in zip(on_card, (first, second), strict=True):
                target.copy_to_device(source)
            result = self._solve(on_card[0], on_card[1], parameters, 0)
            flows: Float32[np.ndarray, "N 2 H W"] = result.copy_to_host()
        return flows if previous.ndim == 3 else flows[0]

    def solve_on_card(
        self, previous: Any, following: Any, parameters: Tvl1Parameters | None = None, *, stream: Any = None
    ) -> Any:
        """Dense flow of images that are on the card; nothing is copied to the host and nothing waited for.

        The values are not looked at: not-a-number in an image makes its flow not a number. The images must be ready in
        `stream`, and stay until it is past the flow. The work arrays are the engine's: calls in different streams must
        not overlap.

        Args:
            previous: float32 (N, H, W) on the scale 0–255, contiguous, anything with `__cuda_array_interface__`.
            following: of the same shape.
            parameters: the default ones if None.
            stream: of numba-cuda, in which to run; the default stream if None.

        Returns:
            Device array, float32 (N, 2, H, W), pixels, valid until the next call with images of this shape.

        Raises:
            BadInput: if the arrays are not as above.
            BackendUnavailable: if the card fails.
        """
        with _card_faults():
            first, second = _checked_on_card("previous", previous), _checked_on_card("following", following)
        if tuple(first.shape) != tuple(second.shape):
            raise BadInput(
                f"flow images differ in shape, {tuple(first.shape)} and {tuple(second.shape)}: "
                "give two of the same size"
            )
        with self._lock, _card_faults():
            return self._solve(first, second, parameters, stream or 0)

    def close(self) -> None:
        """Free the arrays on the card; the engine may be used again and then makes new ones."""
        with self._lock:
            for kept in (self._plans, self._images, self._results, self._launches):
                kept.clear()
            self._work = self._arrived = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _solve(self, first: Any, second: Any, parameters: Tvl1Parameters | None, stream: Any) -> Any:
        shape = tuple(first.shape)
        pairs, height, width = shape
        result = self._kept(self._results, shape, lambda: _empty((pairs, 2, height, width)))
        if not pairs:
            return result
        plan, numbers, settings = self._planned(height, width, parameters or Tvl1Parameters())
        teams, blocks = teams_for(pairs, plan.tiles if self._together else 1, self._capacity)
        teams = self._room_for(teams, plan.team_floats)
        launch = self._launch_of(teams * blocks, stream)
        for start in range(0, pairs, ROUNDS * teams):
            end = min(start + ROUNDS * teams, pairs)
            launch(first, second, result, self._work, numbers, settings, self._arrived, blocks, start, end)
        return result

    def _planned(self, height: int, width: int, parameters: Tvl1Parameters) -> tuple[CardPlan, Any, Any]:
        def made() -> tuple[CardPlan, Any, Any]:
            plan = make_plan(height, width, parameters)
            return plan, _uploaded(plan.numbers), _uploaded(plan.settings)

        planned: tuple[CardPlan, Any, Any] = self._kept(self._plans, (height, width, parameters), made)
        return planned

    def _room_for(self, teams: int, team_floats: int) -> int:
        """Make work space for so many teams, or for as many as half of the free memory holds; returns their number."""
        held = 0 if self._work is None else self._work.size
        if held < teams * team_floats:
            # Half of what would be free without it, so that further calls do not nibble at the other half.
            room = max(held, (_free_bytes() // 4 + held) // 2) // team_floats
            if not room:
                raise BackendUnavailable(
                    f"the card has no memory for flow of this size ({4e-9 * team_floats:.1f} GB): "
                    "close other programs that use it, or choose the CPU"
                )
            teams = min(teams, room)
        if held < teams * team_floats:
            self._work = None  # the smaller one makes room first
            self._work = _empty((teams * team_floats,))
        if self._arrived is None:
            self._arrived = _uploaded(np.zeros(self._capacity * COUNTER_SPACING, np.int32))
        return teams

    def _launch_of(self, blocks: int, stream: Any) -> Any:
        key = (blocks, stream)
        if SIMULATED or key not in self._launches:
            if len(self._launches) >= KEPT:
                self._launches.clear()
            with warnings.catch_warnings():
                # A single pair cannot fill a large card, and need not.
                warnings.simplefilter("ignore", NumbaPerformanceWarning)
                self._launches[key] = solve_pairs[blocks, (tiles.SIDE, tiles.ROWS), stream]
        return self._launches[key]

    @staticmethod
    def _kept(store: OrderedDict[Hashable, Any], key: Hashable, make: Any) -> Any:
        if key in store:
            store.move_to_end(key)
        else:
            if len(store) >= KEPT:
                store.popitem(last=False)
            store[key] = make()
        return store[key]


def _compiled() -> tuple[int, bool]:
    """Compile the kernel: how many of its blocks the card runs at once, and whether they may wait for each other."""
    if SIMULATED:
        return 1, True
    with _card_faults():
        definition = solve_pairs.compile(_SIGNATURE)
        capacity = int(definition.max_cooperative_grid_blocks((tiles.SIDE, tiles.ROWS)))
        together = bool(cuda.get_current_device().COOPERATIVE_LAUNCH)
        # The driver's word that all blocks run at once. Set once: the definition is shared by all engines.
        definition.cooperative = together
        # Arguments of another type would compile a second definition, which knows nothing of this.
        solve_pairs.disable_compile()
    if capacity < 1:
        raise BackendUnavailable(
            "the flow kernel needs more shared memory or registers than this card has: choose the CPU"
        )
    return capacity, together


def _uploaded(array: np.ndarray) -> Any:
    """An array on the card that kernels of any stream may read: the copy has arrived when this returns."""
    on_card = cuda.to_device(array)
    cuda.synchronize()
    return on_card


def _free_bytes() -> int:
    # numba-cuda puts off freeing; what waits for it would count as taken.
    if not SIMULATED:
        cuda.current_context().memory_manager.deallocations.clear()
    return int(min(cuda.current_context().get_memory_info().free, 1 << 50))


def _empty(shape: tuple[int, ...]) -> Any:
    return cuda.device_array(shape, np.float32)


def _checked_on_card(name: str, images: Any) -> Any:
    if SIMULATED:
        array = images
    elif hasattr(images, "__cuda_array_interface__"):
        # Whoever made the images has said in which stream; waiting for it here would hold up the host.
        array = cuda.as_cuda_array(images, sync=False)
    else:
        array = None
    if array is None or not hasattr(array, "is_c_contiguous"):
        raise BadInput(f"flow image '{name}' is {type(images).__name__}: give an array that is on the card")
    if array.dtype != np.float32 or array.ndim != 3 or not array.is_c_contiguous():
        raise BadInput(
            f"flow image '{name}' is {array.dtype} {tuple(array.shape)} on the card: "
            "give a contiguous float32 stack (N, H, W) on the scale 0–255"
        )
    if min(array.shape[1], array.shape[2]) < MINIMUM_SIDE_PX:
        raise BadInput(
            f"flow image '{name}' has shape {tuple(array.shape)}: "
            f"give images of at least {MINIMUM_SIDE_PX} × {MINIMUM_SIDE_PX} pixels"
        )
    return array


@contextmanager
def _card_faults() -> Iterator[None]:
    """Turn what the driver, the compiler or the linker raise into one line."""
    try:
        yield
    except Exception as fault:
        if not type(fault).__module__.startswith(("numba.cuda", "cuda.")):
            raise
        reason = in_one_line(fault)[:200]
        raise BackendUnavailable(
            f"flow on the card failed ({type(fault).__name__}: {reason}): choose the CPU, and look at `onset doctor`"
        ) from fault
