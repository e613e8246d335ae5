"""Files of partitions: their names, how they are packed, and what writes rows to them."""

from __future__ import annotations

import bz2
import gzip
import os
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from vonk.errors import not_supported

#: Hadoop's names of codecs, with the ending and the opener of each.
_CODECS: dict[str, tuple[str, Callable[..., Any]]] = {
    "GzipCodec": (".gz", gzip.open),
    "BZip2Codec": (".bz2", bz2.open),
}


class Part(NamedTuple):
    """How a partition becomes a file; `name` has a place for its index."""

    name: str
    opener: Callable[..., Any]
    write_rows: Callable[[Any, Iterator[Any]], None]

    def write(self, folder: str, index: int, rows: Iterator[Any]) -> None:
        """Writes a partition to a file in a folder."""
        with self.opener(os.path.join(folder, self.name.format(index)), "wb") as file:
            self.write_rows(file, rows)


def codec(name: str | None) -> tuple[str, Callable[..., Any]]:
    """The ending and the opener of files that a codec packs; None for plain ones.

    >>> codec("org.apache.hadoop.io.compress.GzipCodec")[0], codec(None)[0]
    ('.gz', '')
    """
    if name is None:
        return "", open
    found = _CODECS.get(name.rsplit(".", 1)[-1])
    if found is None:
        raise not_supported(f"the codec `{name}`", f"take one of {', '.join(_CODECS)}")
    return found
