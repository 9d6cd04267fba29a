#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""What must compile, and what must not; nothing is linked or run.

usage: check.py headers|fail|self-test [compiler...]     (default: g++ and clang++, as far as they are there)

headers     Each header by itself (the end of another one goes with that), at -O0 and -O2, under three dialects, with the system's
            headers after it; then all of them with the system's headers before, in both orders.
fail        The cases of fail/*.cpp. A case is
                #ifdef NAME
                  what must not compile;  // error: <regular expression>
                #else
                  its nearest neighbour that does compile
                #endif
            Without any NAME the file must compile. With a NAME it must fail, at a line of that case, in the words expected.
self-test   Shows that `fail` refuses the files in fail_bad/.
"""
import concurrent.futures
import os
import pathlib
import re
import shutil
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
INCLUDE = HERE.parents[1] / "include"
SYSTEM = f'#include "{HERE}/system_headers.hpp"\n'
WARNINGS = ["-Wall", "-Wextra", "-Wpedantic", "-Wconversion", "-Wshadow", "-Werror"]
MODES = [[f"-std={dialect}", level] for dialect in ("c++17", "gnu++17", "c++20") for level in ("-O0", "-O2")]
CASE = re.compile(r"^[ \t]*#ifdef (?P<name>[A-Z0-9_]+)\n(?P<bad>.*?)^[ \t]*#else\n(?P<good>.*?)^[ \t]*#endif", re.MULTILINE | re.DOTALL)
EXPECTED = re.compile(r"// error: (.+)")


def compilers(named):
    """Each compiler once, whatever names it goes by."""
    found = [shutil.which(name) for name in (named or ["g++", "clang++"])]
    if named and None in found:
        sys.exit("no such compiler: " + named[found.index(None)])
    return list({os.path.realpath(path): path for path in found if path}.values())


def compile_text(compiler, options, text):
    """The compiler's messages, or None where it had nothing to say."""
    command = [compiler, "-fsyntax-only", "-x", "c++", "-I", INCLUDE, *WARNINGS, *options, "-"]
    made = subprocess.run(command, input=text, capture_output=True, text=True, env={**os.environ, "LC_ALL": "C"})
    return None if made.returncode == 0 else made.stderr or f"status {made.returncode}"


def run_all(work):
    """Runs (title, function) pairs side by side; prints each title with its outcome, and counts the failures."""
    failures = 0
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        for title, outcome in [(title, pool.submit(function)) for title, function in work]:
            complaint = outcome.result()
            failures += complaint is not None
            print(f"{title}: ok" if complaint is None else f"{title}: FAILED\n{complaint}", flush=True)
    print(f"{len(work)} compile checks, {failures} failed")
    return failures if work else 1


def second_halves():
    """The headers that are the end of another one, by the layer table, and are never included by themselves."""
    table = (INCLUDE.parent / "cmake/layers.txt").read_text()
    return {"pysock/" + header for header in re.findall(r"^\d+[ ]+(\S+)[ ]+\S+\.hpp\b", table, re.MULTILINE)}


def check_headers(names):
    headers = [path.relative_to(INCLUDE).as_posix() for path in sorted(INCLUDE.rglob("*.hpp"))]
    headers = [header for header in headers if header not in second_halves()]
    lines = [f"#include <{header}>\n" for header in headers]
    texts = {f"{header}, system headers after": line + SYSTEM for header, line in zip(headers, lines)}
    texts["system headers, all, system headers"] = SYSTEM + "".join(lines) + SYSTEM
    texts["system headers, all in reverse, system headers"] = SYSTEM + "".join(reversed(lines)) + SYSTEM

    def modes(compiler, text):
        for mode in MODES:
            complaint = compile_text(compiler, mode, text)
            if complaint:
                return f"{' '.join(mode)}\n{complaint}"
        return None

    print("each under " + ", ".join(" ".join(mode) for mode in MODES))
    return run_all([(f"{os.path.basename(compiler)}: {title}", lambda compiler=compiler, text=text: modes(compiler, text))
                    for compiler in names for title, text in texts.items()])


def numbered(path, text):
    """The snippet without its expectations, which compilers would quote back."""
    return f'#line 1 "{path.name}"\n' + EXPECTED.sub("", text)


def check_case(compiler, path, text, case):
    first = text.count("\n", 0, case.start("bad")) + 1
    last = first + case["bad"].count("\n")
    expected = EXPECTED.search(case["bad"])
    if not expected:
        return "the case does not say which error it expects"
    said = compile_text(compiler, ["-std=c++17", "-D" + case["name"]], numbered(path, text))
    if said is None:
        return "compiles, and must not"
    if not any(first <= int(line) < last for line in re.findall(rf"{re.escape(path.name)}:(\d+):", said)):
        return "fails, but not at the lines of the case:\n" + said
    if not re.search(expected[1], said):
        return f"fails, but not with '{expected[1]}':\n{said}"
    return None


def check_control(compiler, path, text, cases):
    if not cases or len(cases) != len({case["name"] for case in cases}) or len(cases) != text.count("#ifdef "):
        return "has no case, two of the same name, or one without an #else"
    if not all(case["good"].strip() for case in cases):
        return "has a case without a neighbour that compiles"
    return compile_text(compiler, ["-std=c++17"], numbered(path, text))


def fail_work(names, path):
    text = path.read_text()
    cases = list(CASE.finditer(text))
    for compiler in names:
        title = f"{os.path.basename(compiler)}: {path.stem}"
        yield f"{title}: control", lambda compiler=compiler: check_control(compiler, path, text, cases)
        for case in cases:
            yield f"{title}: {case['name']}", lambda compiler=compiler, case=case: check_case(compiler, path, text, case)


def check_fail(names):
    return run_all([work for path in sorted((HERE / "fail").glob("*.cpp")) for work in fail_work(names, path)])


def self_test(names):
    """Every file of fail_bad/ says in its first line what must be found wrong with it."""
    missed = 0
    for path in sorted((HERE / "fail_bad").glob("*.cpp")):
        expected = path.read_text().splitlines()[1].removeprefix("// refused: ")
        complaints = [complaint for _, function in fail_work(names, path) if (complaint := function())]
        caught = len(complaints) == len(names) and all(expected in complaint for complaint in complaints)
        missed += not caught
        print(f"{path.stem}: " + ("refused" if caught else f"NOT refused with '{expected}' alone: {complaints}"))
    return missed


def main():
    commands = {"headers": check_headers, "fail": check_fail, "self-test": self_test}
    if len(sys.argv) < 2 or sys.argv[1] not in commands:
        sys.exit(__doc__)
    names = compilers(sys.argv[2:])
    if not names:
        sys.exit("neither g++ nor clang++ is here")
    return 1 if commands[sys.argv[1]](names) else 0


if __name__ == "__main__":
    sys.exit(main())
