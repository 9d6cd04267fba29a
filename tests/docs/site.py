#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Checks the site that Doxygen has made: its links, and that the pages of names are complete.

usage: site.py FOLDER PAGE...     FOLDER has html/ and xml/; every public name of the library must be
                                  on one of the pages
"""
import html.parser
import pathlib
import re
import sys
import urllib.parse
import xml.etree.ElementTree as xml

UNSPELT = re.compile(r"operator|~|^PYSOCK_|^hash$|^is_error_code_enum$|^v1$|^std$")


class Links(html.parser.HTMLParser):
    def __init__(self):
        super().__init__()
        self.targets, self.anchors = [], set()

    def handle_starttag(self, tag, attributes):
        for key, value in attributes:
            if key in ("href", "src") and value:
                self.targets.append(value)
            if key in ("id", "name") and value:
                self.anchors.add(value)


def check_links(folder):
    """The links of all pages; those that lead nowhere within the site."""
    pages = {}
    for path in sorted(folder.glob("*.html")):
        pages[path.name] = Links()
        pages[path.name].feed(path.read_text(encoding="utf-8"))
    count, broken = 0, []
    for page, links in pages.items():
        for target in links.targets:
            parts = urllib.parse.urlsplit(target)
            if parts.scheme or target.startswith("$") or target == "#":
                continue
            count += 1
            name, anchor = urllib.parse.unquote(parts.path) or page, urllib.parse.unquote(parts.fragment)
            if not (folder / name).is_file():
                broken.append(f"{page}: no file {name}")
            elif anchor and name in pages and anchor not in pages[name].anchors:
                broken.append(f"{page}: no anchor {name}#{anchor}")
    return len(pages), count, broken


def public_names(folder):
    """Every public name that the reference has, by the class it belongs to."""
    names = {}
    for path in folder.glob("*.xml"):
        root = xml.parse(path).getroot()
        for compound in root.iter("compounddef"):
            if compound.get("kind") not in ("class", "struct", "namespace"):
                continue
            owner = compound.findtext("compoundname").replace("pysock::", "")
            names.setdefault(owner.split("::")[-1], owner)
            for member in compound.iter("memberdef"):
                if member.get("prot") == "public" and member.get("kind") != "friend":
                    names.setdefault(member.findtext("name"), owner)
                    for value in member.iter("enumvalue"):
                        names.setdefault(value.findtext("name"), member.findtext("name"))
    return {name: owner for name, owner in names.items() if not UNSPELT.search(name) and not owner.startswith("std::") and "<" not in name}


def main(folder, *paths):
    folder, page, text = pathlib.Path(folder), paths[0], "".join(pathlib.Path(path).read_text(encoding="utf-8") for path in paths)
    pages, links, problems = check_links(folder / "html")
    names = public_names(folder / "xml")
    words = set(re.findall(r"\w+", " ".join(re.findall(r"`+[^`]+`+", text))))
    problems += [f"{page}: {names[name]}::{name} is missing" for name in sorted(names) if name not in words]
    print(f"counted: {pages} pages of the site, {links} links within it, {len(names)} public names; {len(problems)} problems")
    print("\n".join(problems))
    return 1 if problems or not names or not links else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
