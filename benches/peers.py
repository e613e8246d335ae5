"""An engine of Python behind the same lines of JSON as worker.rs: peers.py duckdb|polars|datafusion.

{"tables": {name: path}} and {"query": text} come in; {"wall_s", "rows", "error"} goes out.
With --answers FOLDER_OF_QUERIES FOLDER_OF_DATA it records DuckDB's answers as CSV instead.
"""

import json
import sys
import time
from pathlib import Path


def text_of(value):
    """A value as worker.rs writes it."""
    if value is None:
        return "NULL"
    if isinstance(value, bool):
        return str(value).lower()
    return str(value) or "(empty)"


class DuckDB:
    def __init__(self):
        import duckdb

        self.connection = duckdb.connect()

    def table(self, name, path):
        if path.endswith(".txt"):
            # A separator that no line holds makes each line one column, without quotes.
            source = (
                f"read_csv('{path}', columns={{'value': 'VARCHAR'}}, header=false, delim='\\x01', quote='', "
                "escape='', auto_detect=false, null_padding=true, strict_mode=false)"
            )
        else:
            source = f"read_parquet('{path}')"
        self.connection.execute(f"CREATE VIEW {name} AS SELECT * FROM {source}")

    def query(self, text):
        return self.connection.sql(text).to_arrow_table()


class Polars:
    def __init__(self):
        import polars

        self.polars = polars
        self.context = polars.SQLContext()

    def table(self, name, path):
        if path.endswith(".txt"):
            frame = self.polars.scan_csv(
                path, has_header=False, separator="\x01", quote_char=None, new_columns=["value"],
                schema={"value": self.polars.String},
            )
        else:
            frame = self.polars.scan_parquet(path)
        self.context.register(name, frame)

    def query(self, text):
        return self.context.execute(text).collect().to_arrow()


class DataFusion:
    def __init__(self):
        import datafusion

        self.context = datafusion.SessionContext()

    def table(self, name, path):
        if path.endswith(".txt"):
            import pyarrow

            self.context.register_csv(
                name, path, schema=pyarrow.schema([("value", pyarrow.string())]), has_header=False,
                delimiter="\x01", file_extension=".txt",
            )
        else:
            self.context.register_parquet(name, path)

    def query(self, text):
        return self.context.sql(text).to_arrow_table()


ENGINES = {"duckdb": DuckDB, "polars": Polars, "datafusion": DataFusion}


def serve(engine):
    for line in sys.stdin:
        request = json.loads(line)
        answer = {"wall_s": 0.0, "rows": [], "error": None}
        try:
            for name, path in request.get("tables", {}).items():
                engine.table(name, path)
            if "query" in request:
                start = time.perf_counter()
                table = engine.query(request["query"])
                answer["wall_s"] = time.perf_counter() - start
                columns = [column.to_pylist() for column in table.columns]
                answer["rows"] = [[text_of(value) for value in row] for row in zip(*columns)]
        except BaseException as error:  # Polars panics with an error that is no Exception
            answer["error"] = f"{type(error).__name__}: {error}"
        print(json.dumps(answer), flush=True)


def record_answers(queries, data):
    import duckdb

    connection = duckdb.connect()
    for file in sorted(Path(data).glob("*.parquet")):
        connection.execute(f"CREATE VIEW {file.stem} AS SELECT * FROM '{file}'")
    answers = Path(queries) / "answers"
    answers.mkdir(exist_ok=True)
    for query in sorted(Path(queries).glob("q*.sql")):
        text = query.read_text()
        connection.execute(f"COPY ({text}) TO '{answers / query.stem}.csv' (HEADER, NULLSTR 'NULL')")
    print(f"recorded by DuckDB {duckdb.__version__}")


if __name__ == "__main__":
    if sys.argv[1] == "--answers":
        record_answers(sys.argv[2], sys.argv[3])
    else:
        serve(ENGINES[sys.argv[1]]())
