#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Prints the results of the last timing, docs/performance.json, as rows of a table of the documentation; --write writes them into it."""
import json
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "bench"))
import run  # noqa: E402 # for the names of the workloads

CONTENDERS = ("control", "pysock", "Asio", "Poco", "CPython")


def rows():
    results = json.loads((ROOT / "docs/performance.json").read_text(encoding="utf-8"))["workloads"]
    for workload, result in results.items():
        ratios = [f"{result[name]['ratio']:.2f}" if name in result else "-" for name in CONTENDERS]
        yield f"| {run.WORKLOADS[workload]} | {result['raw']['nanoseconds']:.0f} ns | {' | '.join(ratios)} |"


def main(*arguments):
    table = "\n".join(rows())
    if arguments == ("--write",):
        page = ROOT / "docs/performance.md"
        text = page.read_text(encoding="utf-8")
        page.write_text(re.sub(r"(<!-- output of performance -->\n\|.*\n\|.*\n)(\|.*\n)*", lambda found: found[1] + table + "\n", text),
                        encoding="utf-8")
    else:
        print(table)


if __name__ == "__main__":
    main(*sys.argv[1:])
