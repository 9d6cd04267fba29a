#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Writes the core of the library as two files, pysock.hpp and pysock.cpp, for every platform: dist.py FOLDER"""
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
INCLUDE = re.compile(r'\s*#\s*include\s*(["<])([^">]+)[">]')


class File:
    """An output file, which contains each header of the library once, before the code that includes it."""

    def __init__(self, present):
        self.present = present  # the headers that are in this file, or in one that it includes
        self.lines = []

    def add(self, path):
        """Adds the text of a header or source, after the headers of the library that it includes."""
        path = path.resolve()
        if path in self.present:
            return
        self.present.add(path)
        kept, depth = [], 0
        for line in path.read_text(encoding="utf-8").splitlines():
            depth += bool(re.match(r"\s*#\s*if", line)) - bool(re.match(r"\s*#\s*endif", line))
            include = INCLUDE.match(line)
            own = include and next((base / include[2] for base in (path.parent, ROOT / "include") if (base / include[2]).is_file()), None)
            if own:
                if depth and path.suffix == ".hpp":
                    sys.exit(f"{path}: includes {include[2]} under a condition: the two files would need it twice")
                self.add(own)
            elif include and include[1] == '"':
                sys.exit(f"{path}: includes {include[2]}, which does not exist")
            elif line != "#pragma once" and not line.startswith("// SPDX"):
                kept.append(line)
        self.lines += [f"// ---- {path.relative_to(ROOT).as_posix()}", *kept]

    def write(self, path, title):
        version = ".".join(re.findall(r"#define PYSOCK_VERSION_\w+ (\d+)", (ROOT / "include/pysock/version.hpp").read_text()))
        legal = (ROOT / "LICENSE").read_text(encoding="utf-8").splitlines()
        head = [f"pysock {version}: {title}", "Made from the sources of the library by `./dev dist`.", "", *legal]
        text = "\n".join([*(f"// {line}".rstrip() for line in head), "", *self.lines]) + "\n"
        path.write_text(re.sub(r"\n{3,}", "\n\n", text), encoding="utf-8")


def main(folder):
    folder = pathlib.Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    header = File(set())
    header.lines.append("#pragma once")
    header.add(ROOT / "include/pysock/pysock.hpp")
    header.write(folder / "pysock.hpp", "the core in one header; compile and link pysock.cpp as well.")

    source = File(header.present)
    # Feature macros must precede the first header of the system.
    source.lines += ["#if !defined(_WIN32) && !defined(_FILE_OFFSET_BITS)", "#define _FILE_OFFSET_BITS 64", "#endif", '#include "pysock.hpp"']
    # The other headers, which only the sources of one platform include.
    for path in sorted((ROOT / "include").rglob("*.hpp")):
        if not path.name.startswith("ssl"):
            source.add(path)
    for part, condition in (("common", None), ("posix", "#if !PYSOCK_WINDOWS"), ("windows", "#if PYSOCK_WINDOWS")):
        source.lines += [condition] if condition else []
        for path in sorted((ROOT / "src" / part).glob("*.cpp")):
            source.add(path)
        source.lines += ["#endif"] if condition else []
    source.write(folder / "pysock.cpp", "what pysock.hpp declares. On Windows, link ws2_32 and iphlpapi.")


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    main(sys.argv[1])
