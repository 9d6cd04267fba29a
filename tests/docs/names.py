#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Checks that every public name of the library, as Doxygen has found them, is on one of the pages: names.py XML_FOLDER PAGE..."""
import pathlib
import re
import sys
import xml.etree.ElementTree as xml

UNSPELT = re.compile(r"operator|~|_$|^PYSOCK_|^hash$|^is_error_code_enum$|^v1$|^std$")


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
    text = "".join(pathlib.Path(path).read_text(encoding="utf-8") for path in paths)
    names = public_names(pathlib.Path(folder))
    words = set(re.findall(r"\w+", " ".join(re.findall(r"`+[^`]+`+", text))))
    problems = [f"{paths[0]}: {names[name]}::{name} is missing" for name in sorted(names) if name not in words]
    print(f"counted: {len(names)} public names; {len(problems)} problems")
    print("\n".join(problems))
    return 1 if problems or not names else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
