#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Runs CPython's own tests on an extension module on pysock, and on CPython's.

usage: INTERPRETER run.py [--seeds FIRST-LAST] [PATTERN [MODULE...]]

Builds the module for this interpreter, checks what its object files call, compares what the two
modules export, and runs each test MODULE (test_socket, test_selectors and those of this folder
unless given; "all" for every one that is known to use sockets) with both: the tests whose names
match or contain the PATTERN, all of them if it is "". With pysock's module, Python's selectors use
pysock's. Fails if a test that passes with CPython's module fails with pysock's. The module
"differential" compares random calls: see differential.py.

Each class of tests runs in its own process. A process that reports nothing for LIMIT seconds is
ended, and its remaining tests have failed.
"""
import argparse
import concurrent.futures
import fnmatch
import json
import os
import pathlib
import re
import select
import subprocess
import sys
import tempfile

import differential

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
LIMIT = 30
MODULES = {
    "binding": ["binding_test"],
    "tls": ["tls_test"],
    "differential": [],
    "test_select": ["test.test_select"],
    "test_selectors": ["test.test_selectors"],
    "test_socketserver": ["test.test_socketserver"],
    "test_ftplib": ["test.test_ftplib"],
    "test_httplib": ["test.test_httplib"],
    "test_smtplib": ["test.test_smtplib"],
    "test_urllib2_localnet": ["test.test_urllib2_localnet"],
    "test_asyncio": [
        "test.test_asyncio.test_" + part
        for part in "buffered_proto events selector_events sendfile server sock_lowlevel streams unix_events".split()
    ],
    "test_ssl": ["test.test_ssl"],
    "test_socket": ["test.test_socket"],
}
DEFAULT = ["binding", "tls", "differential", "test_selectors", "test_socket"]

# Tests of CPython's private members.
INTERNALS = {"test_modify_unregister": "it replaces the select.epoll object inside of CPython's selectors"}

# ---- building ---------------------------------------------------------------------------------------------------------------------------


def build(python, folder):
    query = "import sys, sysconfig; print(sysconfig.get_path('include')); print(sys.version.split()[0])"
    include, version = subprocess.run([python, "-c", query], check=True, capture_output=True, text=True).stdout.split()
    folder = folder / version
    configure = ["cmake", "-S", str(HERE), "-B", str(folder), "-G", "Ninja", f"-DPYTHON_INCLUDE={include}"]
    for command in (configure, ["cmake", "--build", str(folder), "--target", "_socket"]):
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        if done.returncode != 0:
            sys.exit(done.stdout)
    return version, folder


# The symbols that object files may use: of the interpreter, pysock, the C++ runtime, and memory and strings.
ALLOWED = re.compile(
    r"_?Py\w*|(typeinfo |typeinfo name |vtable )?(for )?(\w+ )?pysock::.*"
    r"|(typeinfo |vtable )?(for )?(std|__cxxabiv1|__gnu_cxx)::.*|(typeinfo|vtable) for __cxxabiv1::.*|operator (new|delete)(\[\])?\(.*\)"
    r"|__cxa_\w+|__gxx_personality_v0|_Unwind_Resume|__dso_handle|_GLOBAL_OFFSET_TABLE_|__stack_chk_fail|(mem|str)\w+"
)


def check_symbols(folder):
    """Uses of symbols beyond pysock's public interface."""
    objects = sorted((folder / "CMakeFiles" / "_socket.dir").glob("*.o"))
    listing = subprocess.run(["nm", "-uC", *map(str, objects)], check=True, capture_output=True, text=True).stdout
    symbols = {line.split(None, 1)[1] for line in listing.splitlines() if re.match(r"\s+[Uvw] ", line)}
    internal = re.compile(r"(binding::.*|.* binding::.*|PyInit__socket)$")
    wrong = sorted(s for s in symbols if not ALLOWED.fullmatch(s) and not internal.match(s))
    for source in sorted(HERE.glob("*.?pp")):
        if "detail::" in source.read_text():
            wrong.append(f"detail:: in {source.name}")
    print(f"object files: {len(objects)}, undefined symbols: {len(symbols)}, not allowed: {', '.join(wrong) or 'none'}")
    return not wrong and len(objects) > 5 and len(symbols) > 50


# ---- running ------------------------------------------------------------------------------------------------------------------------------


class Child:
    """A process that runs child.py, and its reports."""

    def __init__(self, python, module, *arguments):
        receiving, sending = os.pipe()
        self.folder = tempfile.TemporaryDirectory(ignore_cleanup_errors=True)
        self.output = tempfile.TemporaryFile("w+", errors="replace")
        self.process = subprocess.Popen(
            [python, str(HERE / "child.py"), str(sending), module, *arguments],
            cwd=self.folder.name,
            pass_fds=[sending],
            stdin=subprocess.DEVNULL,
            stdout=self.output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        os.close(sending)
        self.pipe = os.fdopen(receiving, "rb", buffering=0)

    def records(self, limit):
        """Each record; ends with the process, or if it prints nothing for `limit` seconds."""
        buffered = b""
        while True:
            if not select.select([self.pipe], [], [], limit)[0]:
                return
            data = self.pipe.read(65536)
            if not data:
                return
            *lines, buffered = (buffered + data).split(b"\n")
            for line in lines:
                yield json.loads(line)

    def close(self):
        try:
            self.process.wait(1)
        except subprocess.TimeoutExpired:
            os.killpg(self.process.pid, 9)
            self.process.wait()
        self.pipe.close()
        self.output.seek(0)
        text = self.output.read()
        self.output.close()
        self.folder.cleanup()
        return text


def ask(python, module, *arguments):
    child = Child(python, module, *arguments)
    answers = list(child.records(LIMIT))
    text = child.close()
    if child.process.returncode != 0:
        sys.exit(f"child.py {' '.join(arguments)} failed:\n{text}")
    return answers


RANK = {"skipped": 0, "passed": 1, "failed": 2}


def run_class(python, module, tests, *names):
    """The outcome of each of these tests of a class: (outcome, text)."""
    child = Child(python, module, "run", *names)
    found = {}
    running = None
    done = False
    for record in child.records(LIMIT):
        if "start" in record:
            running = record["start"]
        elif "test" in record:
            known = found.get(record["test"])
            if known is None or RANK[record["outcome"]] > RANK[known[0]]:
                found[record["test"]] = (record["outcome"], record["text"])
        done = done or "done" in record
    output = child.close()
    if running is None and not found:
        raise RuntimeError(f"{names[0]} did not even start with {module}:\n{output}")
    # An outcome of the class itself applies to all its tests.
    whole = [outcome for test, outcome in found.items() if test not in tests]
    missing = whole[0] if whole else ("failed", f"not finished: {running} took more than {LIMIT} s or ended the process\n{output[-2000:]}")
    if done and not whole:
        missing = ("failed", "was not run")
    return {test: found.get(test, missing) for test in tests}


def run_module(python, module, names, pattern):
    classes = {}
    for record in ask(python, module, "list", *names):
        if not pattern or fnmatch.fnmatchcase(record["test"], f"*{pattern}*"):
            classes.setdefault(record["cls"], []).append(record["test"])
    outcomes = {}
    # They mostly wait. The same class does not run with both modules at once, because some use a fixed port.
    with concurrent.futures.ThreadPoolExecutor(2) as workers:
        jobs = [workers.submit(run_class, python, module, tests, *(tests if pattern else [name])) for name, tests in classes.items()]
        for job in jobs:
            outcomes.update(job.result())
    return outcomes


# ---- comparing ----------------------------------------------------------------------------------------------------------------------------


def compare_names(python, module):
    own, ours = (ask(python, which, "names")[0] for which in ("-", module))
    good = True
    print(f"socket is on {own['file'] or 'CPython'}, and on {ours['file']}")
    for kind in ("functions", "methods"):
        missing = sorted(set(own[kind]) - set(ours[kind]))
        good = good and not missing
        print(f"{kind}: {len(set(own[kind]) & set(ours[kind]))} of {len(own[kind])}" + (f", missing: {' '.join(missing)}" if missing else ""))
    values, known = ours["constants"], own["constants"]
    missing = sorted(set(known) - set(values))
    wrong = sorted(name for name in set(known) & set(values) if known[name] != values[name])
    print(f"constants: {len(set(known) & set(values))} of {len(known)}" + (f", not in this system's headers: {' '.join(missing)}" if missing else ""))
    if wrong:
        print(f"constants with other values: {' '.join(wrong)}")
    return good and not wrong


def summary(outcomes):
    counts = [sum(outcome == which for outcome, _ in outcomes.values()) for which in ("passed", "failed", "skipped")]
    return "{} passed, {} failed, {} skipped".format(*counts)


def indented(text):
    return "  " + text.rstrip().replace("\n", "\n  ")


def compare(own, ours):
    """Prints every test that differs; true if none fails with pysock that passes without."""
    good = True
    for test in sorted(set(own) | set(ours)):
        before, after = own.get(test, ("missing", "")), ours.get(test, ("missing", ""))
        if before[0] == after[0]:
            if after[0] == "failed":
                print(f"\n{test}: failed with either\n{indented(after[1])}")
            continue
        print(f"\n{test}: {before[0]} with CPython's, {after[0]} with pysock")
        if after[0] == "passed":
            continue
        if reason := INTERNALS.get(test.rpartition(".")[2]):
            print(f"  {reason}")
            continue
        print(indented(after[1]))
        good = good and before[0] != "passed"
    return good


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", type=pathlib.Path, default=ROOT / "build" / "cpython", help="where to build")
    parser.add_argument("--seeds", default="1-16", help="of the differential's calls")
    parser.add_argument("pattern", nargs="?", default="", metavar="PATTERN")
    parser.add_argument("modules", nargs="*", metavar="MODULE")
    arguments = parser.parse_args()
    modules = list(MODULES) if arguments.modules == ["all"] else arguments.modules or DEFAULT
    for name in modules:
        if name not in MODULES:
            parser.error(f"{name} is none of {' '.join(MODULES)}")

    first, last = map(int, arguments.seeds.split("-"))
    python = sys.executable
    version, folder = build(python, arguments.build.resolve())
    module = str(folder / "_socket.so")
    print(f"CPython {version}, {python}")
    good = check_symbols(folder)
    good = compare_names(python, module) and good

    lines = []
    count = 0
    for name in modules:
        if name == "differential":
            if not arguments.pattern:
                compared, line = differential.run(python, module, sys.version_info[:2], range(first, last + 1))
                good = compared and good
                lines.append(line)
                count += 1
            continue
        own = run_module(python, "-", MODULES[name], arguments.pattern)
        ours = run_module(python, module, MODULES[name], arguments.pattern)
        good = compare(own, ours) and good
        count += len(ours)
        lines.append(f"cpython's own {name}: {summary(own)}\ncpython {name}: {summary(ours)}")
    print()
    print("\n".join(lines))
    if count == 0:
        sys.exit("no test was run")
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
