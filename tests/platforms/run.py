#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Builds the library, the tests and the examples for other platforms, and runs the tests where that is possible.

usage: run.py NAME...|all
       run.py --packages NAME...|all    the Debian packages that these need

A platform is a row of the table below and a toolchain file, cmake/toolchains/NAME.cmake, or a release of Debian. For a
release the README's two commands run in a fresh minimal root of it, on a copy of this tree and as a user runs them.
`warnings` compiles with all compilers of these releases: see warning_matrix.py. A test that printed a reason to skip counts as
skipped. The number of tests that skip something because of the platform is fixed in the table, so that a test cannot be lost
unnoticed. Reasons that depend on the machine do not count, because they differ and would occur in ./dev test too.
"""
import atexit
import dataclasses
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import time
import xml.etree.ElementTree

import debian_root
import warning_matrix

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = ROOT / "build" / "platforms"
JOBS = str(os.cpu_count() or 2)


@dataclasses.dataclass
class Platform:
    packages: tuple = ()  # Debian's names of what it needs beyond ./dev test
    skips: "int | None" = None  # how many tests skip something because of the platform; None: the tests cannot be run here
    openssl: "str | None" = None  # Debian's name of the architecture whose OpenSSL is used, NATIVE or MINGW; None: the core only
    zig: bool = False  # zig's clang compiles
    afterwards: "object" = None  # called when all tests have passed
    prepare: "object" = None  # called before the build, which runs the test programs to list their tests
    debian: "str | None" = None  # the suite of a release of Debian
    check: "object" = None  # called instead of building and testing


wine_server = None


def start_wine():
    """A Wine server that keeps running; otherwise every test would start it again."""
    global wine_server
    os.environ.update(WINEPREFIX=str(BUILD / "wine"), WINEDEBUG="-all", WINEDLLOVERRIDES="mscoree,mshtml=", DISPLAY="")
    (BUILD / "wine").mkdir(parents=True, exist_ok=True)
    wine_server = subprocess.Popen(["wineserver", "--foreground", "--persistent=600"])  # ends if one is running already
    atexit.register(subprocess.run, ["wineserver", "--kill"])  # otherwise its processes keep the output open
    run("wineboot", "--init")


def interop():
    """Runs the data exchange between the build for Windows and one for this system."""
    folder = BUILD / "native"
    run("cmake", "-S", ROOT, "-B", folder, "-G", "Ninja", "-DCMAKE_BUILD_TYPE=Release", "-DPYSOCK_BUILD_EXAMPLES=OFF")
    run("cmake", "--build", folder, "--parallel", JOBS, "--target", "interop_peer")
    run(sys.executable, ROOT / "tests/platforms/interop.py", folder / "tests/interop_peer", "--", "wine",
        BUILD / "mingw/tests/interop_peer.exe")


def as_its_users_do():
    """Tests the build for Windows with one for this system, and its installation with another program."""
    interop()
    run(sys.executable, ROOT / "tests/package/check.py", "windows")


NATIVE = ""
MINGW = "mingw"
TLS_PEERS = ("openssl", "curl", "nginx-light")
PLATFORMS = {
    "clang": Platform(("clang", "libc++-dev", "libc++abi-dev", "libssl-dev", *TLS_PEERS), skips=1, openssl=NATIVE),
    "mingw": Platform(("g++-mingw-w64-x86-64-posix", "wine64", "wine", "pkg-config", "make"), skips=64, openssl=MINGW, prepare=start_wine,
                      afterwards=as_its_users_do),
    "debian12": Platform(("debootstrap", "git"), debian="bookworm", skips=1),
    "debian13": Platform(("debootstrap", "git"), debian="trixie", skips=1),
    "debian-sid": Platform(("debootstrap", "git"), debian="sid", skips=1),
    "warnings": Platform(("debootstrap",), check=warning_matrix.check),
    "i686": Platform(("g++-i686-linux-gnu", *TLS_PEERS), skips=5, openssl="i386"),
    "s390x": Platform(("g++-s390x-linux-gnu", "qemu-user", *TLS_PEERS), skips=29, openssl="s390x"),
    "musl": Platform(("python3-venv",), zig=True, skips=8),
    "macos-x86-64": Platform(("python3-venv",), zig=True),
    "macos-arm64": Platform(("python3-venv",), zig=True),
    "freebsd": Platform(("python3-venv",), zig=True),
    "netbsd": Platform(("python3-venv",), zig=True),
}
# Names for several platforms.
GROUPS = {"all": tuple(PLATFORMS), "macos": ("macos-x86-64", "macos-arm64")}
ZIG = "ziglang==0.16.0"  # from PyPI

# Reasons that depend on the machine, not on the platform, or that the result shows elsewhere.
OF_THE_MACHINE = re.compile("skipped: docs/|set PYSOCK_BIG_TESTS|no vsock loopback|no encoder for international names"
                            "|is not allowed: |no interface |IPv6|may not have so many descriptors|no files of that size"
                            "|this host|strace cannot trace here|this kernel|cannot be held on the loopback"
                            "|built without TLS|there is no (go|java|gnutls-\\w+)$|not installed")


class Failure(Exception):
    pass


def run(*command, folder=ROOT, log=None):
    print("+", *command, flush=True)
    if subprocess.run([str(word) for word in command], cwd=folder, stdin=subprocess.DEVNULL, stdout=log,
                      stderr=log and subprocess.STDOUT).returncode != 0:
        raise Failure(f"{pathlib.Path(command[0]).name} failed")


def catch2():
    """CMake options that find Catch2's headers without this system's other headers, which are wrong for another system."""
    copy = BUILD / "catch2"
    for prefix in map(pathlib.Path, ("/usr", "/usr/local")):
        package = prefix / "lib/cmake/Catch2"
        if (prefix / "include/catch2/catch.hpp").exists() and package.is_dir():
            shutil.copytree(prefix / "include/catch2", copy / "include/catch2", dirs_exist_ok=True)
            compiled = shutil.ignore_patterns("Catch2Targets-*")  # libraries for this system
            shutil.copytree(package, copy / "lib/cmake/Catch2", dirs_exist_ok=True, ignore=compiled)
            return [f"-DCMAKE_PREFIX_PATH={copy}"]
    return ["-DCMAKE_DISABLE_FIND_PACKAGE_Catch2=ON"]  # 3.x is a library for this system: CMake fetches and builds it instead


def unpack_openssl(architecture, folder):
    """Unpacks Debian's OpenSSL for another architecture into `folder`. Installing it would need a mirror with exactly the version of
    this system's OpenSSL."""
    apt = folder / "apt"
    for part in ("lists", "archives"):
        (apt / part / "partial").mkdir(parents=True, exist_ok=True)
    (apt / "status").touch()  # no package is installed; apt puts its lock beside this file
    options = ("-qq", "-o", f"APT::Architecture={architecture}", "-o", f"APT::Architectures={architecture}", "-o", f"Dir::Cache={apt}",
               "-o", f"Dir::State::lists={apt / 'lists'}", "-o", f"Dir::State::status={apt / 'status'}", "-o", "APT::Sandbox::User=")
    subprocess.run(["apt-get", *options, "update"])  # fails if one of several sources lacks the architecture
    run("apt-get", *options, "--download-only", "--no-install-recommends", "--yes", "install", "libssl-dev")
    for package in (apt / "archives").glob("*.deb"):
        run("dpkg-deb", "--extract", package, folder)
    for headers in (folder / "usr/include").glob("*/openssl"):  # the headers that differ between architectures
        shutil.copytree(headers, folder / "usr/include/openssl", dirs_exist_ok=True)
    shutil.rmtree(apt)


def mingw_openssl(folder):
    """Builds OpenSSL for MinGW from Debian's source package, because Debian has no binary package of it."""
    shutil.rmtree(folder, ignore_errors=True)
    apt = folder / "apt"
    for part in ("lists", "archives"):
        (apt / part / "partial").mkdir(parents=True, exist_ok=True)
    (apt / "status").touch()
    # The sources of this system's packages, without the security suite, which may lack source packages.
    targets = subprocess.run(["apt-get", "indextargets", "--format", "$(REPO_URI) $(RELEASE) $(COMPONENT)", "Created-By: Packages"],
                             capture_output=True, text=True, check=True).stdout.splitlines()
    keys = ",".join(sorted(map(str, pathlib.Path("/usr/share/keyrings").glob("*-archive-keyring.*g*"))))
    signed_by = f"[signed-by={keys}] " if keys else ""
    sources = [f"deb-src {signed_by}{target}\n" for target in sorted(set(targets)) if "security" not in target]
    (apt / "sources.list").write_text("".join(sources))
    options = ("-qq", "-o", f"Dir::Etc::sourcelist={apt / 'sources.list'}", "-o", "Dir::Etc::sourceparts=/dev/null", "-o",
               f"Dir::Cache={apt}", "-o", f"Dir::State::lists={apt / 'lists'}", "-o", f"Dir::State::status={apt / 'status'}", "-o",
               "APT::Sandbox::User=")
    run("apt-get", *options, "update")
    run("apt-get", *options, "source", "--tar-only", "openssl", folder=apt)
    archive = next(apt.glob("openssl_*.orig.tar.gz"))
    source = folder / "source"
    source.mkdir()
    run("tar", "--extract", "--strip-components=1", f"--directory={source}", f"--file={archive}")
    with open(folder / "build.log", "w", encoding="utf-8") as log:
        run("./Configure", "mingw64", "--cross-compile-prefix=x86_64-w64-mingw32-", f"--prefix={folder}", "--libdir=lib", "no-shared",
            "no-tests", "no-asm", folder=source, log=log)
        run("make", f"--jobs={JOBS}", "build_libs", folder=source, log=log)
        run("make", "install_dev", folder=source, log=log)
    shutil.rmtree(source)
    shutil.rmtree(apt)


def tls(architecture):
    """CMake options for the component ssl."""
    if architecture is None:
        return ["-DPYSOCK_WITH_SSL=OFF"]
    if architecture == NATIVE:
        return ["-DPYSOCK_WITH_SSL=ON"]
    if architecture == MINGW:
        folder = BUILD / "openssl-mingw"
        if not (folder / "include/openssl/ssl.h").exists():  # installed last
            mingw_openssl(folder)
        return ["-DPYSOCK_WITH_SSL=ON", f"-DCMAKE_FIND_ROOT_PATH={folder}", "-DOPENSSL_USE_STATIC_LIBS=ON"]
    folder = BUILD / f"openssl-{architecture}"
    if not list(folder.glob("usr/lib/*/libssl.so")):
        shutil.rmtree(folder, ignore_errors=True)
        try:
            unpack_openssl(architecture, folder)
        except (Failure, OSError) as failure:
            print(f"without TLS: Debian's libssl-dev for {architecture} is not available: {failure}")
            return ["-DPYSOCK_WITH_SSL=OFF"]
    libraries = next(folder.glob("usr/lib/*/libssl.so")).parent
    return ["-DPYSOCK_WITH_SSL=ON", "-DCMAKE_DISABLE_FIND_PACKAGE_GnuTLS=ON",  # only this system's would be found
            f"-DOPENSSL_INCLUDE_DIR={folder / 'usr/include'}",
            f"-DOPENSSL_SSL_LIBRARY={libraries / 'libssl.so'}", f"-DOPENSSL_CRYPTO_LIBRARY={libraries / 'libcrypto.so'}"]


def zig():
    """CMake options for zig's clang, which is installed if it is missing."""
    folder = BUILD / "zig"
    python = folder / "bin" / "python3"
    if not python.exists():
        run(sys.executable, "-m", "venv", folder)
    run(python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", ZIG)
    zig = next(folder.glob("lib/*/site-packages/ziglang/zig"))
    for tool in ("c++", "ar", "ranlib"):
        script = folder / tool
        script.write_text(f'#!/bin/sh\nexec "{zig}" {tool} "$@"\n')
        script.chmod(0o755)
    return [f"-DPYSOCK_ZIG={folder}"]


def test_results(report):
    """The number of tests that passed without a skip, and the reasons that the others printed."""
    cases = list(xml.etree.ElementTree.parse(report).iter("testcase"))
    said = {case.get("name"): [line for line in (case.findtext("system-out") or "").splitlines() if line.startswith("skipped: ")]
            for case in cases}
    skipped = {name: reasons for name, reasons in said.items() if reasons}
    silent = [case.get("name") for case in cases if case.get("status") != "run" and case.get("name") not in skipped]
    if silent:
        raise Failure(f"not run, without a reason: {', '.join(silent)}")
    return len(said) - len(skipped), skipped


def only_silent_failures(report):
    """Whether every test that failed wrote nothing: it was not started, since Catch2 writes a line first."""
    failed = [case for case in xml.etree.ElementTree.parse(report).iter("testcase") if case.get("status") == "fail"]
    return bool(failed) and not any((case.findtext("system-out") or "").strip() for case in failed)


def count_tests(report, platform, extent):
    """The summary of these results, if they are as expected."""
    passed, skipped = test_results(report)
    for reason in sorted({reason for reasons in skipped.values() for reason in reasons}):
        print(reason)
    of_platform = sum(1 for reasons in skipped.values() if not all(map(OF_THE_MACHINE.search, reasons)))
    counts = f"{extent}, {passed} tests passed, {len(skipped)} skipped, {of_platform} of them because of the platform"
    if of_platform != platform.skips:
        raise Failure(f"{counts}, where {platform.skips} were before")
    return counts


def copy_tree(folder):
    """Copies the files that a clone would have, with uncommitted changes."""
    names = subprocess.run(["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"], cwd=ROOT, stdout=subprocess.PIPE, text=True,
                           check=False)
    if names.returncode != 0:
        raise Failure("this tree is no git repository, so that no clean copy can be made")
    for name in names.stdout.rstrip("\0").split("\0"):
        if (ROOT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, folder / name)


# Prints the versions of the programs in a root.
VERSIONS = """
. /etc/os-release
echo "$PRETTY_NAME"
for program in 'c++ --version' 'openssl version' 'python3 --version' 'cmake --version'; do $program | head -n 1; done
dpkg-query -W -f 'Catch2 ${Version}' catch2
"""


def run_in_debian(name, platform):
    """Runs the README's two commands in a fresh root."""
    root = debian_root.make(platform.debian, name="user", anew=True)
    tree = root / "srv/pysock"
    copy_tree(tree)
    for verb in ("demo", "test"):
        print(f"\n== {name}: ./dev {verb}", flush=True)
        debian_root.run(root, "./dev", verb, folder="/srv/pysock")
    versions = ", ".join(debian_root.output_of(root, "sh", "-c", VERSIONS).splitlines())
    return count_tests(tree / "build/dev/report.xml", platform, f"{versions}: ./dev demo and ./dev test passed")


def build_and_test(name, platform):
    """Returns the summary."""
    with_tls = tls(platform.openssl)
    extent = "with TLS" if "-DPYSOCK_WITH_SSL=ON" in with_tls else "core only"
    folder = BUILD / name
    report = folder / "report.xml"
    report.unlink(missing_ok=True)
    run("cmake", "-S", ROOT, "-B", folder, "-G", "Ninja", f"-DCMAKE_TOOLCHAIN_FILE={ROOT / 'cmake/toolchains' / name}.cmake",
        "-DCMAKE_BUILD_TYPE=Debug", "-DCMAKE_CXX_FLAGS_DEBUG=-O0", "-DPYSOCK_TEST_DOCS=OFF", *with_tls, *catch2(),
        *(zig() if platform.zig else []))
    if platform.prepare:
        platform.prepare()
    run("cmake", "--build", folder, "--parallel", JOBS)
    if platform.skips is None:
        return f"{extent}, compiled and linked, not run"
    test = ("ctest", "--test-dir", folder, "--parallel", JOBS, "--label-exclude", "^sources$", "--no-tests=error", "--output-on-failure",
            "--test-output-size-passed", "1000000", "--output-junit", report, "--quiet", "--output-log", folder / "ctest.log")
    try:
        try:
            run(*test)
        except Failure:
            if not wine_server or not (wine_server.poll() == -signal.SIGABRT or only_silent_failures(report)):
                raise
            print("Wine's server failed an assertion of its own, or did not start a test: all tests once more", flush=True)
            platform.prepare()
            run(*test)
    except Failure:
        print((folder / "ctest.log").read_text(errors="replace").partition("The following tests FAILED:")[2])
        raise
    counts = count_tests(report, platform, extent)
    if platform.afterwards:
        platform.afterwards()
    return counts


def main(arguments):
    only_packages = arguments[:1] == ["--packages"]
    names = arguments[1:] if only_packages else arguments
    names = [one for name in names for one in GROUPS.get(name, [name])]
    unknown = [name for name in names if name not in PLATFORMS]
    if unknown or not names:
        print(*(f"{name} is no platform." for name in unknown), "The platforms are", *PLATFORMS, *GROUPS, file=sys.stderr)
        return 2
    if only_packages:
        print(*sorted({package for name in names for package in PLATFORMS[name].packages}))
        return 0
    results, failed = [], False
    for name in names:
        print(f"\n== {name}", flush=True)
        start = time.monotonic()
        try:
            platform = PLATFORMS[name]
            if platform.check:
                result = platform.check()
            elif platform.debian:
                result = run_in_debian(name, platform)
            else:
                result = build_and_test(name, platform)
        except debian_root.Unavailable as reason:
            result = f"skipped: {reason}"
        except (Failure, debian_root.Failure) as failure:
            result, failed = f"FAILED: {failure}", True
        results.append(f"{name}: {result} ({time.monotonic() - start:.0f} s)")
    print("\n== platforms", *results, sep="\n")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
