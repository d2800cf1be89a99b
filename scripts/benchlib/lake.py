"""The lake: filled by `collect` and `upload`, optimised, and asked."""
import csv
import json
import os
import shutil
import statistics
import subprocess
import sys
import zipfile

from .measure import (BENCH, COMPARE, CORES, TARGET, artifacts, build, build_testlake, by_turns, collecting, made_run, measure, medians, program,
                      testlake)
from .page import described, table, write

TOOLS = os.path.join(TARGET, "compare-tools/lake")
DUCKDB = "duckdb==2.0.0"


def lake(a):
    """A whole collect with its lake against one without, and how large the lake is."""
    build_testlake()
    folder, truth = made_run(a.cases, a.jobs)
    out = os.path.join(BENCH, "out-lake")
    without, beside = "`collect --full always --no-lake`", "`collect --full always`"
    alone = "`collect --no-collections`"
    figures = medians({
        without: lambda: testlake(folder, out, "--full", "always"),
        beside: lambda: collecting(folder, out, "--full", "always"),
        alone: lambda: collecting(folder, out + "-alone", "--no-collections"),
    }, a.repeats)
    measure(collecting(folder, out, "--full", "always"))
    where = os.path.join(out, "lake")
    cases = int(asked(where, "select count(*) from results")[0][0])
    if cases != truth["cases"]:
        sys.exit(f"the lake has {cases} results of {truth['cases']} cases")
    taken_in = size(where)
    optimize = measure([*program(), "lake", "optimize", "--lake", where, "--quiet"])
    optimized = size(where)
    rows = [(name, f"{f.seconds:.2f}", f"{truth['cases'] / f.seconds:,.0f}", faster, f"{f.seconds / figures[without].seconds:.2f}", most,
             f"{f.processor:.1f}", f"{f.mib:.0f}")
            for (name, f), (faster, most) in zip(figures.items(), [("", ""), ("600,000", "1.6"), ("", "")])]
    sizes = [("as taken in", f"{taken_in[0]:,}", f"{taken_in[1] / 1e6:.1f}", f"{taken_in[1] / cases:.2f}", "12"),
             ("after `lake optimize`", f"{optimized[0]:,}", f"{optimized[1] / 1e6:.1f}", f"{optimized[1] / cases:.2f}", "6")]
    write(a, f"{described(truth, a.jobs)}; median of {a.repeats}, by turns.",
          table(["", "seconds", "cases a second", "at least", "times `--no-lake`", "at most", "processor seconds", "peak, MiB"], rows),
          table(["`results`", "files", "MB", "bytes a case", "at most"], sizes),
          f"`lake optimize` took {optimize.seconds:.1f} s and {optimize.mib:.0f} MiB.")


def upload(a):
    """What a CI job waits for: one small write into a lake of many commits."""
    build_testlake()
    build_maker()
    where, _ = made_lake("commits", a.commits)
    reports, truth = job(a.cases)
    number = iter(range(sys.maxsize))

    def one(lake, name):
        # Of a run of its own each time, so that nothing is replaced.
        return lambda: [*program(), "upload", reports, "--lake", lake, "--repo", "owner/name", "--run-id", f"{os.getpid()}{next(number)}",
                        "--artifact", name, "--quiet"]

    empty = os.path.join(BENCH, "lake-new")
    shutil.rmtree(empty, ignore_errors=True)
    before = commits(where)
    names = {f"a lake of {before:,} commits": one(where, "unit"), "a lake of a few": one(empty, "unit")}
    figures = by_turns(names, a.repeats)
    rows = []
    for (name, runs), target in zip(figures.items(), ("300", "")):
        times = sorted(run.seconds * 1000 for run in runs)
        rows.append((name, f"{statistics.median(times):.0f}", target, f"{times[0]:.0f}", f"{times[-1]:.0f}",
                     f"{statistics.median(run.processor for run in runs) * 1000:.0f}", f"{max(run.mib for run in runs):.0f}"))
    write(a, f"{truth['cases']:,} cases in {truth['reports']:,} reports, {truth['xml_bytes'] / 1e6:.1f} MB of XML; lakes in a folder; the "
          f"program's start to its end, {a.repeats} times by turns.",
          table(["into", "median, ms", "under", "best, ms", "worst, ms", "processor, ms", "peak, MiB"], rows))


def ask(a):
    """What is asked of a large lake, and the same of DuckDB over the same files."""
    build_testlake()
    build_maker()
    install()
    where, (run, day, file, class_, name, made) = made_lake("days", a.days, a.runs, a.cases)
    files = os.path.join(BENCH, "files.txt")
    listed = subprocess.run([*program(), "lake", "files", "--table", "results", "--lake", where], check=True, capture_output=True).stdout
    with open(files, "wb") as out:
        out.write(listed)
    failures = "select file, class, name, message from results where run_id = '{run}' and outcome in ('failed', 'errored'){more}"
    history = "select date, run_id, outcome, seconds from results where {of}name = '{name}' order by started"
    of_test = f"file = '{file}' and class = '{class_}' and "
    questions = [
        ("one run's failures", failures.format(run=run, more=""), 0.1),
        ("the same, its day named", failures.format(run=run, more=f" and date = '{day}'"), 0.1),
        ("one test's history", history.format(of=of_test, name=name), 0.3),
        ("the same, by its name alone", history.format(of="", name=name), None),
        ("counts by outcome and day", "select date, outcome, count(*) as n from results group by 1, 2 order by 1, 2", 1),
    ]
    python = os.path.join(TOOLS, "bin/python")
    programs, counts = {}, []
    for title, question, _ in questions:
        theirs = [python, os.path.join(COMPARE, "ask.py"), files, question, str(len(CORES))]
        counts.append(same_answers(where, question, theirs))
        programs[title] = [*program(), "sql", "--lake", where, "--format", "csv", question]
        programs[title + ", DuckDB"] = theirs
    figures = by_turns(programs, a.repeats)
    middle = lambda title, what: statistics.median(what(run) for run in figures[title])
    rows = []
    for (title, _, most), count in zip(questions, counts):
        ours, theirs = (middle(name, lambda run: run.seconds) for name in (title, title + ", DuckDB"))
        alone = middle(title + ", DuckDB", lambda run: run.told["asked"])
        peak = max(run.mib for run in figures[title])
        rows.append((title, f"{count:,}", f"{ours:.3f}", most or "", f"{theirs:.3f}", f"{ours / theirs:.2f}", "1.2", f"{alone:.3f}",
                     f"{ours / alone:.2f}", f"{peak:.0f}"))
    many, total = size(where)
    write(a, f"{int(made):,} results of {a.runs:,} runs over {a.days} days in {many:,} files, {total / 1e6:,.0f} MB ({total / int(made):.2f} bytes a "
          f"result), in the page cache; {DUCKDB.replace('==', ' ')} on {len(CORES)} threads; median of {a.repeats}, by turns. Both gave the same rows.",
          table(["", "rows", "`testlake sql`, s", "at most", "DuckDB in Python, s", "times it", "at most", "DuckDB without Python's start, s",
                 "times it", "peak, MiB"], rows), "\n".join(f"- {title}: `{question}`" for title, question, _ in questions))


def build_maker():
    """Both packages are named, so that what they stand on is built with the same features, and so not anew."""
    build("-p", "testlake", "-p", "testlake-lake", "--features", "testlake-lake/made", "--bin", "make_lake")


def made_lake(*words):
    """The folder of a made lake, made at the first call, and what its maker said of it."""
    where = os.path.join(BENCH, "-".join(["lake", *map(str, words)]))
    said = where + ".txt"
    if not os.path.exists(said):
        shutil.rmtree(where, ignore_errors=True)
        print(f"making {os.path.relpath(where)}", flush=True)
        maker = os.path.join(TARGET, "release/make_lake")
        told = subprocess.run([maker, words[0], where, *map(str, words[1:])], check=True, stdout=subprocess.PIPE, text=True).stdout
        with open(said, "w") as file:
            file.write(told)
    with open(said) as file:
        return where, file.read().split("\n")[:-1]


def job(cases):
    """The folder of the reports of one job, of about so many cases, and what is in it."""
    folder, _ = made_run(2 * cases, 10)
    reports = os.path.join(BENCH, f"job-{cases}")
    shutil.rmtree(reports, ignore_errors=True)
    truth = {"cases": 0, "reports": 0, "xml_bytes": 0}
    for name in sorted(os.listdir(artifacts(folder))):
        with zipfile.ZipFile(os.path.join(artifacts(folder), name)) as archive:
            for member in sorted(member for member in archive.namelist() if member.endswith(".xml")):
                xml = archive.read(member)
                if truth["cases"] + xml.count(b"<testcase") > cases:
                    continue
                archive.extract(member, reports)
                truth = {"cases": truth["cases"] + xml.count(b"<testcase"), "reports": truth["reports"] + 1, "xml_bytes": truth["xml_bytes"] + len(xml)}
    return reports, truth


def asked(where, question):
    """The rows of an answer, as texts."""
    told = subprocess.run([*program(), "sql", "--lake", where, "--format", "csv", question], check=True, capture_output=True, text=True).stdout
    return list(csv.reader(told.splitlines(keepends=True)))[1:]


def same_answers(where, question, theirs):
    """How many rows a question has; stops where DuckDB has other ones."""
    path = os.path.join(BENCH, "duckdb.csv")
    subprocess.run([*theirs, path], check=True, stdout=subprocess.DEVNULL)
    with open(path, newline="") as file:
        other = list(csv.reader(file))[1:]
    ours = asked(where, question)
    if sorted(ours) != sorted(other):
        sys.exit(f"DuckDB answers otherwise: {question}")
    return len(ours)


def size(where):
    """Files of the results of a lake, and their bytes."""
    listed = subprocess.run([*program(), "lake", "files", "--table", "results", "--lake", where], check=True, capture_output=True, text=True)
    paths = listed.stdout.splitlines()
    return len(paths), sum(map(os.path.getsize, paths))


def commits(where):
    """Commits to the results of a lake."""
    told = subprocess.run([*program(), "lake", "info", "--format", "json", "--lake", where], check=True, capture_output=True, text=True).stdout
    tables = (json.loads(line) for line in told.splitlines())
    return next(line["version"] for line in tables if line.get("table") == "results")


def install():
    """Puts DuckDB below target/, nothing outside it."""
    mark = os.path.join(TOOLS, "installed")
    if os.path.exists(mark) and open(mark).read() == DUCKDB:
        return
    print(f"installing below {os.path.relpath(TOOLS)}: {DUCKDB}", flush=True)
    subprocess.run([sys.executable, "-m", "venv", "--clear", TOOLS], check=True)
    subprocess.run([os.path.join(TOOLS, "bin/pip"), "install", "--quiet", "--no-input", "--disable-pip-version-check", DUCKDB], check=True)
    with open(mark, "w") as file:
        file.write(DUCKDB)
