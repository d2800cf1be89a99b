"""Read collections with one of their readers, and stop where it sees something else than what must be there.

    readers.py READER OUT EXPECTED RUN_ID      OUT as `testlake collect` writes it, EXPECTED as spec/reference.py does
"""
import gzip
import json
import math
import os
import sys

KEYS = ["file", "classname", "job_id", "workflow_id", "workflow_run_attempt", "invoking_file"]
COLUMNS = {
    "test_run": ["classname", "name", "time", "job_id", "invoking_file"],
    "failed_test_runs": ["classname", "name", "time", "job_id", "invoking_file"],
    "test_run_summary": [*KEYS, "tests", "failures", "errors", "skipped", "successes", "time"],
}
OBJECTS = ["additional_info/reruns", "additional_info/td_exclusions", "additional_info/invoking_file_summary"]


def by_python(path, columns):
    with gzip.open(path, "rt") as lines:
        docs = [json.loads(line) for line in lines]
    return [[doc.get(column) for column in columns] for doc in docs] if columns else docs


def by_duckdb(path, columns):
    import duckdb
    source = f"read_json_auto('{path}', format='newline_delimited', compression='gzip', maximum_object_size=100000000"
    if columns:
        return [list(row) for row in duckdb.sql(f"select {', '.join(columns)} from {source})").fetchall()]
    return [json.loads(row[0]) for row in duckdb.sql(f"select json from {source}, records=false, columns={{json: 'JSON'}})").fetchall()]


def by_clickhouse(path, columns):
    import chdb
    if columns:
        text = chdb.query(f"select {', '.join(columns)} from file('{path}', 'JSONEachRow', 'auto', 'gzip')", "JSONCompactEachRow")
    else:
        text = chdb.query(f"select json from file('{path}', 'JSONAsString', 'json String', 'gzip')", "JSONCompactEachRow")
    rows = [json.loads(line) for line in str(text).splitlines()]
    return rows if columns else [json.loads(row[0]) for row in rows]


def same(a, b):
    if isinstance(a, dict) and isinstance(b, dict):
        return list(a) == list(b) and all(same(x, y) for x, y in zip(a.values(), b.values()))
    if isinstance(a, list) and isinstance(b, list):
        return len(a) == len(b) and all(map(same, a, b))
    if isinstance(a, float) or isinstance(b, float):
        return a is not None and b is not None and math.isclose(a, b, rel_tol=1e-9)
    return str(a) == str(b)  # some readers take digits for a number, some write large numbers as a string


def place(row):
    """A reader may use many threads, and owes no order: rows are sorted by this before they are compared."""
    return [f"{cell:.6g}" if isinstance(cell, float) else str(cell) for cell in row] if isinstance(row, list) else []


def main():
    reader, out, expected, run_id = sys.argv[1:]
    read = {"python": by_python, "duckdb": by_duckdb, "clickhouse": by_clickhouse}[reader]
    for collection in [*COLUMNS, *OBJECTS]:
        columns = COLUMNS.get(collection)
        with open(os.path.join(expected, collection.replace("/", ".") + ".ndjson")) as lines:
            docs = [json.loads(line) for line in lines]
        wanted = [[doc.get(column) for column in columns] for doc in docs] if columns else docs
        got = read(os.path.join(out, collection, run_id, "1"), columns)
        if len(wanted) != len(got):
            sys.exit(f"{collection}: {len(got)} rows, not {len(wanted)}")
        for want, have in zip(sorted(wanted, key=place), sorted(got, key=place)):
            if not same(want, have):
                sys.exit(f"{collection}: {str(have)[:500]}\nmust be: {str(want)[:500]}")
        print(f"{collection}: {len(got)}")


main()
