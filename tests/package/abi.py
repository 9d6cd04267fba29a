# SPDX-License-Identifier: MIT
"""Compares the symbols that the shared libraries export with those recorded in packaging/abi/."""
import platform

from kit import ROOT, VERSION, Failure, Skip, check, installed, ok, run

MAJOR = VERSION.split(".", maxsplit=1)[0]
MACHINE = platform.machine()  # types such as size_t have other names in the symbols of other machines


def record_of(library):
    return ROOT / "packaging" / "abi" / f"{library.name}.{MAJOR}.{MACHINE}.txt"


def libraries():
    return sorted(path for path in installed("shared").glob("lib*/**/libpysock*.so"))


def exported(library):
    lines = run("nm", "--dynamic", "--demangle", "--defined-only", "--format=posix", library).splitlines()
    # NAME TYPE VALUE SIZE. The name may contain spaces.
    return {line.rsplit(" ", 3)[0] for line in lines if line.strip()}


def write():
    for library in libraries():
        record_of(library).write_text("\n".join(sorted(exported(library))) + "\n", encoding="utf-8")
        ok(f"wrote {record_of(library).relative_to(ROOT)}")


def differences(recorded, found):
    """Removed symbols, which break programs that were linked before, and added ones, which must be recorded."""
    return [f"removed: {name}" for name in sorted(recorded - found)] + [f"added: {name}" for name in sorted(found - recorded)]


def compare():
    if MACHINE != "x86_64":
        raise Skip(f"the recorded symbols are those of x86_64, and this is {MACHINE}")
    for library in libraries():
        recorded = set(record_of(library).read_text(encoding="utf-8").splitlines())
        found = exported(library)
        problems = differences(recorded, found)
        if problems:
            raise Failure("\n".join([*problems, f"FAIL {library.name} differs from {record_of(library).relative_to(ROOT)}"
                                     " (./dev package abi records additions)"]))
        ok(f"{library.name} exports the {len(found)} symbols recorded for version {MAJOR}")
        victim = sorted(found)[0]
        check(differences(recorded, found - {victim}) == [f"removed: {victim}"], "a removed symbol is found")
