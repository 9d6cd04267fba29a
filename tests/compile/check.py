#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Checks that wrong programs do not compile, and which macros the headers define. With PYSOCK_WERROR=ON in the environment a warning is an error.

usage: check.py macros|fail|self-test [compiler...]     (default: g++ and clang++, if they are installed)

macros      The headers define only macros PYSOCK_* and the constants of the tables in constants.hpp and ssl_error.hpp. They undefine
            only macros that hide a function of the same name.
fail        The cases of fail/*.cpp. A case is
                #ifdef NAME
                  what must not compile;  // error: <regular expression>
                #else
                  similar code that compiles
                #endif
            Without a NAME the file must compile. With a NAME it must fail at a line of that case with the expected message.
            `// error in clang: ...` is a warning that only clang has: with other compilers the case must compile.
self-test   Shows that `fail` rejects the files in fail_bad/, and that `macros` rejects headers with other definitions.
"""
import concurrent.futures
import functools
import itertools
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
INCLUDE = HERE.parents[1] / "include"
SYSTEM = f'#include "{HERE}/system_headers.hpp"\n'
WARNINGS = ["-Wall", "-Wextra", "-Wpedantic", "-Wconversion", "-Wshadow", "-Werror=unused-result"]
CLANG_WARNINGS = ["-Werror=dangling", "-Werror=return-stack-address"]  # with those above, the warnings that cases of fail/ test
if os.environ.get("PYSOCK_WERROR") == "ON":
    WARNINGS.append("-Werror")
CASE = re.compile(r"^[ \t]*#ifdef (?P<name>[A-Z0-9_]+)\n(?P<bad>.*?)^[ \t]*#else\n(?P<good>.*?)^[ \t]*#endif", re.MULTILINE | re.DOTALL)
EXPECTED = re.compile(r"// error(?P<clang> in clang)?: (?P<words>.+)")


def compilers(named):
    """Each compiler once, even if it has several names."""
    found = [shutil.which(name) for name in (named or ["g++", "clang++"])]
    if named and None in found:
        sys.exit("no such compiler: " + named[found.index(None)])
    return list({os.path.realpath(path): path for path in found if path}.values())


@functools.lru_cache(None)
def is_clang(compiler):
    return "clang" in subprocess.run([compiler, "--version"], capture_output=True, text=True, check=True).stdout


def compile_text(compiler, options, text):
    """The compiler's messages, or None if there are none."""
    command = [compiler, "-fsyntax-only", "-x", "c++", "-I", INCLUDE, *WARNINGS, *(CLANG_WARNINGS if is_clang(compiler) else []), *options, "-"]
    made = subprocess.run(command, input=text, capture_output=True, text=True, env={**os.environ, "LC_ALL": "C"})
    return None if made.returncode == 0 else made.stderr or f"status {made.returncode}"


def run_all(work):
    """Runs (title, function) pairs in parallel; prints each title with its result, and counts the failures."""
    failures = 0
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        for title, outcome in [(title, pool.submit(function)) for title, function in work]:
            complaint = outcome.result()
            failures += complaint is not None
            print(f"{title}: ok" if complaint is None else f"{title}: FAILED\n{complaint}", flush=True)
    print(f"{len(work)} compile checks, {failures} failed")
    return failures if work else 1


def all_headers():
    return [path.relative_to(INCLUDE).as_posix() for path in sorted(INCLUDE.rglob("*.hpp"))]


def includes(headers):
    return [f"#include <{header}>\n" for header in headers]


HIDE_FUNCTIONS = ("htonl", "htons", "ntohl", "ntohs", "timeout")


def table_of_constants(include):
    """The constants that the headers define if the system, or OpenSSL, does not."""
    text = "".join((include / "pysock" / name).read_text() for name in ("constants.hpp", "families.hpp", "ssl_error.hpp"))
    groups = re.findall(r"^#if.*\b(\w+)\)?\n(#define \1 \S.*\n(?:#define \w+ \S.*\n)*)", text, re.MULTILINE)
    return {name for _, lines in groups for name in re.findall(r"#define (\w+)", lines)}


def wrong_macros(compiler, include, text):
    """An error about macros that files below `include` define or undefine, or None."""
    made = subprocess.run([compiler, "-std=c++17", "-x", "c++", "-E", "-dD", "-I", include, "-"], input=text, capture_output=True, text=True)
    if made.returncode != 0:
        return made.stderr
    defined, problems, ours = set(), [], False
    for line in made.stdout.splitlines():
        if marker := re.match(r'# \d+ "(.*?)"', line):
            ours = pathlib.Path(marker[1]).is_relative_to(include)
        elif ours and (found := re.match(r"#(define|undef) (\w+)", line)):
            if found[1] == "define":
                defined.add(found[2])
            elif found[2] in defined:
                defined.remove(found[2])
            elif found[2] not in HIDE_FUNCTIONS:
                problems.append(f"{found[2]} is undefined, and is another's")
    allowed = table_of_constants(include)
    problems += [f"{name} is defined" for name in sorted(defined - allowed) if not name.startswith("PYSOCK_")]
    return "\n".join(problems) if problems else None if defined else "no macro is defined at all"


def check_macros(names):
    texts = {"system headers, all": SYSTEM + "".join(includes(all_headers())), "all": "".join(includes(all_headers()))}
    return run_all([(f"{os.path.basename(compiler)}: macros of {title}",
                     lambda compiler=compiler, text=text: wrong_macros(compiler, INCLUDE, text))
                    for compiler in names for title, text in texts.items()])


def macros_self_test(names):
    """Tests the check with three headers of one line each, two of which it must reject."""
    missed = 0
    cases = {"#define PYSOCK_X 1\n#define NOMINMAX\n#undef NOMINMAX\n": None, "#define NOMINMAX\n": "NOMINMAX is defined",
             "#define PYSOCK_X 1\n#undef __cplusplus\n": "__cplusplus is undefined, and is another's"}
    with tempfile.TemporaryDirectory() as folder:
        include = pathlib.Path(folder).resolve()
        (include / "pysock").mkdir()
        for name in ("families.hpp", "ssl_error.hpp"):
            (include / "pysock" / name).touch()
        for (text, expected), compiler in itertools.product(cases.items(), names):
            (include / "pysock/constants.hpp").write_text(text)
            said = wrong_macros(compiler, include, "#include <pysock/constants.hpp>\n")
            missed += said != expected
            print(f"{os.path.basename(compiler)}: macros: " + ("as expected" if said == expected else f"NOT '{expected}' but '{said}'"))
    return missed


def numbered(path, text):
    """The snippet without its expectations, which compilers would repeat in their messages."""
    return f'#line 1 "{path.name}"\n' + EXPECTED.sub("", text)


def check_case(compiler, path, text, case):
    first = text.count("\n", 0, case.start("bad")) + 1
    last = first + case["bad"].count("\n")
    expected = EXPECTED.search(case["bad"])
    if not expected:
        return "the case does not say which error it expects"
    said = compile_text(compiler, ["-std=c++17", "-D" + case["name"]], numbered(path, text))
    if expected["clang"] and not is_clang(compiler):
        return said
    if said is None:
        return "compiles, and must not"
    if not any(first <= int(line) < last for line in re.findall(rf"{re.escape(path.name)}:(\d+):", said)):
        return "fails, but not at the lines of the case:\n" + said
    if not re.search(expected["words"], said):
        return f"fails, but not with '{expected['words']}':\n{said}"
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
    """Every file of fail_bad/ has the expected error in its first line."""
    missed = macros_self_test(names)
    for path in sorted((HERE / "fail_bad").glob("*.cpp")):
        expected = path.read_text().splitlines()[1].removeprefix("// refused: ")
        complaints = [complaint for _, function in fail_work(names, path) if (complaint := function())]
        caught = len(complaints) == len(names) and all(expected in complaint for complaint in complaints)
        missed += not caught
        print(f"{path.stem}: " + ("refused" if caught else f"NOT refused with '{expected}' alone: {complaints}"))
    return missed


def main():
    commands = {"macros": check_macros, "fail": check_fail, "self-test": self_test}
    if len(sys.argv) < 2 or sys.argv[1] not in commands:
        sys.exit(__doc__)
    names = compilers(sys.argv[2:])
    if not names:
        sys.exit("neither g++ nor clang++ is installed")
    return 1 if commands[sys.argv[1]](names) else 0


if __name__ == "__main__":
    sys.exit(main())
