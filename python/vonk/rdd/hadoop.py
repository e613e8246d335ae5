"""Writing pairs in Hadoop's formats: SequenceFiles, and text with a key and a value in each line."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeVar

from vonk.hadoop import formats, sequence, settings
from vonk.rdd.staging import Staged

T = TypeVar("T")


class HadoopOutputs(Staged[T]):
    """Writers of pairs.

    A class of Writables that is not given is that of the first row: an int is an `IntWritable` (or
    `LongWritable`), a float a `DoubleWritable`, and so on. A class that is given takes what fits it.
    """

    def saveAsSequenceFile(self, path: str, compressionCodecClass: str | None = None) -> None:
        """Writes pairs as SequenceFiles, packed in blocks if there is a codec.

        >>> import tempfile
        >>> from vonk import SparkContext
        >>> sc = SparkContext.getOrCreate()
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     sc.parallelize([(1, "a"), (2, "b")]).saveAsSequenceFile(folder + "/pairs")
        ...     sc.sequenceFile(folder + "/pairs").collect()
        [(1, 'a'), (2, 'b')]
        """
        self.saveAsHadoopFile(
            path,
            "org.apache.hadoop.mapred.SequenceFileOutputFormat",
            compressionCodecClass=compressionCodecClass,
        )

    def saveAsHadoopFile(
        self,
        path: str,
        outputFormatClass: str,
        keyClass: str | None = None,
        valueClass: str | None = None,
        keyConverter: str | None = None,
        valueConverter: str | None = None,
        conf: Mapping[str, str] | None = None,
        compressionCodecClass: str | None = None,
    ) -> None:
        """Writes pairs in a format of `org.apache.hadoop.mapred`.

        >>> import tempfile
        >>> from vonk import SparkContext
        >>> sc = SparkContext.getOrCreate()
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     rdd = sc.parallelize([(1, "a"), (2.5, None)], 1)
        ...     rdd.saveAsHadoopFile(folder + "/t", "org.apache.hadoop.mapred.TextOutputFormat")
        ...     sc.textFile(folder + "/t").collect()
        ['1\\ta', '2.5']
        """
        formats.refuse_converters(keyConverter, valueConverter)
        given = dict(self.ctx._hadoop_settings(conf))
        if compressionCodecClass:
            packed = (settings.COMPRESS, "true"), (settings.COMPRESSION, "BLOCK")
            given.update([*packed, (settings.CODEC, compressionCodecClass)])
        kind = formats.output_kind(formats.OLD, outputFormatClass)
        self._save_pairs(path, formats.Output(formats.OLD, kind, keyClass, valueClass, given))

    def saveAsNewAPIHadoopFile(
        self,
        path: str,
        outputFormatClass: str,
        keyClass: str | None = None,
        valueClass: str | None = None,
        keyConverter: str | None = None,
        valueConverter: str | None = None,
        conf: Mapping[str, str] | None = None,
    ) -> None:
        """Writes pairs in a format of `org.apache.hadoop.mapreduce`."""
        formats.refuse_converters(keyConverter, valueConverter)
        given = self.ctx._hadoop_settings(conf)
        kind = formats.output_kind(formats.NEW, outputFormatClass)
        self._save_pairs(path, formats.Output(formats.NEW, kind, keyClass, valueClass, given))

    def saveAsHadoopDataset(
        self,
        conf: Mapping[str, str],
        keyConverter: str | None = None,
        valueConverter: str | None = None,
    ) -> None:
        """As `saveAsHadoopFile`, with path, format and classes in the settings."""
        formats.refuse_converters(keyConverter, valueConverter)
        self._save_by_settings(formats.OLD, conf)

    def saveAsNewAPIHadoopDataset(
        self,
        conf: Mapping[str, str],
        keyConverter: str | None = None,
        valueConverter: str | None = None,
    ) -> None:
        """As `saveAsNewAPIHadoopFile`, with path, format and classes in the settings."""
        formats.refuse_converters(keyConverter, valueConverter)
        self._save_by_settings(formats.NEW, conf)

    def _save_by_settings(self, interface: str, conf: Mapping[str, str]) -> None:
        given = self.ctx._hadoop_settings(conf)
        path = settings.required(given, settings.OUTPUT_PATH)
        self._save_pairs(path, formats.output_by_settings(interface, given))

    def _save_pairs(self, path: str, output: formats.Output) -> None:
        first = None
        if output.is_inferred:
            self._refuse_target(path)
            rows = self.take(1)
            if not rows:
                raise formats.no_rows()
            first = next(sequence.checked(rows))
        self._save(path, output.part(first))
