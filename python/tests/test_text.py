"""Text files: which lines belong to which split, and what is written."""

import bz2
import gzip
import os
import time

from support import ContextTest

from vonk import JobError, files


class TextTest(ContextTest):
    def lines(self, path, partitions=2):
        return self.sc.textFile(path, partitions).glom().collect()

    def test_every_line_is_in_one_split_however_the_file_is_cut(self):
        texts = [b"one\ntwo\nthree\n", b"a\r\nbc\rd\n\n\nlast", b"\n\n\n", b"x" * 50, b"\r\n\r\n"]
        for number, content in enumerate(texts):
            path = self.file(f"cut{number}.txt", content)
            text = content.decode().replace("\r\n", "\n").replace("\r", "\n")
            expected = text.removesuffix("\n").split("\n")
            for size in range(1, len(content) + 1):
                borders = [*range(0, len(content), size), len(content)]
                splits = [files.Split(path, a, b) for a, b in zip(borders, borders[1:])]
                found = [line for split in splits for line in files.lines(split)]
                self.assertEqual(found, expected, (content, size))

    def test_a_line_at_the_border_belongs_to_the_split_before(self):
        # Hadoop reads one line more if it begins exactly where the split ends.
        path = self.file("border.txt", b"aa\nbb\ncc\ndd\n")
        self.assertEqual(self.lines(path, 2), [["aa", "bb", "cc"], ["dd"]])
        self.assertEqual(self.lines(path, 1), [["aa", "bb", "cc", "dd"]])

    def test_the_mark_before_the_text_of_a_file_is_no_text(self):
        content = b"\xef\xbb\xbfone\n\xef\xbb\xbftwo\n"
        for name, packed in {"mark.txt": content, "mark.gz": gzip.compress(content)}.items():
            rdd = self.sc.textFile(self.file(name, packed), 1)
            self.assertEqual(rdd.collect(), ["one", "\ufefftwo"])
            # Traced, and in a worker.
            self.assertEqual(rdd.map(lambda line: (line, len(line))).collect(), [("one", 3), ("\ufefftwo", 4)])
            self.assertEqual(rdd.map(ascii).first(), "'one'")

    def test_pipe_ends_a_program_whose_rows_nobody_wants(self):
        program = "sh -c 'echo $$; exec sleep 600'"
        process = int(self.sc.parallelize([1], 1).pipe(program).first())
        with self.assertRaises(ProcessLookupError):
            for _ in range(100):
                os.kill(process, 0)
                time.sleep(0.05)

    def test_empty_and_broken_files(self):
        self.assertEqual(self.lines(self.file("empty.txt", b"")), [])
        self.assertEqual(self.lines(self.file("bad.txt", b"a\xff\n"), 1), [["a\ufffd"]])

    def test_packed_files_are_one_split(self):
        for name, pack in {"p.gz": gzip.compress, "p.bz2": bz2.compress}.items():
            path = self.file(name, pack(b"one\ntwo\n" * 1000))
            self.assertEqual([len(part) for part in self.lines(path, 3)], [2000])

    def test_directories_globs_and_lists(self):
        os.makedirs(self.path("many"))
        for name, content in {"b.txt": b"b\n", "a.txt": b"a\n", "_hidden": b"x\n"}.items():
            self.file(os.path.join("many", name), content)
        a, b = self.path("many/a.txt"), self.path("many/b.txt")
        for paths in (
            self.path("many"),
            self.path("many/*"),
            f"{a},{b}",
            self.path("many/{a,b}.txt"),
        ):
            self.assertEqual(self.sc.textFile(paths).collect(), ["a", "b"], paths)
        self.assertEqual(self.sc.textFile("file://" + a).collect(), ["a"])
        whole = self.sc.wholeTextFiles(self.path("many")).collect()
        self.assertEqual(whole, [(files.url(a), "a\n"), (files.url(b), "b\n")])

    def test_a_missing_file_is_an_error_of_the_action(self):
        rdd = self.sc.textFile(self.path("nowhere")).map(len)
        with self.assertRaisesRegex(FileNotFoundError, "Input path does not exist"):
            rdd.collect()

    def test_saved_text_is_whole_or_not_there(self):
        path = self.path("saved")
        self.sc.parallelize(["a", 1, b"raw"], 2).saveAsTextFile(path)
        self.assertEqual(sorted(os.listdir(path)), ["_SUCCESS", "part-00000", "part-00001"])
        self.assertEqual(self.sc.textFile(path).collect(), ["a", "1", "raw"])
        with self.assertRaises(FileExistsError):
            self.sc.range(1).saveAsTextFile(path)
        with self.assertRaises(JobError):
            self.sc.range(3).map(lambda x: 1 // (x - 1)).saveAsTextFile(self.path("failed"))
        self.assertFalse(os.path.exists(self.path("failed")))

    def test_pickle_files(self):
        path = self.path("pickled")
        self.sc.parallelize([1, "a", None, (2, [3])], 2).saveAsPickleFile(path)
        self.assertEqual(self.sc.pickleFile(path).collect(), [1, "a", None, (2, [3])])
