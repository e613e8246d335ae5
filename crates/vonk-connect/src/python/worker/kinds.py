"""What is done for each of PySpark's kinds of functions: from the batches of the input to its result."""

import inspect

import pyarrow as pa
from pyspark.sql.pandas.types import from_arrow_type
from pyspark.sql.types import StructType
from vonk_worker.values import (
    check_count,
    check_names,
    check_rows,
    check_types,
    coercion,
    from_frame,
    from_series,
    nullable,
    runtime_error,
    to_array,
    to_frame,
    to_objects,
    to_series,
    wrong_type,
)


def call_rows(function, batches):
    """One call for each row."""
    coerce = nullable(coercion(function.type)) if function.kind == 100 else None
    target = function.schema.field(0).type
    for batch in batches:
        columns = [to_objects(column) for column in batch.columns]
        rows = zip(*columns) if columns else (() for _ in range(batch.num_rows))
        if any(function.about["named"]):
            values = [function.apply(row) for row in rows]
        else:
            call = function.call
            values = [call(*row) for row in rows]
        if coerce is not None:
            values = [coerce(value) for value in values]
        yield function.batch([to_array(values, function.type, target, function.safe)])


def columns_of(function, batch):
    return [to_series(column, f"_{at}", function.zone) for at, column in enumerate(batch.columns)]


def scalar_result(function, result):
    """The result of a function of series as a batch."""
    import pandas as pd

    if not hasattr(result, "__len__"):
        is_struct = isinstance(function.type, StructType)
        wanted = "pandas.DataFrame" if is_struct else "pandas.Series"
        raise wrong_type(wanted, type(result).__name__)
    if not isinstance(result, (pd.Series, pd.DataFrame)):
        result = pd.Series(result)
    return function.batch([from_series(function, result, function.type, function.schema.field(0).type)])


def call_series(function, batches):
    """One call for each batch."""
    for batch in batches:
        result = scalar_result(function, function.apply(columns_of(function, batch)))
        check_rows(result.num_rows, batch.num_rows)
        yield result


def call_series_iterator(function, batches):
    """One call for all batches, which the function takes one by one."""
    return call_iterator(function, batches, columns_of, scalar_result)


def call_iterator(function, batches, columns_of, result_of):
    rows = 0

    def inputs():
        nonlocal rows
        for batch in batches:
            rows += batch.num_rows
            columns = columns_of(function, batch)
            yield columns[0] if len(columns) == 1 else tuple(columns)

    given = 0
    for result in function.call(inputs()):
        batch = result_of(function, result)
        given += batch.num_rows
        if given > rows:
            raise runtime_error("OUTPUT_EXCEEDS_INPUT_ROWS")
        yield batch
    check_rows(given, rows)


def iterate(result, wanted):
    """An iterator that a function has given."""
    if not hasattr(result, "__iter__"):
        raise wrong_type(f"iterator of {wanted}", type(result).__name__)
    return iter(result)


def frame_result(function, frame):
    import pandas as pd

    if not isinstance(frame, pd.DataFrame):
        raise wrong_type("pandas.DataFrame", type(frame).__name__)
    return function.batch(from_frame(function, frame, function.type, list(function.schema)))


def map_frames(function, batches):
    """`mapInPandas`."""
    import pandas as pd

    inputs = (to_frame(batch, function.names, function.zone) for batch in batches)
    for frame in iterate(function.call(inputs), "pandas.DataFrame"):
        if not isinstance(frame, pd.DataFrame):
            raise wrong_type("iterator of pandas.DataFrame", f"iterator of {type(frame).__name__}")
        # As in Spark, columns behind the last one that was declared are left out.
        yield frame_result(function, frame.iloc[:, : len(function.schema)])


def arrow_result(function, array):
    """The result of a function of arrays as a batch."""
    if isinstance(array, pa.ChunkedArray):
        array = array.combine_chunks()
    if not isinstance(array, pa.Array):
        raise wrong_type("pyarrow.Array", type(array).__name__)
    target = function.schema.field(0).type
    return function.batch([array if array.type == target else array.cast(target)])


def call_arrays(function, batches):
    for batch in batches:
        result = arrow_result(function, function.apply(batch.columns))
        check_rows(result.num_rows, batch.num_rows)
        yield result


def call_array_iterator(function, batches):
    return call_iterator(function, batches, lambda _, batch: batch.columns, arrow_result)


def table_result(function, result, wanted):
    """The batches of a table or batch that a function has given, in the order of the columns."""
    if not isinstance(result, (pa.Table, pa.RecordBatch)):
        raise wrong_type(wanted, type(result).__name__)
    if result.num_columns == 0 and result.num_rows == 0:
        return
    names = function.schema.names
    if function.by_name:
        check_names(result.schema.names, names)
        result = result.select(names)
    else:
        check_count(result.num_columns, len(names))
    check_types(result.schema, function.schema)
    for batch in result.to_batches() if isinstance(result, pa.Table) else [result]:
        yield function.batch([c.cast(f.type) for c, f in zip(batch.columns, function.schema)])


def map_batches(function, batches):
    """`mapInArrow`."""
    inputs = (pa.RecordBatch.from_arrays(batch.columns, function.names) for batch in batches)
    for batch in iterate(function.call(inputs), "pyarrow.RecordBatch"):
        yield from table_result(function, batch, "iterator of pyarrow.RecordBatch")


# Groups: each row of the input is one, with lists of structs for its rows -------------------------


def group_rows(lists, at, names):
    """The rows of one group."""
    scalar = lists[at]
    values = scalar.values if scalar.is_valid else lists.values.slice(0, 0)
    names = names or [field.name for field in values.type]
    return pa.RecordBatch.from_arrays(values.flatten(), names)


def takes_key(function, without):
    """Whether the function wants the key of the group too."""
    return len(inspect.getfullargspec(function.call).args) > without


def aggregate_series(function, batches):
    """One value for each group of series."""
    import pandas as pd

    target = function.schema.field(0).type
    for batch in batches:
        values = []
        for at in range(batch.num_rows):
            rows = group_rows(batch.column(0), at, function.names)
            series = [to_series(c, f"_{n}", function.zone) for n, c in enumerate(rows.columns)]
            values.append(group_value(function, series))
        series = pd.Series(values, dtype=None if values else object)
        yield function.batch([from_series(function, series, function.type, target)])


def group_value(function, columns):
    """What an aggregate gives for the columns of a group."""
    if function.kind in (217, 254):
        return function.call(iter([columns[0] if len(columns) == 1 else tuple(columns)]))
    return function.apply(columns)


def aggregate_arrays(function, batches):
    """One value for each group of arrays."""
    target = function.schema.field(0).type
    for batch in batches:
        values = []
        for at in range(batch.num_rows):
            rows = group_rows(batch.column(0), at, function.names)
            value = group_value(function, rows.columns)
            values.append(value.as_py() if isinstance(value, pa.Scalar) else value)
        yield function.batch([pa.array(values, type=target)])


def pandas_key(function, batch, at):
    key = [batch.column(n).slice(at, 1) for n in range(function.key_count)]
    return tuple(to_series(part, None, function.zone).iloc[0] for part in key)


def arrow_key(function, batch, at):
    return tuple(batch.column(n)[at] for n in range(function.key_count))


def map_group_frames(function, batches):
    """`applyInPandas`."""
    with_key = takes_key(function, 1)
    for batch in batches:
        for at in range(batch.num_rows):
            rows = group_rows(batch.column(function.key_count), at, function.names)
            frame = to_frame(rows, function.names, function.zone)
            given = iter([frame]) if function.kind == 216 else frame
            key = (pandas_key(function, batch, at),) if with_key else ()
            result = function.call(*key, given)
            for frame in iterate(result, "pandas.DataFrame") if function.kind == 216 else [result]:
                yield frame_result(function, frame)


def map_group_tables(function, batches):
    """`applyInArrow`."""
    with_key = takes_key(function, 1)
    for batch in batches:
        for at in range(batch.num_rows):
            rows = group_rows(batch.column(function.key_count), at, function.names)
            given = iter([rows]) if function.kind == 215 else pa.Table.from_batches([rows])
            key = (arrow_key(function, batch, at),) if with_key else ()
            result = function.call(*key, given)
            for table in iterate(result, "pyarrow.RecordBatch") if function.kind == 215 else [result]:
                yield from table_result(function, table, "pyarrow.Table")


def both_sides(function, batch, at):
    first, names = function.key_count, function.names
    count = function.about["left"]
    left = group_rows(batch.column(first), at, names[:count])
    return left, group_rows(batch.column(first + 1), at, names[count:])


def map_cogroup_frames(function, batches):
    """`applyInPandas` of two groups of one key."""
    with_key = takes_key(function, 2)
    for batch in batches:
        for at in range(batch.num_rows):
            sides = both_sides(function, batch, at)
            frames = [to_frame(side, side.schema.names, function.zone) for side in sides]
            key = (pandas_key(function, batch, at),) if with_key else ()
            yield frame_result(function, function.call(*key, *frames))


def map_cogroup_tables(function, batches):
    """`applyInArrow` of two groups of one key."""
    with_key = takes_key(function, 2)
    for batch in batches:
        for at in range(batch.num_rows):
            tables = [pa.Table.from_batches([side]) for side in both_sides(function, batch, at)]
            key = (arrow_key(function, batch, at),) if with_key else ()
            yield from table_result(function, function.call(*key, *tables), "pyarrow.Table")


# Functions that give tables -----------------------------------------------------------------------


def table_rows(function, rows):
    """What a handler has given as batches: tuples, or arrays and tables for those of Arrow."""
    fields = list(function.schema)
    kept = []
    for row in rows or ():
        if isinstance(row, (pa.Table, pa.RecordBatch)):
            yield from table_result(function, row, "pyarrow.Table")
            continue
        if isinstance(row, dict):
            row = tuple(row.get(field.name) for field in fields)
        if not isinstance(row, (tuple, list)):
            raise runtime_error("UDTF_INVALID_OUTPUT_ROW_TYPE", type=type(row).__name__, func="eval")
        if len(row) != len(fields):
            raise runtime_error(
                "UDTF_RETURN_SCHEMA_MISMATCH", expected=str(len(fields)), actual=str(len(row)), func="eval"
            )
        kept.append(row)
    if kept:
        columns = zip(zip(*kept), fields)
        kinds = [from_arrow_type(field.type) for field in fields]
        yield function.batch(
            [to_array(c, kind, f.type, function.safe) for (c, f), kind in zip(columns, kinds)]
        )


def argument_rows(function, batch):
    """The arguments of each call of `eval`: objects or, for a handler of Arrow, arrays."""
    if function.kind == 302:
        return [tuple(batch.columns)]
    columns = [to_objects(column) for column in batch.columns]
    return list(zip(*columns)) if columns else [()] * batch.num_rows


def analyze(function, batch):
    """What the handler says of its arguments before it is called."""
    from pyspark.sql.udtf import AnalyzeArgument

    kinds = [from_arrow_type(column.type) for column in batch.columns]
    values = [to_objects(column)[0] for column in batch.columns]
    plain, named = function.arguments(
        [
            AnalyzeArgument(dataType=kind, value=value, isTable=False, isConstantExpression=True)
            for kind, value in zip(kinds, values)
        ]
    )
    return function.call.analyze(*plain, **named)


def analyze_table(function, batches):
    """The columns of the result, as JSON."""
    for batch in batches:
        yield function.batch([pa.array([analyze(function, batch).schema.json()])])


def handler_of(function, batch):
    """The object that a call is made of; it may be told what `analyze` has found."""
    takes_more = len(inspect.signature(function.call.__init__).parameters) > 1
    if hasattr(function.call, "analyze") and takes_more and "__init__" in vars(function.call):
        return function.call(analyze(function, batch))
    return function.call()


def call_table(function, batches):
    """A handler of its own for the rows of all batches."""
    handler = None
    for batch in batches:
        handler = handler or handler_of(function, batch)
        for row in argument_rows(function, batch):
            plain, named = function.arguments(row)
            yield from table_rows(function, handler.eval(*plain, **named))
    handler = handler or function.call()
    if hasattr(handler, "terminate"):
        yield from table_rows(function, handler.terminate())
    if hasattr(handler, "cleanup"):
        handler.cleanup()


#: What is done for each of PySpark's kinds of functions.
RUNS = {
    -1: analyze_table,
    100: call_rows,
    101: call_rows,
    200: call_series,
    201: map_group_frames,
    202: aggregate_series,
    203: aggregate_series,
    204: call_series_iterator,
    205: map_frames,
    206: map_cogroup_frames,
    207: map_batches,
    209: map_group_tables,
    210: map_cogroup_tables,
    215: map_group_tables,
    216: map_group_frames,
    217: aggregate_series,
    250: call_arrays,
    251: call_array_iterator,
    252: aggregate_arrays,
    253: aggregate_arrays,
    254: aggregate_arrays,
    300: call_table,
    301: call_table,
    302: call_table,
}
