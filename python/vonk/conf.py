"""Settings of a program, by Spark's names."""

from __future__ import annotations

from collections.abc import Iterable


class SparkConf:
    """Names and values that a `SparkContext` starts with.

    >>> conf = SparkConf().setMaster("local[2]").setAppName("words")
    >>> conf.get("spark.master"), conf.get("spark.none", "nothing")
    ('local[2]', 'nothing')
    """

    def __init__(self, loadDefaults: bool = True, _jvm: object = None, _jconf: object = None):
        from vonk import launch

        self._settings: dict[str, str] = dict(launch.settings()) if loadDefaults else {}

    def set(self, key: str, value: object) -> SparkConf:
        """Sets one value; it is kept as text."""
        self._settings[key] = str(value)
        return self

    def setIfMissing(self, key: str, value: object) -> SparkConf:
        """Sets a value unless there is one."""
        self._settings.setdefault(key, str(value))
        return self

    def setAll(self, pairs: Iterable[tuple[str, object]]) -> SparkConf:
        """Sets every pair."""
        for key, value in pairs:
            self.set(key, value)
        return self

    def setMaster(self, value: str) -> SparkConf:
        """Says where to run: `local[N]` for N workers, `local[*]` for all cores."""
        return self.set("spark.master", value)

    def setAppName(self, value: str) -> SparkConf:
        """Names the program."""
        return self.set("spark.app.name", value)

    def setSparkHome(self, value: str) -> SparkConf:
        """Is accepted; vonk has no such folder."""
        return self.set("spark.home", value)

    def setExecutorEnv(
        self,
        key: str | None = None,
        value: str | None = None,
        pairs: Iterable[tuple[str, str]] | None = None,
    ) -> SparkConf:
        """Sets environment variables of the workers: one, or all of `pairs`."""
        if (key is None) == (pairs is None):
            raise ValueError("give either a key with its value or pairs")
        for name, text in [(key, value)] if pairs is None else pairs:
            self.set(f"spark.executorEnv.{name}", text)
        return self

    def get(self, key: str, defaultValue: str | None = None) -> str | None:
        """The value of a name, or the default."""
        return self._settings.get(key, defaultValue)

    def getAll(self) -> list[tuple[str, str]]:
        """All names with their values."""
        return list(self._settings.items())

    def contains(self, key: str) -> bool:
        """Whether a name has a value."""
        return key in self._settings

    def toDebugString(self) -> str:
        """All settings, one a line, sorted by name."""
        return "\n".join(f"{key}={value}" for key, value in sorted(self._settings.items()))

    def _copy(self) -> SparkConf:
        copy = SparkConf(loadDefaults=False)
        copy._settings = dict(self._settings)
        return copy
