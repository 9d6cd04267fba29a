#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Compiles the headers with all the compilers of three releases of Debian, at every level of optimisation, with and without
sanitizers, for every C++ standard. The examples are compiled for every standard too, but with sanitizers, which is slow, for
the first alone; the library's sources for the first alone. g++ also compiles each source by itself, since its warnings
depend on what it inlines. No combination may give a warning.

usage: warning_matrix.py [COMPILER...]    only these, such as g++-14 or clang-19
"""
import collections
import concurrent.futures
import itertools
import os
import re
import shutil
import sys
import time

import debian_root

SUITES = ("bookworm", "trixie", "sid")
OLDEST = {"g++": 12, "clang": 14}
STANDARDS = ("c++17", "c++20", "c++2b", "c++2c")  # C++23 and C++26 by the names that all compilers know
LEVELS = ("-O0", "-O1", "-O2", "-O3", "-Os")
SANITIZERS = ((), ("-fsanitize=address,undefined",))
WARNINGS = ("-Wall", "-Wextra", "-Wpedantic", "-Wconversion", "-Wshadow", "-Werror")
# Options with which a compiler finds all its warnings. g++ inlines less in a large file, but these files represent many
# small ones. All warnings of clang come from its front end.
THOROUGHLY = {"g++": ("--param=large-unit-insns=10000000", "-c"), "clang": ("-fsyntax-only",)}
ROOT = debian_root.ROOTS.parents[1]
TREE = "srv/pysock"  # in a root
# A compiler that cannot compile this is not used: clang 17 cannot use the std::map of g++ 14 in C++23.
STANDARD_LIBRARY = """
#include <map>
#include <string>
std::string element(std::map<std::string, std::string>& map) { return map[std::string("key")]; }
"""


def all_headers():
    headers = sorted(path.relative_to(ROOT / "include").as_posix() for path in ROOT.glob("include/pysock/*.hpp"))
    return [f"#include <{header}>" for header in headers]


def headers_text():
    """A file that includes every header, and uses.cpp, which calls what they have."""
    return "\n".join([*all_headers(), '#include "tests/compile/uses.cpp"']) + "\n"


def users_text():
    """The same with every example in its own namespace."""
    examples = sorted(ROOT.glob("examples/**/*.cpp"))
    system = sorted({line for path in examples for line in re.findall("^#include <.*$", path.read_text(encoding="utf-8"), re.MULTILINE)})
    lines = [*headers_text().splitlines(), *system]
    lines.append('#pragma GCC diagnostic ignored "-Wreturn-type"')  # an example's main() need not return a value
    for path in examples:
        lines += [f"namespace example_{path.stem} {{", f"int {path.stem}_main(int, char**);", f"#define main {path.stem}_main",
                  f'#include "{path.relative_to(ROOT).as_posix()}"', "#undef main", "}"]
    return "\n".join(lines) + "\n"


def sources():
    """The names of the library's sources for this system."""
    return [path.relative_to(ROOT).as_posix() for folder in ("common", "posix", "ssl")
            for path in sorted((ROOT / "src" / folder).glob("*.cpp")) if not path.stem.endswith(("_windows", "_macos"))]


def sources_text():
    """A file that includes every header and all sources of the library, whose private names do not conflict."""
    return "\n".join([*all_headers(), *(f'#include "{name}"' for name in sources())]) + "\n"


def copy_tree(root):
    """Copies the files to be compiled into a root."""
    tree = root / TREE
    shutil.rmtree(tree, ignore_errors=True)
    for folder in ("include", "src", "examples", "tests/compile"):
        shutil.copytree(ROOT / folder, tree / folder)
    (tree / "headers.cpp").write_text(headers_text(), encoding="utf-8")
    (tree / "users.cpp").write_text(users_text(), encoding="utf-8")
    (tree / "library.cpp").write_text(STANDARD_LIBRARY, encoding="utf-8")
    (tree / "sources.cpp").write_text(sources_text(), encoding="utf-8")


def roots_with_compilers(wanted):
    """(compiler, suite, root) of each version of each compiler: from the release that has it as its default, otherwise from
    the first that has it."""
    defaults, others = {}, {}
    roots = {suite: debian_root.make(suite, ("libssl-dev",), name="compilers") for suite in SUITES}
    for suite, root in roots.items():
        names = debian_root.output_of(root, "apt-cache", "pkgnames").split()
        found = [re.fullmatch(r"(g\+\+|clang)-(\d+)", name) for name in names]
        for match in filter(None, found):
            if int(match[2]) >= OLDEST[match[1]]:
                others.setdefault(match[0], suite)
        for depends in re.findall(r"Depends: (\S+)", debian_root.output_of(root, "apt-cache", "depends", "g++", "clang")):
            if re.fullmatch(r"(g\+\+|clang)-\d+", depends):
                defaults.setdefault(depends, suite)
    homes = {**others, **defaults}
    unknown = set(wanted) - set(homes)
    if unknown:
        raise debian_root.Failure(f"no such compiler: {', '.join(sorted(unknown))}; there are {', '.join(sorted(homes))}")
    homes = {name: suite for name, suite in homes.items() if not wanted or name in wanted}
    for suite in SUITES:
        compilers = sorted(name for name in homes if homes[name] == suite)
        if compilers:
            debian_root.make(suite, ("libssl-dev", *compilers), name="compilers")
            copy_tree(roots[suite])
    order = sorted(homes, key=lambda name: (name.split("-")[0], int(name.split("-")[1])))
    return [(name, homes[name], roots[homes[name]]) for name in order]


def compile_in(root, compiler, options, file):
    """The compiler's messages; None if it had none."""
    command = [compiler.replace("clang-", "clang++-"), *options, "-I", "include", "-I", ".", file, "-o", "/dev/null"]
    status, output = debian_root.result_of(root, *command, folder="/" + TREE, LC_ALL="C")
    return f"exit status {status}\n{output}" if status != 0 or output else None


def standards_of(root, compiler):
    """The standards in which a compiler can use the standard library."""
    return [standard for standard in STANDARDS
            if compile_in(root, compiler, (f"-std={standard}", "-fsyntax-only"), "library.cpp") is None]


def summarise(complaints):
    """Each warning once, with how many combinations had it, and the whole output of one."""
    seen = collections.defaultdict(list)
    for title, output in complaints:
        for line in set(re.findall(r"^.*?(?:error|warning): .*$", output, re.MULTILINE)) or {output.splitlines()[0]}:
            seen[line].append((title, output))
    for line, where in sorted(seen.items(), key=lambda item: -len(item[1])):
        print(f"  {len(where)} x {line}\n     first with {where[0][0]}")
    if complaints:
        print(f"  the output with {complaints[0][0]}:")
        print("\n".join("  | " + line for line in complaints[0][1].splitlines()[:40]))


def check(wanted=()):
    """Runs the matrix and returns the summary. Raises Failure, Unavailable."""
    combinations = failed = compilers = 0
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        for compiler, suite, root in roots_with_compilers(wanted):
            start = time.monotonic()
            standards = standards_of(root, compiler)
            work = {}
            for standard, level, sanitizer in itertools.product(standards, LEVELS, SANITIZERS):
                options = (f"-std={standard}", level, *sanitizer, *WARNINGS, *THOROUGHLY[compiler.split("-")[0]])
                if standard == STANDARDS[0]:
                    files = ("users.cpp", "sources.cpp")
                else:
                    files = ("headers.cpp",) if sanitizer else ("users.cpp",)
                work[" ".join((f"-std={standard}", level, *sanitizer))] = [
                    pool.submit(compile_in, root, compiler, options, file) for file in files]
            if compiler.startswith("g++"):
                for level in ("-O2", "-O3"):
                    work[f"{level}, each source by itself"] = [
                        pool.submit(compile_in, root, compiler, ("-std=c++17", level, *WARNINGS, "-c"), name) for name in sources()]
            complaints = [(title, "\n".join(filter(None, (part.result() for part in parts)))) for title, parts in work.items()]
            complaints = [(title, output) for title, output in complaints if output]
            version = debian_root.output_of(root, compiler.replace("clang-", "clang++-"), "--version").splitlines()[0]
            print(f"{compiler} of {suite}, {version}: {len(work)} combinations ({', '.join(standards)}), "
                  f"{len(complaints)} with a warning ({time.monotonic() - start:.0f} s)", flush=True)
            summarise(complaints)
            compilers += 1
            combinations += len(work)
            failed += len(complaints)
    said = f"{combinations} combinations of {compilers} compilers, {failed} with a warning"
    if failed or not combinations:
        raise debian_root.Failure(said)
    return said


if __name__ == "__main__":
    try:
        print(check(sys.argv[1:]))
    except debian_root.Unavailable as reason:
        print(f"skipped: {reason}")
    except debian_root.Failure as failure:
        sys.exit(str(failure))
