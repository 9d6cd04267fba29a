# SPDX-License-Identifier: MIT
"""The archives of cpack: each is made twice with equal bytes. lintian checks the .deb, which is then used in a fresh minimal root."""
import os
import pathlib
import re
import shutil
import sys

from kit import BASE, HERE, ROOT, Skip, VERSION, check, consumer, fresh, library, ok, run

sys.path.append(str(ROOT / "tests" / "platforms"))
import debian_root  # noqa: E402


def packed(generator, prefix):
    build = BASE / "deb-build"
    library(build, f"-DCMAKE_INSTALL_PREFIX={prefix}")
    archives = []
    for folder in (BASE / generator.lower(), BASE / f"{generator.lower()}-again"):
        run("cpack", "-G", generator, "--config", build / "CPackConfig.cmake", "-B", fresh(folder), env=dict(os.environ, SOURCE_DATE_EPOCH="1700000000"))
        archives.append(next(path for path in folder.iterdir() if path.suffix in (".deb", ".gz")))
    check(archives[0].read_bytes() == archives[1].read_bytes(), f"{archives[0].name} is the same when it is made twice")
    return archives[0]


def run_all():
    if not shutil.which("dpkg") or not shutil.which("lintian"):
        raise Skip("dpkg or lintian is not installed")
    tarball = packed("TGZ", "/usr/local")
    prefix = fresh(BASE / "unpacked")
    prefix.mkdir()
    run("tar", "-xf", tarball, "-C", prefix, "--strip-components=1")
    consumer("tarball", f"-DCMAKE_PREFIX_PATH={prefix}")

    package = packed("DEB", "/usr")
    # A changelog in Debian's format is needed only in Debian itself.
    run("lintian", "--allow-root", "--fail-on", "error,warning", "--suppress-tags", "no-changelog", package)
    ok(f"lintian has nothing against {package.name}")

    release = pathlib.Path("/etc/os-release").read_text(encoding="utf-8")
    codename = re.search(r'^VERSION_CODENAME="?(\w+)', release, re.MULTILINE)[1]
    try:
        root = debian_root.make(codename, name="package", anew=True)
    except (debian_root.Unavailable, debian_root.Failure) as failure:
        raise Skip(f"no fresh root here; the archives were made, not installed: {failure}") from failure
    shutil.copy(package, root / "srv")
    shutil.copytree(HERE / "consumer", root / "srv" / "consumer")

    def inside(*command):
        return run(*debian_root.inside(root, *command, LC_ALL="C", DEBIAN_FRONTEND="noninteractive"))

    inside("apt-get", "update", "-qq")
    inside("apt-get", "install", "-y", "-qq", "--no-install-recommends", f"/srv/{package.name}")
    inside("apt-get", "install", "-y", "-qq", "--no-install-recommends", "cmake", "g++", "make", "pkg-config")
    inside("cmake", "-S", "/srv/consumer", "-B", "/srv/build", "-DWITH_SSL=ON")
    inside("cmake", "--build", "/srv/build")
    inside("sh", "-c", "c++ -std=c++17 /srv/consumer/core.cpp -o /srv/build/by_pkg_config $(pkg-config --cflags --libs pysock)")
    for program in ("core", "tls", "by_pkg_config"):
        said = inside(f"/srv/build/{program}").strip()
        check(said.startswith(f"pysock {VERSION} "), f"in a fresh {codename} with {package.name}: {program}: {said}")
    inside("dpkg", "--remove", "libpysock-dev")
    shutil.rmtree(root)
