"""Asks a question of Parquet files by DuckDB: `scripts/bench ask` runs it.

    ask.py FILES QUESTION THREADS [CSV]

FILES has a path a line; the question's table is `results`. Prints how many seconds the question alone took, as JSON; with CSV the
rows go there.
"""
import json
import sys
import time

import duckdb


def main():
    files, question, threads = sys.argv[1:4]
    with open(files) as listed:
        paths = listed.read().split("\n")[:-1]
    start = time.monotonic()
    base = duckdb.connect(config={"threads": int(threads)})
    base.read_parquet(paths, hive_partitioning=True).create_view("results")
    if len(sys.argv) > 4:
        base.execute(f"copy ({question}) to '{sys.argv[4]}' (header, format csv)")
    else:
        base.execute(question).fetchall()
    print(json.dumps({"asked": time.monotonic() - start}))


if __name__ == "__main__":
    main()
