"""`vonk.SparkSession`: the official PySpark client over a Spark Connect server of its own.

Importing this module needs the client: `pip install "vonk[spark]"`.
"""

from __future__ import annotations

import functools
import os
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from vonk import inference, launch, server
from vonk.conf import SparkConf
from vonk.context import SparkContext
from vonk.lineage import Source
from vonk.rdd import RDD

# Makes `pyspark.sql.functions` and its kin speak to a server, and not to a JVM.
os.environ["SPARK_CONNECT_MODE_ENABLED"] = "1"
# Workers never speak to the server; without this, gRPC tells each fork on the standard error.
os.environ.setdefault("GRPC_ENABLE_FORK_SUPPORT", "0")

if TYPE_CHECKING:
    from pyspark.sql.dataframe import DataFrame as Frame

try:
    from pyspark.sql.connect.dataframe import DataFrame
    from pyspark.sql.connect.readwriter import DataFrameReader
    from pyspark.sql.connect.session import SparkSession as Client
except ImportError as error:
    raise ImportError(
        f'`SparkSession` needs the PySpark client: pip install "vonk[spark]" ({error})'
    ) from error


class SparkSession(Client):
    """PySpark's session, answered by vonk.

    `SparkSession.builder.getOrCreate()` starts it; `remote("sc://…")` asks another server.
    """

    class Builder(Client.Builder):
        """Gathers settings. Every one of Spark's is accepted; those that vonk has are applied."""

        def master(self, master: str) -> SparkSession.Builder:
            """Says where to run: `local[N]`, `local[*]`, or `vonk://host:port,…` for workers."""
            return self.config("spark.master", master)

        def config(
            self, key: Any = None, value: Any = None, conf: Any = None, *, map: Any = None
        ) -> SparkSession.Builder:
            """Sets one value, or all of a `SparkConf` or a dictionary."""
            if isinstance(key, SparkConf):
                key, conf = None, key
            if conf is not None:
                super().config(map=dict(conf.getAll()))
            if map is not None:
                super().config(map=map)
            if key is not None:
                super().config(key, value)
            return self

        def enableHiveSupport(self) -> SparkSession.Builder:
            """Is accepted; tables are those of vonk's catalog."""
            return self

        if TYPE_CHECKING:

            def appName(self, name: str) -> SparkSession.Builder: ...
            def remote(self, location: str = "sc://localhost") -> SparkSession.Builder: ...
            def getOrCreate(self) -> SparkSession: ...

        def create(self) -> SparkSession:
            """A new session, over the program's own server unless another was named."""
            options = {**launch.settings(), **self._options}
            remote = options.get("spark.remote") or os.environ.get("SPARK_REMOTE")
            address = remote or server.address(options)
            session = SparkSession(connection=address)
            session._options = options
            Client._set_default_and_active_session(session)
            self._apply_options(session)
            _leave_files(session, options)
            return session

    builder: Builder
    _options: dict[str, str]

    def __init__(self, connection: Any, *arguments: Any, **named: Any):
        # A context is given by programs that are older than `builder`.
        begins_with_context = isinstance(connection, SparkContext)
        if begins_with_context:
            options = {**launch.settings(), **dict(connection.getConf().getAll())}
            connection, self._options = server.address(options), options
        self._connection = connection
        super().__init__(connection, *arguments, **named)
        if begins_with_context:
            Client._set_default_and_active_session(self)
            _leave_files(self, self._options)

    @property
    def sparkContext(self) -> SparkContext:
        """The context of the program, for RDDs."""
        settings = SparkConf().setAll(self._options.items())
        return SparkContext.getOrCreate(settings)

    @property
    def _sc(self) -> SparkContext:
        return self.sparkContext

    def newSession(self) -> SparkSession:
        """A session of the same program and server, with settings, views and functions of its own."""
        session = SparkSession(connection=self._connection)
        session._options = self._options
        _leave_files(session, self._options)
        return session

    def createDataFrame(
        self,
        data: Any,
        schema: Any = None,
        samplingRatio: float | None = None,
        verifySchema: bool | None = None,
    ) -> Frame:
        """As of the client; the rows may be an RDD, whose types are found as Spark finds them."""
        if isinstance(data, RDD):
            rows = data.collect()
            if schema is None or isinstance(schema, (list, tuple)):
                schema = self._schema_of(rows, schema, samplingRatio)
                rows = inference.fitted(rows, schema)
            return super().createDataFrame(rows, schema, verifySchema=verifySchema)
        return super().createDataFrame(data, schema, samplingRatio, verifySchema)

    def _schema_of(self, rows: list[Any], names: Any, ratio: float | None) -> Any:
        """The schema of an RDD's rows, of which the names at most are given."""
        configs = self._client.get_config_dict(*inference.OPTIONS)
        return inference.schema_of(rows, names, ratio, configs)

    def _repr_html_(self) -> str:
        context = self.sparkContext._repr_html_()
        return f"<div><p><b>SparkSession - in-memory</b></p>{context}</div>"

    def stop(self) -> None:
        """Ends the session and the program's context."""
        super().stop()
        if SparkContext._active_spark_context is not None:
            SparkContext._active_spark_context.stop()


def _leave_files(session: Client, options: dict[str, Any]) -> None:
    """Leaves with the server what the program or the command line has for its functions."""
    kinds = {"spark.submit.pyFiles": "pyfile", "spark.files": "file", "spark.archives": "archive"}
    left = [
        (path.strip(), kind)
        for setting, kind in kinds.items()
        for path in str(options.get(setting) or "").split(",")
        if path.strip()
    ]
    context = SparkContext._active_spark_context
    for path, kind in dict.fromkeys([*left, *(context._left if context else ())]):
        session.addArtifacts(path, **{kind: True})


def rdd_of(frame: DataFrame) -> RDD[Any]:
    """The rows of a DataFrame as an RDD; the query runs when the first action asks for them."""
    session = frame.sparkSession
    is_ours = isinstance(session, SparkSession)
    context = session.sparkContext if is_ours else SparkContext.getOrCreate()
    return RDD(_FrameRows(frame, context), context)


class _FrameRows(Source):
    """The rows of a DataFrame, asked for once."""

    def __init__(self, frame: DataFrame, context: SparkContext):
        super().__init__(context._storage, (), iter, "DataFrame")
        self._frame = frame
        self._slices = context.defaultParallelism
        self._rows: Any = None

    def _cut(self) -> list[list[Any]]:
        if self._rows is None:
            rows = self._frame.collect()
            count = max(1, min(self._slices, len(rows)))
            borders = [i * len(rows) // count for i in range(count + 1)]
            self._rows = [rows[a:b] for a, b in zip(borders, borders[1:])]
        return self._rows

    @property
    def num_partitions(self) -> int:
        """As many as the context has workers, if there are as many rows."""
        return len(self._cut())

    def compute(self, index: int) -> Iterator[Any]:
        """The rows of a slice."""
        return iter(self._cut()[index])


def to_df(rdd: RDD[Any], schema: Any = None, sample_ratio: float | None = None) -> Any:
    """The rows of an RDD as a DataFrame of the running session."""
    session = SparkSession.getActiveSession() or SparkSession.builder.getOrCreate()
    return session.createDataFrame(rdd, schema, sample_ratio)


def _of_lines(read: Any) -> Any:
    """A reader's method that takes an RDD of lines in the place of a path."""

    @functools.wraps(read)
    def method(self: DataFrameReader, path: Any, *arguments: Any, **named: Any) -> Any:
        if isinstance(path, RDD):
            path = to_df(path.map(lambda line: (line,)), "value string")
        return read(self, path, *arguments, **named)

    return method


for _name in ("json", "csv"):
    setattr(DataFrameReader, _name, _of_lines(getattr(DataFrameReader, _name)))
DataFrame.rdd = property(rdd_of)  # type: ignore[assignment, method-assign]
