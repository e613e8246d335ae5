"""The schema of an RDD's rows, found as Spark finds it: in the first of them, or in a share of all.

Values of later rows that do not fit become NULL, as in Spark. Needs the PySpark client.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping, Sequence
from typing import Any

#: Options of a session that say how types are found.
OPTIONS = (
    "spark.sql.timestampType",
    "spark.sql.pyspark.inferNestedDictAsStruct.enabled",
    "spark.sql.pyspark.legacy.inferArrayTypeFromFirstElement.enabled",
    "spark.sql.pyspark.legacy.inferMapTypeFromFirstPair.enabled",
)

#: Rows that Spark looks at if the first one leaves types open.
_ROWS_MAX = 100

#: From this ratio on Spark looks at every row.
_ALL = 0.99


def schema_of(
    rows: list[Any],
    names: Sequence[str] | None,
    ratio: float | None,
    options: Mapping[str, str | None],
) -> Any:
    """The schema of rows; without a ratio that of the first, and of others as far as it has NULL."""
    from pyspark.sql import types

    if not rows:
        raise ValueError("RDD is empty")
    infer = functools.partial(
        types._infer_schema,
        names=None if names is None else list(names),
        infer_dict_as_struct=options[OPTIONS[1]] == "true",
        infer_array_from_first_element=options[OPTIONS[2]] == "true",
        infer_map_from_first_pair=options[OPTIONS[3]] == "true",
        prefer_timestamp_ntz=options[OPTIONS[0]] == "TIMESTAMP_NTZ",
    )
    if ratio is None:
        return _of_first(rows, infer)
    return functools.reduce(types._merge_type, map(infer, sample(rows, ratio)))


def fitted(rows: Sequence[Any], schema: Any) -> list[Any]:
    """The rows as tuples of the schema's columns, with None for what does not fit its column."""
    from pyspark.sql import types

    convert = types._create_converter(schema)
    checks = [types._make_type_verifier(field.dataType) for field in schema.fields]
    check_length = types._make_type_verifier(schema)
    tuples = []
    for row in rows:
        values = row if convert is None else convert(row)
        if len(values) != len(checks):
            check_length(values)
        tuples.append(tuple(map(_fit, checks, values)))
    return tuples


def _fit(check: Callable[[Any], Any], value: Any) -> Any:
    """A value, or None where it is not of the type that is checked."""
    from pyspark.errors import PySparkException

    try:
        check(value)
    except PySparkException:
        return None
    return value


def _of_first(rows: list[Any], infer: Any) -> Any:
    from pyspark.errors import PySparkValueError
    from pyspark.sql import types

    schema = infer(rows[0])
    for row in rows[1:_ROWS_MAX]:
        if not types._has_nulltype(schema):
            break
        schema = types._merge_type(schema, infer(row))
    if types._has_nulltype(schema):
        raise PySparkValueError(errorClass="CANNOT_DETERMINE_TYPE", messageParameters={})
    return schema


def sample(rows: Sequence[Any], ratio: float) -> list[Any]:
    """A share of the rows, which lie evenly among them; at least the first.

    >>> sample("abcdef", 0.5), sample("abc", 0.01), sample("abc", 1.0)
    (['a', 'c', 'e'], ['a'], ['a', 'b', 'c'])
    """
    if ratio >= _ALL:
        return list(rows)
    count = max(1, int(len(rows) * ratio))
    return [rows[number * len(rows) // count] for number in range(count)]
