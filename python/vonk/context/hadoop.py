"""RDDs of pairs in Hadoop's formats: SequenceFiles, and text by its places or its keys."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from vonk.context.sources import Lazy, LazySource, Sources
from vonk.hadoop import formats, settings
from vonk.rdd import RDD


class HadoopSources(Sources):
    """Readers of pairs. SequenceFiles say themselves what is in them, so the classes that are given are not asked."""

    def sequenceFile(
        self,
        path: str,
        keyClass: str | None = None,
        valueClass: str | None = None,
        keyConverter: str | None = None,
        valueConverter: str | None = None,
        minSplits: int | None = None,
        batchSize: int = 0,
    ) -> RDD[tuple[Any, Any]]:
        """The pairs of SequenceFiles: a path, a directory, a glob, or several between commas.

        >>> import tempfile
        >>> from vonk import SparkContext
        >>> sc = SparkContext.getOrCreate()
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     sc.parallelize([("a", {1: 2.5})]).saveAsSequenceFile(folder + "/maps")
        ...     sc.sequenceFile(folder + "/maps").collect()
        [('a', {1: 2.5})]
        """
        formats.refuse_converters(keyConverter, valueConverter)
        name = "org.apache.hadoop.mapred.SequenceFileInputFormat"
        made = formats.input_of(formats.OLD, name, self._hadoop_settings(None))
        return self._pairs(made, path, minSplits)

    def hadoopFile(
        self,
        path: str,
        inputFormatClass: str,
        keyClass: str,
        valueClass: str,
        keyConverter: str | None = None,
        valueConverter: str | None = None,
        conf: Mapping[str, str] | None = None,
        batchSize: int = 0,
    ) -> RDD[tuple[Any, Any]]:
        """Pairs in a format of `org.apache.hadoop.mapred`."""
        formats.refuse_converters(keyConverter, valueConverter)
        given = self._hadoop_settings(conf)
        return self._pairs(formats.input_of(formats.OLD, inputFormatClass, given), path)

    def newAPIHadoopFile(
        self,
        path: str,
        inputFormatClass: str,
        keyClass: str,
        valueClass: str,
        keyConverter: str | None = None,
        valueConverter: str | None = None,
        conf: Mapping[str, str] | None = None,
        batchSize: int = 0,
    ) -> RDD[tuple[Any, Any]]:
        """Pairs in a format of `org.apache.hadoop.mapreduce`, such as records between empty lines.

        >>> import os, tempfile
        >>> from vonk import SparkContext
        >>> sc = SparkContext.getOrCreate()
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     with open(os.path.join(folder, "poems.txt"), "w") as file:
        ...         written = file.write("one\\ntwo\\n\\nthree\\n")
        ...     sc.newAPIHadoopFile(
        ...         folder,
        ...         "org.apache.hadoop.mapreduce.lib.input.TextInputFormat",
        ...         "org.apache.hadoop.io.LongWritable",
        ...         "org.apache.hadoop.io.Text",
        ...         conf={"textinputformat.record.delimiter": "\\n\\n"},
        ...     ).collect()
        [(0, 'one\\ntwo'), (9, 'three\\n')]
        """
        formats.refuse_converters(keyConverter, valueConverter)
        given = self._hadoop_settings(conf)
        return self._pairs(formats.input_of(formats.NEW, inputFormatClass, given), path)

    def hadoopRDD(
        self,
        inputFormatClass: str,
        keyClass: str,
        valueClass: str,
        keyConverter: str | None = None,
        valueConverter: str | None = None,
        conf: Mapping[str, str] | None = None,
        batchSize: int = 0,
    ) -> RDD[tuple[Any, Any]]:
        """As `hadoopFile`, with the path in the settings."""
        path = settings.required(self._hadoop_settings(conf), settings.INPUT_PATHS)
        return self.hadoopFile(
            path, inputFormatClass, keyClass, valueClass, keyConverter, valueConverter, conf
        )

    def newAPIHadoopRDD(
        self,
        inputFormatClass: str,
        keyClass: str,
        valueClass: str,
        keyConverter: str | None = None,
        valueConverter: str | None = None,
        conf: Mapping[str, str] | None = None,
        batchSize: int = 0,
    ) -> RDD[tuple[Any, Any]]:
        """As `newAPIHadoopFile`, with the path in the settings."""
        path = settings.required(self._hadoop_settings(conf), settings.INPUT_PATHS)
        return self.newAPIHadoopFile(
            path, inputFormatClass, keyClass, valueClass, keyConverter, valueConverter, conf
        )

    def _pairs(
        self, made: formats.Input, path: str, min_partitions: int | None = None
    ) -> RDD[tuple[Any, Any]]:
        count = min_partitions or self.defaultMinPartitions
        found = Lazy(self, path, lambda: made.splits(path, count))
        return self._rdd(LazySource(self._storage, found, made.read, path))

    def _hadoop_settings(self, conf: Mapping[str, str] | None) -> settings.Settings:
        return settings.merged(self._conf.getAll(), conf)
