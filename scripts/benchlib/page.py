"""docs/benchmarks.md, and what its tables have in common."""
import datetime
import os
import platform
import subprocess
import sys

from .measure import CORES, ROOT

PAGE = os.path.join(ROOT, "docs/benchmarks.md")


def machine():
    with open("/proc/cpuinfo") as file:
        model = next((line.split(":", 1)[1].strip() for line in file if line.startswith("model name")), platform.machine())
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    rustc = subprocess.run(["rustc", "--version"], capture_output=True, text=True, check=True).stdout.split()[1]
    return (f"{datetime.date.today().isoformat()}, {len(CORES)} cores of {model}, {memory:.0f} GiB, "
            f"Linux {platform.release().split('-')[0]}, Rust {rustc}, Python {platform.python_version()}")


def described(truth, archives):
    """A made run in words."""
    return (f"{truth['cases']:,} cases in {truth['reports']:,} reports, {truth['xml_bytes'] / 1e6:,.0f} MB of XML in "
            f"{archives} archives, in the page cache")


def table(header, rows):
    def line(cells):
        return "| " + " | ".join(str(cell) for cell in cells) + " |"
    return "\n".join([line(header), line(["---"] + ["---:"] * (len(header) - 1)), *map(line, rows)])


def write(a, how, *parts):
    """Prints the parts below the machine and the command, and puts them between the marks of the subcommand's section."""
    text = "\n\n".join([f"{machine()}. `{a.command_line}`: {how}", *parts])
    print(f"\n{text}\n")
    if a.print:
        return
    with open(PAGE) as file:
        page = file.read()
    begin, end = f"<!-- {a.name} -->\n", f"<!-- end of {a.name} -->"
    if begin not in page or end not in page:
        sys.exit(f"{PAGE} has no section {a.name}")
    head, rest = page.split(begin)
    _, tail = rest.split(end)
    with open(PAGE, "w") as file:
        file.write(f"{head}{begin}\n{text}\n\n{end}{tail}")
