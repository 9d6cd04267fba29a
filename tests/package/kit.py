# SPDX-License-Identifier: MIT
"""Common functions: running commands, building the library and its consumers."""
import pathlib
import re
import shutil
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
HERE = ROOT / "tests" / "package"
BASE = ROOT / "build" / "package"
VERSION = ".".join(re.findall(r"^#define PYSOCK_VERSION_\w+ (\d+)$", (ROOT / "include/pysock/version.hpp").read_text(), re.MULTILINE))

log = None
installed_now = {}


class Failure(Exception):
    """A failed check."""


class Skip(Exception):
    """A way to install cannot be tested here; the text is the reason."""


def log_to(name):
    global log
    log = open(BASE / f"{name}.log", "w", encoding="utf-8")


def ok(text):
    print(f"ok   {text}", flush=True)


def check(holds, text):
    if not holds:
        raise Failure(f"FAIL {text}")
    ok(text)


def run(*command, fails=False, **options):
    """The output of a command, which must succeed, or fail if `fails` is true."""
    command = [str(word) for word in command]
    log.write("$ " + " ".join(command) + "\n")
    log.flush()
    result = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace",
                            check=False, **options)
    log.write(result.stdout)
    log.flush()
    if (result.returncode != 0) != fails:
        tail = "\n".join(result.stdout.splitlines()[-40:])
        raise Failure(f"{tail}\nFAIL {' '.join(command)}: exit status {result.returncode} (the whole log: {log.name})")
    return result.stdout


def fresh(path):
    shutil.rmtree(path, ignore_errors=True)
    path.parent.mkdir(parents=True, exist_ok=True)
    return path


def cmake(source, build, *options, program="cmake", target=None):
    run(program, "-G", "Ninja", "-S", source, "-B", build, *options)
    run(program, "--build", build, *(["--target", *target] if target else []))


def library(build, *options, ssl=True, program="cmake"):
    """The library alone, as a user builds it."""
    cmake(ROOT, build, "-DPYSOCK_BUILD_TESTS=OFF", "-DPYSOCK_BUILD_EXAMPLES=OFF", f"-DPYSOCK_WITH_SSL={'ON' if ssl else 'OFF'}",
          *options, program=program)


def installed(kind):
    """The prefix of the library that all tests share, built once in a run; kind is static or shared. It is moved after the installation."""
    if kind not in installed_now:
        build = BASE / f"{kind}-build"
        shared = kind == "shared"
        library(fresh(build), f"-DBUILD_SHARED_LIBS={'ON' if shared else 'OFF'}", f"-DCMAKE_BUILD_TYPE={'RelWithDebInfo' if shared else 'Release'}")
        run("cmake", "--install", build, "--prefix", fresh(BASE / "first-prefix"))
        installed_now[kind] = (BASE / "first-prefix").rename(fresh(BASE / f"{kind}-prefix"))
    return installed_now[kind]


def says_hello(*command, **options):
    output = run(*command, **options)
    check(output.startswith(f"pysock {VERSION} "), f"{pathlib.Path(command[-1]).name}: {output.strip()}")


def links(program, library_name):
    return library_name in run("ldd", program)


def consumer(name, *options, program="cmake", ssl=True):
    """Builds and runs the consumer; returns its folder."""
    build = fresh(BASE / "consumers" / name)
    cmake(HERE / "consumer", build, f"-DWITH_SSL={'ON' if ssl else 'OFF'}", *options, program=program)
    says_hello(build / "core")
    check(not links(build / "core", "libssl") and not links(build / "core", "libcrypto"), "the consumer of the core links no OpenSSL")
    if ssl:
        says_hello(build / "tls")
    return build


def two_files(compiler, name, without=(), libraries=()):
    """Builds the consumer and every example of the core with only pysock.hpp and pysock.cpp; returns the folder of the programs."""
    dist, folder = BASE / "dist", fresh(BASE / "two-files" / name)
    folder.mkdir()
    run(sys.executable, ROOT / "cmake/dist.py", dist)
    options = [compiler, "-std=c++17", "-Wall", "-Wextra", "-Wpedantic", "-Wconversion", "-Wshadow", "-Werror", "-I", dist]

    def source(path):
        copy = folder / path.name
        copy.write_text(re.sub(r"<pysock/\w+\.hpp>", '"pysock.hpp"', path.read_text(encoding="utf-8")), encoding="utf-8")
        return copy

    run(*options, "-O2", source(HERE / "consumer/core.cpp"), dist / "pysock.cpp", "-o", folder / "core", *libraries)
    ok(f"{name}: one command builds a program with the two files")
    run(*options, "-c", dist / "pysock.cpp", "-o", folder / "pysock.o")
    examples = [path for path in sorted((ROOT / "examples").glob("*.cpp")) if "pysock/ssl.hpp" not in path.read_text() and path.stem not in without]
    for path in examples:
        run(*options, source(path), folder / "pysock.o", "-o", folder / path.stem, *libraries)
    ok(f"{name}: {len(examples)} examples build with the two files")
    return folder


def tool_from_pypi(requirement):
    """Installs a package of PyPI into a common virtual environment; returns the folder of its programs."""
    environment = BASE / "venv"
    if not (environment / "bin" / "pip").exists():
        run(sys.executable, "-m", "venv", fresh(environment))
    try:
        run(environment / "bin" / "pip", "install", "--quiet", requirement)
    except Failure as failure:
        raise Skip(f"{requirement} cannot be installed from PyPI here: {str(failure).splitlines()[-2]}") from failure
    return environment / "bin"
