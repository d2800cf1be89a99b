"""Programs, what they run on, and what they take."""
import importlib.util
import itertools
import json
import os
import shutil
import statistics
import subprocess
import sys
import time
from typing import NamedTuple

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
SPEC = os.path.join(ROOT, "crates/testkit/spec")
COMPARE = os.path.join(ROOT, "compare")
TARGET = os.path.abspath(os.environ.get("CARGO_TARGET_DIR", os.path.join(ROOT, "target")))
BENCH = os.path.join(TARGET, "bench")
REPO, RUN_ID = "pytorch/pytorch", "9871234567"
CORES = sorted(os.sched_getaffinity(0))


class Figures(NamedTuple):
    """What a command took."""
    seconds: float
    mib: float  # at the peak
    processor: float  # seconds
    told: dict  # what it says of itself


def artifacts(folder):
    """Where a made run keeps its archives."""
    return os.path.join(folder, REPO, RUN_ID, "1", "artifact")


def truth_of(folder):
    with open(os.path.join(folder, "truth.json")) as file:
        return json.load(file)


def made_run(cases, jobs):
    """The folder of a run of that size, made at the first call, and what is in it."""
    folder = os.path.join(BENCH, f"run-{cases}-{jobs}")
    if not os.path.exists(os.path.join(folder, "truth.json")):
        shutil.rmtree(folder, ignore_errors=True)
        print(f"making {cases:,} cases in {os.path.relpath(folder)}", flush=True)
        subprocess.run([sys.executable, os.path.join(SPEC, "make_run.py"), "--out", folder, "--cases", str(cases),
                        "--jobs", str(jobs)], check=True, stdout=subprocess.DEVNULL)
    return folder, truth_of(folder)


def spec_module(name):
    """One of the programs of the specification, as a module."""
    spec = importlib.util.spec_from_file_location(name, os.path.join(SPEC, name + ".py"))
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def build(*arguments):
    subprocess.run(["cargo", "build", "--release", "--locked", *arguments], cwd=ROOT, check=True)


def build_testlake():
    build("-p", "testlake")


def build_rivals():
    build("--manifest-path", os.path.join(COMPARE, "Cargo.toml"), "--target-dir", os.path.join(TARGET, "compare"))


def rival(name):
    return os.path.join(TARGET, "compare/release", name)


def program():
    """The beginning of each of its commands."""
    return [os.path.join(TARGET, "release/testlake")]


def collecting(folder, to, *flags):
    """The command that collects a run, with its destination empty."""
    shutil.rmtree(to, ignore_errors=True)
    return [*program(), "collect", "file://" + os.path.abspath(folder), "--repo", REPO, "--run-id", RUN_ID, "--attempt", "1",
            "--jobs-file", os.path.join(folder, "jobs.json"), "--to", to, "--quiet", *flags]


def testlake(folder, to, *flags):
    """The same without a lake."""
    return collecting(folder, to, "--no-lake", *flags)


def reference(folder, to):
    """The command of the slow model."""
    return [sys.executable, os.path.join(SPEC, "reference.py"), folder, to, "--run-id", RUN_ID]


def measure(command, core=None):
    """What a command took that must succeed. One that prints JSON tells of itself, and with `seconds` has measured them."""
    pin = None if core is None else lambda: os.sched_setaffinity(0, {core})
    start = time.monotonic()
    child = subprocess.Popen(command, stdout=subprocess.PIPE, preexec_fn=pin)
    output = child.stdout.read()
    _, status, usage = os.wait4(child.pid, 0)
    seconds = time.monotonic() - start
    child.returncode = os.waitstatus_to_exitcode(status)
    child.stdout.close()
    if child.returncode:
        sys.exit(f"ended with {child.returncode}: {' '.join(command)}")
    told = json.loads(output) if output.startswith(b'{"') else {}
    return Figures(told.get("seconds", seconds), usage.ru_maxrss / 1024, usage.ru_utime + usage.ru_stime, told)


def by_turns(programs, repeats, core=None):
    """Runs each program (a command, or what makes it) so many times, by turns, so that a slow minute hits each of them."""
    figures = {name: [] for name in programs}
    for turn, (name, command) in itertools.product(range(repeats), programs.items()):
        figures[name].append(measure(command() if callable(command) else command, core))
        last = figures[name][-1]
        print(f"{turn + 1}/{repeats} {name}: {last.seconds:.3f} s, {last.mib:.0f} MiB", file=sys.stderr, flush=True)
    return figures


def medians(programs, repeats):
    """The median of each figure of each program, run by turns."""
    return {name: Figures(*map(statistics.median, [column for column in list(zip(*rows))[:3]]), rows[-1].told)
            for name, rows in by_turns(programs, repeats).items()}
