# SPDX-License-Identifier: MIT
"""find_package, pkg-config, add_subdirectory, FetchContent, and the two files of ./dev dist."""
import os
import tarfile

from kit import (BASE, HERE, ROOT, VERSION, check, cmake, consumer, fresh, installed, library, links, ok, run, says_hello, tool_from_pypi,
                 two_files)

OLDEST_CMAKE = "3.16.6"


def with_pkg_config(kind, prefix):
    paths = ":".join(str(path) for path in prefix.glob("lib*/**/pkgconfig"))
    environment = dict(os.environ, PKG_CONFIG_PATH=paths, LD_LIBRARY_PATH=":".join(str(path.parent) for path in prefix.glob("lib*/**/pkgconfig")))
    for module, name in (("pysock", "core"), ("pysock-ssl", "tls")):
        program = fresh(BASE / "consumers" / f"{kind}-pkg-config-{name}")
        flags = run("pkg-config", "--cflags", "--libs", module, env=environment).split()
        program.unlink(missing_ok=True)
        run("c++", "-std=c++17", HERE / "consumer" / f"{name}.cpp", "-o", program, *flags)
        says_hello(program, env=environment)


def refusal(name, *options):
    """CMake's message, in one line, to a project that requires an unavailable component."""
    build = fresh(BASE / "consumers" / name)
    return " ".join(run("cmake", "-S", HERE / "consumer", "-B", build, *options, fails=True).split())


def static():
    prefix = installed("static")
    check(not run("grep", "-rlF", str(ROOT), prefix, fails=True), "the installed tree has no path of the machine that built it")
    consumer("static", f"-DCMAKE_PREFIX_PATH={prefix}")
    with_pkg_config("static", prefix)

    bare = fresh(BASE / "bare-prefix")
    library(BASE / "bare-build", f"-DCMAKE_INSTALL_PREFIX={bare}", "-DBUILD_SHARED_LIBS=OFF", ssl=False)
    run("cmake", "--install", BASE / "bare-build")
    consumer("bare", f"-DCMAKE_PREFIX_PATH={bare}", "-DCMAKE_DISABLE_FIND_PACKAGE_OpenSSL=ON", ssl=False)
    said = refusal("bare-ssl", f"-DCMAKE_PREFIX_PATH={bare}", "-DWITH_SSL=ON")
    check("built without its component ssl" in said, "the message about a missing component names it")
    said = refusal("newer", f"-DCMAKE_PREFIX_PATH={bare}", "-DWANTED=2")
    check("version" in said, "version 2 is not found")
    said = refusal("no-openssl", f"-DCMAKE_PREFIX_PATH={prefix}", "-DWITH_SSL=ON", "-DCMAKE_DISABLE_FIND_PACKAGE_OpenSSL=ON")
    check("needs OpenSSL 3" in said, "the message about a component's missing dependency names it")


def shared():
    prefix = installed("shared")
    build = consumer("shared", f"-DCMAKE_PREFIX_PATH={prefix}", "-DCMAKE_DISABLE_FIND_PACKAGE_OpenSSL=ON")
    check(links(build / "core", "libpysock.so.1 "), "the consumer links libpysock.so.1")
    with_pkg_config("shared", prefix)


def build_tree():
    installed("static")
    consumer("build-tree", f"-Dpysock_DIR={BASE / 'static-build'}")


def add_subdirectory():
    consumer("add_subdirectory", "-DWAY=add_subdirectory", f"-DPYSOCK_SOURCE={ROOT}", "-DPYSOCK_WITH_SSL=ON")


def fetch_content():
    consumer("FetchContent", "-DWAY=FetchContent", f"-DPYSOCK_SOURCE={ROOT}", ssl=False)


def users_builds():
    """Builds with a project's own settings."""
    inside = ("-DWAY=add_subdirectory", f"-DPYSOCK_SOURCE={ROOT}")
    consumer("unity", *inside, "-DPYSOCK_WITH_SSL=ON", "-DCMAKE_UNITY_BUILD=ON", "-DCMAKE_UNITY_BUILD_BATCH_SIZE=0")
    build = consumer("no-rtti", *inside, "-DCMAKE_CXX_FLAGS=-fno-rtti", "-DCMAKE_EXPORT_COMPILE_COMMANDS=ON", ssl=False)
    commands = (build / "compile_commands.json").read_text(encoding="utf-8")
    check(f"-isystem {ROOT / 'include'}" in commands, "add_subdirectory: the headers are system headers for the consumer")

    program = BASE / "consumers" / "no-exceptions"
    run("c++", "-std=c++17", "-fno-exceptions", "-I", ROOT / "include", HERE / "consumer/no_exceptions.cpp", build / "pysock/libpysock.a",
        "-o", program)
    says_hello(program)
    check("connect ('127.0.0.1', " in run(program, "throw", fails=True), "without exceptions a call that throws says why it ends the program")

    for name, options in (("own", ["-DOWN=ON"]), ("beside", ["-DPYSOCK_INSTALL=ON"])):
        prefix, build = fresh(BASE / "export" / name), fresh(BASE / "export" / f"{name}-build")
        cmake(HERE / "library", build, f"-DPYSOCK_SOURCE={ROOT}", *options)
        run("cmake", "--install", build, "--prefix", prefix)
        cmake(HERE / "outer_user", fresh(BASE / "export" / f"{name}-user"), f"-DCMAKE_PREFIX_PATH={prefix}")
        run(BASE / "export" / f"{name}-user" / "outer_user")
        ok(f"install(EXPORT) of a user's library, with pysock {'in its set' if name == 'own' else 'as a package beside it'}")


def oldest_cmake():
    program = tool_from_pypi(f"cmake=={OLDEST_CMAKE}") / "cmake"
    prefix = fresh(BASE / "oldest-prefix")
    library(fresh(BASE / "oldest-build"), f"-DCMAKE_INSTALL_PREFIX={prefix}", program=program)
    run(program, "--install", BASE / "oldest-build")
    consumer("oldest", f"-DCMAKE_PREFIX_PATH={prefix}", program=program)


def dist():
    check(f'"version": "{VERSION}"' in (ROOT / "packaging/vcpkg/pysock/vcpkg.json").read_text(), f"the port of vcpkg has version {VERSION}")
    folder = two_files("c++", "two-files")
    says_hello(folder / "core")
    ok("demo: " + run(folder / "demo").splitlines()[-1])
    run(ROOT / "dev", "dist")
    with tarfile.open(ROOT / f"build/dist/pysock-{VERSION}.tar.gz") as archive:
        for name in ("pysock.hpp", "pysock.cpp"):
            packed = archive.extractfile(f"pysock-{VERSION}/dist/{name}").read()
            check(packed == (BASE / "dist" / name).read_bytes(), f"the release archive has {name}")
