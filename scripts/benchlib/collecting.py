"""A whole `testlake collect`: against the slow model, against the floor, by threads, of a small run, and what it writes."""
import os
import re
import subprocess
import sys

from . import written
from .measure import BENCH, CORES, ROOT, artifacts, build_rivals, build_testlake, by_turns, made_run, measure, medians, reference, rival, testlake
from .page import described, table, write

OUT = os.path.join(BENCH, "out")


def collect(a):
    """Wall time and peak memory against the slow model, all collections and all but `test_run`."""
    build_testlake()
    folder, truth = made_run(a.cases, a.jobs)
    model = os.path.join(BENCH, "reference")
    slow = "`reference.py`, all collections"
    figures = medians({
        slow: reference(folder, model),
        "`testlake collect --full always`": lambda: testlake(folder, OUT, "--full", "always"),
        "`testlake collect --full never`": lambda: testlake(folder, OUT + "-never", "--full", "never"),
        "`testlake collect --full always --threads 1`": lambda: testlake(folder, OUT + "-1", "--full", "always", "--threads", "1"),
    }, a.repeats)
    written.check(OUT, model)
    written.check(OUT + "-never", model)
    written.check_same(OUT, OUT + "-1")
    targets = iter([("", ""), ("28", "150 MiB"), ("110", "150 MiB"), ("", "")])
    base = figures[slow]
    rows = [(name, f"{f.seconds:.2f}", f"{base.seconds / f.seconds:.1f}", faster, f"{f.processor:.1f}", f"{f.mib:.0f}", less)
            for (name, f), (faster, less) in zip(figures.items(), targets)]
    write(a, f"{described(truth, a.jobs)}; median of {a.repeats}, by turns. What was written was equal to the reference's, and "
          f"between one thread and all.",
          table(["", "seconds", "times as fast", "at least", "processor seconds", "peak", "at most"],
                [(*row[:5], row[5] + " MiB", row[6]) for row in rows]))


def floor(a):
    """A whole collect against a program that only inflates the archives and deflates the documents."""
    build_testlake()
    build_rivals()
    folder, truth = made_run(a.cases, a.jobs)
    level, piece = constant("run.rs", "LEVEL"), constant("work.rs", "PIECE_BYTES")
    programs = {}
    for full in ("always", "never"):
        out = f"{OUT}-{full}"
        measure(testlake(folder, out, "--full", full))
        documents = written.inflate(out, f"{BENCH}/documents-{full}")
        programs[full] = lambda out=out, full=full: testlake(folder, out, "--full", full, "--threads", str(len(CORES)))
        programs[f"{full}, floor"] = [rival("floor"), str(level), str(len(CORES)), str(piece), artifacts(folder), *documents]
    figures = medians(programs, a.repeats)
    rows = []
    for full, target in (("always", "1.5"), ("never", "")):
        ours, least = figures[full], figures[f"{full}, floor"]
        sizes = written.size(f"{OUT}-{full}") / 1e6, least.told["deflated"] / 1e6
        rows.append((f"`--full {full}`", f"{least.seconds:.2f}", f"{ours.seconds:.2f}", f"{ours.seconds / least.seconds:.2f}", target,
                     f"{least.told['documents'] / 1e6:.0f}", f"{sizes[1]:.1f}", f"{sizes[0]:.1f}"))
    write(a, f"{described(truth, a.jobs)}; zlib at level {level} in pieces of {piece >> 10} KiB on {len(CORES)} threads; median "
          f"of {a.repeats}, by turns.",
          table(["", "floor, seconds", "`testlake collect`, seconds", "times the floor", "at most", "documents, MB", "floor's output, MB",
                 "testlake's, MB"], rows))


def constant(file, name):
    """A number of the pipeline's that no flag sets."""
    with open(os.path.join(ROOT, "crates/collect/src/pipeline", file)) as source:
        found = re.search(rf"const {name}: \w+ = (\d+)(?: << (\d+))?;", source.read())
    if not found:
        sys.exit(f"{file} has no {name}")
    return int(found[1]) << int(found[2] or 0)


def threads(a):
    """One thread against two."""
    build_testlake()
    folder, truth = made_run(a.cases, a.jobs)
    figures = medians({f"{full}, {count}": lambda full=full, count=count: testlake(folder, OUT, "--full", full, "--threads", str(count))
                       for full in ("always", "never") for count in (1, 2)}, a.repeats)
    rows = []
    for full in ("always", "never"):
        one, two = (figures[f"{full}, {count}"].seconds for count in (1, 2))
        rows.append((f"`--full {full}`", f"{one:.2f}", f"{two:.2f}", f"{one / two:.2f}", "1.9"))
    write(a, f"{described(truth, a.jobs)}; median of {a.repeats}, by turns.",
          table(["", "1 thread, seconds", "2 threads, seconds", "times as fast", "at least"], rows))


def small(a):
    """A whole collect of a small run."""
    build_testlake()
    folder, truth = made_run(a.cases, a.jobs)
    figures = by_turns({full: lambda full=full: testlake(folder, OUT, "--full", full) for full in ("always", "never")}, a.repeats)
    rows = []
    for full, runs in figures.items():
        times = sorted(run.seconds * 1000 for run in runs)
        nth = lambda share: f"{times[int(share * (len(times) - 1))]:.0f}"
        rows.append((f"`--full {full}`", nth(0.5), "50", nth(0), nth(0.9)))
    write(a, f"{described(truth, a.jobs)}; the program's start to its end, {a.repeats} times by turns.",
          table(["", "median, ms", "under", "best, ms", "9 of 10 within, ms"], rows))


def size(a):
    """The size of `test_run` against what `gzip -9` makes of it."""
    build_testlake()
    folder, truth = made_run(a.cases, a.jobs)
    measure(testlake(folder, OUT, "--full", "always"))
    rows = []
    for name, path in written.collections(OUT):
        if name not in ("test_run", "test_run_summary"):
            continue
        inflated = subprocess.Popen(["gzip", "-dc", path], stdout=subprocess.PIPE)
        again = subprocess.Popen(["gzip", "-9", "-c"], stdin=inflated.stdout, stdout=subprocess.PIPE)
        best = sum(map(len, iter(lambda: again.stdout.read(1 << 20), b"")))
        if inflated.wait() or again.wait():
            sys.exit(f"gzip failed on {path}")
        ours = os.path.getsize(path)
        rows.append((f"`{name}`", f"{ours / 1e6:.2f}", f"{best / 1e6:.2f}", f"{ours / best:.3f}", "1.10" if name == "test_run" else ""))
    write(a, f"{described(truth, a.jobs)}.", table(["", "testlake's, MB", "`gzip -9`, MB", "times the size", "at most"], rows))
