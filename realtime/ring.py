"""Bounded memory of the last frames: by number and by bytes, with an honest count of what it let go."""

from collections import OrderedDict
from threading import Lock
from typing import Generic, TypeVar

from engines.errors import BadInput

Item = TypeVar("Item")


class Ring(Generic[Item]):
    """The newest items with their indices; the oldest make room and are counted.

    Serves as a memory (`get` by index) and as a queue (`take` the oldest). Indices only rise; a jump is a
    gap, kept as data. Thread-safe.

    Args:
        capacity: most items held.
        capacity_bytes: most bytes held; one item is always kept, however large.
    """

    def __init__(self, capacity: int, capacity_bytes: int | None = None) -> None:
        if capacity < 1 or (capacity_bytes is not None and capacity_bytes < 1):
            raise BadInput(f"ring of {capacity} items and {capacity_bytes} bytes: both must be at least 1")
        self._capacity, self._capacity_bytes = capacity, capacity_bytes
        self._items: OrderedDict[int, tuple[Item, int]] = OrderedDict()
        self._bytes = 0
        self._dropped = 0
        self._skipped = 0
        self._newest: int | None = None
        self._lock = Lock()

    def push(self, index: int, item: Item, byte_count: int = 0) -> int:
        """Add an item; give the number of old ones that had to go for it.

        Raises:
            BadInput: if `index` does not rise.
        """
        with self._lock:
            if self._newest is not None:
                if index <= self._newest:
                    raise BadInput(f"ring: index {index} after {self._newest}; indices must rise")
                self._skipped += index - self._newest - 1
            self._items[index] = (item, byte_count)
            self._newest = index
            self._bytes += byte_count
            dropped = 0
            while len(self._items) > 1 and self._over():
                self._remove_oldest()
                dropped += 1
            self._dropped += dropped
            return dropped

    def get(self, index: int) -> Item | None:
        """The item with this index, or None if it never came or is gone."""
        with self._lock:
            found = self._items.get(index)
            return None if found is None else found[0]

    def take(self) -> Item | None:
        """Remove the oldest item and give it, or None when empty; not counted as dropped."""
        with self._lock:
            return self._remove_oldest() if self._items else None

    def discard_before(self, index: int) -> None:
        """Let go of everything older than `index`; not counted as dropped."""
        with self._lock:
            while self._items and next(iter(self._items)) < index:
                self._remove_oldest()

    def clear(self) -> None:
        """Let go of everything; the counts stay."""
        with self._lock:
            self._items.clear()
            self._bytes = 0

    def would_drop(self, byte_count: int = 0) -> bool:
        """True if one more item of this size would push out an old one."""
        with self._lock:
            return bool(self._items) and self._over(1, byte_count)

    @property
    def dropped(self) -> int:
        """Items pushed out because the ring was full."""
        return self._dropped

    @property
    def skipped(self) -> int:
        """Indices that never came, between the first and the newest pushed."""
        return self._skipped

    @property
    def byte_count(self) -> int:
        """Bytes held now."""
        return self._bytes

    @property
    def oldest_index(self) -> int | None:
        """Index of the oldest item held, None when empty."""
        with self._lock:
            return next(iter(self._items), None)

    @property
    def newest_index(self) -> int | None:
        """Index of the newest item ever pushed, None before the first."""
        return self._newest

    def __len__(self) -> int:
        return len(self._items)

    def _over(self, more_items: int = 0, more_bytes: int = 0) -> bool:
        if len(self._items) + more_items > self._capacity:
            return True
        return self._capacity_bytes is not None and self._bytes + more_bytes > self._capacity_bytes

    def _remove_oldest(self) -> Item:
        _, (item, byte_count) = self._items.popitem(last=False)
        self._bytes -= byte_count
        return item
