"""Compressing in pieces: speed and size by level."""
import os
import subprocess
import time

from .measure import BENCH, TARGET, build, made_run, reference
from .page import table, write


def pieces(a):
    """Speed and size of compressing in pieces, by level and size of a piece."""
    build("-p", "testlake-collect", "--no-default-features", "--example", "gzip_pieces")
    folder, _ = made_run(a.cases, a.jobs)
    model = os.path.join(BENCH, f"reference-{a.cases}")
    subprocess.run(reference(folder, model), check=True, stdout=subprocess.DEVNULL)
    rows = []
    for name in ("test_run", "test_run_summary"):
        path = os.path.join(model, name + ".ndjson")
        start = time.monotonic()
        best = len(subprocess.run(["gzip", "-9", "-c", path], check=True, capture_output=True).stdout)
        seconds, size = time.monotonic() - start, os.path.getsize(path)
        rows.append((f"`{name}`, `gzip -9`", "", f"{size / seconds / 1e6:.0f}", "1.000"))
        told = subprocess.run([os.path.join(TARGET, "release/examples/gzip_pieces"), path], check=True, capture_output=True, text=True)
        for line in told.stdout.splitlines():
            level, kib, speed, bytes_out = line.split()
            rows.append((f"`{name}`, level {level}", f"{kib} KiB", speed, f"{int(bytes_out) / best:.3f}"))
    write(a, "one thread, best of five.", table(["", "piece", "MB/s", "size to `gzip -9`"], rows))
