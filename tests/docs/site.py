#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Checks the site that Doxygen has built: every public name of the library is on one of the pages, and every code span is shown as code.

usage: site.py FOLDER PAGE...    FOLDER has the site in html/ and what Doxygen has found in xml/
"""
import html.parser
import pathlib
import re
import sys
import xml.etree.ElementTree as xml

UNSPELT = re.compile(r"operator|~|_$|^PYSOCK_|^hash$|^is_error_code_enum$|^v1$|^std$")


def public_names(folder):
    """Every public name in Doxygen's output, by its class."""
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


class Text(html.parser.HTMLParser):
    """The text of a page, without its blocks of code."""

    def __init__(self):
        super().__init__()
        self.inside, self.paragraphs = [], [""]

    def handle_starttag(self, tag, attributes):
        if tag in ("div", "pre", "script"):
            self.inside.append(tag != "div" or ("class", "fragment") in attributes)
        if tag in ("div", "p", "td", "li", "dd", "dt", "pre"):
            self.paragraphs.append("")

    def handle_endtag(self, tag):
        if tag in ("div", "pre", "script") and self.inside:
            self.inside.pop()

    def handle_data(self, data):
        if not any(self.inside):
            self.paragraphs[-1] += data


def broken_spans(folder):
    """Paragraphs that show a backtick: Doxygen ends `it's` at the apostrophe, and ``it's`` at the backticks."""
    for path in sorted(folder.glob("*.html")):
        text = Text()
        text.feed(path.read_text(encoding="utf-8"))
        for paragraph in text.paragraphs:
            if "`" in paragraph:
                yield f"{path.name}: a code span is broken, write it with two backticks: {' '.join(paragraph.split())[:200]}"


def main(folder, *pages):
    folder = pathlib.Path(folder)
    names = public_names(folder / "xml")
    words = set(re.findall(r"\w+", " ".join(re.findall(r"`+[^`]+`+", "".join(pathlib.Path(page).read_text(encoding="utf-8") for page in pages)))))
    problems = [f"{pages[0]}: {names[name]}::{name} is missing" for name in sorted(names) if name not in words]
    problems += broken_spans(folder / "html")
    print(f"counted: {len(names)} public names; {len(problems)} problems")
    print("\n".join(problems))
    return 1 if problems or not names else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
