# SPDX-License-Identifier: MIT
"""`conan create` with Conan from PyPI; for TLS with the system's OpenSSL, by a profile, as the public package is not tried here."""
import os

from kit import BASE, ROOT, VERSION, check, fresh, run, tool_from_pypi


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
