#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Measures the tests by mutants: small changes in a file of the library, one at a time. A mutant survives if no test fails: then a test is
missing, or the change has no effect.

usage: mutants.py BUILD [--count 100] [--seed NUMBER] [FILE...]; without a file, all of TESTS. BUILD has the test programs, built.

The tree is copied. Sources that include the file are compiled from the copy, without debugging information, and linked with the build's
other objects. The program has only the test files of that file. A mutant that does not compile is replaced by another."""
import argparse
import collections
import concurrent.futures
import json
import os
import pathlib
import random
import re
import shlex
import shutil
import signal
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parents[1]
ENGINE = ("unit", "operation waiting_table connecting interrupter socket socket_exactly socket_transport")
FILES = ("unit", "file file_buffer socket_transport")
MESSAGES = ("unit", "message fdpass")
TLS = ("ssl", "context ending error error_queue hostile interrupter object refused session socket transfer trust verdicts waiting")
# Each file with its test program and test files.
TESTS = {
    "include/pysock/detail/operation.hpp": ENGINE,
    "src/common/operation.cpp": ENGINE,
    "src/common/inet.cpp": ("pure", "inet address"),
    "include/pysock/detail/file_buffer.hpp": FILES,
    "src/common/file_buffer.cpp": FILES,
    "include/pysock/detail/cmsg.hpp": MESSAGES,
    "include/pysock/message.hpp": MESSAGES,
    "src/common/socket_message.cpp": MESSAGES,
    "src/ssl/tls_connection.cpp": TLS,
    "src/ssl/wire.cpp": TLS,
}
OPERATORS = {"<": "<=", "<=": "<", ">": ">=", ">=": ">", "==": "!=", "!=": "==", "+": "-", "-": "+", "*": "/", "/": "*", "%": "*",
             "+=": "-=", "-=": "+=", "<<": ">>", ">>": "<<", "&": "|", "|": "&", "&&": "||", "||": "&&"}
# Replaced by spaces: comments, text, directives, attributes, operators that are declared.
NO_CODE = re.compile(r"""//[^\n]*|"(\\.|[^"\\\n])*"|(?<!\w)'(\\.|[^'\\\n])+'|^\s*\#[^\n]*|\[\[.*?\]\]|operator *[^\w\s(]+""", re.M)
DECLARATION = re.compile(r"\s*(template|using|namespace|class|struct|friend|static_assert|return|public:|private:|protected:)\b")
STATEMENT = re.compile(r"\s*(?!return\b|const\b|static\b|using\b|friend\b|case\b|goto\b)(\w+(\.|->|::))*\w+(\(| [-+*/|&]?= |\[|\+\+|--).*;$")


def mutants_of(line, code):
    """The mutants of one line. `code` is the line with spaces in place of NO_CODE."""
    def put(match, new, group=0):
        return line[:match.start(group)] + new + line[match.end(group):]
    found = []
    for m in re.finditer(r"(?<= )(<<|>>|[<>=!+-]=|&&|\|\||[-<>+*/%&|])(?= |$)", code):
        found.append(put(m, OPERATORS[m.group()]))
    for m in re.finditer(r"\+\+|--", code):
        found.append(put(m, {"++": "--", "--": "++"}[m.group()]))
    for m in re.finditer(r"!(?!=)", code):
        found.append(put(m, ""))
    for m in re.finditer(r"\b(if|while) \((?!const )(.*)\)", code):
        depth, end = 0, m.start(2)
        while end < len(code) and depth >= 0:
            depth += {"(": 1, ")": -1}.get(code[end], 0)
            end += 1
        if depth < 0:
            found.append(line[:m.start(2)] + "!(" + line[m.start(2):end - 1] + ")" + line[end - 1:])
    for m in re.finditer(r"(?<![\w.\[])(0x[0-9A-Fa-f]+|\d+)(?=[ULul]*\b)(?!\.)", code):
        found.append(put(m, str(int(m.group(), 0) + 1)))
    for m in re.finditer(r"\b(true|false)\b", code):
        found.append(put(m, {"true": "false", "false": "true"}[m.group()]))
    for m in re.finditer(r"\breturn (?!true;|false;|\{\};|\*this;)([^;]+);", code):
        found += [put(m, "{}", 1), put(m, f"!({line[m.start(1):m.end(1)]})", 1)]
    if STATEMENT.match(code.rstrip()) and code.count("(") == code.count(")"):
        found.append(re.match(r"\s*", line).group() + ";")
    return [(line, new) for new in found if new != line]


def all_mutants(text):
    blank = NO_CODE.sub(lambda m: re.sub(r"[^\n]", " ", m.group()), text)
    pairs = zip(text.split("\n"), blank.split("\n"))
    return [(number, old, new) for number, (line, code) in enumerate(pairs)
            if not DECLARATION.match(code) or "return " in code for old, new in mutants_of(line, code)]


class Program:
    """A test program of some test files, built in a copy of the tree where one file can change."""

    def __init__(self, build, file):
        name, tests = TESTS[file]
        self.build, self.place, self.file = build, build.parent / "mutants", file
        shutil.rmtree(self.place, ignore_errors=True)
        for folder in ("include", "src", "tests"):
            shutil.copytree(ROOT / folder, self.place / folder)
        link = subprocess.run(["ninja", "-t", "commands", f"tests/{name}_tests"], cwd=build, stdout=subprocess.PIPE, text=True, check=True)
        words = next(part for part in link.stdout.splitlines()[-1].split(" && ") if f"-o tests/{name}_tests" in part)
        self.words = [w for w in shlex.split(words) if not w.endswith("_test.cpp.o") or
                      os.path.basename(w).rpartition("_test")[0] in tests.split()]
        self.words[self.words.index(f"tests/{name}_tests")] = str(self.place / "program")
        commands = {re.search(r" -o (\S+)", e["command"]).group(1): e for e in json.loads((build / "compile_commands.json").read_text())}
        # The objects that contain the change. The linker must find them before the library that also has them.
        libraries = {"unit": (), "pure": ("pysock_common",), "ssl": ("pysock_common", "pysock_ssl")}[name]
        self.objects = {}
        for made in self.dependent() | {o for o, e in commands.items() if e["file"] == str(ROOT / file)}:
            if made in self.words or made.startswith(tuple(f"CMakeFiles/{library}.dir" for library in libraries)):
                new = str(self.place / made.replace("/", "_"))
                command = re.sub(rf"{re.escape(str(ROOT))}(?!/build)", str(self.place), commands[made]["command"])
                self.objects[made] = [*shlex.split(command.replace(f" -o {made}", f" -o {new}")), "-g0", "-w"], new
        self.original, self.limit = None, 600

    def dependent(self):
        deps = subprocess.run(["ninja", "-t", "deps"], cwd=self.build, stdout=subprocess.PIPE, text=True, check=True).stdout
        return {block.split(":")[0] for block in deps.split("\n\n")
                if any(os.path.normpath(self.build / line.strip()) == str(ROOT / self.file) for line in block.splitlines()[1:])}

    def run(self, command, limit=600):
        process = subprocess.Popen(command, cwd=self.build, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                                   start_new_session=True)
        try:
            return process.wait(limit)
        except subprocess.TimeoutExpired:
            return None
        finally:
            try:
                os.killpg(process.pid, signal.SIGKILL)  # with its child processes
            except ProcessLookupError:
                pass
            process.wait()

    def outcome(self, text):
        """The outcome of the tests with that text of the file."""
        (self.place / self.file).write_text(text)
        with concurrent.futures.ThreadPoolExecutor(2) as pool:
            if any(pool.map(self.run, (command for command, _ in self.objects.values()))):
                return "does not compile"
        code = [pathlib.Path(new).read_bytes() for _, new in self.objects.values()]
        if code == self.original:
            return "no difference"
        first = [self.objects[made][1] for made in self.objects if made not in self.words]
        link = [self.objects[w][1] if w in self.objects else w for w in self.words]
        link[link.index("-o"):link.index("-o")] = first
        if self.run(link) != 0:
            return "does not compile"
        begin = time.monotonic()
        status = self.run([str(self.place / "program"), "--abort"], self.limit)
        if self.original is None:
            self.original, self.limit = code, 10 + 5 * (time.monotonic() - begin)
        return "timed out" if status is None else "survived" if status == 0 else "killed"


def measure(build, file, count, seed):
    text = (ROOT / file).read_text()
    lines = text.split("\n")
    program = Program(build, file)
    if program.outcome(text) != "survived":
        sys.exit(f"{file}: its tests fail without a mutant")
    mutants = all_mutants(text)
    random.Random(f"{seed} {file}").shuffle(mutants)
    print(f"== {file}: {count} of {len(mutants)}, seed {seed}", flush=True)
    tally = collections.Counter()
    for number, old, new in mutants:
        if sum(tally.values()) - tally["does not compile"] >= count:
            break
        outcome = program.outcome("\n".join([*lines[:number], new, *lines[number + 1:]]))
        tally[outcome] += 1
        if outcome in ("survived", "no difference", "timed out"):
            print(f"{outcome}: {file}:{number + 1}: {old.strip()}  ->  {new.strip()}", flush=True)
    print(f"counted: {file}: " + ", ".join(f"{n} {what}" for what, n in sorted(tally.items())), flush=True)


def main():
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("build", type=lambda path: pathlib.Path(path).resolve())
    options.add_argument("--count", type=int, default=100)
    options.add_argument("--seed", type=int, default=random.randrange(1000000))
    options.add_argument("file", nargs="*", default=[*TESTS])
    given = options.parse_intermixed_args()
    for file in given.file:
        if file not in TESTS:
            sys.exit(f"{file}: not one of\n" + "\n".join(TESTS))
        measure(given.build, file, given.count, given.seed)


if __name__ == "__main__":
    main()
