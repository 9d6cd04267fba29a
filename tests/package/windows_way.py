# SPDX-License-Identifier: MIT
"""The library for Windows, installed and used: the CMake package, pkg-config, a DLL that an application
shares with its plug-in, and the two files of ./dev dist."""
import os
import pathlib
import re
import shutil

from kit import BASE, HERE, ROOT, Skip, check, cmake, fresh, ok, run, says_hello, two_files

COMPILER = "x86_64-w64-mingw32-g++-posix"
# All parts of a process use the C++ runtime as a DLL: otherwise each part has its own std::generic_category().
OPTIONS = [f"-DCMAKE_TOOLCHAIN_FILE={ROOT / 'cmake/toolchains/mingw.cmake'}",
           *(f"-DCMAKE_{kind}_LINKER_FLAGS=" for kind in ("EXE", "SHARED", "MODULE"))]


def runtime_folders():
    return {pathlib.Path(run(COMPILER, f"-print-file-name={name}").strip()).resolve().parent
            for name in ("libstdc++-6.dll", "libwinpthread-1.dll")}


CONFIGURATIONS = ("Debug", "Release")


def multi_config(source, build, *options):
    run("cmake", "-G", "Ninja Multi-Config", "-S", source, "-B", build, f"-DCMAKE_CONFIGURATION_TYPES={';'.join(CONFIGURATIONS)}", *OPTIONS,
        *options)


def installed(kind, path):
    """The prefix with both configurations of the library."""
    prefix = fresh(BASE / "windows" / f"{kind}-prefix")
    build = fresh(BASE / "windows" / f"{kind}-build")
    shared = kind == "shared"
    multi_config(ROOT, build, "-DPYSOCK_BUILD_TESTS=OFF", "-DPYSOCK_WITH_SSL=OFF", "-DPYSOCK_WERROR=ON",
                 f"-DBUILD_SHARED_LIBS={'ON' if shared else 'OFF'}")
    for configuration in CONFIGURATIONS:
        run("cmake", "--build", build, "--config", configuration, "--target", "pysock", "demo")
        run("cmake", "--install", build, "--config", configuration, "--prefix", prefix)
        program = build / ("bin" if shared else "examples") / configuration / "demo.exe"
        run("wine", program, env=path)
        ok(f"{kind}, {configuration}: a program of the build tree runs where it was built")
    return prefix


def use_both(kind, prefix, path):
    build = fresh(BASE / "windows" / f"{kind}-consumers")
    multi_config(HERE / "consumer", build, f"-DCMAKE_PREFIX_PATH={prefix}")
    for configuration in CONFIGURATIONS:
        library = "libpysockd." if configuration == "Debug" else "libpysock."
        linking = run("cmake", "--build", build, "--config", configuration, "--verbose")
        check(re.search(rf"{re.escape(str(prefix))}/lib/{library}(dll\.)?a\b", linking), f"{kind}: the {configuration} consumer links {library}*")
        says_hello("wine", build / configuration / "core.exe", env=path)


def with_pkg_config(prefix, program):
    program.parent.mkdir(parents=True, exist_ok=True)
    environment = dict(os.environ, PKG_CONFIG_LIBDIR=str(prefix / "lib/pkgconfig"))
    flags = run("pkg-config", "--cflags", "--libs", "pysock", env=environment).split()
    run(COMPILER, "-std=c++17", HERE / "consumer/core.cpp", "-o", program, *flags)


def with_dlls_of(*folders):
    """The environment in which Windows searches these folders and the C++ runtime's for DLLs."""
    return dict(os.environ, WINEPATH=";".join(f"Z:{folder}" for folder in (*folders, *runtime_folders())).replace("/", "\\"))


def run_kind(kind):
    prefix = installed(kind, with_dlls_of())
    path = with_dlls_of(prefix / "bin")
    use_both(kind, prefix, path)
    check((prefix / "bin/libpysock.dll").exists() == (kind == "shared"), f"{kind}: {'a' if kind == 'shared' else 'no'} DLL is installed")

    consumer = fresh(BASE / "windows" / f"{kind}-consumer")
    cmake(HERE / "consumer", consumer, *OPTIONS, "-DCMAKE_BUILD_TYPE=Release", f"-DCMAKE_PREFIX_PATH={prefix}")
    with_pkg_config(prefix, consumer / "by-pkg-config" / "core.exe")
    for program in (consumer / "core.exe", consumer / "by-pkg-config" / "core.exe"):
        links = "libpysock.dll" in run("x86_64-w64-mingw32-objdump", "--private-headers", program)
        check(links == (kind == "shared"), f"{kind}: the consumer links the {'DLL' if links else 'static library'}")
        says_hello("wine", program, env=path)

    plugin = fresh(BASE / "windows" / f"{kind}-plugin")
    cmake(HERE / "plugin", plugin, *OPTIONS, "-DCMAKE_BUILD_TYPE=Release", f"-DCMAKE_PREFIX_PATH={prefix}")
    for line in run("wine", plugin / "application.exe", plugin / "plugin.dll", kind, env=path).splitlines():
        ok(f"{kind}: {line[5:]}")


def run_all():
    if "WINEPREFIX" not in os.environ or not shutil.which("wine"):
        raise Skip("./dev platforms mingw tests this, in a Wine of its own")
    for kind in ("static", "shared"):
        run_kind(kind)
    programs = two_files(COMPILER, "windows-two-files", ("nonblocking_connect",), ("-static", "-lws2_32", "-liphlpapi"))
    for program in ("core", "demo"):
        ok(f"two files: {program}: " + run("wine", (programs / program).with_suffix(".exe")).splitlines()[-1])
