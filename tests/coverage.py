#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Fails if the tests do not call every function of include/ and src/: coverage.py BUILD, after the tests of the preset coverage."""
import collections
import json
import os
import pathlib
import subprocess
import sys

# Functions that are called only if the program itself uses OpenSSL.
UNREACHED = {"no_password(char*, int, int, void*)"}
ROOT = pathlib.Path(__file__).resolve().parents[1]


def run(*command, **options):
    return subprocess.run([str(word) for word in command], stdout=subprocess.PIPE, check=True, **options).stdout


def main(build):
    build = pathlib.Path(build).resolve()
    profile = build / "all.profdata"
    run("llvm-profdata", "merge", "-sparse", *build.glob("profiles/*.profraw"), "-o", profile)
    programs = [path for folder in ("tests", "examples") for path in sorted((build / folder).iterdir())
                if path.is_file() and os.access(path, os.X_OK) and not path.suffix]
    report = json.loads(run("llvm-cov", "export", "-instr-profile", profile, programs[0], *(f"-object={path}" for path in programs[1:]),
                            ROOT / "include", ROOT / "src"))
    # One called copy of a template or an inline function is enough.
    calls, names = collections.Counter(), {}
    for function in report["data"][0]["functions"]:
        file = os.path.relpath(build / function["filenames"][0], ROOT)  # compiler caches make the names relative to the build
        if file.startswith(("include/", "src/")):
            place = (file, *function["regions"][0][:2])
            calls[place] += function["count"]
            names[place] = function["name"].rpartition(":")[2]
    missed = []
    for file, line, column in sorted(place for place, count in calls.items() if count == 0):
        name = run("llvm-cxxfilt", names[file, line, column], text=True).strip()
        if name.rpartition("::")[2] in UNREACHED:
            continue
        # Calls that the compiler evaluates are not counted.
        if "constexpr" not in (ROOT / file).read_text(encoding="utf-8").splitlines()[line - 1]:
            missed.append(f"{file}:{line}: never called: {name}")
    print(*missed, f"counted: {len(calls)} functions of include/ and src/, {len(missed)} never called by the tests", sep="\n")
    return 1 if missed or not calls else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
