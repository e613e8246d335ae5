"""What is done for each of PySpark's kinds of functions: from the batches of the input to its result."""

import inspect
import itertools
import json

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

#: Rows of handlers that are made to a batch.
TABLE_ROWS_MAX = 10_000


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


def groups(function, batch):
    """The groups of a batch: the columns of its key, of one row each, and the rows of its inputs."""
    count, names, left = function.key_count, function.names, function.about["left"]
    keys, lists = batch.columns[:count], batch.columns[count:]
    sides = [names] if len(lists) == 1 else [names[:left], names[left:]]
    for at in range(batch.num_rows):
        rows = [group_rows(side, at, names) for side, names in zip(lists, sides)]
        yield [key.slice(at, 1) for key in keys], rows


def aggregate(function, batches, columns_of, array_of):
    """One value for each group."""
    for batch in batches:
        values = []
        for _, (rows,) in groups(function, batch):
            columns = columns_of(function, rows)
            if function.kind in (217, 254):
                parts = iter([columns[0] if len(columns) == 1 else tuple(columns)])
                values.append(function.call(parts))
            else:
                values.append(function.apply(columns))
        yield function.batch([array_of(function, values)])


def aggregate_series(function, batches):
    """One value for each group of series."""
    import pandas as pd

    def array_of(function, values):
        series = pd.Series(values, dtype=None if values else object)
        return from_series(function, series, function.type, function.schema.field(0).type)

    return aggregate(function, batches, columns_of, array_of)


def aggregate_arrays(function, batches):
    """One value for each group of arrays."""

    def array_of(function, values):
        values = [value.as_py() if isinstance(value, pa.Scalar) else value for value in values]
        return pa.array(values, type=function.schema.field(0).type)

    return aggregate(function, batches, lambda _, rows: rows.columns, array_of)


def map_groups(function, batches, key_of, given_of, results_of):
    """The rows that a function gives for each group, or for two groups of one key."""
    wanted = len(inspect.getfullargspec(function.call).args)
    for batch in batches:
        for key, sides in groups(function, batch):
            # A function that takes more than the groups wants their key first.
            keys = [tuple(key_of(part) for part in key)] if wanted > len(sides) else []
            yield from results_of(function.call(*keys, *map(given_of, sides)))


def map_group_frames(function, batches):
    """`applyInPandas`, also of two groups of one key."""
    is_iterator = function.kind == 216

    def key_of(part):
        return to_series(part, None, function.zone).iloc[0]

    def given_of(rows):
        frame = to_frame(rows, rows.schema.names, function.zone)
        return iter([frame]) if is_iterator else frame

    def results_of(result):
        frames = iterate(result, "pandas.DataFrame") if is_iterator else [result]
        return (frame_result(function, frame) for frame in frames)

    return map_groups(function, batches, key_of, given_of, results_of)


def map_group_tables(function, batches):
    """`applyInArrow`, also of two groups of one key."""
    is_iterator = function.kind == 215

    def given_of(rows):
        return iter([rows]) if is_iterator else pa.Table.from_batches([rows])

    def results_of(result):
        for table in iterate(result, "pyarrow.RecordBatch") if is_iterator else [result]:
            yield from table_result(function, table, "pyarrow.Table")

    return map_groups(function, batches, lambda part: part[0], given_of, results_of)


# Functions that give tables -----------------------------------------------------------------------


def table_rows(function, rows):
    """What a handler has given as batches: tuples, or arrays and tables for those of Arrow."""
    fields = list(function.schema)
    kinds = [from_arrow_type(field.type) for field in fields]

    def batch(rows):
        columns = zip(zip(*rows), fields, kinds)
        return function.batch([to_array(c, kind, f.type, function.safe) for c, f, kind in columns])

    kept = []
    for row in rows:
        if isinstance(row, (pa.Table, pa.RecordBatch)):
            yield from table_result(function, row, "pyarrow.Table")
            continue
        kept.append(checked_row(row, fields))
        if len(kept) == TABLE_ROWS_MAX:
            yield batch(kept)
            kept = []
    if kept:
        yield batch(kept)


def checked_row(row, fields):
    """A row with a value for each column."""
    if isinstance(row, dict):
        row = tuple(row.get(field.name) for field in fields)
    if not isinstance(row, (tuple, list)):
        raise runtime_error("UDTF_INVALID_OUTPUT_ROW_TYPE", type=type(row).__name__, func="eval")
    if len(row) != len(fields):
        raise runtime_error(
            "UDTF_RETURN_SCHEMA_MISMATCH", expected=str(len(fields)), actual=str(len(row)), func="eval"
        )
    return row


def argument_rows(function, batch):
    """The arguments of each call of `eval`: objects or, for a handler of Arrow, arrays."""
    if function.kind == 302:
        columns = list(batch.columns)
        if function.table is not None:
            columns[function.table] = pa.RecordBatch.from_struct_array(columns[function.table])
        return [tuple(columns)]
    columns = [to_objects(column) for column in batch.columns]
    return list(zip(*columns)) if columns else [()] * batch.num_rows


def analyze(function, batch):
    """What the handler says of its arguments before it is called."""
    from pyspark.sql.udtf import AnalyzeArgument

    arguments = []
    for at, column in enumerate(batch.columns):
        is_table = at == function.table
        value = None if is_table else to_objects(column)[0]
        arguments.append(
            AnalyzeArgument(
                dataType=from_arrow_type(column.type),
                value=value,
                isTable=is_table,
                isConstantExpression=not is_table,
            )
        )
    plain, named = function.arguments(arguments)
    return function.call.analyze(*plain, **named)


def analyze_table(function, batches):
    """The columns of the result and how the rows of a table are wanted, as JSON."""
    for batch in batches:
        result = analyze(function, batch)
        order = []
        for key in result.orderBy:
            nulls_first = key.overrideNullsFirst
            order.append((key.name, key.ascending, key.ascending if nulls_first is None else nulls_first))
        told = {
            "schema": result.schema.json(),
            "single": result.withSinglePartition,
            "partition": [key.name for key in result.partitionBy],
            "order": order,
            "select": [(one.alias or one.name.strip("`"), one.name) for one in result.select],
        }
        yield function.batch([pa.array([json.dumps(told)])])


def pieces(function, batches):
    """The arguments of the input's rows, cut where the key changes; whether a key begins with them."""
    count, last = function.key_count, None
    for batch in batches:
        keys = list(zip(*map(to_objects, batch.columns[:count]))) if count else [()] * batch.num_rows
        starts = [at for at, key in enumerate(keys) if at == 0 or key != keys[at - 1]]
        arguments = batch.select(range(count, batch.num_columns)) if count else batch
        for start, end in zip(starts, [*starts[1:], len(keys)]):
            yield keys[start] != last, arguments.slice(start, end - start)
            last = keys[start]


class Handler:
    """An object of the program's class, for the rows of one key."""

    def __init__(self, function, made):
        self.function = function
        self.made = made
        self.skips = False

    def rows(self, batch):
        """What `eval` gives for the arguments of each row, until it wants no more of them."""
        from pyspark.sql.udtf import SkipRestOfInputTableException

        for row in [] if self.skips else argument_rows(self.function, batch):
            plain, named = self.function.arguments(row)
            try:
                yield from self.made.eval(*plain, **named) or ()
            except SkipRestOfInputTableException:
                self.skips = True
                return

    def end(self):
        """What `terminate` gives."""
        if hasattr(self.made, "terminate"):
            yield from self.made.terminate() or ()
        if hasattr(self.made, "cleanup"):
            self.made.cleanup()


def call_table(function, batches):
    """A handler of its own for the rows of each key, or one for all rows."""
    return table_rows(function, handled(function, batches))


def handled(function, batches):
    call, handler, analysis = function.call, None, None
    # A handler whose constructor takes something is told what `analyze` has found.
    takes_analysis = hasattr(call, "analyze") and "__init__" in vars(call)
    takes_analysis = takes_analysis and len(inspect.signature(call.__init__).parameters) > 1
    for is_new, batch in pieces(function, batches):
        if is_new:
            if handler is not None:
                yield from handler.end()
            if takes_analysis:
                analysis = analysis or analyze(function, batch)
            handler = Handler(function, call(analysis) if takes_analysis else call())
        yield from handler.rows(batch)
    if handler is None and not function.key_count and not takes_analysis:
        handler = Handler(function, call())
    if handler is not None:
        yield from handler.end()


# Functions of streaming queries --------------------------------------------------------------------


def for_each_row(function, batches):
    """`foreach`: what is done with each row of a batch, whose number stands beside them."""
    from pyspark.taskcontext import TaskContext

    def rows():
        for batch in itertools.chain([first], batches) if first is not None else ():
            yield from to_objects(batch.column(0))

    first = next(batches, None)
    context = TaskContext._getOrCreate()
    number = -1 if first is None else first.column(1)[0].as_py()
    context._localProperties = {"streaming.sql.batchId": str(number)}
    for _ in function.call(0, rows()) or ():
        pass
    yield function.batch([pa.array([True])])


def for_each_batch(function, batches):
    """`foreachBatch`: what is done with a batch as a data frame of a session of the program's."""
    from pyspark.sql.connect.session import SparkSession

    for batch in batches:
        address, frame, number = (column[0].as_py() for column in batch.columns)
        session = SESSIONS.get(address)
        if session is None:
            session = SESSIONS[address] = SparkSession.builder.remote(address).create()
        function.call(session._create_remote_dataframe(frame), number)
        yield function.batch([pa.array([True])])


#: Sessions of functions that are given data frames, by their address.
SESSIONS = {}


#: What is done for each of PySpark's kinds of functions.
RUNS = {
    -1: analyze_table,
    -2: for_each_row,
    -3: for_each_batch,
    100: call_rows,
    101: call_rows,
    200: call_series,
    201: map_group_frames,
    202: aggregate_series,
    203: aggregate_series,
    204: call_series_iterator,
    205: map_frames,
    206: map_group_frames,
    207: map_batches,
    209: map_group_tables,
    210: map_group_tables,
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
