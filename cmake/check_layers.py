#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The layer check: fails if a file includes one of a higher level, or if code is in a file where it is not allowed.

usage: check_layers.py [--root folder] [g++]

The levels are in cmake/layers.txt below the root. With a GNU compiler and its library the check also finds heavy standard
headers that other standard headers include.
"""
import argparse
import pathlib
import re
import subprocess
import sys

LINES_OF_CODE = 600
HEAVY = {"memory", "functional", "iostream", "regex"}  # none of them in socket.hpp and below
LIGHT_END = "socket.hpp"
PLATFORM = re.compile(
    r"\b(_?WIN(32|64)|__CYGWIN__|__MINGW\w*|__(gnu_)?linux(__)?|linux|__unix(__)?|unix|__APPLE__|__MACH__|TARGET_OS_\w+"
    r"|__(Free|Net|Open)BSD__|__DragonFly__|__sun|__ANDROID__|_AIX|__HAIKU__|PYSOCK_WINDOWS)\b")
PLATFORM_ALLOWED = re.compile(r"include/pysock/(detail/config|constants|families)\.hpp|src/[^/]+/features\.hpp")
SYSTEM_ALLOWED = re.compile(r"include/pysock/(constants|families)\.hpp|src/(common/families\.cpp|posix/.*|windows/.*)"
                            r"|src/ssl/system_trust_(windows|macos)\.cpp")
OPENSSL_ALLOWED = re.compile(r"src/ssl/.*")
TOKEN = re.compile(r"""//[^\n]*|/\*.*?\*/|R"([^(\s]*)\(.*?\)\1"|"(?:\\.|[^"\\\n])*"|(?<![0-9A-Fa-f])'(?:\\.|[^'\\\n])+'""", re.DOTALL)
INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]*([<"])([^>"\n]+)[>"]', re.MULTILINE)
EXPORTED = re.compile(r"^(?:class|struct) PYSOCK_\w*API (\w+)", re.MULTILINE)
GUARDED = re.compile(r"^PYSOCK_EXPORTED_CLASSES_BEGIN$.*?^PYSOCK_EXPORTED_CLASSES_END$", re.MULTILINE | re.DOTALL)
CONDITION = re.compile(r"^[ \t]*#[ \t]*(?:if|elif|ifdef|ifndef)\b.*", re.MULTILINE)


def without_comments(text):
    """The code with its line numbers unchanged."""
    def blank(token):
        return "\n" * token[0].count("\n") if token[0].startswith(("//", "/*")) else token[0]
    return TOKEN.sub(blank, text)


class Tree:
    def __init__(self, root):
        self.root = root.resolve()
        self.levels, self.complaints = {}, []
        for line in (root / "cmake/layers.txt").read_text().splitlines():
            words = line.split("#")[0].split()
            if not words:
                continue
            name = words[1] if words[1].startswith("src/") else "include/pysock/" + words[1]
            self.levels[name] = int(words[0])
        self.files = sorted(path for folder in ("include", "src") for path in (self.root / folder).rglob("*") if path.is_file())

    def name(self, path):
        return path.relative_to(self.root).as_posix()

    def level(self, name):
        """A header's own level, or that of the folder that a source is in; None if the table has neither."""
        return self.levels.get(name if name.startswith("include/") else name.rpartition("/")[0] + "/")

    def light(self, name):
        level = self.levels.get(name)
        return level is not None and level <= self.levels["include/pysock/" + LIGHT_END]

    def complain(self, name, code, at, text):
        self.complaints.append(f"{name}:{code.count(chr(10), 0, at) + 1}: {text}")

    def check(self):
        for path in self.files:
            name = self.name(path)
            code = without_comments(path.read_text(encoding="utf-8"))
            if self.level(name) is None:
                self.complain(name, code, 0, "is not in cmake/layers.txt")
                continue
            lines = sum(1 for line in code.splitlines() if line.strip())
            if lines > LINES_OF_CODE:
                self.complain(name, code, 0, f"has {lines} lines of code, more than {LINES_OF_CODE}")
            for found in INCLUDE.finditer(code):
                complaint = self.check_include(path, name, *found.groups())
                if complaint:
                    self.complain(name, code, found.start(), complaint)
            for found in EXPORTED.finditer(GUARDED.sub(lambda guarded: re.sub("[^\n]", " ", guarded[0]), code)):
                self.complain(name, code, found.start(), f"exports {found[1]} outside of PYSOCK_EXPORTED_CLASSES_BEGIN and _END")
            if not PLATFORM_ALLOWED.fullmatch(name):
                for found in CONDITION.finditer(code.replace("\\\n", "  ")):
                    if PLATFORM.search(found[0]):
                        self.complain(name, code, found.start(), f"asks which platform this is: {found[0].strip()}")

    def check_include(self, path, name, bracket, included):
        for base in (path.parent, self.root / "include"):
            target = (base / included).resolve()
            if target.is_file():
                return self.check_own(name, self.name(target))
        if bracket == '"':
            return f"includes {included}, which is not there"
        if included.startswith("openssl/"):
            return None if OPENSSL_ALLOWED.fullmatch(name) else f"includes <{included}>, which only src/ssl may"
        if "." in included or "/" in included:  # no header of the C++ library has either in its name
            return None if SYSTEM_ALLOWED.fullmatch(name) else f"includes the system's <{included}>"
        if included in HEAVY and self.light(name):
            return f"includes <{included}>, too heavy for {LIGHT_END} and below"
        return None

    def check_own(self, name, target):
        if name.startswith("src/") and name.rpartition("/")[0] == target.rpartition("/")[0]:
            return None
        if target.startswith("src/"):
            return f"includes {target}, of another folder"
        level, below = self.level(name), self.level(target)
        if below is not None and below >= level:
            return f"at level {level} includes {target} at level {below}"
        return None

    def check_reach(self, compiler):
        """The standard headers that the light headers include indirectly, with this compiler's library."""
        source = "".join(f'#include "{path}"\n' for path in self.files if self.light(self.name(path)))
        command = [compiler, "-std=c++17", "-M", "-x", "c++", "-I", str(self.root / "include"), "-"]
        made = subprocess.run(command, input=source, capture_output=True, text=True)
        if made.returncode != 0:
            self.complaints.append(" ".join(command) + " failed:\n" + made.stderr)
        for found in re.findall(r"/c\+\+/[0-9.]+/(\w+)(?=\s)", made.stdout):  # only libstdc++ has this form
            if found in HEAVY:
                self.complaints.append(f"{LIGHT_END} and below reach <{found}> through another standard header")


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--root", default=pathlib.Path(__file__).parent.parent, type=pathlib.Path)
    arguments.add_argument("compiler", nargs="?")
    given = arguments.parse_args()
    tree = Tree(given.root)
    tree.check()
    if given.compiler:
        tree.check_reach(given.compiler)
    for complaint in tree.complaints:
        print(complaint)
    print(f"layers: {len(tree.files)} files, {len(tree.complaints)} complaints")
    return 1 if tree.complaints or not tree.files else 0


if __name__ == "__main__":
    sys.exit(main())
