#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Tests every way to install the library: installs it into an empty prefix, then builds and runs a small consumer outside the
tree. `check.py [WAY...]` tests only some ways. `check.py abi` writes packaging/abi/ from this tree: use it for a release, and
after symbols were added. Everything happens below build/package/, with a log for each way."""
import sys
import time

import abi
import cmake_ways
import conan_way
import deb_way
import plugin_way
import windows_way
from kit import BASE, Failure, Skip, log_to

WAYS = {
    "static": cmake_ways.static,
    "shared": cmake_ways.shared,
    "build-tree": cmake_ways.build_tree,
    "add_subdirectory": cmake_ways.add_subdirectory,
    "FetchContent": cmake_ways.fetch_content,
    "users-builds": cmake_ways.users_builds,
    "oldest-cmake": cmake_ways.oldest_cmake,
    "plug-in": plugin_way.run_all,
    "abi-check": abi.compare,
    "dist": cmake_ways.dist,
    "conan": conan_way.run_all,
    "deb": deb_way.run_all,
    "windows": windows_way.run_all,
}


def main():
    names = sys.argv[1:]
    if names == ["abi"]:
        BASE.mkdir(parents=True, exist_ok=True)
        log_to("abi")
        abi.write()
        return 0
    unknown = set(names) - set(WAYS)
    if unknown:
        print(f"no such test: {' '.join(sorted(unknown))}; there are abi, {', '.join(WAYS)}", file=sys.stderr)
        return 2
    BASE.mkdir(parents=True, exist_ok=True)
    summary = []
    failed = False
    for name in names or WAYS:
        print(f"\n-- {name}", flush=True)
        log_to(name)
        start = time.monotonic()
        try:
            WAYS[name]()
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
