# SPDX-License-Identifier: MIT
"""Loads a module file as `_socket`, and lets selectors use its selector, before anything imports socket.

Debian's interpreter has a built-in `_socket`, which import would find first.
"""
import importlib.machinery
import importlib.util
import sys


def load(path):
    for name in ("_socket", "socket"):
        if name in sys.modules:
            raise SystemExit(f"{name} is imported already, from {sys.modules[name]}")
    loader = importlib.machinery.ExtensionFileLoader("_socket", path)
    spec = importlib.util.spec_from_file_location("_socket", path, loader=loader)
    module = importlib.util.module_from_spec(spec)
    sys.modules["_socket"] = module
    loader.exec_module(module)
    import socket

    if module.__file__ != path or socket._socket is not module or not issubclass(socket.socket, module.socket):
        raise SystemExit(f"socket is not on {path}")
    import selectors_on_pysock
