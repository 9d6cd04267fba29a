#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Prints what the tests of the preset coverage leave out of include/ and src/, and fails if it exceeds the limits below.

usage: coverage.py BUILD

What no test can reach is marked in the source, and does not count: a comment `// Not covered: REASON.` applies to the statement that
follows. A branch of a template or an inline function counts as taken if one of its copies took it.
"""
import collections
import json
import os
import pathlib
import re
import subprocess
import sys

LIMITS = {"functions": 100, "lines": 99, "branches": 97}  # per cent
MARK = "// Not covered: "
ROOT = pathlib.Path(__file__).resolve().parents[1]


def run(*command):
    return subprocess.run([str(word) for word in command], stdout=subprocess.PIPE, check=True, text=True).stdout


def marked_lines(source):
    """The numbers of the lines of all marked statements."""
    marked = set()
    for first, line in enumerate(source):
        if not line.lstrip().startswith(MARK):
            continue
        depth = 0
        for number in range(first + 1, len(source)):
            code = re.sub(r'"(\\.|[^"\\])*"|\'(\\.|[^\'\\])*\'|//.*', "", source[number])
            marked.add(number + 1)
            depth += len(re.findall(r"[([{]", code)) - len(re.findall(r"[)\]}]", code))
            if depth <= 0 and code.rstrip().endswith((";", "}")):
                break
    return marked


class File:
    def __init__(self, path):
        self.source = path.read_text(encoding="utf-8").splitlines()
        self.marked = marked_lines(self.source)
        self.lines = {}  # number: whether it ran
        self.branches = collections.Counter()  # (line, column, "true" or "false"): how often it was taken

    def counted(self, found):
        return {place: count for place, count in found.items() if (place if isinstance(place, int) else place[0]) not in self.marked}


def lines_and_branches(shown):
    """{name: File}, from what llvm-cov shows."""
    files, file = {}, None
    for line in shown.splitlines():
        if match := re.fullmatch(r"(/.*):", line):
            path = pathlib.Path(os.path.normpath(match[1]))
            name = os.path.relpath(path, ROOT)
            file = files.setdefault(name, File(path)) if name.startswith(("include/", "src/")) else None
        elif file is None:
            continue
        elif match := re.match(r" *(\d+)\| *([\d.]+[kMGTPEZY]?)\|", line):
            file.lines[int(match[1])] = match[2] != "0"
        elif match := re.search(r"Branch \((\d+):(\d+)\): \[True: ([^,]+), False: ([^\]]+)\]", line):
            for outcome, count in (("true", match[3]), ("false", match[4])):
                file.branches[int(match[1]), int(match[2]), outcome] += count != "0"
    return files


def functions(report, build, files):
    """{(name of the file, line, column): (calls, mangled name)}; one called copy of a template or an inline function is enough."""
    found = {}
    for function in report["data"][0]["functions"]:
        name = os.path.relpath(build / function["filenames"][0], ROOT)  # compiler caches make the names relative to the build
        line, column = function["regions"][0][:2]
        # Calls that the compiler evaluates are not counted.
        if name in files and line not in files[name].marked and "constexpr" not in files[name].source[line - 1]:
            calls, _ = found.get((name, line, column), (0, ""))
            found[name, line, column] = calls + function["count"], function["name"].rpartition(":")[2]
    return found


def main(build):
    build = pathlib.Path(build).resolve()
    profile = build / "all.profdata"
    run("llvm-profdata", "merge", "-sparse", *build.glob("profiles/*.profraw"), "-o", profile)
    programs = [path for folder in ("tests", "examples") for path in sorted((build / folder).iterdir())
                if path.is_file() and os.access(path, os.X_OK) and not path.suffix]
    data = ("-instr-profile", profile, "-ignore-filename-regex=^/usr/|/tests/|/examples/", programs[0],
            *(f"-object={path}" for path in programs[1:]))
    files = lines_and_branches(run("llvm-cov", "show", "-show-branches=count", "-show-instantiations=false", *data))
    called = functions(json.loads(run("llvm-cov", "export", *data)), build, files)

    missed, total, left_out = [], collections.Counter(), collections.Counter()
    for name, file in sorted(files.items()):
        lines, branches = file.counted(file.lines), file.counted(file.branches)
        left_out.update(lines=sum(not ran for ran in lines.values()), branches=sum(not taken for taken in branches.values()))
        total.update(lines=len(lines), branches=len(branches))
        missed += [(name, number, 0, "never ran") for number, ran in lines.items() if not ran]
        missed += [(name, line, column, f"never {outcome}: {file.source[line - 1][column - 1:]}")
                   for (line, column, outcome), taken in branches.items() if not taken]
    for (name, line, column), (calls, mangled) in called.items():
        total["functions"] += 1
        if calls == 0:
            left_out["functions"] += 1
            missed.append((name, line, column, f"never called: {run('llvm-cxxfilt', mangled).strip()}"))
    for name, line, _, text in sorted(missed):
        print(f"{name}:{line}: {text}")
    failed = not total["functions"]
    for kind, limit in LIMITS.items():
        percent = 100 * (1 - left_out[kind] / max(total[kind], 1))
        failed = failed or percent < limit
        print(f"counted: {total[kind]} {kind} of include/ and src/, of which the tests leave out {left_out[kind]}: {percent:.2f} %, "
              f"where {limit} are required")
    print(f"counted: {sum(len(file.marked) for file in files.values())} lines of include/ and src/ that no test can reach")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
