#!/usr/bin/env python3
"""Make small runs of odd reports, and what must come out of them: what make_run.py's runs are too regular to hold.

Writes, for each seed, one run in the layout that make_run.py describes, and beside it every collection of it as
reference.py computes it:

    OUT/<seed>/<owner>/<repo>/<run id>/<attempt>/artifact/...
    OUT/<seed>/jobs.json
    OUT/<seed>/expected/<collection>.ndjson

Odd are: cases repeated in a report, across reports and across jobs; attributes of one name with and without a prefix;
children named as attributes and as the keys that are added; values that are numbers to Python; blank texts; builds of
bazel; jobs without a name or an id; members of archives under odd and under equal paths. Nothing in them is broken, so
that the model does not stop. The same seed makes the same run.

    odd_run.py --out DIR --first 1 --last 25
"""
import argparse
import contextlib
import io
import json
import os
import random
import sys
import warnings
import zipfile

import reference

RUN_ID = "9871234567"
BUILDS = ["linux", "win / x", "bazel-linux", "mac"]
CONFIGS = ["default", "slow"]
INVOKING = ["test_a", "test_b", "nn.test_c", "distributed.test_distributed_spawn", ""]
VALUES = ["a", "b", "1", "-0", "0", "0.0", "1e5", "nan", "é", "x&amp;y", "a.b", "1_0", "&#10;", "&lt;", " 5 ", "true",
          "0.00001", "12345678901234567890", ""]
TIMES = ["0.1", "1", "1e308", "nan", "", "-0.0", "1,2", "0.3333333333333333"]
CASE_ATTRIBUTES = ["name", "classname", "file", "time", "line", "text", "p:name", "failure", "workflow_id", "job_id",
                   "tail", "skipped"]
CASE_CHILDREN = ["failure", "failure", "error", "skipped", "rerun", "p:rerun", "system-out", "name", "file", "time",
                 "classname", "text", "workflow_id", "testcase"]
CHILD_ATTRIBUTES = ["message", "type", "text", "tail", "time", "p:x", "x"]
GRANDCHILDREN = ["failure", "text", "tail", "y", "property", "testcase", "p:z"]
TEXTS = ["  ", "txt\r\n", "<![CDATA[<c&>]]>", "a<!-- c -->b", "&#160;", "\n"]


class Writer:
    """Writes elements with what one random generator gives."""

    def __init__(self, rng):
        self.rng = rng

    def chance(self, share):
        return self.rng.random() < share

    def attributes(self, names):
        time = lambda name: name == "time" and self.chance(0.8)
        return "".join(f' {name}="{self.rng.choice(TIMES if time(name) else VALUES)}"' for name in names)

    def element(self, tag, depth):
        """One element inside a case, with up to two more below it."""
        start = f"<{tag}" + self.attributes(self.rng.sample(CHILD_ATTRIBUTES, self.rng.randint(0, 2)))
        body = self.rng.choice(TEXTS) if self.chance(0.5) else ""
        if depth < 2:
            for _ in range(self.rng.randint(0, 3)):
                body += self.element(self.rng.choice(GRANDCHILDREN), depth + 1)
                if self.chance(0.4):
                    body += self.rng.choice([" tail ", "\n", "t&amp;"])
        return f"{start}>{body}</{tag}>" if body or self.chance(0.5) else f"{start}/>"

    def case(self):
        start = "<testcase" + self.attributes(self.rng.sample(CASE_ATTRIBUTES, self.rng.randint(0, 6)))
        body = self.rng.choice(["  ", "txt", "<![CDATA[x]]>"]) if self.chance(0.3) else ""
        for _ in range(self.rng.choice([0, 0, 0, 1, 2, 4])):
            body += self.element(self.rng.choice(CASE_CHILDREN), 0)
            if self.chance(0.3):
                body += self.rng.choice([" tail ", "\n"])
        return f"{start}>{body}</testcase>" if body or self.chance(0.3) else f"{start}/>"

    def report(self):
        cases = "".join(self.case() + self.rng.choice(["", "\n", " stray "]) for _ in range(self.rng.randint(0, 8)))
        return ('<?xml version="1.0" encoding="utf-8"?>'
                f'<testsuites xmlns:p="http://x"><testsuite>{cases}</testsuite></testsuites>')

    def path(self):
        """A member's path: some lie at the archive's top, go up or are absolute, and some are there twice."""
        invoking = self.rng.choice(INVOKING)
        folder = f"test/{invoking}/" if invoking else self.rng.choice(["", "../", "//"])
        return f"{folder}r{self.rng.randint(0, 6)}.xml"


def make(seed, out):
    """Writes one run; returns its folder."""
    rng = random.Random(f"odd run {seed}")
    writer = Writer(rng)
    folder = os.path.join(out, str(seed))
    base = os.path.join(folder, "pytorch", "pytorch", RUN_ID, "1", "artifact")
    os.makedirs(base)
    jobs = {}
    for number in range(rng.randint(1, 5)):
        job = rng.choice([str(1000 + number), f"00{2000 + number}"])
        if rng.random() < 0.8:
            jobs[str(int(job))] = f"{rng.choice(BUILDS)} / test ({rng.choice(CONFIGS)}, 1, 2, r)"
        end = rng.choice([f"_{job}"] * 4 + ["_x", ""])
        with zipfile.ZipFile(os.path.join(base, f"test-reports-t-{number}{end}.zip"), "w", zipfile.ZIP_DEFLATED) as z:
            for _ in range(rng.randint(0, 5)):
                z.writestr(writer.path(), writer.report())
        with zipfile.ZipFile(os.path.join(base, f"test-jsons-t-{number}{end}.zip"), "w") as z:
            for list_number in range(rng.randint(0, 2)):
                excluded = [{"test_file": rng.choice("abcé😀")} for _ in range(rng.randint(0, 3))]
                z.writestr(f"d/td_exclusions-{list_number}.json", json.dumps({"excluded": excluded}))
    with open(os.path.join(folder, "jobs.json"), "w") as f:
        json.dump(jobs, f)
    return folder


def main():
    cli = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    cli.add_argument("--out", required=True)
    cli.add_argument("--first", type=int, default=1, help="the first seed")
    cli.add_argument("--last", type=int, default=25, help="the last seed")
    a = cli.parse_args()
    warnings.filterwarnings("ignore", "Duplicate name")
    for seed in range(a.first, a.last + 1):
        folder = make(seed, a.out)
        sys.argv = ["reference.py", folder, os.path.join(folder, "expected"), "--run-id", RUN_ID]
        with contextlib.redirect_stdout(io.StringIO()):
            reference.main()


if __name__ == "__main__":
    main()
