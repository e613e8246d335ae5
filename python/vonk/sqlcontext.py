"""`SQLContext` and `HiveContext`: the doors to SQL of programs that are older than `SparkSession`.

Every call is one of the session's. Importing this module needs no client; a context does.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, ClassVar

from vonk.errors import not_supported

if TYPE_CHECKING:
    from vonk.context import SparkContext
    from vonk.session import SparkSession

_NONE = object()


class SQLContext:
    """A session by its old name. Spark deprecates it: use `SparkSession.builder.getOrCreate()`."""

    _instantiatedContext: ClassVar[SQLContext | None] = None

    def __init__(
        self,
        sparkContext: SparkContext,
        sparkSession: SparkSession | None = None,
        jsqlContext: object = None,
    ):
        if sparkSession is None:
            _deprecated("3.0.0", "SparkSession.builder.getOrCreate()")
        self._sc = sparkContext
        self.sparkSession: SparkSession = sparkSession or _session_of(sparkContext)
        before = SQLContext._instantiatedContext
        if before is None or before._sc._is_stopped:
            SQLContext._instantiatedContext = self

    @classmethod
    def getOrCreate(cls, sc: SparkContext) -> SQLContext:
        """The context that was made first, or a new one."""
        _deprecated("3.0.0", "SparkSession.builder.getOrCreate()")
        before = SQLContext._instantiatedContext
        if before is None or before._sc._is_stopped:
            return SQLContext(sc, _session_of(sc))
        return before

    def newSession(self) -> SQLContext:
        """A context with settings, views and functions of its own."""
        return type(self)(self._sc, self.sparkSession.newSession())

    def setConf(self, key: str, value: bool | int | str) -> None:
        """Sets an option of SQL."""
        self.sparkSession.conf.set(key, value)

    def getConf(self, key: str, defaultValue: Any = _NONE) -> str | None:
        """The value of an option, or the default where it has none."""
        given = () if defaultValue is _NONE else (defaultValue,)
        value: str | None = self.sparkSession.conf.get(key, *given)
        return value

    @property
    def udf(self) -> Any:
        """Registers functions."""
        return self.sparkSession.udf

    @property
    def udtf(self) -> Any:
        """Registers functions that give tables."""
        return self.sparkSession.udtf

    @property
    def read(self) -> Any:
        """Reads files."""
        return self.sparkSession.read

    @property
    def readStream(self) -> Any:
        """Reads streams."""
        return self.sparkSession.readStream

    @property
    def streams(self) -> Any:
        """The streaming queries that run."""
        return self.sparkSession.streams

    def registerFunction(self, name: str, f: Callable[..., Any], returnType: Any = None) -> Any:
        """Makes a function of Python known to SQL."""
        _deprecated("2.3.0", "spark.udf.register")
        return self.sparkSession.udf.register(name, f, returnType)

    def registerJavaFunction(self, name: str, javaClassName: str, returnType: Any = None) -> None:
        """Is not supported."""
        _deprecated("2.3.0", "spark.udf.registerJavaFunction")
        raise not_supported(f"the Java class `{javaClassName}`", "write the function in Python")

    def range(
        self, start: int, end: int | None = None, step: int = 1, numPartitions: int | None = None
    ) -> Any:
        """Whole numbers in a column `id`."""
        return self.sparkSession.range(start, end, step, numPartitions)

    def createDataFrame(
        self,
        data: Any,
        schema: Any = None,
        samplingRatio: float | None = None,
        verifySchema: bool = True,
    ) -> Any:
        """A DataFrame of rows, an RDD, or a table."""
        # The client says that it ignores `verifySchema`, so it is told only of what is unusual.
        verify = None if verifySchema else False
        return self.sparkSession.createDataFrame(data, schema, samplingRatio, verify)

    def createExternalTable(
        self,
        tableName: str,
        path: str | None = None,
        source: str | None = None,
        schema: Any = None,
        **options: str,
    ) -> Any:
        """A table over files."""
        catalog = self.sparkSession.catalog
        return catalog.createExternalTable(tableName, path, source, schema, **options)

    def sql(self, sqlQuery: str) -> Any:
        """Asks a statement."""
        return self.sparkSession.sql(sqlQuery)

    def table(self, tableName: str) -> Any:
        """A table or view."""
        return self.sparkSession.table(tableName)

    def tables(self, dbName: str | None = None) -> Any:
        """The tables of a database and all temporary views: `namespace`, `tableName`, `isTemporary`."""
        place = "" if dbName is None else f" IN `{dbName.replace('`', '``')}`"
        return self.sparkSession.sql(f"SHOW TABLES{place}")

    def tableNames(self, dbName: str | None = None) -> list[str]:
        """The names of `tables`."""
        return [row.tableName for row in self.tables(dbName).collect()]

    def registerDataFrameAsTable(self, df: Any, tableName: str) -> None:
        """Makes a temporary view of a DataFrame."""
        df.createOrReplaceTempView(tableName)

    def dropTempTable(self, tableName: str) -> None:
        """Drops a temporary view, if it is there."""
        self.sparkSession.catalog.dropTempView(tableName)

    def cacheTable(self, tableName: str) -> None:
        """Keeps the rows of a table."""
        self.sparkSession.catalog.cacheTable(tableName)

    def uncacheTable(self, tableName: str) -> None:
        """Keeps them no more."""
        self.sparkSession.catalog.uncacheTable(tableName)

    def clearCache(self) -> None:
        """Drops all kept rows."""
        self.sparkSession.catalog.clearCache()


class HiveContext(SQLContext):
    """As `SQLContext`: tables are those of vonk's catalog."""

    def __init__(
        self,
        sparkContext: SparkContext,
        sparkSession: SparkSession | None = None,
        jhiveContext: object = None,
    ):
        warnings.warn(
            "HiveContext is deprecated in Spark 2.0.0. Please use "
            "SparkSession.builder.enableHiveSupport().getOrCreate() instead.",
            FutureWarning,
            stacklevel=2,
        )
        super().__init__(sparkContext, sparkSession)

    def refreshTable(self, tableName: str) -> None:
        """Looks at the files of a table anew."""
        self.sparkSession.catalog.refreshTable(tableName)


def _session_of(context: SparkContext) -> SparkSession:
    """The running session, or a new one with the settings of the context."""
    from vonk.session import SparkSession

    active = SparkSession.getActiveSession()
    return active if isinstance(active, SparkSession) else SparkSession(context)


def _deprecated(version: str, instead: str) -> None:
    warnings.warn(f"Deprecated in {version}. Use {instead} instead.", FutureWarning, stacklevel=3)
