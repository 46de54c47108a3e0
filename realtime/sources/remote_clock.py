"""Another computer's clock, read on this one's: what a browser stamps becomes time of this machine."""

from collections import deque
from dataclasses import dataclass

from engines.errors import BadInput
from realtime.clock import NANOSECONDS

SETTLED = 8
"""After so many exchanges the map is set, and follows a drift from then on."""
_REMEMBERED = 16
_MOST_SLEW = 200e-6
"""Clocks of computers drift apart by some ten millionths; adjusting by more would bend the intervals between frames."""
_JUMP_NS = NANOSECONDS // 10
_COARSE_NS = 5 * NANOSECONDS // 1000
"""Browsers round their clock, to a millisecond or so: an answer may seem to have come before the question."""


@dataclass(frozen=True, slots=True)
class _Exchange:
    offset_ns: int
    delay_ns: int


class RemoteClock:
    """Maps readings of another clock to the monotonic clock here, as the network time protocol does.

    Of the last exchanges the quickest counts: neither way can have been delayed by more than it took. Once set, the
    map follows a drift slowly, and only as far as it is certain, so that the time between two frames stays true.

    Reference:
        Mills, Internet time synchronization: the network time protocol, IEEE Transactions on Communications 39, 1991.
    """

    def __init__(self) -> None:
        self._exchanges: deque[_Exchange] = deque(maxlen=_REMEMBERED)
        self._offset_ns: int | None = None
        self._adjusted_ns = 0

    @property
    def uncertainty_ns(self) -> int | None:
        """How far off the map may be at most, nanoseconds; None before the first exchange."""
        return None if not self._exchanges else self._quickest().delay_ns // 2

    def add(self, *, sent_ns: int, there_ns: int, back_ns: int, received_ns: int) -> None:
        """Take one exchange; one that took less than no time, by as much as a coarse clock explains, is left out.

        Args:
            sent_ns: when the question left here.
            there_ns: when it came there, on the clock there.
            back_ns: when the answer left there, on the clock there.
            received_ns: when the answer came here.

        Raises:
            BadInput: if the times are out of order.
        """
        delay_ns = (received_ns - sent_ns) - (back_ns - there_ns)
        if back_ns < there_ns or delay_ns < -_COARSE_NS:
            raise BadInput("clock exchange: the times are out of order; connect again")
        if delay_ns < 0:
            return
        exchange = _Exchange((sent_ns - there_ns + received_ns - back_ns) // 2, delay_ns)
        if self._exchanges and abs(exchange.offset_ns - self._quickest().offset_ns) > _JUMP_NS + delay_ns:
            # The clock there stood still while that computer slept: what was known of it is over.
            self._exchanges.clear()
        self._exchanges.append(exchange)
        self._adjust(received_ns)

    def here_ns(self, there_ns: int) -> int:
        """What the clock here showed when the one there showed this.

        Raises:
            BadInput: before the first exchange.
        """
        if self._offset_ns is None:
            raise BadInput("clock: not set yet; exchange times first")
        return there_ns + self._offset_ns

    def _quickest(self) -> _Exchange:
        return min(self._exchanges, key=lambda one: one.delay_ns)

    def _adjust(self, now_ns: int) -> None:
        best = self._quickest()
        if self._offset_ns is None or len(self._exchanges) <= SETTLED:
            self._offset_ns = best.offset_ns
        else:
            off_ns = best.offset_ns - self._offset_ns
            surely_ns = max(0, abs(off_ns) - best.delay_ns // 2)
            step_ns = min(surely_ns, round(_MOST_SLEW * (now_ns - self._adjusted_ns)))
            self._offset_ns += step_ns if off_ns > 0 else -step_ns
        self._adjusted_ns = now_ns
