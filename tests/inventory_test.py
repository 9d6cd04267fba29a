#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Holds the tags of the tests and the list of exceptions against the numbers of the inventory.

usage: inventory_test.py INVENTORY PAGE TEST_PROGRAM...       PAGE is where the differences from Python are told
       inventory_test.py --windows INVENTORY COMMAND...    the rows of Windows, against a test program that was built for it
"""
import re
import subprocess
import sys

LAST = {"S": 148, "M": 96}
KINDS = {"text", "windows", "cpython", "later", "differs"}
# The only rows of M that a line of the page may stand for: marked "no", "no meaning", "constant(s)", "from headers", "optional" or "address form".
MAY_DIFFER = {55, 56, 69, 71, 72, 73, 74, 75, 76, 77, 79, 80, 81, 84, 85, 86, 87, 89, 90}


def expand(numbers):
    letter, first, last = re.fullmatch(r"([SM])(\d+)(?:-\1(\d+))?", numbers).groups()
    return [(letter, n) for n in range(int(first), int(last or first) + 1)]


def read_exceptions(path):
    listed = {}
    for line in open(path, encoding="utf-8"):
        if line.strip() and not line.startswith("#"):
            numbers, kind, reason = line.split(None, 2)
            for row in expand(numbers):
                assert row not in listed, f"{row} is listed twice"
                assert kind in KINDS and reason.strip(), f"{row} has no kind or no reason"
                listed[row] = kind
    return listed


def read_tags(programs):
    tagged = {}
    for program in programs:
        command = [program] if isinstance(program, str) else program
        text = subprocess.run([*command, "--list-tags"], capture_output=True, text=True).stdout
        for count, letter, number in re.findall(r"^\s*(\d+)\s+.*?\[([SM])(\d+)\]", text, re.M):
            tagged[(letter, int(number))] = tagged.get((letter, int(number)), 0) + int(count)
    return tagged


def check_windows(inventory, *command):
    rows = [row for row, kind in read_exceptions(inventory).items() if kind == "windows"]
    tagged = read_tags([command])
    problems = [f"{letter}{n}: no test on Windows" for letter, n in rows if (letter, n) not in tagged]
    print(f"{len(rows)} rows of Windows: {len(rows) - len(problems)} tagged on tests")
    print("\n".join(problems))
    return 1 if problems or not rows else 0


def main(inventory, page, *programs):
    listed, tagged = read_exceptions(inventory), read_tags(programs)
    rows = {(letter, n) for letter, last in LAST.items() for n in range(1, last + 1)}
    named_on_page = {row for numbers in re.findall(r"\b([SM]\d+(?:-[SM]\d+)?)\b", open(page, encoding="utf-8").read()) for row in expand(numbers)}
    problems = [f"{l}{n}: neither tested nor listed" for l, n in sorted(rows - tagged.keys() - listed.keys())]
    problems += [f"{l}{n}: a tag, and listed as {listed[l, n]}" for l, n in sorted(tagged.keys() & listed.keys())]
    problems += [f"{l}{n}: no such row" for l, n in sorted((tagged.keys() | listed.keys()) - rows)]
    problems += [f"{l}{n}: may not stand on the page instead of a test" for (l, n), kind in sorted(listed.items())
                 if kind == "differs" and (l != "M" or n not in MAY_DIFFER)]
    problems += [f"{l}{n}: listed as different, but the page does not name it" for (l, n), kind in sorted(listed.items())
                 if kind == "differs" and (l, n) not in named_on_page]
    print(f"{len(rows)} rows: {len(tagged)} tagged on tests, {len(listed)} listed with a reason")
    print("\n".join(problems))
    return 1 if problems or not tagged else 0


if __name__ == "__main__":
    sys.exit(check_windows(*sys.argv[2:]) if sys.argv[1] == "--windows" else main(*sys.argv[1:]))
