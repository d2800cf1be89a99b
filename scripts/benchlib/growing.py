"""How time and memory grow with the run, and with a single report."""
import json
import os
import random
import shutil
import zipfile

from . import written
from .measure import BENCH, artifacts, build_testlake, made_run, medians, spec_module, testlake, truth_of
from .page import table, write

CASES_AT_ONCE = 1000


def growth(a):
    """Time and peak memory by the number of cases, and of one large report."""
    build_testlake()
    runs = [(f"{cases:,} cases", *made_run(cases, 20 if cases < 1_000_000 else 160), peak)
            for cases, peak in ((a.least, ""), (a.least * 10, "150 MiB"), (a.least * 100, "700 MiB"))]
    for reports in (1000, 1):
        name = f"{a.gigabytes:g} GB in {'one report' if reports == 1 else f'{reports:,} reports'}"
        runs.append((name, *large_run(a.gigabytes, reports), "the line above" if reports == 1 else ""))
    rows, made = [], []
    for name, folder, truth, at_most in runs:
        out = os.path.join(BENCH, "out")
        (figures,) = medians({name: lambda: testlake(folder, out, "--full", "always")}, a.repeats).values()
        distinct, summary = written.counts(out)
        shutil.rmtree(out)
        made.append((figures.mib * 2**20, distinct))
        rows.append((name, f"{truth['reports']:,}", f"{truth['xml_bytes'] / 1e6:,.0f}", f"{distinct:,}", f"{summary:,}", f"{figures.seconds:.2f}",
                     f"{truth['xml_bytes'] / 1e6 / figures.seconds:,.0f}", f"{figures.mib:.0f} MiB", at_most))
    (less, fewer), (more, many) = made[1:3]
    write(a, f"`--full always`; median of {a.repeats}.",
          table(["", "reports", "MB of XML", "distinct cases", "summary rows", "seconds", "MB/s", "peak", "at most"], rows),
          f"From the second line to the third, peak memory grows by {(more - less) / (many - fewer):.0f} bytes for each more distinct case.")


def large_run(gigabytes, reports):
    """A run with one archive, which holds about so many bytes of XML in so many reports; the cases are the same in any number."""
    folder = os.path.join(BENCH, f"large-{gigabytes:g}-{reports}")
    if os.path.exists(os.path.join(folder, "truth.json")):
        return folder, truth_of(folder)
    print(f"making {gigabytes:g} GB of reports ({reports:,}) in {os.path.relpath(folder)}", flush=True)
    shutil.rmtree(folder, ignore_errors=True)
    os.makedirs(artifacts(folder))
    name = "test-reports-test-default-1-1-linux.2xlarge_27000000000.zip"
    truth = dict.fromkeys(("cases", "passed", "failed", "errored", "skipped", "rerun", "reports", "xml_bytes"), 0)
    batches = cases_of_one_file(truth)
    with zipfile.ZipFile(os.path.join(artifacts(folder), name), "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for number in range(reports):
            info = zipfile.ZipInfo(f"test/test-reports/python-pytest/test_large/test_large-{number:016x}.xml", (2024, 7, 9, 19, 0, 0))
            info.compress_type = zipfile.ZIP_DEFLATED
            with archive.open(info, "w", force_zip64=True) as file:
                file.write(b'<?xml version="1.0" encoding="utf-8"?><testsuites><testsuite name="pytest" hostname="i-01">')
                while truth["xml_bytes"] < gigabytes * 1e9 * (number + 1) / reports:
                    batch = next(batches)
                    truth["xml_bytes"] += len(batch)
                    file.write(batch)
                file.write(b"</testsuite></testsuites>")
            truth["reports"] += 1
    for file, data in (("jobs.json", {"27000000000": "linux-focal-py3.8-gcc7 / test (default, 1, 1, linux.2xlarge)"}), ("truth.json", truth)):
        with open(os.path.join(folder, file), "w") as out:
            json.dump(data, out, indent=1)
    return folder, truth


def cases_of_one_file(truth):
    """Cases without end, each with a name of its own, some at a time, as make_run.py makes them."""
    model = spec_module("make_run")
    rng = random.Random("large")
    number = 0
    while True:
        report = model.Report(rng, truth, "test_large", "pytest", 0)
        for _ in range(CASES_AT_ONCE):
            name = "test_" + "_".join(rng.choices(model.WORDS, k=3)) + f"_{number}"
            report.case(f"Test{rng.choice(model.WORDS).capitalize()}CPU", name, rng.expovariate(8.0), rng.getrandbits(8))
            number += 1
        yield report.out.getvalue().encode()
