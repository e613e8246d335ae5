"""How the partitions of an RDD are kept."""

from __future__ import annotations

from typing import Any, ClassVar


class StorageLevel:
    """Where kept partitions lie. vonk keeps them pickled in its private folder at every level.

    >>> str(StorageLevel.MEMORY_AND_DISK)
    'Disk Memory Serialized 1x Replicated'
    """

    NONE: ClassVar[StorageLevel]
    DISK_ONLY: ClassVar[StorageLevel]
    DISK_ONLY_2: ClassVar[StorageLevel]
    DISK_ONLY_3: ClassVar[StorageLevel]
    MEMORY_ONLY: ClassVar[StorageLevel]
    MEMORY_ONLY_2: ClassVar[StorageLevel]
    MEMORY_AND_DISK: ClassVar[StorageLevel]
    MEMORY_AND_DISK_2: ClassVar[StorageLevel]
    OFF_HEAP: ClassVar[StorageLevel]
    MEMORY_AND_DISK_DESER: ClassVar[StorageLevel]

    def __init__(
        self,
        useDisk: bool,
        useMemory: bool,
        useOffHeap: bool,
        deserialized: bool,
        replication: int = 1,
    ):
        self.useDisk = useDisk
        self.useMemory = useMemory
        self.useOffHeap = useOffHeap
        self.deserialized = deserialized
        self.replication = replication

    def _key(self) -> tuple[bool, bool, bool, bool, int]:
        return (
            self.useDisk,
            self.useMemory,
            self.useOffHeap,
            self.deserialized,
            self.replication,
        )

    def __eq__(self, other: object) -> bool:
        return isinstance(other, StorageLevel) and self._key() == other._key()

    def __hash__(self) -> int:
        return hash(self._key())

    def __repr__(self) -> str:
        flags = ", ".join(str(part) for part in self._key())
        return f"StorageLevel({flags})"

    def __str__(self) -> str:
        words = [
            "Disk" if self.useDisk else "",
            "Memory" if self.useMemory else "",
            "OffHeap" if self.useOffHeap else "",
            "Deserialized" if self.deserialized else "Serialized",
            f"{self.replication}x Replicated",
        ]
        return " ".join(word for word in words if word)


_LEVELS: dict[str, tuple[Any, ...]] = {
    "NONE": (False, False, False, False),
    "DISK_ONLY": (True, False, False, False),
    "DISK_ONLY_2": (True, False, False, False, 2),
    "DISK_ONLY_3": (True, False, False, False, 3),
    "MEMORY_ONLY": (False, True, False, False),
    "MEMORY_ONLY_2": (False, True, False, False, 2),
    "MEMORY_AND_DISK": (True, True, False, False),
    "MEMORY_AND_DISK_2": (True, True, False, False, 2),
    "OFF_HEAP": (True, True, True, False),
    "MEMORY_AND_DISK_DESER": (True, True, False, True),
}
for _name, _flags in _LEVELS.items():
    setattr(StorageLevel, _name, StorageLevel(*_flags))
