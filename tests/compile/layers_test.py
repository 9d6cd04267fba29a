#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Tests that the layer check accepts a correct tree and rejects each kind of error: layers_test.py [compiler]"""
import pathlib
import shutil
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
CHECK = ROOT / "cmake/check_layers.py"

GOOD = {
    "include/pysock/detail/config.hpp": "#ifdef _WIN32\n#endif\n",
    "include/pysock/constants.hpp": '#include "detail/config.hpp"\n#if PYSOCK_WINDOWS\n#endif\n#include <sys/socket.h>\n',
    "include/pysock/bytes.hpp": '// #include <memory>\n/* #ifdef _WIN32 */\n#include <string>\n#include "constants.hpp"\n' + "// \n\n" * 400,
    "include/pysock/detail/sys.hpp": '#include "../constants.hpp"\n',
    "include/pysock/socket.hpp": '#include "bytes.hpp"\n#include "detail/sys.hpp"\n',
    "include/pysock/file.hpp": '#include <memory>\n#include "socket.hpp"\n',
    "include/pysock/pysock.hpp": "",
    "src/posix/features.hpp": "#include <unistd.h>\n#ifdef __linux__\n#endif\n",
    "src/posix/io.cpp": '#include <sys/uio.h>\n#include <pysock/detail/sys.hpp>\n#include "features.hpp"\n#ifdef MSG_NOSIGNAL\n#endif\n',
    "src/common/state.cpp": "#include <pysock/bytes.hpp>\n",
}

# Changes of the correct tree, each with the expected message of the check.
BAD = [
    ("include/pysock/constants.hpp", '#include "bytes.hpp"\n', "at level 1 includes include/pysock/bytes.hpp at level 2"),
    ("include/pysock/bytes.hpp", "\n#include <pysock/socket.hpp>\n", "bytes.hpp:2: at level 2 includes include/pysock/socket.hpp at level 9"),
    ("include/pysock/names.hpp", '#include "bytes.hpp"\n', "at level 2 includes include/pysock/bytes.hpp at level 2"),
    ("include/pysock/bytes.hpp", '#include "nowhere.hpp"\n', "which is not there"),
    ("include/pysock/bytes.hpp", "#include <sys/types.h>\n", "includes the system's <sys/types.h>"),
    ("include/pysock/bytes.hpp", "#  include <winsock2.h>\n", "includes the system's <winsock2.h>"),
    ("src/common/state.cpp", "#include <unistd.h>\n", "includes the system's <unistd.h>"),
    ("src/common/state.cpp", "#include <openssl/ssl.h>\n", "which only src/ssl may"),
    ("src/common/state.cpp", "#include <pysock/pysock.hpp>\n", "at level 12 includes include/pysock/pysock.hpp at level 12"),
    ("src/posix/io.cpp", "#include <pysock/socket.hpp>\n", "at level 5 includes include/pysock/socket.hpp at level 9"),
    ("src/common/state.cpp", '#include "../posix/features.hpp"\n', "of another folder"),
    ("include/pysock/socket.hpp", "#include <memory>\n", "includes <memory>, too heavy"),
    ("include/pysock/bytes.hpp", "#include <functional>\n", "includes <functional>, too heavy"),
    ("include/pysock/bytes.hpp", "#include <iostream>\n", "includes <iostream>, too heavy"),
    ("include/pysock/detail/sys.hpp", "#include <regex>\n", "includes <regex>, too heavy"),
    ("include/pysock/surprise.hpp", "", "is not in cmake/layers.txt"),
    ("src/plan9/io.cpp", "", "is not in cmake/layers.txt"),
    ("include/pysock/bytes.hpp", "int a;\n" * 601, "has 601 lines of code"),
    ("src/posix/io.cpp", "int a; // b\n" * 601, "has 601 lines of code"),
    ("include/pysock/bytes.hpp", "#ifdef _WIN32\n#endif\n", "asks which platform this is: #ifdef _WIN32"),
    ("src/common/state.cpp", "#if 1\n#elif defined(A) || \\\n  defined(__linux__)\n#endif\n", "state.cpp:2: asks which platform this is"),
    ("src/posix/io.cpp", "#if defined(__APPLE__)\n#endif\n", "asks which platform this is"),
    ("include/pysock/file.hpp", "PYSOCK_EXPORTED_CLASSES_BEGIN\nclass PYSOCK_API a\nPYSOCK_EXPORTED_CLASSES_END\nclass PYSOCK_SSL_API b\n",
     "file.hpp:4: exports b outside of PYSOCK_EXPORTED_CLASSES_BEGIN"),
    ("include/pysock/file.hpp", "#if PYSOCK_WINDOWS\n#endif\n", "asks which platform this is"),
]


def check(folder, changes, *options):
    root = pathlib.Path(folder)
    shutil.rmtree(root, ignore_errors=True)
    for name, text in {**GOOD, **changes}.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    (root / "cmake").mkdir()
    shutil.copy(ROOT / "cmake/layers.txt", root / "cmake")
    made = subprocess.run([sys.executable, CHECK, "--root", root, *options], capture_output=True, text=True)
    return made.returncode, made.stdout + made.stderr


def main():
    wrong = []
    with tempfile.TemporaryDirectory() as folder:
        tree = folder + "/tree"
        status, said = check(tree, {})
        if status != 0:
            wrong.append(f"a good tree is refused:\n{said}")
        for name, text, expected in BAD:
            status, said = check(tree, {name: text})
            caught = status == 1 and expected in said and said.count("\n") == 2
            print("caught" if caught else "MISSED", f"{name}: {expected}")
            if not caught:
                wrong.append(f"{name}: expected '{expected}' alone, status {status}:\n{said}")
        if len(sys.argv) > 1:
            # <bits/stdc++.h> stands for a standard header that brings in all the others.
            status, said = check(tree, {"include/pysock/constants.hpp": "#include <bits/stdc++.h>\n"}, sys.argv[1])
            print("caught" if status == 1 else "MISSED", "headers reached through another one")
            if status != 1 or "reach <memory>" not in said or "reach <regex>" not in said:
                wrong.append(f"a heavy header reached indirectly: status {status}:\n{said}")
    print(*wrong, sep="\n")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
