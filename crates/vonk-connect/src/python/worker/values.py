"""Values between Arrow and what functions know: objects of Python, series of pandas."""

import datetime
import decimal
import functools

import pyarrow as pa
from pyspark.errors import PySparkRuntimeError, PySparkTypeError
from pyspark.sql.conversion import ArrowTableToRowsConversion, LocalDataToArrowConversion
from pyspark.sql.pandas.types import from_arrow_type
from pyspark.sql.types import (
    ArrayType,
    BinaryType,
    BooleanType,
    ByteType,
    DateType,
    DecimalType,
    DoubleType,
    FloatType,
    IntegerType,
    LongType,
    MapType,
    ShortType,
    StringType,
    StructType,
    TimestampNTZType,
    TimestampType,
)


def to_objects(array):
    """The values of an array as PySpark's users know them."""
    convert = ArrowTableToRowsConversion._create_converter(from_arrow_type(array.type))
    to_list = getattr(ArrowTableToRowsConversion, "_to_pylist", lambda column: column.to_pylist())
    return [convert(value) for value in to_list(array)]


def to_array(values, kind, target, safe=True):
    """Objects as an array; those that do not fit are an error, unless a cast makes them fit."""
    convert = LocalDataToArrowConversion._create_converter(kind)
    values = [convert(value) for value in values]
    try:
        return pa.array(values, type=target)
    except pa.lib.ArrowInvalid:
        return pa.array(values).cast(target, safe=safe)


def whole(bits):
    """Whole numbers of so many bits; larger ones wrap, as in Java."""
    half = 1 << (bits - 1)

    def coerce(value):
        if isinstance(value, bool) or not isinstance(value, int):
            return None
        return (value + half) % (2 * half) - half

    return coerce


def only(*classes, convert=lambda value: value):
    """Values of these classes; all others are NULL."""
    return lambda value: convert(value) if isinstance(value, classes) else None


def java_text(value):
    """A value as Java words it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(java_text(item) for item in value) + "]"
    if isinstance(value, dict):
        items = (f"{java_text(key)}={java_text(item)}" for key, item in value.items())
        return "{" + ", ".join(items) + "}"
    return "null" if value is None else str(value)


def coercion(kind):
    """What a pickled function's values become: those of a wrong type are NULL."""
    plain = {
        BooleanType: only(bool),
        ByteType: whole(8),
        ShortType: whole(16),
        IntegerType: whole(32),
        LongType: whole(64),
        FloatType: only(float),
        DoubleType: only(float),
        DateType: only(
            datetime.date,
            convert=lambda day: day.date() if isinstance(day, datetime.datetime) else day,
        ),
        TimestampType: only(datetime.datetime),
        TimestampNTZType: only(datetime.datetime),
        BinaryType: only(bytes, bytearray, str, convert=lambda v: v.encode() if isinstance(v, str) else bytes(v)),
        StringType: java_text,
    }
    if isinstance(kind, DecimalType):
        return only(decimal.Decimal, convert=lambda value: rounded(value, kind))
    if isinstance(kind, ArrayType):
        item = nullable(coercion(kind.elementType))
        return only(list, tuple, convert=lambda items: [item(value) for value in items])
    if isinstance(kind, MapType):
        key, item = nullable(coercion(kind.keyType)), nullable(coercion(kind.valueType))
        return only(dict, convert=lambda pairs: {key(k): item(v) for k, v in pairs.items()})
    return plain.get(type(kind), lambda value: value)


def rounded(value, kind):
    """A decimal with the digits of its type, NULL if it has more before the point."""
    with decimal.localcontext() as context:
        context.prec = 76
        value = value.quantize(decimal.Decimal(1).scaleb(-kind.scale), decimal.ROUND_HALF_UP)
    fits = len(value.as_tuple().digits) <= kind.precision
    return value if fits else None


def nullable(convert):
    return lambda value: None if value is None else convert(value)


@functools.lru_cache(maxsize=None)
def series_converter(kind, zone):
    """What makes a series as PySpark's users know it of one as Arrow gives it: one for all groups."""
    from pyspark.sql.pandas.types import _create_converter_to_pandas

    return _create_converter_to_pandas(
        kind, True, timezone=zone, struct_in_pandas="dict", error_on_duplicated_field_names=True
    )


def to_series(array, name, zone):
    """An array as pandas has it; of structs, a data frame."""
    kind = from_arrow_type(array.type)
    if isinstance(kind, StructType):
        import pandas as pd

        parts = zip(array.flatten(), kind.names)
        return pd.concat([to_series(part, name, zone) for part, name in parts], axis=1)
    series = array.to_pandas(date_as_object=True)
    series.name = name
    return series_converter(kind, zone)(series)


def to_frame(batch, names, zone):
    import pandas as pd

    series = [to_series(column, name, zone) for column, name in zip(batch.columns, names)]
    if not series:
        return pd.DataFrame(index=range(batch.num_rows))
    return pd.concat(series, axis=1, keys=names)


@functools.lru_cache(maxsize=None)
def arrow_converter(kind, zone):
    """What makes a series as Arrow takes it of one as PySpark's users know it: one for all groups."""
    from pyspark.sql.pandas.types import _create_converter_from_pandas

    return _create_converter_from_pandas(
        kind, timezone=zone, error_on_duplicated_field_names=False
    )


def from_series(function, series, kind, target):
    """A series or, for a struct, a data frame as an array."""
    import pandas as pd

    if isinstance(series, pd.DataFrame):
        return pa.StructArray.from_arrays(
            from_frame(function, series, kind, list(target)), fields=list(target)
        )
    if isinstance(series.dtype, pd.CategoricalDtype):
        series = series.astype(series.dtype.categories.dtype)
    series = arrow_converter(kind, function.zone)(series)
    mask = None if hasattr(series.array, "__arrow_array__") else series.isnull()
    try:
        try:
            return pa.Array.from_pandas(series, mask=mask, type=target, safe=function.safe)
        except pa.lib.ArrowInvalid:
            return pa.Array.from_pandas(series, mask=mask).cast(target, safe=function.safe)
    except (TypeError, ValueError) as error:
        raise PySparkTypeError(
            f"Exception thrown when converting pandas.Series ({series.dtype}) with name "
            f"'{series.name}' to Arrow Array ({target})."
        ) from error


def from_frame(function, frame, kind, fields):
    """The columns of a frame in the order of the fields: by name, or by place where it has none."""
    if frame.empty and len(frame.columns) == 0:
        return [pa.array([], field.type) for field in fields]
    names = list(frame.columns)
    expected = [field.name for field in fields]
    if function.by_name and any(isinstance(name, str) for name in names):
        check_names(names, expected)
        columns = [frame[name] for name in expected]
    else:
        check_count(len(names), len(expected))
        columns = [frame.iloc[:, at] for at in range(len(expected))]
    parts = zip(columns, kind.fields, fields)
    return [from_series(function, column, part.dataType, field.type) for column, part, field in parts]


def check_names(actual, expected):
    missing, extra = sorted(set(expected) - set(actual)), sorted(set(actual) - set(expected))
    if missing or extra:
        raise runtime_error(
            "RESULT_COLUMN_NAMES_MISMATCH",
            missing=f" Missing: {', '.join(missing)}." if missing else "",
            extra=f" Unexpected: {', '.join(map(str, extra))}." if extra else "",
        )


def check_count(actual, expected):
    if actual != expected:
        raise runtime_error(
            "RESULT_COLUMN_SCHEMA_MISMATCH", expected=str(expected), actual=str(actual)
        )


def check_rows(actual, expected):
    if actual != expected:
        raise runtime_error(
            "RESULT_ROWS_MISMATCH", output_length=str(actual), input_length=str(expected)
        )


def runtime_error(condition, **parameters):
    try:
        return PySparkRuntimeError(errorClass=condition, messageParameters=parameters)
    except ValueError:
        # Older clients do not know the condition.
        words = ", ".join(f"{name}: {value}" for name, value in parameters.items())
        return PySparkRuntimeError(f"[{condition}] {words}")


def wrong_type(expected, actual):
    return PySparkTypeError(
        errorClass="UDF_RETURN_TYPE", messageParameters={"expected": expected, "actual": actual}
    )


def is_alike(actual, expected):
    """Whether two types are one to Spark."""
    if pa.types.is_nested(actual) and pa.types.is_nested(expected):
        return actual.num_fields == expected.num_fields
    texts = (pa.types.is_string, pa.types.is_large_string)
    moments = (pa.types.is_timestamp,)
    bytes_ = (pa.types.is_binary, pa.types.is_large_binary)
    for kind in (texts, moments, bytes_):
        if any(of(actual) for of in kind) and any(of(expected) for of in kind):
            return True
    return actual == expected


def check_types(actual, expected):
    pairs = zip(expected.names, expected.types, actual.types)
    wrong = [(name, want, have) for name, want, have in pairs if not is_alike(have, want)]
    if wrong:
        words = (f"column '{name}' (expected {want}, actual {have})" for name, want, have in wrong)
        raise runtime_error("RESULT_COLUMN_TYPES_MISMATCH", mismatch=", ".join(words))
