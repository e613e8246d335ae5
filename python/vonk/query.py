"""SQL over files and Arrow data: `vonk.sql(…)`."""

from __future__ import annotations

import html
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from vonk import _vonk

_session: _vonk.Session | None = None

#: Rows that a notebook shows.
_HTML_ROWS = 20


class Result:
    """A statement's result. It is computed when something of it is asked for.

    Anything that takes Arrow streams takes it: `polars.DataFrame(result)`, `pyarrow.table(result)`.

    >>> result = sql("SELECT 1 AS one, 'a' AS letter")
    >>> result.columns
    ['one', 'letter']
    >>> result.fetchall()
    [(1, 'a')]
    """

    def __init__(self, table: _vonk.Table):
        self._table = table

    @property
    def columns(self) -> list[str]:
        """The names of the columns."""
        return self._table.columns

    @property
    def dtypes(self) -> list[tuple[str, str]]:
        """The names of the columns, each with its type."""
        return self._table.dtypes

    def count(self) -> int:
        """How many rows there are."""
        return self._table.count()

    def show(self, n: int = 20, truncate: bool | int = True) -> None:
        """Prints the first rows, as Spark does."""
        print(self._table.show_string(n, _letters(truncate)), end="")

    def fetchall(self) -> list[tuple[Any, ...]]:
        """The rows as tuples."""
        return self._table.rows()

    def fetchone(self) -> tuple[Any, ...] | None:
        """The first row; None if there is none."""
        rows = self._table.rows(1)
        return rows[0] if rows else None

    def fetchmany(self, size: int = 1) -> list[tuple[Any, ...]]:
        """The first rows."""
        return self._table.rows(size)

    def to_arrow(self) -> Any:
        """A `pyarrow.Table`; needs `pyarrow`."""
        import pyarrow

        return pyarrow.table(self)

    def to_pandas(self) -> Any:
        """A pandas DataFrame; needs `pandas` and `pyarrow`."""
        return self.to_arrow().to_pandas()

    def to_polars(self) -> Any:
        """A Polars DataFrame; needs `polars`."""
        import polars

        return polars.DataFrame(self)

    toArrow, toPandas = to_arrow, to_pandas

    def __arrow_c_stream__(self, requested_schema: object = None) -> object:
        return self._table.__arrow_c_stream__(requested_schema)

    def __repr__(self) -> str:
        return self._table.show_string(_HTML_ROWS, 20)

    def _repr_html_(self) -> str:
        head = "".join(f"<th>{html.escape(name)}</th>" for name in self.columns)
        rows = (
            "".join(
                f"<td>{html.escape('NULL' if cell is None else str(cell))}</td>" for cell in row
            )
            for row in self._table.rows(_HTML_ROWS)
        )
        body = "".join(f"<tr>{row}</tr>" for row in rows)
        return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def _letters(truncate: bool | int) -> int | None:
    """After how many letters a text is cut."""
    if truncate is True:
        return 20
    return int(truncate) or None


def session() -> _vonk.Session:
    """The session that `sql` asks; it is made at the first time."""
    global _session
    if _session is None:
        from vonk import _vonk, launch

        _session = _vonk.Session(launch.of_engine(launch.settings()))
    return _session


def sql(query: str, **data: Any) -> Result:
    """Asks a statement. Objects given by name can be named in it, if they give Arrow streams.

    >>> sql("SELECT sum(id) AS total FROM range(5)").fetchone()
    (10,)
    """
    for name, value in data.items():
        register(name, value)
    return Result(session().sql(query))


def register(name: str, data: Any) -> None:
    """Makes a view of an object that gives an Arrow stream: a table, a DataFrame, or a result.

    >>> register("numbers", sql("SELECT id AS n FROM range(3)"))
    >>> sql("SELECT max(n) AS most FROM numbers").fetchall()
    [(2,)]
    """
    if not hasattr(data, "__arrow_c_stream__"):
        raise TypeError(f"a `{type(data).__name__}` gives no Arrow stream")
    session().register(name, data)
