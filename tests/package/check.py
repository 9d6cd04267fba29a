#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Tests every way to install the library: installs it into an empty prefix, then builds and runs a small consumer outside the
tree. `check.py [WAY...]` tests only some ways. `check.py abi` writes packaging/abi/ from this tree: use it for a release, and
after symbols were added. Everything happens below build/package/, with a log for each way."""
import sys
import time

import abi
import cmake_roads
import conan_road
import deb_road
import plugin_road
import windows_road
from kit import BASE, Failure, Skip, log_to

ROADS = {
    "static": cmake_roads.static,
    "shared": cmake_roads.shared,
    "build-tree": cmake_roads.build_tree,
    "add_subdirectory": cmake_roads.add_subdirectory,
    "FetchContent": cmake_roads.fetch_content,
    "users-builds": cmake_roads.users_builds,
    "oldest-cmake": cmake_roads.oldest_cmake,
    "plug-in": plugin_road.run_all,
    "shared-tests": cmake_roads.shared_tests,
    "abi-check": abi.compare,
    "dist": cmake_roads.dist,
    "conan": conan_road.run_all,
    "deb": deb_road.run_all,
    "windows": windows_road.run_all,
}


def main():
    names = sys.argv[1:]
    if names == ["abi"]:
        BASE.mkdir(parents=True, exist_ok=True)
        log_to("abi")
        abi.write()
        return 0
    unknown = set(names) - set(ROADS)
    if unknown:
        print(f"no such test: {' '.join(sorted(unknown))}; there are abi, {', '.join(ROADS)}", file=sys.stderr)
        return 2
    BASE.mkdir(parents=True, exist_ok=True)
    summary = []
    failed = False
    for name in names or ROADS:
        print(f"\n-- {name}", flush=True)
        log_to(name)
        start = time.monotonic()
        try:
            ROADS[name]()
            outcome = "passed"
        except Skip as reason:
            outcome = f"skipped: {reason}"
        except Failure as failure:
            outcome = "FAILED"
            failed = True
            print(failure)
        summary.append(f"{name:17} {outcome}, {time.monotonic() - start:.0f} s")
    print("\n" + "\n".join(summary))
    return failed


if __name__ == "__main__":
    sys.exit(main())
