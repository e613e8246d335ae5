"""SequenceFiles and Hadoop's formats, against files and results that Spark 4.3 gave."""

import gzip
import hashlib
import importlib.util
import io
import os
import unittest

from hadoop_recordings import BY_CLASS, BY_PYSPARK, PACKED, WITH_METADATA
from support import ContextTest

from vonk import JobError, files
from vonk.errors import NotSupported
from vonk.hadoop import reader, sequence, text, writables

OLD = "org.apache.hadoop.mapred."
NEW_INPUT = "org.apache.hadoop.mapreduce.lib.input."
NEW_OUTPUT = "org.apache.hadoop.mapreduce.lib.output."
IO = "org.apache.hadoop.io."
CODEC = "org.apache.hadoop.io.compress."

#: What is in the recorded files, by the short names of their classes.
VALUES = {
    "null": None,
    "bool": True,
    "byte": -5,
    "short": -300,
    "int": -2,
    "vint": -129,
    "long": -(2**40),
    "vlong": 2**40,
    "float": 0.10000000149011612,
    "double": 0.1,
    "text": "é",
    "bytes": b"\0\xff",
}

#: For each compression: the marker of a file that Hadoop wrote, and the MD5 of that file.
LARGE = {
    "NONE": ("fc02695123bae9ac34c445fa3c6a789d", "cc993290d54c2164b30d16315c087665"),
    "RECORD": ("288cc75094fe015d85b9888fb68691b3", "1106a72c4a1db30aba17d62f2c9bc067"),
    "BLOCK": ("010e4e1de0ecba4029095771a3d350ea", "d65b845a1272d510ce3d60aa235fb941"),
}
LARGE_ROWS = [(at, f"v{at}" * 20) for at in range(8000)]


def needs_arrow(name):
    """Whether a codec's library is not there."""
    is_theirs = name.endswith(("SnappyCodec", "Lz4Codec"))
    return is_theirs and importlib.util.find_spec("pyarrow") is None


class RecordedTest(ContextTest):
    """Files of Spark are read, and the same ones are written."""

    def read(self, content):
        return self.sc.sequenceFile(self.file("recorded", content)).collect()

    def test_what_pyspark_saved_is_read(self):
        for rows, digits in BY_PYSPARK:
            if not isinstance(rows[0][1], tuple):
                self.assertEqual(self.read(bytes.fromhex(digits)), rows)

    def test_what_pyspark_saved_is_written(self):
        for rows, digits in BY_PYSPARK:
            content = bytes.fromhex(digits)
            key, value = (writables.inferred(part) for part in rows[0])
            # The marker follows the names, two flags and an empty table.
            at = len(b"SEQ\6..") + len(key.name) + len(value.name) + 6
            file = io.BytesIO()
            layout = sequence.Layout(key, value)
            sequence.write(file, rows, layout, sync=content[at : at + 16])
            self.assertEqual(file.getvalue(), content, rows)

    def test_every_class_is_read_and_written(self):
        for name, value in VALUES.items():
            content = bytes.fromhex(BY_CLASS[name])
            self.assertEqual(self.read(content), [("k", value)], name)
            short = content[4 + 1 + len(IO + "Text") :].split(b"\0", 1)[0][1:].decode()
            data = writables.named(short).encode(value)
            self.assertTrue(content.endswith(b"\1k" + data), name)

    def test_maps_of_every_class_are_read(self):
        expected = {**VALUES, "map": {1: "x"}}
        for name in ("map", "sorted"):
            ((key, found),) = self.read(bytes.fromhex(BY_CLASS[name]))
            self.assertEqual((key, found), ("k", expected))
        self.assertEqual(list(found), sorted(found))

    def test_every_compression_is_read(self):
        for name, digits in PACKED.items():
            if needs_arrow(name):
                continue
            self.assertEqual(
                self.read(bytes.fromhex(digits)), [(0, "v0"), (1, "v1"), (2, "v2")], name
            )

    def test_metadata_are_passed_over(self):
        self.assertEqual(self.read(bytes.fromhex(WITH_METADATA)), [("k", "v")])

    def test_long_files_have_markers_where_hadoop_sets_them(self):
        layout = sequence.Layout(writables.inferred(1), writables.inferred("a"))
        for compression, (sync, digest) in LARGE.items():
            file = io.BytesIO()
            packed = layout._replace(compression=compression)
            sequence.write(file, LARGE_ROWS, packed, bytes.fromhex(sync))
            path = self.file(f"large-{compression}", file.getvalue())
            self.assertEqual(self.sc.sequenceFile(path, minSplits=5).collect(), LARGE_ROWS)
            # Other builds of zlib give other bytes.
            if compression == "NONE":
                self.assertEqual(hashlib.md5(file.getvalue()).hexdigest(), digest)

    def test_splits_are_those_of_spark(self):
        layout = sequence.Layout(writables.inferred(1), writables.inferred("a"))
        file = io.BytesIO()
        sequence.write(file, LARGE_ROWS, layout, bytes(range(16)))
        path = self.file("splits", file.getvalue())
        for count, sizes in {
            1: [8000],
            2: [4730, 3270],
            3: [2916, 2721, 2363],
            7: [2009, 907, 907, 907, 1814, 907, 549],
        }.items():
            parts = self.sc.sequenceFile(path, minSplits=count).glom().collect()
            self.assertEqual([len(part) for part in parts], sizes)

    def test_every_pair_is_in_one_split_however_the_file_is_cut(self):
        layout = sequence.Layout(writables.inferred(1), writables.inferred("a"))
        for compression in sequence.COMPRESSIONS:
            file = io.BytesIO()
            rows = LARGE_ROWS[:3000]
            sequence.write(file, rows, layout._replace(compression=compression))
            path, size = self.file("cut", file.getvalue()), len(file.getvalue())
            for step in (7001, 20011, 102400):
                borders = [*range(0, size, step), size]
                cuts = [files.Split(path, a, b) for a, b in zip(borders, borders[1:])]
                self.assertEqual([row for cut in cuts for row in reader.read(cut)], rows)


class DamageTest(ContextTest):
    """What is wrong with a file is told with its name and the place."""

    def error(self, content):
        with self.assertRaises(Exception) as raised:
            self.sc.sequenceFile(self.file("bad", content)).collect()
        return str(raised.exception)

    def test_torn_files(self):
        for digits in (BY_CLASS["map"], PACKED["record_GzipCodec"], PACKED["block_DefaultCodec"]):
            content = bytes.fromhex(digits)
            whole = list(reader.read(files.Split(self.file("torn", content), 0, len(content))))
            for size in range(1, len(content)):
                path, found = self.file("torn", content[:size]), []
                try:
                    found.extend(reader.read(files.Split(path, 0, size)))
                except ValueError as error:
                    self.assertRegex(str(error), rf"{path} is .* byte \d+(.|\n)*hint: ")
                self.assertEqual(found, whole[: len(found)])
        self.assertRegex(self.error(content[:-1]), "bad is damaged at byte 190: the file ends")

    def test_other_damage(self):
        content = bytes.fromhex(PACKED["block_DefaultCodec"])
        self.assertIn("is not a SequenceFile", self.error(b"a,b\n1,2\n"))
        self.assertIn("version 4", self.error(b"SEQ\4" + content[4:]))
        self.assertIn("com.apache", self.error(content.replace(b"org.apache", b"com.apache")))
        at = content.rindex(sequence.ESCAPE)
        other = content[: at + 4] + b"x" * 16 + content[at + 20 :]
        self.assertIn(f"byte {at}: a marker", self.error(other))
        self.assertIn("cannot be unpacked", self.error(content[:-1] + b"?"))
        huge = bytes.fromhex(BY_CLASS["int"])[:-14] + b"\x7f\xff\xff\xff" * 3
        self.assertIn("is damaged", self.error(huge))

    def test_arrays_need_a_class_that_tells_their_elements(self):
        path = self.path("arrays")
        pairs = self.sc.parallelize([("k", (1, 2))])
        pairs.saveAsSequenceFile(path)
        with self.assertRaisesRegex(Exception, "does not tell what its elements are"):
            self.sc.sequenceFile(path).collect()
        named = "org.example.IntArrayWritable"
        pairs.saveAsHadoopFile(path + "2", OLD + "SequenceFileOutputFormat", IO + "Text", named)
        self.assertEqual(self.sc.sequenceFile(path + "2").collect(), [("k", (1, 2))])


class SequenceOutputTest(ContextTest):
    def test_every_codec_and_compression(self):
        rows = [(at, f"row {at}") for at in range(100)]
        rdd = self.sc.parallelize(rows, 2)
        for short in ("DefaultCodec", "DeflateCodec", "GzipCodec", "BZip2Codec", "SnappyCodec"):
            if not needs_arrow(short):
                path = self.path(f"blocks-{short}")
                rdd.saveAsSequenceFile(path, CODEC + short)
                self.assertEqual(self.sc.sequenceFile(path).collect(), rows)
        for kind in sequence.COMPRESSIONS:
            path = self.path(f"gzip-{kind}")
            conf = {
                "mapreduce.output.fileoutputformat.compress": "true",
                "mapreduce.output.fileoutputformat.compress.codec": CODEC + "GzipCodec",
                "mapred.output.compression.type": kind,
            }
            format = NEW_OUTPUT + "SequenceFileOutputFormat"
            rdd.saveAsNewAPIHadoopFile(path, format, conf=conf)
            self.assertEqual(self.sc.sequenceFile(path).collect(), rows)
            names = ["_SUCCESS", "part-r-00000", "part-r-00001"]
            self.assertEqual(sorted(os.listdir(path)), names)

    def test_classes_that_are_given(self):
        format = OLD + "SequenceFileOutputFormat"
        for short, value in {"Long": 1, "VInt": -129, "Short": 7, "Float": 0.5}.items():
            path = self.path(f"given-{short}")
            rdd = self.sc.parallelize([("k", value)], 1)
            rdd.saveAsHadoopFile(path, format, IO + "Text", f"{IO}{short}Writable")
            self.assertEqual(self.sc.sequenceFile(path).collect(), [("k", value)])
            with open(os.path.join(path, "part-00000"), "rb") as file:
                self.assertIn(f"{IO}{short}Writable".encode(), file.read())
        empty = self.sc.parallelize([], 2)
        empty.saveAsHadoopFile(self.path("empty"), format, IO + "LongWritable", IO + "Text")
        self.assertEqual(self.sc.sequenceFile(self.path("empty")).collect(), [])

    def test_rows_that_cannot_be_written(self):
        for rows, message in (
            ([1, 2], "a row is no pair"),
            ([[1, 2]], "a row is no pair"),
            ([("k", [1])], "a value of `list`"),
            ([("k", 2**70)], "does not fit `LongWritable`"),
            ([("k", 5), ("k", 2**31)], "does not fit `IntWritable`"),
            ([("k", 1), ("k", "a")], "`IntWritable` takes int, and not `str`"),
            ([("k", "a"), ("k", None)], "`Text` takes str, and not `NoneType`"),
            ([], "without rows"),
        ):
            path = self.path("refused")
            with self.assertRaisesRegex(Exception, message):
                self.sc.parallelize(rows, 1).saveAsSequenceFile(path)
            self.assertFalse(os.path.exists(path), rows)

    def test_what_is_there_stays(self):
        path = self.path("there")
        self.sc.parallelize([(1, 2)]).saveAsSequenceFile(path)
        with self.assertRaises(FileExistsError):
            self.sc.parallelize([(3, 4)]).saveAsSequenceFile(path)
        self.assertEqual(self.sc.sequenceFile(path).collect(), [(1, 2)])
        with self.assertRaises(JobError):
            failing = self.sc.range(2).map(lambda x: (x, 1 // (1 - x)))
            failing.saveAsSequenceFile(self.path("failed"))
        self.assertFalse(os.path.exists(self.path("failed")))


class TextFormatTest(ContextTest):
    """Expected results are what Spark 4.3 wrote and read on Java 17."""

    def saved(self, name, rows, **options):
        path = self.path(name)
        rdd = self.sc.parallelize(rows, 1)
        rdd.saveAsHadoopFile(path, OLD + "TextOutputFormat", **options)
        with open(os.path.join(path, "part-00000"), "rb") as file:
            return file.read().decode()

    def test_values_are_written_as_java_prints_them(self):
        for number, (row, line) in enumerate(
            [
                ((1, "a"), "1\ta\n"),
                ((None, "b"), "b\n"),
                (("k", None), "k\n"),
                ((None, None), ""),
                ((1.5, True), "1.5\ttrue\n"),
                ((1e10, 1e-5), "1.0E10\t1.0E-5\n"),
                ((0.001, 1e7), "0.001\t1.0E7\n"),
                ((float("inf"), float("nan")), "Infinity\tNaN\n"),
                ((123456789.125, -0.0), "1.23456789125E8\t-0.0\n"),
                ((b"q\xff", 2**40), "71 ff\t1099511627776\n"),
                (("k", {"a": 1, "b": None}), "k\t{a=1, b=(null)}\n"),
                (("k", b""), "k\t\n"),
            ]
        ):
            self.assertEqual(self.saved(f"java-{number}", [row]), line)
        array = "ArrayWritable [valueClass=interface org.apache.hadoop.io.Writable, values=[1, 2]]"
        self.assertEqual(self.saved("array", [("k", (1, 2))]), f"k\t{array}\n")
        self.assertEqual(self.saved("mixed", [(1, "a"), ("x", 2)]), "1\ta\nx\t2\n")

    def test_separators_and_codecs(self):
        conf = {"mapreduce.output.textoutputformat.separator": ","}
        self.assertEqual(self.saved("comma", [(1, "a")], conf=conf), "1,a\n")
        conf = {"mapred.textoutputformat.separator": ";"}
        self.assertEqual(self.saved("old", [(1, "a")], conf=conf), "1;a\n")
        conf = {"mapreduce.output.fileoutputformat.compress": "true"}
        path = self.path("packed")
        rdd = self.sc.parallelize([(1, "a")], 1)
        rdd.saveAsNewAPIHadoopFile(path, NEW_OUTPUT + "TextOutputFormat", conf=conf)
        with gzip.open(os.path.join(path, "part-r-00000.gz")) as file:
            self.assertEqual(file.read(), b"1\ta\n")

    def new(self, format, path, conf=None):
        classes = (IO + "LongWritable", IO + "Text")
        rdd = self.sc.newAPIHadoopFile(path, NEW_INPUT + format, *classes, conf=conf)
        return rdd.glom().collect()

    def test_lines_and_their_places(self):
        path = self.file("lines", b"\xef\xbb\xbfa\tb\tc\r\nno\r\r\n\tx\nlast\t\n\nzz")
        lines = [
            [(0, "a\tb\tc")],
            [(10, "no")],
            [(13, ""), (15, "\tx")],
            [(18, "last\t")],
            [(24, ""), (25, "zz")],
            [],
        ]
        self.assertEqual(self.new("TextInputFormat", path, {"mapred.max.split.size": "5"}), lines)
        every = [row for part in lines for row in part]
        self.assertEqual(self.new("TextInputFormat", path), [every])
        old = self.sc.hadoopFile(path, OLD + "TextInputFormat", IO + "LongWritable", IO + "Text")
        self.assertEqual(old.collect(), every)
        conf = {"mapreduce.input.lineinputformat.linespermap": "2"}
        pairs = [every[0:2], every[2:4], every[4:6], every[6:]]
        self.assertEqual(self.new("NLineInputFormat", path, conf), pairs)
        keyed = [("a", "b\tc"), ("no", ""), ("", ""), ("", "x"), ("last", ""), ("", ""), ("zz", "")]
        self.assertEqual(self.new("KeyValueTextInputFormat", path), [keyed])
        conf = {"mapreduce.input.keyvaluelinerecordreader.key.value.separator": "b"}
        self.assertEqual(self.new("KeyValueTextInputFormat", path, conf)[0][0], ("a\t", "\tc"))

    def test_an_empty_first_line_is_given_once(self):
        path = self.file("empty", b"\nfoo\nbar\n")
        conf = {"mapreduce.input.lineinputformat.linespermap": "1"}
        found = self.new("NLineInputFormat", path, conf)
        self.assertEqual(sum(found, []), [(0, ""), (1, "foo"), (5, "bar")])

    def test_records_of_a_delimiter(self):
        path = self.file("records", b"a;;b;;;c;;")
        found = self.new("TextInputFormat", path, {"textinputformat.record.delimiter": ";;"})
        self.assertEqual(found, [[(0, "a"), (3, "b"), (6, ";c")]])

    def test_every_record_is_in_one_split_however_the_file_is_cut(self):
        content = b"one<>two<<>three>\r\n<>four"
        path = self.file("cut", content)
        for delimiter in (b"<>", b"\r\n", b"o"):
            expected = content.decode().split(delimiter.decode())
            for size in range(1, len(content) + 1):
                borders = [*range(0, len(content), size), len(content)]
                splits = [files.Split(path, a, b) for a, b in zip(borders, borders[1:])]
                found = [row for cut in splits for _, row in text.records(cut, delimiter)]
                self.assertEqual(found, expected, (delimiter, size))


class DoorsTest(ContextTest):
    """The methods with settings, and what they refuse."""

    def test_settings_name_path_format_and_classes(self):
        rows = [(2**40, "a"), (1, "b")]
        for save, load, format, kind in (
            ("saveAsHadoopDataset", "hadoopRDD", "mapred.output.format.class", OLD),
            (
                "saveAsNewAPIHadoopDataset",
                "newAPIHadoopRDD",
                "mapreduce.job.outputformat.class",
                NEW_OUTPUT,
            ),
        ):
            path = self.path(save)
            conf = {"mapred.output.dir": path, format: kind + "SequenceFileOutputFormat"}
            getattr(self.sc.parallelize(rows, 1), save)(conf)
            kind = OLD if kind == OLD else NEW_INPUT
            loaded = getattr(self.sc, load)(
                kind + "SequenceFileInputFormat",
                IO + "LongWritable",
                IO + "Text",
                conf={"mapreduce.input.fileinputformat.inputdir": path},
            )
            self.assertEqual(loaded.collect(), rows)
            with self.assertRaisesRegex(ValueError, "is not set"):
                getattr(self.sc.parallelize(rows), save)({})
            with self.assertRaisesRegex(ValueError, "is not set"):
                getattr(self.sc, load)(kind + "TextInputFormat", "", "")

    def test_what_is_refused(self):
        rdd = self.sc.parallelize([(1, "a")])
        for call, message in (
            (lambda: rdd.saveAsHadoopFile("x", "com.example.Avro"), "com.example.Avro.*take one"),
            (lambda: rdd.saveAsHadoopFile("x", NEW_OUTPUT + "TextOutputFormat"), "NewAPI"),
            (lambda: rdd.saveAsSequenceFile("x", "com.example.Codec"), "com.example.Codec"),
            (lambda: rdd.saveAsHadoopDataset({}, "com.example.ToText"), "class of Java"),
            (lambda: self.sc.sequenceFile("x", None, None, "com.example.K"), "class of Java"),
            (lambda: self.sc.hadoopFile("x", NEW_INPUT + "TextInputFormat", "", ""), "NewAPI"),
        ):
            with self.assertRaisesRegex(NotSupported, message):
                call()

    def test_a_missing_file_is_an_error_of_the_action(self):
        rdd = self.sc.sequenceFile(self.path("nowhere"))
        with self.assertRaisesRegex(FileNotFoundError, "Input path does not exist"):
            rdd.collect()


if __name__ == "__main__":
    unittest.main()
