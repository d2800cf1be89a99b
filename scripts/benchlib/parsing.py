"""Parsers on the same reports, in memory, on one core."""
import os
import statistics
import subprocess
import sys
import zipfile

from .measure import BENCH, COMPARE, CORES, TARGET, artifacts, build_rivals, by_turns, made_run, rival
from .page import described, table, write

TOOLS = os.path.join(TARGET, "compare-tools")
PYTHON_PACKAGES = ["lxml==6.1.3", "junitparser==5.0.3", "test-results-parser==0.6.1"]
NPM_PACKAGES = ["fast-xml-parser@5.12.1"]
CASES, OWNED, EVENTS, CODECOV = "testlake, typed cases", "testlake, typed cases kept", "quick-xml, events and attributes", "test-results-parser (Codecov)"


def parse(a):
    """Bytes to cases, MB/s, of testlake and of other programs."""
    build_rivals()
    install()
    folder, truth = made_run(a.cases, a.jobs)
    reports = unpacked(folder, os.path.join(BENCH, f"reports-{a.cases}-{a.jobs}"), truth)
    figures = by_turns(parsers(reports), a.repeats, core=CORES[-1])
    size = truth["xml_bytes"] / 1e6
    speeds = {name: size / statistics.median(run.seconds for run in runs) for name, runs in figures.items()}
    rows, others = [], []
    for name, runs in figures.items():
        cases = runs[-1].told["cases"]
        rows.append((name, f"{speeds[name]:.0f}", f"{size / min(run.seconds for run in runs):.0f}", f"{cases:,}",
                     f"{speeds[CASES] / speeds[name]:.1f}"))
        if cases != truth["cases"]:
            others.append(f"{name} by {cases - truth['cases']:+,}")
    told = f"All found the same number of cases but {', '.join(others)}." if others else "All found the same number of cases."
    targets = [("MB/s", f"{speeds[CASES]:.0f}", "1,200"), ("times quick-xml's bare events", f"{speeds[CASES] / speeds[EVENTS]:.1f}", "2"),
               ("times Codecov's parser", f"{speeds[CASES] / speeds[CODECOV]:.1f}", "5")]
    write(a, f"{described(truth, a.jobs).removesuffix(', in the page cache')}, inflated and in memory, on one core; {a.repeats} times by "
          f"turns, in the table's order. {told}",
          table(["", "MB/s, median", "best", "cases", "testlake's typed cases to it"], rows),
          table(["testlake's typed cases", "", "at least"], targets))


def parsers(reports):
    """The command of each parser."""
    python = [os.path.join(TOOLS, "venv/bin/python"), os.path.join(COMPARE, "parse.py")]
    return {
        "`reference.py`, a document of each case": [*python, "reference", reports],
        "junitparser": [*python, "junitparser", reports],
        "ElementTree": [*python, "elementtree", reports],
        "lxml": [*python, "lxml", reports],
        CODECOV: [*python, "codecov", reports],
        "fast-xml-parser (Datadog)": ["node", os.path.join(COMPARE, "parse.mjs"), TOOLS, reports],
        "quick-junit, times given a zone": [rival("parse"), "quick-junit", reports],
        EVENTS: [rival("parse"), "quick-xml", reports],
        OWNED: [rival("parse"), "testlake-owned", reports],
        CASES: [rival("parse"), "testlake-cases", reports],
        "testlake, the scanner alone": [rival("parse"), "testlake-scanner", reports],
    }


def install():
    """Puts the packages that are measured below target/, nothing outside it."""
    wanted = " ".join(PYTHON_PACKAGES + NPM_PACKAGES)
    mark = os.path.join(TOOLS, "installed")
    if os.path.exists(mark) and open(mark).read() == wanted:
        return
    print(f"installing below {os.path.relpath(TOOLS)}: {wanted}", flush=True)
    subprocess.run([sys.executable, "-m", "venv", "--clear", os.path.join(TOOLS, "venv")], check=True)
    subprocess.run([os.path.join(TOOLS, "venv/bin/pip"), "install", "--quiet", "--no-input", "--disable-pip-version-check",
                    *PYTHON_PACKAGES], check=True)
    subprocess.run(["npm", "install", "--silent", "--no-audit", "--no-fund", "--ignore-scripts", "--prefix", TOOLS, *NPM_PACKAGES], check=True)
    with open(mark, "w") as file:
        file.write(wanted)


def unpacked(folder, to, truth):
    """All reports of a made run, one behind the other in `reports.bin`; their lengths are in `reports.lengths`, a line each."""
    lengths = os.path.join(to, "reports.lengths")
    if os.path.exists(lengths):
        return to
    os.makedirs(to, exist_ok=True)
    found = []
    with open(os.path.join(to, "reports.bin"), "wb") as out:
        for name in sorted(os.listdir(artifacts(folder))):
            with zipfile.ZipFile(os.path.join(artifacts(folder), name)) as archive:
                for member in sorted(member for member in archive.namelist() if member.endswith(".xml")):
                    found.append(out.write(archive.read(member)))
    if (len(found), sum(found)) != (truth["reports"], truth["xml_bytes"]):
        sys.exit(f"{folder} does not hold what its truth.json says")
    with open(lengths, "w") as file:
        file.writelines(f"{length}\n" for length in found)
    return to
