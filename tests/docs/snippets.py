#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Extracts the code blocks of the documentation, and runs them.

usage: snippets.py generate FOLDER PAGE...     writes the C++ of the pages into FOLDER
       snippets.py count PAGE...               counts the blocks
       snippets.py run FOLDER BUILD PAGE...    runs every block; FOLDER has the programs, BUILD is pysock's build tree

Every fenced block of a page is one of these:
  cpp     A block below the heading "Waiting for many" of waiting.md becomes waiting/waiting-for-many.inc, the next one below that heading
          waiting/waiting-for-many-2.inc. A source file of this folder includes it and has the code that it needs around it. The sources in
          asio/, cxx20/, sockpp/, ssl/ and windows/ are compiled if that is available; those in programs/ are separate programs. A block
          that no source includes is compiled as a function.
  python  Is run as it is.
  cmake   A project is configured and built with it, against the build tree.
  sh      A line that begins with ./dev must have a verb that exists; other lines are not run.
  text    The output of the block before it. Numbers of four digits or more, which are mostly ports, may differ.

The port 50007 is replaced by a free one. On each page every block with that port that accepts a connection is run with every block that
connects to it.

The code in the first two columns of a table is checked if its head is "Python | C++": Python's names are looked up, and the C++ is compiled,
as waiting/waiting-for-many.table.inc, with the names of TABLE_PARAMETERS. With the head "Python | C++ class" the C++ is a type.

`<!-- output of NAME -->` stands before a table whose rows the measurement NAME prints: a part of docs_snippets, or NAME.py beside this file.
"""
import ast
import asyncio
import collections
import os
import pathlib
import re
import selectors
import socket
import ssl
import subprocess
import sys
import tempfile
import time

PATIENCE = 60  # seconds, for a busy machine
HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[1]
OPTIONAL = {"asio": "asio.hpp is not installed (libasio-dev)", "cxx20": "the compiler has no std::stop_token",
            "sockpp": "sockpp is not installed; Debian has no package of it", "ssl": "the component ssl is not built here",
            "windows": "needs Windows"}
# The objects that tables mean by these names, and names that this Python may lack or that only instances have.
OWNERS = {"socket": socket, "ssl": ssl, "s": ssl.SSLSocket, "context": ssl.SSLContext, "selectors": selectors,
          "selector": selectors.DefaultSelector, "asyncio": asyncio, "loop": asyncio.BaseEventLoop, "reader": asyncio.StreamReader,
          "writer": asyncio.StreamWriter}
ELSEWHERE = {"fromshare", "share", "ioctl", "SIO_RCVALL", "RCVALL_ON", "SIO_KEEPALIVE_VALS", "SIO_LOOPBACK_FAST_PATH",
             "sslerror", "server_hostname", "server_side", "get_verified_chain"}


class Mistake(Exception):
    pass


class Block:
    """A code block, or a table that is checked, with its page, its first line, and the name of the file that is made of it."""

    def __init__(self, page, line, language, name, code):
        self.page, self.line, self.language, self.name, self.code, self.output = page, line, language, name, code, None
        self.rows = []  # of a table: (line, Python's code, C++ code)

    def __str__(self):
        page = pathlib.Path(self.page).resolve()
        return f"{page.relative_to(ROOT) if ROOT in page.parents else self.page}:{self.line}"

    def is_pair(self):
        return any("50007" in line for line in self.code)

    def is_server(self):
        return self.is_pair() and any("accept(" in line for line in self.code)


# ---- reading ------------------------------------------------------------------------------------------------------------------------

def spans(cell):
    return [code or quoted for quoted, code in re.findall(r"``(.+?)``|`(.+?)`", cell.replace("\\|", "|"))]


def read(page):
    """The blocks of a page, its tables that are checked, and its tables that measurements print."""
    lines = pathlib.Path(page).read_text(encoding="utf-8").splitlines() + [""]
    blocks, tables, measured = [], [], {}
    heading, names, i = "", collections.Counter(), 0

    def name(suffix):
        base = f"{pathlib.Path(page).stem}/{heading}"
        names[base + suffix] += 1
        return base + (f"-{names[base + suffix]}" if names[base + suffix] > 1 else "") + suffix

    while i < len(lines):
        line = lines[i]
        if title := re.match(r"#+ (.*)", line):
            heading = re.sub(r"[^a-z0-9]+", "-", title[1].lower()).strip("-")
        if fence := re.match(r"(```+)(.*)", line):
            end = next((j for j in range(i + 1, len(lines)) if lines[j] == fence[1]), None)
            block = Block(page, i + 2, fence[2], "", lines[i + 1:end])
            if end is None:
                raise Mistake(f"{block}: the block has no end")
            if block.language == "text":
                if not blocks or blocks[-1].output:
                    raise Mistake(f"{block}: output of what?")
                blocks[-1].output = block.code
            elif block.language in ("cpp", "python", "cmake", "sh"):
                block.name = name("") if block.language == "cpp" else ""
                blocks.append(block)
            else:
                raise Mistake(f"{block}: a block of {block.language or 'nothing'}")
            i = end
        elif line.startswith("|"):
            start = i
            while lines[i + 1].startswith("|"):
                i += 1
            if measurement := re.fullmatch(r"<!-- output of (\w+) -->", lines[start - 1]):
                measured[measurement[1]] = (page, start + 1, lines[start + 2:i + 1])
            elif checked := re.match(r"\| Python \| C\+\+( class)? \|", line):
                table = Block(page, start + 1, "types" if checked[1] else "table", name(".table"), [])
                for number, row in enumerate(lines[start + 2:i + 1], start + 3):
                    python, cpp = re.split(r"(?<!\\)\|", row)[1:3]
                    table.rows.append((number, spans(python), spans(cpp)))
                tables.append(table)
        i += 1
    return blocks, tables, measured


def read_all(pages):
    blocks, tables, measured = [], [], {}
    for page in pages:
        b, t, m = read(page)
        blocks += b
        tables += t
        measured.update(m)
    return blocks, tables, measured


def sources():
    """The source that includes a block, by the block's name."""
    return {name: path for path in HERE.rglob("*.cpp")
            for name in re.findall(r'^#include "([\w/.-]+)\.inc"', path.read_text(encoding="utf-8"), re.M)}


# ---- writing sources ----------------------------------------------------------------------------------------------------------------

def block_source(block):
    return [f'#line {block.line} "{block.page}"'] + [line.replace("50007", "docs::port()") for line in block.code]


def table_source(table):
    code = [f'static const docs::snippet registered_{table.line}("{table.name}", [] {{}});']
    for line, _, cpp in table.rows:
        code += [f"[[maybe_unused]] static void row_{line}(TABLE_PARAMETERS) {{"]
        for piece in cpp:
            code += [f'#line {line} "{table.page}"', f"{{ using type = {piece}; }}" if table.language == "types" else f"{{ {piece}; }}"]
        code += ["}"]
    return code


def generate(folder, pages):
    blocks, tables, _ = read_all(pages)
    included = sources()
    files = {block.name + ".inc": block_source(block) for block in blocks if block.language == "cpp"}
    files.update({table.name + ".inc": table_source(table) for table in tables})
    alone = [block.name for block in blocks if block.language == "cpp" and block.name not in included]
    files["alone.cpp"] = ['#include "snippets.hpp"'] + [f'BLOCK("{name}") {{\n#include "{name}.inc"\n}}' for name in alone]
    for name, lines in files.items():
        path, text = pathlib.Path(folder) / name, "\n".join(lines) + "\n"
        path.parent.mkdir(parents=True, exist_ok=True)
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            path.write_text(text, encoding="utf-8")


# ---- running ------------------------------------------------------------------------------------------------------------------------

def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def without_numbers(text):
    return [re.sub(r"\b\d{4,}\b", "N", line.rstrip()) for line in text.strip().splitlines()]


class Runner:
    def __init__(self, folder, build, scratch):
        self.folder, self.build, self.scratch = pathlib.Path(folder).resolve(), pathlib.Path(build).resolve(), scratch
        self.failures, self.included = [], sources()
        snippets = self.folder / "docs_snippets"
        self.known = subprocess.run([snippets], capture_output=True, text=True).stdout.split("\n") if snippets.is_file() else []

    def lacks(self, block):
        """Why a block cannot run here; None if it can."""
        if block.language == "sh":
            return None if any(line.startswith("./dev") for line in block.code) else "shell commands that change the system"
        if block.language == "cmake" and any(re.match(r"find_package\(.*COMPONENTS ssl", line) for line in block.code):
            return None if any(name.startswith("tls/") for name in self.known) else OPTIONAL["ssl"]
        if block.language in ("python", "cmake") or block.name in self.known or self.program(block):
            return None
        reason = OPTIONAL.get(self.included.get(block.name, HERE).parent.name)
        if reason is None:
            self.failures.append(f"{block}: was not compiled")
        return reason or "was not compiled"

    def program(self, block):
        source = self.included.get(block.name)
        program = self.folder / source.stem if source and source.parent.name == "programs" else None
        return program if program and program.is_file() else None

    def start(self, block, port=0):
        if block.language == "python":
            code = "\n" * (block.line - 1) + "\n".join(block.code)
            command = [sys.executable, "-c", code.replace("50007", str(port))]
        else:
            program = self.program(block)
            command = [program] if program else [self.folder / "docs_snippets", block.name]
        return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=self.scratch,
                                env=dict(os.environ, DOCS_PORT=str(port)))

    def finish(self, process):
        try:
            output, errors = process.communicate(timeout=PATIENCE)
        except subprocess.TimeoutExpired:
            process.kill()
            output, errors = process.communicate()
            errors += "still running"
        return process.returncode, output, errors

    def compare(self, block, result, expected):
        status, output, errors = result
        if status != 0:
            self.failures.append(f"{block}: ends with {status}: {errors.strip()}")
        elif expected is not None and without_numbers(output) != without_numbers("\n".join(expected)):
            self.failures.append(f"{block}: prints\n{output}\ninstead of\n" + "\n".join(expected))

    def run_pair(self, server, client, expected):
        port = free_port()
        serving = self.start(server, port)
        try:
            give_up = time.monotonic() + PATIENCE
            while True:
                result = self.finish(self.start(client, port))
                if "refused" not in result[2] or serving.poll() is not None or time.monotonic() > give_up:
                    break  # otherwise the server does not listen yet
                time.sleep(0.05)
            self.compare(client, result, expected)
            if result[0] == 0:
                self.compare(server, self.finish(serving), server.output)
        finally:
            serving.kill()
            serving.communicate()

    def run_pairs(self, blocks):
        """Runs every server of a page with every client of it."""
        for page in sorted({block.page for block in blocks}):
            servers = [block for block in blocks if block.page == page and block.is_server()]
            clients = [block for block in blocks if block.page == page and not block.is_server()]
            expected = next((client.output for client in clients if client.output), None)
            if not servers or not clients:
                self.failures.append(f"{(servers + clients)[0]}: servers or clients alone")
            for server in servers:
                for client in clients:
                    self.run_pair(server, client, expected)

    def configure(self, block):
        folder = pathlib.Path(tempfile.mkdtemp(dir=self.scratch))
        (folder / "main.cpp").write_text("#include <pysock/pysock.hpp>\nint main() { return pysock::socket() ? 0 : 1; }\n")
        lines = ["cmake_minimum_required(VERSION 3.16)", "project(app LANGUAGES CXX)", *block.code]
        (folder / "CMakeLists.txt").write_text("\n".join(lines) + "\n")
        os.symlink(ROOT, folder / "pysock", target_is_directory=True)
        for command in (["cmake", "-G", "Ninja", "-S", folder, "-B", folder / "build", f"-Dpysock_DIR={self.build}"],
                        ["cmake", "--build", folder / "build"], [folder / "build" / "app"]):
            done = subprocess.run(command, capture_output=True, text=True)
            if done.returncode != 0:
                return self.failures.append(f"{block}: {command[0]}: {done.stdout[-2000:]}{done.stderr[-2000:]}")

    def check_shell(self, block):
        verbs = set(re.findall(r"^#: (\S+)", (ROOT / "dev").read_text(encoding="utf-8"), re.M))
        for line in block.code:
            used = re.match(r"\./dev (\w+)", line)
            if used and used[1] not in verbs:
                self.failures.append(f"{block}: not a verb of ./dev: {line}")

    def look_up(self, table):
        for line, pieces, _ in table.rows:
            for python in pieces:
                try:
                    tree = ast.parse(python)
                except SyntaxError as e:
                    self.failures.append(f"{table}: line {line}: {python}: {e}")
                    continue
                for node in ast.walk(tree):
                    if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
                        owner = OWNERS.get(node.value.id)
                        if owner is not None and not hasattr(owner, node.attr) and node.attr not in ELSEWHERE:
                            self.failures.append(f"{table}: line {line}: Python has no {node.value.id}.{node.attr}")

    def check_measured(self, what, page, line, body):
        script = HERE / f"{what}.py"
        command = [sys.executable, script] if script.is_file() else [self.folder / "docs_snippets", what]
        result = subprocess.run(command, capture_output=True, text=True)
        if result.returncode != 0 or result.stdout.splitlines() != body:
            self.failures.append(f"{page}:{line}: the table of {what} should be\n{result.stdout}{result.stderr}")


def count_rows(tables):
    return sum(len(table.rows) for table in tables)


def run(runner, pages):
    blocks, tables, measured = read_all(pages)
    left_out = [(block, reason) for block in blocks + tables if (reason := runner.lacks(block))]
    able = [block for block in blocks if not any(block is out for out, _ in left_out)]
    runner.run_pairs([block for block in able if block.is_pair()])
    for block in able:
        if block.language == "cmake":
            runner.configure(block)
        elif block.language == "sh":
            runner.check_shell(block)
        elif not block.is_pair():
            runner.compare(block, runner.finish(runner.start(block)), block.output)
    for table in tables:
        runner.look_up(table)
    for what, (page, line, body) in measured.items() if sys.platform == "linux" else ():
        runner.check_measured(what, page, line, body)
    count = collections.Counter(block.language for block in able)
    compiled = [table for table in tables if not any(table is out for out, _ in left_out)]
    print(f"counted: {len(blocks)} code blocks of the documentation: {count['cpp']} of C++ compiled and run, "
          f"{count['python']} of Python run, {count['cmake']} of CMake configured and built, {count['sh']} of shell checked, "
          f"{len(blocks) - len(able)} not run; {count_rows(compiled)} of {count_rows(tables)} rows of tables compiled")
    for block, reason in left_out:
        print(f"skipped: {block}: {reason}")
    print("\n".join(runner.failures))
    return 1 if runner.failures or not blocks else 0


def main(action, *arguments):
    try:
        if action == "generate":
            generate(arguments[0], arguments[1:])
        elif action == "count":
            blocks, tables, _ = read_all(arguments)
            languages = collections.Counter(block.language for block in blocks)
            print(f"counted: {len(blocks)} code blocks for ./dev test to run: {languages['cpp']} of C++, {languages['python']} of Python, "
                  f"{languages['cmake']} of CMake, {languages['sh']} of shell; {count_rows(tables)} rows of tables to compile")
        else:
            with tempfile.TemporaryDirectory() as scratch:
                return run(Runner(arguments[0], arguments[1], scratch), arguments[2:])
    except Mistake as e:
        print(e, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
