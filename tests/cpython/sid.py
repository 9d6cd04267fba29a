# SPDX-License-Identifier: MIT
"""Runs run.py with an interpreter of Debian sid, in a root of it below build/roots.

usage: sid.py VERSION [ARGUMENT...]

VERSION is 3.14, for example. The arguments are run.py's; without any, test_ssl is run too.
"""
import pathlib
import shutil
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests" / "platforms"))
import debian_root

PACKAGES = ("cmake", "g++", "libbluetooth-dev", "netbase", "ninja-build", "openssl")
SOURCES = ("CMakeLists.txt", "cmake", "docs/python.md", "include", "src", "tests/cpython")
ARGUMENTS = ("", "binding", "tls", "differential", "test_socket", "test_ssl")
TREE = "srv/pysock"  # in the root


def copy_sources(tree):
    shutil.rmtree(tree, ignore_errors=True)
    for name in SOURCES:
        (tree / name).parent.mkdir(parents=True, exist_ok=True)
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, tree / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy2(ROOT / name, tree / name)


def main(version, *arguments):
    try:
        packages = (*PACKAGES, f"python{version}-dev", f"libpython{version}-testsuite")
        root = debian_root.make("sid", packages, name="cpython")
        copy_sources(root / TREE)
        debian_root.run(root, f"python{version}", "tests/cpython/run.py", "--build", "/srv/build",
                        *(arguments or ARGUMENTS), folder=f"/{TREE}")
    except (debian_root.Unavailable, debian_root.Failure) as failure:
        sys.exit(str(failure))


if __name__ == "__main__":
    main(*sys.argv[1:])
