"""What was written: the collections of a made run."""
import gzip
import itertools
import json
import os
import re
import shutil
import sys

from .measure import RUN_ID

COLLECTIONS = ["test_run", "failed_test_runs", "test_run_summary", "additional_info/reruns",
               "additional_info/td_exclusions", "additional_info/invoking_file_summary"]
SUMS = {"test_run_summary", "additional_info/invoking_file_summary"}


def collections(out):
    """(name, path) of each collection that is there."""
    for name in COLLECTIONS:
        path = os.path.join(out, name, RUN_ID, "1")
        if os.path.exists(path):
            yield name, path


def size(out):
    return sum(os.path.getsize(path) for _, path in collections(out))


def inflate(out, folder):
    """Writes each collection as it was before gzip; returns the paths."""
    shutil.rmtree(folder, ignore_errors=True)
    os.makedirs(folder)
    paths = []
    for name, path in collections(out):
        paths.append(os.path.join(folder, name.replace("/", ".") + ".ndjson"))
        with gzip.open(path) as source, open(paths[-1], "wb") as target:
            shutil.copyfileobj(source, target, 1 << 20)
    return paths


def counts(out):
    """(distinct cases, rows of test_run_summary)."""
    paths = dict(collections(out))
    with gzip.open(paths["additional_info/invoking_file_summary"]) as file:
        distinct = sum(row["count"] for configs in json.load(file).values() for files in configs.values() for row in files.values())
    with gzip.open(paths["test_run_summary"]) as file:
        return distinct, sum(1 for _ in file)


def check_same(out, other):
    """Stops where two collect runs wrote other bytes."""
    for name, path in collections(out):
        with open(path, "rb") as one, open(path.replace(out, other, 1), "rb") as two:
            if one.read() != two.read():
                sys.exit(f"{name} differs between {out} and {other}")


def check(out, reference):
    """Stops where what testlake wrote is not what the model wrote; sums may differ in their last bits."""
    for name, path in collections(out):
        with gzip.open(path) as ours, open(os.path.join(reference, name.replace("/", ".") + ".ndjson"), "rb") as theirs:
            for number, (our, their) in enumerate(itertools.zip_longest(ours, theirs), 1):
                if our != their and not (name in SUMS and our and their and same_but_sums(our, their)):
                    sys.exit(f"{name}: line {number} differs from the reference")


def same_but_sums(our, their):
    pattern = rb'"time": ([-+.e0-9]+)'
    return re.sub(pattern, b"", our) == re.sub(pattern, b"", their) and all(
        abs(float(a) - float(b)) <= 1e-9 * abs(float(b)) for a, b in zip(re.findall(pattern, our), re.findall(pattern, their)))
