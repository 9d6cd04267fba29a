#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Takes the code blocks out of the documentation, makes programs of them, and runs them.

usage: snippets.py generate FOLDER PAGE...     writes the C++ sources into FOLDER
       snippets.py count PAGE...               counts the blocks
       snippets.py run FOLDER BUILD PAGE...    runs every block with the programs made from FOLDER; BUILD is pysock's build tree

Every fenced block of a page is one of these:
  cpp     A fragment becomes a function, all fragments of a page one source; a block with a main() becomes a program as it stands.
  python  Runs as it stands.
  cmake   A project is configured and built with it, against the build tree.
  sh      Each line is `./dev VERB`, with a verb that there is.
  text    What the block before it prints. Numbers of four digits or more, ports for the most part, may differ.

What readers need not see goes into comments: `<!-- snippet` before a block holds code to be put in front of it, `<!-- then` behind a block
code that follows. `<!-- snippet: WORDS` also says how to treat the block, several words separated by semicolons:
  top           definitions, outside of a function; the code in `<!-- then` is the function
  server NAME, client NAME
                every server of that name is run with every client of it, across languages
  needs NAME    what has to be there to compile it: asio, sockpp, ssl or windows
  not run REASON
  table         each piece of code in the first two columns of the table that follows stands for itself: Python's names are looked up, the
                C++ is compiled; the comment holds the names it may use, as parameters, for this table and those after it. `table types` is
                a table of classes
`<!-- output of NAME -->` stands before a table whose rows the measurement NAME prints: a part of docs_snippets, or NAME.py beside this.
The port 50007 stands for one that is free.
"""
import ast
import collections
import os
import pathlib
import re
import socket
import ssl
import subprocess
import sys
import tempfile
import time

PATIENCE = 60  # seconds, for a busy machine
HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[1]
OPTIONAL = {"asio": "asio.hpp is not installed (libasio-dev)", "sockpp": "sockpp is not installed; Debian has no package of it",
            "ssl": "the component ssl is not built here", "windows": "needs Windows"}
# Names that the Python at hand may lack, Windows' and Python 2's, or that only its objects have.
ELSEWHERE = {"fromshare", "share", "ioctl", "SIO_RCVALL", "RCVALL_ON", "SIO_KEEPALIVE_VALS", "SIO_LOOPBACK_FAST_PATH",
             "ssl", "sslerror", "server_hostname", "server_side", "get_verified_chain"}

# Warnings that make no sense for pieces of code in a table.
UNWANTED = ("unused-value", "unused-result", "unused-variable", "unused-parameter", "unused-but-set-variable", "unused-local-typedefs",
            "shadow", "deprecated-declarations")
# What the tables call what.
OWNERS = {"socket": socket, "s": socket.socket}
TLS_OWNERS = {"socket": socket, "ssl": ssl, "s": ssl.SSLSocket, "context": ssl.SSLContext}

Block = collections.namedtuple("Block", "page line language words before code after output")
Row = collections.namedtuple("Row", "page line words before python cpp")


class Mistake(Exception):
    pass


# ---- reading ------------------------------------------------------------------------------------------------------------------------

def label(page, line):
    return f"{pathlib.Path(page).resolve().relative_to(ROOT) if ROOT in pathlib.Path(page).resolve().parents else page}:{line}"


def name(block):
    return label(block.page, block.line)


def word(block, key):
    """What follows a word of the comment before a block; None without that word."""
    for words in block.words:
        if words == key or words.startswith(key + " "):
            return words[len(key) + 1:]
    return None


def spans(cell):
    return [code or quoted for quoted, code in re.findall(r"``(.+?)``|`(.+?)`", cell.replace("\\|", "|"))]


def read(page):
    """The blocks of a page, the rows of its tables, and the tables that measurements print."""
    lines = pathlib.Path(page).read_text(encoding="utf-8").splitlines()
    blocks, rows, measured = [], [], {}
    words, before, table, names, i = [], [], False, [], 0

    def take(until, start):
        end = next((j for j in range(start, len(lines)) if lines[j].strip() == until), None)
        if end is None:
            raise Mistake(f"{label(page, start)}: no end of what begins here")
        return lines[start:end], end + 1

    while i < len(lines):
        line = lines[i]
        begins = re.fullmatch(r"<!-- snippet(?::\s*(.*?))?(\s*-->)?", line)
        ends = re.fullmatch(r"<!-- then", line)
        fence = re.match(r"\s*(```+|~~~+)(.*)", line)
        measure = re.fullmatch(r"<!-- output of (\w+) -->", line)
        if begins:
            words = [w.strip() for w in (begins[1] or "").split(";") if w.strip()]
            before, i = ([], i + 1) if begins[2] else take("-->", i + 1)
            table = any(w.split()[0] == "table" for w in words)
            if table:
                names = before = before or names
        elif ends:
            after, i = take("-->", i + 1)
            blocks[-1] = blocks[-1]._replace(after=after)
        elif measure:
            j = i + 1
            while not lines[j].startswith("|"):
                j += 1
            start, body = j, []
            while j < len(lines) and lines[j].startswith("|"):
                body.append(lines[j])
                j += 1
            measured[measure[1]] = (start + 1, body[2:])
            i = j
        elif fence:
            language = fence[2].strip()
            code, end = take(fence[1], i + 1)
            if language == "text":
                if blocks and not blocks[-1].output and not words:
                    blocks[-1] = blocks[-1]._replace(output=code)
                else:
                    raise Mistake(f"{label(page, i + 1)}: output of what?")
            elif language not in ("cpp", "python", "cmake", "sh"):
                raise Mistake(f"{label(page, i + 1)}: a block of {language or 'nothing'}")
            else:
                blocks.append(Block(page, i + 2, language, words, before, code, [], None))
            words, before, table, i = [], [], False, end
        elif table and line.startswith("|"):
            cells = [c.strip() for c in re.split(r"(?<!\\)\|", line)[1:-1]]
            if not re.fullmatch(r"[-: |]+", line) and spans(cells[1]):
                rows.append(Row(page, i + 1, words, before, spans(cells[0]), spans(cells[1])))
            i += 1
            if i == len(lines) or not lines[i].startswith("|"):
                words, before, table = [], [], False
        else:
            i += 1
    return blocks, rows, measured


def read_all(pages):
    blocks, rows, measured = [], [], {}
    for page in pages:
        b, r, m = read(page)
        blocks += b
        rows += r
        measured.update({key: (page,) + value for key, value in m.items()})
    return blocks, rows, measured


# ---- writing sources ----------------------------------------------------------------------------------------------------------------

def is_program(block):
    return any(re.match(r"int main\(", line) for line in block.code)


def numbered(page, line, code):
    return [f'#line {line} "{page}"'] + code if code else []


def port(code):
    return [line.replace("50007", "docs::port()") for line in code]


def symbol(block):
    return re.sub(r"\W", "_", f"{pathlib.Path(block.page).stem}_{block.line}")


def program_source(block):
    return ["#include <cstdlib>", "namespace docs { inline int port() { return std::atoi(std::getenv(\"DOCS_PORT\")); } }"] + \
        numbered(block.page, block.line, port(block.code))


def fragment_source(blocks, rows):
    includes, code = [], []
    for block in blocks:
        fragment = [("" if re.match(r"#include", line) else line) for line in port(block.code)]
        includes += [line for line in block.before + block.code if re.match(r"#include", line)]
        before = [line for line in block.before if not re.match(r"#include", line)]
        setup = numbered(block.page, block.line - len(block.before) - 2, before)
        shown = numbered(block.page, block.line, fragment)
        check = numbered(block.page, block.line + len(block.code) + 2, block.after)
        head, tail = f"void run_{block.line}() {{", ["}"]
        code += [f"namespace {symbol(block)} {{", "namespace {"]
        code += setup + shown + [head] + check + tail if word(block, "top") is not None else [head] + setup + shown + check + tail
        code += ["}", f'const docs::snippet registered("{name(block)}", run_{block.line});', "}"]
    if rows:
        code += ["#pragma GCC diagnostic push"] + [f'#pragma GCC diagnostic ignored "-W{warning}"' for warning in UNWANTED]
    for row in rows:
        includes += [line for line in row.before if re.match(r"#include", line)]
        parameters = " ".join(line for line in row.before if not re.match(r"#include", line))
        types = word(row, "table") == "types"
        code += [f"[[maybe_unused]] static void row_{pathlib.Path(row.page).stem}_{row.line}({parameters}) {{"]
        for cpp in row.cpp:
            code += [f'#line {row.line} "{row.page}"', f"{{ using type = {cpp}; }}" if types else f"{{ {cpp.rstrip(';')}; }}"]
        code += ["}"]
    if rows:
        code += ['#pragma GCC diagnostic pop', f'static const docs::snippet registered_tables("{tables(rows[0])}", [] {{}});']
    return ["// Made from the documentation.", '#include "snippets.hpp"'] + sorted(set(includes)) + code


def tables(row):
    """What the tables of a page that need the same are known by."""
    return f"tables of {pathlib.Path(row.page).stem} with {word(row, 'needs') or 'pysock'}"


def write(path, lines):
    text = "\n".join(lines) + "\n"
    if not path.exists() or path.read_text(encoding="utf-8") != text:
        path.write_text(text, encoding="utf-8")
    return path


def generate(folder, pages):
    folder = pathlib.Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    blocks, rows, measured = read_all(pages)
    written, parts = set(), collections.defaultdict(lambda: ([], []))
    for block in blocks:
        if block.language != "cpp" or word(block, "not run") is not None:
            continue
        needs = word(block, "needs") or "pysock"
        if is_program(block):
            written.add(write(folder / f"{symbol(block)}.{needs}.program.cpp", program_source(block)))
        else:
            parts[pathlib.Path(block.page).stem, needs][0].append(block)
    for row in rows:
        parts[pathlib.Path(row.page).stem, word(row, "needs") or "pysock"][1].append(row)
    for (stem, needs), (fragments, table) in parts.items():
        written.add(write(folder / f"{stem}.{needs}.fragments.cpp", fragment_source(fragments, table)))
    for old in set(folder.glob("*.cpp")) - written:
        old.unlink()


# ---- running ------------------------------------------------------------------------------------------------------------------------

def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def without_numbers(text):
    return [re.sub(r"\b\d{4,}\b", "N", line.rstrip()) for line in text.strip().splitlines()]


class Runner:
    def __init__(self, folder, build, scratch):
        self.folder, self.build = pathlib.Path(folder).resolve(), pathlib.Path(build).resolve()
        self.failures, self.scratch = [], scratch

    def program(self, file):
        """The program that was made from a source, if it was."""
        found = [path for path in (self.folder / file, self.folder / (file + ".exe")) if path.is_file()]
        return str(found[0]) if found else None

    def known(self):
        """The names that docs_snippets runs."""
        program = self.program("docs_snippets")
        return subprocess.run([program], capture_output=True, text=True).stdout.split("\n") if program else []

    def has(self, kit):
        """Whether something optional was there when the blocks were compiled."""
        return any(entry.endswith(f" with {kit}") for entry in self.known())

    def command(self, block, number):
        if block.language == "python":
            code = "\n" * (block.line - 1 - len(block.before)) + "\n".join(block.before + block.code + block.after)
            return [sys.executable, "-c", code.replace("50007", str(number))]
        if is_program(block):
            program = self.program(symbol(block))
            return [program] if program else None
        return [self.program("docs_snippets"), name(block)] if name(block) in self.known() else None

    def start(self, block, number):
        return subprocess.Popen(self.command(block, number), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=self.scratch,
                                env=dict(os.environ, DOCS_PORT=str(number)))

    def finish(self, block, process):
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
            self.failures.append(f"{name(block)}: ends with {status}: {errors.strip()}")
        elif expected is not None and without_numbers(output) != without_numbers("\n".join(expected)):
            self.failures.append(f"{name(block)}: prints\n{output}\ninstead of\n" + "\n".join(expected))

    def run_alone(self, block):
        self.compare(block, self.finish(block, self.start(block, 0)), block.output)

    def run_pair(self, server, client, expected):
        number = free_port()
        serving = self.start(server, number)
        try:
            give_up = time.monotonic() + PATIENCE
            while True:
                result = self.finish(client, self.start(client, number))
                if "refused" not in result[2] or serving.poll() is not None or time.monotonic() > give_up:
                    break  # else the server does not listen yet
                time.sleep(0.05)
            self.compare(client, result, expected)
            if result[0] == 0:
                self.compare(server, self.finish(server, serving), server.output)
        finally:
            serving.kill()
            serving.communicate()

    def configure(self, block):
        folder = pathlib.Path(tempfile.mkdtemp(dir=self.scratch))
        (folder / "main.cpp").write_text("#include <pysock/pysock.hpp>\nint main() { return pysock::socket() ? 0 : 1; }\n")
        lines = ["cmake_minimum_required(VERSION 3.16)", "project(app LANGUAGES CXX)", *block.before, *block.code, *block.after]
        (folder / "CMakeLists.txt").write_text("\n".join(lines) + "\n")
        os.symlink(ROOT, folder / "pysock", target_is_directory=True)
        for command in (["cmake", "-G", "Ninja", "-S", folder, "-B", folder / "build", f"-Dpysock_DIR={self.build}"],
                        ["cmake", "--build", folder / "build"]):
            done = subprocess.run(command, capture_output=True, text=True)
            if done.returncode != 0:
                return self.failures.append(f"{name(block)}: {done.stdout[-2000:]}{done.stderr[-2000:]}")
        result = subprocess.run([folder / "build" / "app"], capture_output=True, text=True)
        self.compare(block, (result.returncode, result.stdout, result.stderr), block.output)

    def check_shell(self, block):
        verbs = set(re.findall(r"^#: (\S+)", (ROOT / "dev").read_text(encoding="utf-8"), re.M))
        for line in block.code:
            used = re.match(r"\./dev( (\w+))?", line)
            if line.strip() and not (used and (used[2] is None or used[2] in verbs)):
                self.failures.append(f"{name(block)}: not a verb of ./dev: {line}")

    def look_up(self, row):
        for python in row.python:
            try:
                tree = ast.parse(python)
            except SyntaxError as e:
                self.failures.append(f"{label(row.page, row.line)}: {python}: {e}")
                continue
            for node in ast.walk(tree):
                if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
                    owner = (TLS_OWNERS if word(row, "needs") == "ssl" else OWNERS).get(node.value.id)
                    if owner is not None and not hasattr(owner, node.attr) and node.attr not in ELSEWHERE:
                        self.failures.append(f"{label(row.page, row.line)}: Python has no {node.value.id}.{node.attr}")

    def check_measured(self, what, page, line, body):
        script = HERE / f"{what}.py"
        command = [sys.executable, script] if script.is_file() else [self.program("docs_snippets"), what]
        result = subprocess.run(command, capture_output=True, text=True)
        if result.returncode != 0 or result.stdout.splitlines() != body:
            self.failures.append(f"{label(page, line)}: the table of {what} should be\n{result.stdout}{result.stderr}")


def summary(blocks, rows, left_out):
    count = collections.Counter(block.language for block in blocks if name(block) not in {where for where, _ in left_out})
    print(f"counted: {len(blocks)} code blocks of the documentation: {count['cpp']} of C++ compiled and run, "
          f"{count['python']} of Python run, {count['cmake']} of CMake configured and built, {count['sh']} of shell checked, "
          f"{len(left_out)} not run; {len(rows)} rows of tables compiled")
    for where, reason in left_out:
        print(f"skipped: {where}: {reason}")


def run(runner, pages):
    blocks, rows, measured = read_all(pages)
    left_out, servers, clients = [], collections.defaultdict(list), collections.defaultdict(list)
    for block in blocks:
        reason = word(block, "not run")
        if reason is None and block.language == "cpp" and runner.command(block, 0) is None:
            reason = OPTIONAL.get(word(block, "needs"))
            if reason is None:
                runner.failures.append(f"{name(block)}: was not made into a program")
                continue
        if reason is not None:
            left_out.append((name(block), reason))
        elif word(block, "server"):
            servers[word(block, "server")].append(block)
        elif word(block, "client"):
            clients[word(block, "client")].append(block)
        elif block.language == "cmake" and word(block, "needs") and not runner.has(word(block, "needs")):
            left_out.append((name(block), OPTIONAL[word(block, "needs")]))
        elif block.language == "cmake":
            runner.configure(block)
        elif block.language == "sh":
            runner.check_shell(block)
        else:
            runner.run_alone(block)
    if servers.keys() != clients.keys():
        runner.failures.append(f"servers or clients alone: {servers.keys() ^ clients.keys()}")
    for group in servers.keys() & clients.keys():
        expected = next((c.output for c in clients[group] if c.output), None)
        for server in servers[group]:
            for client in clients[group]:
                runner.run_pair(server, client, expected)
    for row in rows:
        runner.look_up(row)
    known = runner.known()
    runner.failures += [f"{label(row.page, row.line)}: was not compiled" for row in rows
                        if tables(row) not in known and not word(row, "needs")]
    rows = [row for row in rows if tables(row) in known]
    for what, (page, line, body) in measured.items() if sys.platform == "linux" else ():
        runner.check_measured(what, page, line, body)
    summary(blocks, rows, left_out)
    print("\n".join(runner.failures))
    return 1 if runner.failures or not blocks else 0


def main(action, *arguments):
    try:
        if action == "generate":
            generate(arguments[0], arguments[1:])
        elif action == "count":
            blocks, rows, _ = read_all(arguments)
            languages = collections.Counter(block.language for block in blocks)
            print(f"counted: {len(blocks)} code blocks for ./dev test to run: {languages['cpp']} of C++, {languages['python']} of Python, "
                  f"{languages['cmake']} of CMake, {languages['sh']} of shell; {len(rows)} rows of tables to compile")
        else:
            with tempfile.TemporaryDirectory() as scratch:
                return run(Runner(arguments[0], arguments[1], scratch), arguments[2:])
    except Mistake as e:
        print(e, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
