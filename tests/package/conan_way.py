# SPDX-License-Identifier: MIT
"""`conan create` with Conan from PyPI. For TLS a profile selects the system's OpenSSL, because Conan's package is not tested here. Then one
consumer with a generator for several configurations is built as Debug and Release."""
import os
import re

from kit import BASE, HERE, ROOT, VERSION, check, fresh, run, says_hello, tool_from_pypi


def both_configurations(conan, environment):
    folder = fresh(BASE / "conan-both")
    common = ["-s", "compiler.cppstd=17", "-c", "tools.cmake.cmaketoolchain:generator=Ninja Multi-Config"]
    run(conan, "create", ROOT / "packaging" / "conan", *common[:2], "-s", "build_type=Debug", "-tf", "", env=environment)
    for configuration in ("Debug", "Release"):
        run(conan, "install", "--requires", f"pysock/{VERSION}", "-g", "CMakeDeps", "-g", "CMakeToolchain", "-of", folder, *common, "-s",
            f"build_type={configuration}", env=environment)
    run("cmake", "-G", "Ninja Multi-Config", "-S", HERE / "consumer", "-B", folder / "build",
        f"-DCMAKE_TOOLCHAIN_FILE={folder / 'conan_toolchain.cmake'}")
    places = {}
    for configuration in ("Debug", "Release"):
        linking = run("cmake", "--build", folder / "build", "--config", configuration, "--verbose")
        places[configuration] = set(re.findall(r"\S+/libpysock\.a\b", linking))
        says_hello(folder / "build" / configuration / "core")
    check(all(len(found) == 1 for found in places.values()) and places["Debug"] != places["Release"],
          "a generator with both configurations links the package of each")


def run_all():
    conan = tool_from_pypi("conan>=2,<3") / "conan"
    home = fresh(BASE / "conan")
    environment = dict(os.environ, CONAN_HOME=str(home))
    run(conan, "profile", "detect", env=environment)
    system_openssl = home / "profiles" / "system-openssl"
    version = run("pkg-config", "--modversion", "openssl").strip()
    system_openssl.write_text(f"include(default)\n[platform_requires]\nopenssl/{version}\n")

    variants = [("static", ["-o", "&:shared=False"]), ("shared", ["-o", "&:shared=True"])]
    for kind, options in list(variants):
        variants.append((f"{kind} with_ssl", options + ["-o", "&:with_ssl=True", "-pr", "system-openssl"]))
    for name, options in variants:
        output = run(conan, "create", ROOT / "packaging" / "conan", *options, "-s", "compiler.cppstd=17",
                     "-c", "tools.cmake.cmaketoolchain:generator=Ninja", "-c", f"tools.cmake.cmake_layout:test_folder={BASE / 'conan-test'}",
                     env=environment)
        check(f"pysock/{VERSION}" in output and "received hello" in output, f"conan create, {name}: the test package ran")
        if "with_ssl" in name:
            check("verifies: 1" in output, f"conan create, {name}: its component ssl, too")
    both_configurations(conan, environment)
