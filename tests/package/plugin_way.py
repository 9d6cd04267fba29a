# SPDX-License-Identifier: MIT
"""An application and a plug-in with hidden visibility, both linked with the library: tests which state they share."""
from kit import BASE, HERE, cmake, fresh, installed, ok, run


def run_kind(kind):
    build = fresh(BASE / "plugin" / kind)
    cmake(HERE / "plugin", build, f"-DCMAKE_PREFIX_PATH={installed(kind)}")
    for line in run(build / "application", build / "plugin.so", kind).splitlines():
        ok(f"{kind}: {line[5:]}")


def run_all():
    for kind in ("shared", "static"):
        run_kind(kind)
