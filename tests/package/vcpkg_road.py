# SPDX-License-Identifier: MIT
"""The vcpkg port, as far as it can be checked without vcpkg: its manifest, and its portfile run with stand-ins of vcpkg's functions."""
import json
import re

from kit import BASE, HERE, ROOT, VERSION, check, consumer, fresh, ok, run

PORT = ROOT / "packaging" / "vcpkg" / "pysock"


def manifest():
    port = json.loads((PORT / "vcpkg.json").read_text())
    check(port["name"] == PORT.name and re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", port["name"]), "the port is called as its folder")
    check(port["version"] == VERSION, f"the port's version is {VERSION}, that of version.hpp")
    check(not set(port) - {"name", "version", "description", "license", "supports", "dependencies", "features"}, "the manifest has known fields only")
    check(port["license"] == "MIT", "its licence is an SPDX expression")
    helpers = {dependency["name"] for dependency in port["dependencies"] if dependency.get("host")}
    check(helpers == {"vcpkg-cmake", "vcpkg-cmake-config"}, "the helper ports are host dependencies")
    check(all(feature["description"] for feature in port["features"].values()), "each feature is described")
    check("openssl" in port["features"]["ssl"]["dependencies"], "the feature ssl brings OpenSSL")


def laid_out(packages):
    """What vcpkg checks of every port after it is built."""
    share = packages / "share" / "pysock"
    check((share / "copyright").is_file() and (share / "usage").is_file(), "copyright and usage are installed")
    check((share / "pysockConfig.cmake").is_file(), "the CMake package stands in share/pysock")
    check(not (packages / "debug" / "include").exists() and not (packages / "debug" / "share").exists(), "debug has no headers and no share")
    check(not [path for path in packages.rglob("*") if path.is_dir() and not any(path.iterdir())], "no folder is empty")
    check(not run("grep", "-rlF", "--include=*.cmake", "--include=*.pc", packages, packages, fails=True), "no file names an absolute path")


def portfile(linkage, features):
    name = "-".join([linkage, *features])
    packages = fresh(BASE / "vcpkg" / name)
    run("cmake", f"-DFEATURES={';'.join(features)}", f"-DLINKAGE={linkage}", f"-DPORT_DIR={PORT}", f"-DCURRENT_PACKAGES_DIR={packages}",
        f"-DBUILD_DIR={fresh(BASE / 'vcpkg-build' / name)}", "-P", HERE / "vcpkg.cmake")
    laid_out(packages)
    for configuration in ("Release", "Debug"):
        consumer(f"vcpkg-{name}-{configuration}", f"-DCMAKE_PREFIX_PATH={packages}", f"-DCMAKE_BUILD_TYPE={configuration}", ssl="ssl" in features)


def run_all():
    manifest()
    portfile("static", ["core"])
    portfile("dynamic", ["core", "ssl"])
    ok("(vcpkg itself was not run: its helper functions were stand-ins)")
