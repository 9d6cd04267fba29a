#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Throughput, handshakes and memory of pysock's TLS beside Python's ssl and openssl s_time, in one run:
figures.py PROGRAM

PROGRAM is the target tls_figures: cmake --build --preset release --target tls_figures
"""
import pathlib
import re
import socket
import ssl
import statistics
import subprocess
import sys
import tempfile
import threading
import time

PAIRS = 100  # of idle connections, within the usual limit of descriptors
MEBIBYTES, SECONDS, ROUNDS = 512, 3, 3
PROGRAM = sys.argv[1]


def python_serve(certificate):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    listener = socket.create_server(("127.0.0.1", 0))
    print(listener.getsockname()[1], flush=True)
    room = bytearray(65536)
    while True:
        try:
            with context.wrap_socket(listener.accept()[0], server_side=True) as s:
                while s.recv_into(room):
                    pass
                s.unwrap()
        except OSError:
            pass


def python_connect(context, port):
    return context.wrap_socket(socket.create_connection(("127.0.0.1", port)), server_hostname="127.0.0.1")


def python_send(port, ca):
    piece = b"x" * 65536
    with python_connect(ssl.create_default_context(cafile=ca), port) as s:
        start = time.monotonic()
        for _ in range(MEBIBYTES * 16):
            s.sendall(piece)
        s.unwrap()  # the peer's alert: it has everything
        return MEBIBYTES / (time.monotonic() - start)


def python_handshakes(port, ca):
    context, count, start = ssl.create_default_context(cafile=ca), 0, time.monotonic()
    while time.monotonic() - start < SECONDS:
        python_connect(context, port).close()
        count += 1
    return count / (time.monotonic() - start)


def python_idle(certificate, ca):
    """KiB for each end of connections that have carried a few bytes each way; in a process of its own."""
    client = ssl.create_default_context(cafile=ca)
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(certificate)
    kept = []

    def add():
        for _ in range(PAIRS):
            ours, theirs = socket.socketpair()
            serving = threading.Thread(target=lambda end=theirs: kept.append(server.wrap_socket(end, server_side=True)))
            serving.start()
            c = client.wrap_socket(ours, server_hostname="localhost")
            serving.join()
            for a, b in ((kept[-1], c), (c, kept[-1])):
                a.sendall(b"hello")
                b.recv(1024)
            kept.append(c)

    def resident():
        return int(pathlib.Path("/proc/self/statm").read_text().split()[1]) * 4

    add()
    before = resident()
    add()
    print((resident() - before) / (2 * PAIRS))


def own(*arguments):
    return float(subprocess.run([PROGRAM, *map(str, arguments)], check=True, capture_output=True, text=True).stdout)


def s_time(port, ca):
    said = subprocess.run(["openssl", "s_time", "-connect", f"127.0.0.1:{port}", "-new", "-time", str(SECONDS), "-CAfile", ca, "-verify", "1"],
                          capture_output=True, text=True).stdout
    count, seconds = re.search(r"(\d+) connections in (\d+) real seconds", said).groups()
    return int(count) / int(seconds)


def main(folder):
    subprocess.run(["sh", pathlib.Path(__file__).with_name("make_certificates.sh"), folder], check=True)
    certificate, ca = folder + "/server.both", folder + "/ca.pem"
    servers = {"pysock": [PROGRAM, "serve", certificate], "Python": [sys.executable, __file__, "--serve", certificate]}
    for name, command in servers.items():
        server = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        port = int(server.stdout.readline())
        work = {
            "pysock sends, MiB/s": lambda: own("send", port, ca, MEBIBYTES),
            "Python sends, MiB/s": lambda: python_send(port, ca),
            "pysock handshakes/s": lambda: own("connect", port, ca, SECONDS),
            "Python handshakes/s": lambda: python_handshakes(port, ca),
            "openssl s_time handshakes/s": lambda: s_time(port, ca),
        }
        for what, measure in work.items():
            print(f"server {name}: {what:28} {statistics.median(measure() for _ in range(ROUNDS)):8.0f}", flush=True)
        server.kill()
        server.wait()
    for name, command in (("pysock", [PROGRAM, "idle", certificate, ca, str(PAIRS)]),
                          ("Python", [sys.executable, __file__, "--idle", certificate, ca])):
        size = statistics.median(float(subprocess.check_output(command)) for _ in range(ROUNDS))
        print(f"{name}: KiB for each end of an idle connection {size:8.1f}", flush=True)


if __name__ == "__main__":
    if PROGRAM == "--serve":
        python_serve(sys.argv[2])
    if PROGRAM == "--idle":
        sys.exit(python_idle(sys.argv[2], sys.argv[3]))
    with tempfile.TemporaryDirectory() as made:
        main(made + "/certificates")
