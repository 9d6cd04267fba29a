#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Runs interop_peer of one build with that of another, each as client and as server.

usage: interop.py OURS -- THEIRS...    two commands that run the program, such as: native/interop_peer -- wine mingw/interop_peer.exe
"""
import itertools
import subprocess
import sys
import time

MIB = 64
PATIENCE = 300  # seconds


def transfer(kind, host, server, client):
    """The output of both ends, and the duration."""
    serving = subprocess.Popen([*server, "serve", kind, host], stdout=subprocess.PIPE, text=True)
    try:
        port = serving.stdout.readline().strip()
        start = time.monotonic()
        sent = subprocess.run([*client, "send", kind, host, port, str(MIB)], stdout=subprocess.PIPE, text=True, timeout=PATIENCE).stdout
        return serving.communicate(timeout=PATIENCE)[0].strip(), sent.strip(), time.monotonic() - start
    finally:
        serving.kill()
        serving.communicate()


def main(arguments):
    cut = arguments.index("--")
    ends = {"ours": arguments[:cut], "theirs": arguments[cut + 1:]}
    failed = False
    for kind, host, (server, client) in itertools.product(("tcp", "udp"), ("127.0.0.1", "::1"), itertools.permutations(ends)):
        seen, sent, seconds = transfer(kind, host, ends[server], ends[client])
        good = seen == sent and seen.startswith(f"{MIB << 20} bytes, ")
        failed |= not good
        print(f"{kind} {host}, {server} serve {client}: " + (f"{seen} in {seconds:.1f} s" if good else f"FAILED: {seen!r}, {sent!r}"), flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
