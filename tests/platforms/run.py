#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Builds the library, the tests and the examples for other platforms, and runs the tests where that is possible.

usage: run.py NAME...|all
       run.py --packages NAME...|all    the Debian packages that these need

A platform is a row of the table below and a toolchain file, cmake/toolchains/NAME.cmake. The counts come from ctest: a test that printed
a reason to skip counts as skipped, and their number is pinned, so that tests can neither vanish nor fail to be noticed.
"""
import dataclasses
import os
import pathlib
import shutil
import subprocess
import sys
import time
import xml.etree.ElementTree

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = ROOT / "build" / "platforms"
JOBS = str(os.cpu_count() or 2)


@dataclasses.dataclass
class Platform:
    packages: tuple = ()  # Debian's names of what it needs beyond ./dev test
    skips: "int | None" = None  # how many tests skip something there; None: the tests cannot be run here
    options: tuple = ()  # further ones for CMake


PLATFORMS = {
    "clang": Platform(("clang", "libc++-dev", "libc++abi-dev"), skips=4),
}


class Failure(Exception):
    pass


def run(*command):
    print("+", *command, flush=True)
    if subprocess.run([str(word) for word in command], cwd=ROOT, stdin=subprocess.DEVNULL).returncode != 0:
        raise Failure(f"{pathlib.Path(command[0]).name} failed")


def catch2():
    """CMake options that find Catch2's headers apart from all others of this system, which are wrong for another one."""
    copy = BUILD / "catch2"
    for prefix in map(pathlib.Path, ("/usr", "/usr/local")):
        package = prefix / "lib/cmake/Catch2"
        if (prefix / "include/catch2/catch.hpp").exists() and package.is_dir():
            shutil.copytree(prefix / "include/catch2", copy / "include/catch2", dirs_exist_ok=True)
            shutil.copytree(package, copy / "lib/cmake/Catch2", dirs_exist_ok=True)
            return [f"-DCatch2_DIR={copy / 'lib/cmake/Catch2'}"]
    return ["-DCMAKE_DISABLE_FIND_PACKAGE_Catch2=ON"]  # 3.x is compiled, for this system alone: fetched and built instead


def test_results(report):
    """How many tests passed, and what those that skipped something said."""
    cases = list(xml.etree.ElementTree.parse(report).getroot().iter("testcase"))
    said = {case.get("name"): [line for line in (case.findtext("system-out") or "").splitlines() if line.startswith("skipped: ")]
            for case in cases}
    skipped = {name: lines for name, lines in said.items() if lines}
    return len(cases) - len(skipped), skipped


def build_and_test(name, platform):
    """What there is to say of it in the end."""
    folder = BUILD / name
    report = folder / "report.xml"
    report.unlink(missing_ok=True)
    run("cmake", "-S", ROOT, "-B", folder, "-G", "Ninja", f"-DCMAKE_TOOLCHAIN_FILE={ROOT / 'cmake/toolchains' / name}.cmake",
        "-DPYSOCK_WERROR=ON", "-DCMAKE_BUILD_TYPE=Debug", "-DCMAKE_CXX_FLAGS_DEBUG=-O0", *catch2(), *platform.options)
    run("cmake", "--build", folder, "--parallel", JOBS)
    if platform.skips is None:
        return "compiled and linked, not run"
    try:
        run("ctest", "--test-dir", folder, "--parallel", JOBS, "--label-exclude", "^sources$", "--no-tests=error", "--output-on-failure",
            "--output-junit", report, "--quiet", "--output-log", folder / "ctest.log")
    except Failure:
        print((folder / "ctest.log").read_text().partition("The following tests FAILED:")[2])
        raise
    passed, skipped = test_results(report)
    for line in sorted({line for lines in skipped.values() for line in lines}):
        print(line)
    if len(skipped) != platform.skips:
        raise Failure(f"{len(skipped)} tests skip something, where {platform.skips} did before")
    return f"{passed} tests passed, {len(skipped)} skipped"


def main(arguments):
    only_packages = arguments[:1] == ["--packages"]
    names = arguments[1:] if only_packages else arguments
    names = list(PLATFORMS) if names == ["all"] else names
    unknown = [name for name in names if name not in PLATFORMS]
    if unknown or not names:
        print(f"Platforms: {' '.join(PLATFORMS)}, or all; not {' '.join(unknown) or 'none'}", file=sys.stderr)
        return 2
    if only_packages:
        print(*sorted({package for name in names for package in PLATFORMS[name].packages}))
        return 0
    results, failed = [], False
    for name in names:
        print(f"\n== {name}", flush=True)
        start = time.monotonic()
        try:
            result = build_and_test(name, PLATFORMS[name])
        except Failure as failure:
            result, failed = f"FAILED: {failure}", True
        results.append(f"{name}: {result} ({time.monotonic() - start:.0f} s)")
    print("\n== platforms", *results, sep="\n")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
