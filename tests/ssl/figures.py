#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Throughput, echoes, handshakes and memory of TLS in one run: pysock, OpenSSL by hand, and Python's ssl, each at both ends.

usage: figures.py PROGRAM [FIGURE...]

PROGRAM is the target tls_figures: cmake --build --preset release --target tls_figures. In each round every contender runs once. The results
are the median, and the median of the ratios to the program by hand in the same round.
"""
import pathlib
import socket
import ssl
import statistics
import subprocess
import sys
import tempfile
import threading
import time

PAIRS = 100  # of idle connections, within the usual limit of descriptors
MEBIBYTES, SECONDS, ROUNDS = 1024, 2, 5
PIECE, ORDER = 65536, 16
FIGURES = {
    "send": ("sends, MiB/s", [MEBIBYTES]),
    "receive": ("receives, MiB/s", [MEBIBYTES]),
    "echo_16384": ("echoes of 16 KiB a second", [16384, SECONDS]),
    "echo_64": ("echoes of 64 bytes a second", [64, SECONDS]),
    "connect": ("handshakes a second", [SECONDS]),
    "idle": ("KiB for each end of an idle connection", [PAIRS]),
}


# ---- Python's ssl, with the commands of figures.cpp ----


def exactly(s, buffer, size):
    view, done = memoryview(buffer), 0
    while done < size:
        count = s.recv_into(view[done:size])
        if count == 0:
            raise EOFError
        done += count


def obey(s):
    buffer = bytearray(PIECE)
    exactly(s, buffer, ORDER)
    word, number = bytes(buffer[:4]), bytes(buffer[4:ORDER]).strip()
    if word == b"give":
        for _ in range(int(number) * 16):
            s.sendall(buffer)
    while count := s.recv_into(buffer):
        if word == b"echo":
            s.sendall(memoryview(buffer)[:count])
    s.unwrap()


def serve(certificate):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    listener = socket.create_server(("127.0.0.1", 0))
    print(listener.getsockname()[1], flush=True)
    while True:
        try:
            plain = listener.accept()[0]
            plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            with context.wrap_socket(plain, server_side=True) as s:
                obey(s)
        except (OSError, EOFError):
            pass


def connect(context, port):
    plain = socket.create_connection(("127.0.0.1", port))
    plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return context.wrap_socket(plain, server_hostname="127.0.0.1")


def handshakes(port, ca, seconds):
    context, count, start = ssl.create_default_context(cafile=ca), 0, time.monotonic()
    while time.monotonic() - start < seconds:
        s = connect(context, port)
        s.close()
        count += 1
    return count / (time.monotonic() - start)


def talk(what, port, ca, number, seconds=0):
    buffer = bytearray(PIECE)
    with connect(ssl.create_default_context(cafile=ca), port) as s:
        order = {"send": "drop", "receive": f"give{number}", "echo": "echo"}[what]
        s.sendall(order.ljust(ORDER).encode())
        start = time.monotonic()
        if what == "echo":
            message, count = bytes(number), 0
            while time.monotonic() - start < seconds:
                s.sendall(message)
                exactly(s, buffer, number)
                count += 1
            return count / (time.monotonic() - start)
        for _ in range(number * 16):
            if what == "send":
                s.sendall(buffer)
            else:
                exactly(s, buffer, PIECE)
        if what == "send":
            s.unwrap()  # waits for the peer's alert, so the peer has received everything
        return number / (time.monotonic() - start)


def idle(certificate, ca, pairs):
    """Prints the KiB per end of connections that have carried a few bytes in both directions."""
    client = ssl.create_default_context(cafile=ca)
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(certificate)
    kept = []

    def add():
        for _ in range(pairs):
            ours, theirs = socket.socketpair()
            serving = threading.Thread(target=lambda end=theirs: kept.append(server.wrap_socket(end, server_side=True)))
            serving.start()
            c = client.wrap_socket(ours, server_hostname="127.0.0.1")
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
    return (resident() - before) / (2 * pairs)


def run(what, *arguments):
    if what == "serve":
        serve(*arguments)
    if what == "idle":
        return idle(arguments[0], arguments[1], int(arguments[2]))
    port, ca, *numbers = arguments
    if what == "connect":
        return handshakes(int(port), ca, float(numbers[0]))
    return talk(what, int(port), ca, *map(int, numbers))


# ---- measuring ----


def main(program, wanted, folder):
    subprocess.run(["sh", pathlib.Path(__file__).with_name("make_certificates.sh"), folder], check=True)
    certificate, ca = folder + "/server.both", folder + "/ca.pem"
    contenders = {"pysock": [program, "pysock"], "by hand": [program, "hand"], "Python": [sys.executable, __file__, "--run"]}
    servers = {name: subprocess.Popen([*command, "serve", certificate], stdout=subprocess.PIPE, text=True) for name, command in contenders.items()}
    ports = {name: server.stdout.readline().strip() for name, server in servers.items()}
    print(f"{'':40}" + "".join(f"{name:>20}" for name in contenders))
    for figure in wanted:
        title, numbers = FIGURES[figure]
        values = {name: [] for name in contenders}
        for _ in range(ROUNDS):
            for name, command in contenders.items():
                first = certificate if figure == "idle" else ports[name]
                command = [*command, figure.partition("_")[0], first, ca, *map(str, numbers)]
                values[name].append(float(subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout))
        cells = []
        for name in contenders:
            ratio = statistics.median(a / b for a, b in zip(values[name], values["by hand"]))
            cells.append(f"{statistics.median(values[name]):12.1f} ({ratio:4.2f})")
        print(f"{title:40}" + "".join(f"{cell:>20}" for cell in cells), flush=True)
    for server in servers.values():
        server.kill()
        server.wait()


if __name__ == "__main__":
    if sys.argv[1] == "--run":
        print(run(*sys.argv[2:]))
    else:
        with tempfile.TemporaryDirectory() as made:
            main(sys.argv[1], sys.argv[2:] or FIGURES, made + "/certificates")
