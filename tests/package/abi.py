# SPDX-License-Identifier: MIT
"""The binary interface of the shared library beside the one recorded in packaging/abi/."""
import platform
import re
import subprocess

from kit import BASE, ROOT, Failure, Skip, VERSION, check, installed, ok, run

MAJOR = VERSION.split(".", maxsplit=1)[0]
MACHINE = platform.machine()


def recorded(library):
    return ROOT / "packaging" / "abi" / f"{library.name.split('.')[0]}.so.{MAJOR}.{MACHINE}.abi"


def libraries():
    return sorted(path for path in installed("shared").glob("lib*/**/libpysock*.so"))


def describe(library, output):
    run("abidw", "--no-corpus-path", "--no-comp-dir-path", "--no-show-locs", "--no-write-default-sizes", "--type-id-style", "hash",
        "--exported-interfaces-only", "--drop-private-types", "--headers-dir", installed("shared") / "include", "--out-file", output, library)
    # Compiler caches decide whether the paths of the sources are absolute.
    text = output.read_text(encoding="utf-8")
    output.write_text(re.sub(r" path='[^']*?/(?=src/)", " path='", text), encoding="utf-8")


def write():
    for library in libraries():
        describe(library, recorded(library))
        ok(f"wrote {recorded(library).relative_to(ROOT)}")


def differences(before, after):
    """What abidiff finds, additions left out: they break nobody."""
    command = ["abidiff", "--no-added-syms", str(before), str(after)]
    result = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    if result.returncode & 3:
        raise Failure(f"{result.stdout}\nFAIL {' '.join(command)}: exit status {result.returncode}")
    return result.returncode, result.stdout


def without_one_function(build):
    """The shared library linked once more, with one of its exported functions hidden."""
    victim = "_ZN6pysock2v117setdefaulttimeoutENS0_13timeout_valueE"
    exports = (ROOT / "cmake" / "exports.map").read_text().replace("local:", f"local: {victim};")
    script = BASE / "one-less.map"
    script.write_text(exports)
    library = BASE / "libpysock-one-less.so"
    objects = sorted(build.glob("CMakeFiles/pysock_common.dir/**/*.o")) + sorted(build.glob("CMakeFiles/pysock_seam.dir/**/*.o"))
    run("c++", "-shared", "-o", library, f"-Wl,-soname,libpysock.so.{MAJOR}", f"-Wl,--version-script={script}", *objects)
    return library


def compare():
    missing = [recorded(library) for library in libraries() if not recorded(library).exists()]
    if missing and MACHINE != "x86_64":
        raise Skip(f"the recorded interface is that of x86_64, and this is {MACHINE}")
    for library in libraries():
        found = BASE / f"{library.name}.abi"
        describe(library, found)
        status, report = differences(recorded(library), found)
        if status:
            raise Failure(f"{report}\nFAIL {library.name} differs from {recorded(library).relative_to(ROOT)}")
        ok(f"{library.name} has the binary interface recorded for version {MAJOR}")

    mutilated = without_one_function(BASE / "shared-build")
    found = BASE / "one-less.abi"
    describe(mutilated, found)
    core = next(library for library in libraries() if library.name == "libpysock.so")
    status, report = differences(recorded(core), found)
    check(status != 0 and "setdefaulttimeout" in report, "a library without setdefaulttimeout is reported as a break")
