"""SQL from Python: rows, Arrow streams in and out, and errors."""

import datetime
import decimal
import importlib.util
import unittest

import vonk
from vonk.trace import _vonk


def has(name):
    """Whether a package is installed."""
    return importlib.util.find_spec(name) is not None


@unittest.skipIf(_vonk is None, "the package has no compiled part")
class SqlTest(unittest.TestCase):
    def test_rows_are_python_objects(self):
        result = vonk.sql(
            "SELECT 1 AS a, 2.5D AS b, 'x' AS c, NULL AS d, true AS e, DATE '2024-02-29' AS f, "
            "CAST(1.50 AS DECIMAL(5, 2)) AS g, array(1, 2) AS h, named_struct('k', 'v') AS i, map('k', 1) AS j, "
            "TIMESTAMP_NTZ '2024-01-02 03:04:05' AS k"
        )
        day, time = datetime.date(2024, 2, 29), datetime.datetime(2024, 1, 2, 3, 4, 5)
        row = (
            1,
            2.5,
            "x",
            None,
            True,
            day,
            decimal.Decimal("1.50"),
            [1, 2],
            {"k": "v"},
            {"k": 1},
            time,
        )
        self.assertEqual(result.fetchall(), [row])
        self.assertEqual(result.columns, list("abcdefghijk"))

    def test_results_are_views_and_notebook_tables(self):
        three = vonk.sql("SELECT id AS n FROM range(3)")
        self.assertEqual(vonk.sql("SELECT sum(n) AS s FROM three", three=three).fetchone(), (3,))
        self.assertEqual(three.count(), 3)
        self.assertIn("<td>2</td>", three._repr_html_())
        self.assertIn("|  2|", repr(three))

    def test_errors_have_their_condition(self):
        with self.assertRaisesRegex(_vonk.SqlError, "nowhere"):
            vonk.sql("SELECT * FROM nowhere").fetchall()
        with self.assertRaises(TypeError):
            vonk.register("x", [1])

    @unittest.skipUnless(has("pyarrow"), "pyarrow is not installed")
    def test_arrow_goes_in_and_out(self):
        import pyarrow

        table = pyarrow.table({"x": [1, 2, 3], "y": ["a", None, "c"]})
        result = vonk.sql("SELECT x * 2 AS x2, y FROM t WHERE y IS NOT NULL", t=table)
        self.assertEqual(result.to_arrow().to_pydict(), {"x2": [2, 6], "y": ["a", "c"]})
        empty = vonk.sql("SELECT * FROM t WHERE x > 9", t=table).to_arrow()
        self.assertEqual((empty.num_rows, empty.column_names), (0, ["x", "y"]))

    @unittest.skipUnless(has("pandas") and has("pyarrow"), "pandas is not installed")
    def test_pandas(self):
        import pandas

        frame = pandas.DataFrame({"x": [1, 2, 3]})
        self.assertEqual(
            list(vonk.sql("SELECT x + 1 AS y FROM f", f=frame).to_pandas()["y"]), [2, 3, 4]
        )
