"""DuckDB behind lines of JSON: {"statements": [...]} and {"query": text} come in; {"rows", "error"} goes out."""

import json
import sys

import duckdb


def text_of(value):
    """A value as vonk_tests::render writes it."""
    return nested_text_of(value) or "(empty)"


def nested_text_of(value):
    """The same within another value, where an empty text is nothing."""
    if value is None:
        return "NULL"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list):
        return "[" + ", ".join(nested_text_of(item) for item in value) + "]"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key}: {nested_text_of(item)}" for key, item in value.items()) + "}"
    return str(value)


connection = duckdb.connect()
connection.execute("SET threads = 1")
for line in sys.stdin:
    request = json.loads(line)
    try:
        for statement in request.get("statements", []):
            connection.execute(statement)
        rows = []
        if "query" in request:
            rows = [[text_of(value) for value in row] for row in connection.execute(request["query"]).fetchall()]
        answer = {"rows": rows}
    except Exception as error:
        answer = {"error": str(error)}
    print(json.dumps(answer), flush=True)
