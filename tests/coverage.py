#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Fails if the tests left a function of include/ or src/ uncalled: coverage.py BUILD, after the tests of the preset coverage have run."""
import collections
import json
import os
import pathlib
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[1]


def run(*command, **options):
    return subprocess.run([str(word) for word in command], stdout=subprocess.PIPE, check=True, **options).stdout


def main(build):
    build = pathlib.Path(build)
    profile = build / "all.profdata"
    run("llvm-profdata", "merge", "-sparse", *build.glob("profiles/*.profraw"), "-o", profile)
    programs = [path for folder in ("tests", "examples") for path in sorted((build / folder).iterdir())
                if path.is_file() and os.access(path, os.X_OK) and not path.suffix]
    report = json.loads(run("llvm-cov", "export", "-instr-profile", profile, programs[0], *(f"-object={path}" for path in programs[1:]),
                            ROOT / "include", ROOT / "src"))
    # Of a template or of an inline function any copy counts.
    calls, names = collections.Counter(), {}
    for function in report["data"][0]["functions"]:
        line, column = function["regions"][0][:2]
        place = (pathlib.Path(function["filenames"][0]).relative_to(ROOT).as_posix(), line, column)
        calls[place] += function["count"]
        names[place] = function["name"].rpartition(":")[2]
    missed = sorted(place for place, count in calls.items() if count == 0)
    for file, line, column in missed:
        print(f"{file}:{line}: never called: " + run("llvm-cxxfilt", names[file, line, column], text=True).strip())
    print(f"counted: {len(calls)} functions of include/ and src/, {len(calls) - len(missed)} called by the tests")
    return 1 if missed or not calls else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
