"""One of the parsers of Python over all reports: `parse.py NAME FOLDER`."""
import gc
import importlib.util
import json
import os
import sys
import time
import xml.etree.ElementTree as ElementTree


def elementtree():
    return lambda report: sum(1 for _ in ElementTree.fromstring(report).iter("testcase"))


def lxml():
    from lxml import etree
    parser = etree.XMLParser(huge_tree=True)
    return lambda report: sum(1 for _ in etree.fromstring(report, parser).iter("testcase"))


def junitparser():
    from junitparser import JUnitXml
    return lambda report: sum(1 for suite in JUnitXml.fromstring(report) for _ in suite)


def codecov():
    from test_results_parser import parse_junit_xml
    return lambda report: len(parse_junit_xml(report).testruns)


def reference():
    """The slow model: what it makes of each case, without its archives and collections."""
    path = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../crates/testkit/spec/reference.py")
    spec = importlib.util.spec_from_file_location("reference", path)
    model = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(model)
    return lambda report: sum(1 for element in ElementTree.fromstring(report).iter()
                              if model.local(element.tag) == "testcase" and model.document(element) is not None)


def main():
    name, folder = sys.argv[1:]
    parsers = {"elementtree": elementtree, "lxml": lxml, "junitparser": junitparser, "codecov": codecov, "reference": reference}
    count = parsers[name]()
    with open(os.path.join(folder, "reports.bin"), "rb") as file:
        all_bytes = file.read()
    with open(os.path.join(folder, "reports.lengths")) as file:
        lengths = [int(line) for line in file]
    reports, at = [], 0
    for length in lengths:
        reports.append(all_bytes[at:at + length])
        at += length
    del all_bytes
    gc.freeze()
    for report in reports[:-(-len(reports) // 20)]:
        count(report)
    start = time.perf_counter()
    cases = sum(map(count, reports))
    print(json.dumps({"seconds": time.perf_counter() - start, "cases": cases}))


if __name__ == "__main__":
    main()
