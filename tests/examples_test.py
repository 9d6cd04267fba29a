#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Runs every example and the Python program in its first comment, each with itself and with the other.

usage: examples_test.py SOURCES PROGRAMS PROBE [EMULATOR...] [-- option of unittest...]
"""
import contextlib
import http.server
import itertools
import os
import pathlib
import re
import signal
import socket
import socketserver
import ssl
import struct
import subprocess
import sys
import tempfile
import threading
import time
import unittest

PATIENCE = 60  # seconds, for a busy machine
LANGUAGES = ("C++", "Python")
SOURCES = PROGRAMS = pathlib.Path()
PROBE = ""  # a program that tests features with plain system calls
EMULATOR = []  # the command that runs programs for another machine
FOLDER = "."
REFUSED = r"\[(Errno 111|WinError 10061)\] Connection refused"  # the latter on Windows


def python_program(name):
    """The Python program in the comment at the top of an example."""
    comment = re.match(r"(//.*\n)+", next(SOURCES.rglob(name + ".cpp")).read_text())[0]
    return "\n".join(line[7:] for line in comment.partition("In Python:\n")[2].splitlines())


def program_of(name):
    return next((path for path in (PROGRAMS / name, PROGRAMS / (name + ".exe")) if path.exists()), PROGRAMS / name)


def has_ipv6():
    try:
        with socket.socket(socket.AF_INET6) as s:
            s.bind(("::1", 0))
        return True
    except OSError:
        return False


def interface_with_ipv6_multicast():
    """The name of an interface; None if there is none. The datagrams stay on this machine: the group has the scope of one interface."""
    for index, name in socket.if_nameindex():
        with contextlib.suppress(OSError), socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as s:
            s.settimeout(2)
            s.bind(("", 0))
            s.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_JOIN_GROUP, socket.inet_pton(socket.AF_INET6, "ff01::4241") + struct.pack("@I", index))
            s.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_IF, index)
            s.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_HOPS, 0)
            s.sendto(b"x", ("ff01::4241", s.getsockname()[1]))
            if s.recv(10) == b"x":
                return name
    return None


def why_no(what):
    """Why the system that runs the programs lacks a feature; empty if it has it."""
    return subprocess.run([*EMULATOR, PROBE, what], stdout=subprocess.PIPE, text=True, check=True).stdout.strip()


def without_numbers(text):
    """Replaces ports and times, which differ from run to run."""
    return re.sub(r"\b\d{4,5}\b|\b\d+\.\d+(?= ms)", "N", text)


class Running:
    """An example in C++ or Python, in another process."""

    def __init__(self, language, name, *arguments):
        program = EMULATOR + [str(program_of(name))] if language == "C++" else [sys.executable, "-c", python_program(name)]
        self.process = subprocess.Popen(program + [str(a) for a in arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                                        cwd=FOLDER)
        self.said = ""

    def address(self):
        """Host and port in the next line "Listening on"."""
        for line in iter(self.process.stdout.readline, ""):
            self.said += line
            found = re.match(r"Listening on \('(.*?)', (\d+)", line)
            if found:
                return found[1], int(found[2])
        raise AssertionError(f"does not listen: {self.end()}")

    def end(self):
        """Exit status, output and error output."""
        try:
            output, errors = self.process.communicate(timeout=PATIENCE)
        except subprocess.TimeoutExpired:
            self.stop()
            output, errors = "", "still running"
        return self.process.returncode, self.said + output, errors

    def stop(self):
        if self.process.returncode is None:
            self.process.kill()
            self.process.communicate()


class Examples(unittest.TestCase):
    maxDiff = None

    def start(self, *what):
        started = Running(*what)
        self.addCleanup(started.stop)
        return started

    def run_one(self, *what):
        return self.start(*what).end()

    def run_both(self, name, *arguments):
        """Runs an example in both languages: output and exit status must be equal. Returns them."""
        results = [self.run_one(language, name, *arguments) for language in LANGUAGES]
        shown = [(status, without_numbers(output)) for status, output, errors in results]
        self.assertEqual(shown[0], shown[1], results)
        return results[0]

    def run_pairs(self, server, client, *arguments):
        """Runs every server with every client: all must succeed and print the same. Returns the output of server and client."""
        seen = set()
        for pair in itertools.product(LANGUAGES, repeat=2):
            with self.subTest(server=pair[0], client=pair[1]):
                listening = self.start(pair[0], server, 0, *arguments)
                results = self.run_one(pair[1], client, listening.address()[1], *arguments), listening.end()
                self.assertEqual([status for status, output, errors in results], [0, 0], results)
                seen.add(tuple(without_numbers(output) for status, output, errors in reversed(results)))
        self.assertEqual(len(seen), 1, seen)
        return seen.pop()

    def test_form(self):
        for source in sorted(SOURCES.rglob("*.cpp")):
            with self.subTest(source.name):
                lines = source.read_text().splitlines()
                if source.parent.name == "cookbook":
                    self.assertLess(len([line for line in lines if line and not line.startswith("//")]), 60)
                else:
                    self.assertLess(len(lines), 100)
                self.assertEqual(lines[0], "// SPDX-License-Identifier: MIT")
                if source.stem == "demo":
                    self.assertIn("Beside each step it prints the same step in Python", lines[2])
                else:
                    compile(python_program(source.stem), source.name, "exec")
                    self.assertRegex(python_program(source.stem), r"^\s*import .*\b(socket|smtplib)\b")
                self.assertTrue(hasattr(Examples, "test_" + re.sub("_(server|client|sender|receiver|discover)", "", source.stem)), "is not tested")

    def test_echo(self):
        server, client = self.run_pairs("echo_server", "echo_client")
        self.assertEqual(server, "Listening on ('0.0.0.0', N)\nConnected by ('127.0.0.1', N)\n")
        self.assertEqual(client, "Received Hello, world\n")

    def test_echo_without_server(self):
        for language in LANGUAGES:
            status, output, errors = self.run_one(language, "echo_client", free_port(), "127.0.0.1")
            self.assertEqual((status, output), (1, ""))
            self.assertRegex(errors, REFUSED)

    def test_echo_any(self):
        if not has_ipv6():
            self.skipTest("there is no IPv6, and the server would wait for its IPv6 client for ever")
        loopbacks = {"0.0.0.0": "127.0.0.1", "::": "::1"}
        for server, client in itertools.product(LANGUAGES, repeat=2):
            with self.subTest(server=server, client=client):
                listening = self.start(server, "echo_server_any", 0)
                ports = dict(listening.address() for _ in loopbacks)
                for wildcard, loopback in loopbacks.items():
                    self.assertEqual(self.run_one(client, "echo_client_any", ports[wildcard], loopback), (0, "Received Hello, world\n", ""))
                status, output, errors = listening.end()
                self.assertEqual((status, errors), (0, ""))
                self.assertEqual(sorted(re.findall(r"Connected by \('(.*?)'", output)), sorted(loopbacks.values()))

    def test_echo_any_without_server(self):
        for language in LANGUAGES:
            status, output, errors = self.run_one(language, "echo_client_any", free_port(), "127.0.0.1")
            self.assertEqual((status, errors), (1, "could not connect\n"))
            self.assertRegex(output, REFUSED)

    def test_udp(self):
        server, client = self.run_pairs("udp_server", "udp_client")
        self.assertEqual(server, "Listening on ('0.0.0.0', N)\nReceived Hello, world from ('127.0.0.1', N)\n")
        self.assertEqual(client, "Received HELLO, WORLD\n")

    def test_multicast(self):
        self.need("multicast interface")
        receiver, sender = self.run_pairs("multicast_receiver", "multicast_sender")
        self.assertEqual(receiver, "Listening on ('0.0.0.0', N)\nReceived Hello, group from 127.0.0.1\n")
        self.assertEqual(sender, "Sent through 127.0.0.1\n")

    def test_multicast_over_ipv6(self):
        if EMULATOR:
            self.skip("no interface is known of a system that is emulated")
        interface = interface_with_ipv6_multicast()
        if interface is None:
            self.skip("no interface has a route for multicast")
        receiver, sender = self.run_pairs("multicast_receiver", "multicast_sender", "ff01::4242", interface)
        self.assertRegex(receiver, r"^Listening on \('::', N, 0, 0\)\nReceived Hello, group from [0-9a-f:]+(%\w+)?\n$")
        self.assertEqual(sender, f"Sent through {interface}\n")

    def test_broadcast(self):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
            server.bind(("", 0))

            def serve():
                for _ in LANGUAGES:
                    data, client = server.recvfrom(100)
                    server.sendto(b"yes" if data == b"who serves?" else data, client)
            serving = threading.Thread(target=serve, daemon=True)
            serving.start()
            arguments = "broadcast_discover", server.getsockname()[1], "127.255.255.255", "127.0.0.1", 3
            for client in [self.start(language, *arguments) for language in LANGUAGES]:
                self.assertEqual(client.end(), (0, "127.0.0.1 answers yes\n", ""))
            serving.join()

    def test_http_get(self):
        with tempfile.TemporaryDirectory() as folder:
            page = "".join(f"line {i}\n" for i in range(10000))
            pathlib.Path(folder, "page.txt").write_text(page)
            server = subprocess.Popen([sys.executable, "-u", "-m", "http.server", "0", "--bind", "127.0.0.1", "--directory", folder],
                                      stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
            try:
                port = re.search(r"port (\d+)", server.stdout.readline())[1]
                self.assertEqual(self.run_both("http_get", "127.0.0.1", port, "/page.txt"), (0, "HTTP/1.0 200 OK\n" + page, ""))
                self.assertTrue(self.run_both("http_get", "127.0.0.1", port, "/nothing")[1].startswith("HTTP/1.0 404 File not found\n"))
            finally:
                server.kill()
                server.communicate()

    def test_http_get_in_chunks(self):
        answer = (b"HTTP/1.1 200 OK\r\ntransfer-Encoding:chunked\r\n\r\n"
                  b"7\r\nHello, \r\n1a\r\n" + b"x" * 26 + b"\r\n6\r\nworld\n\r\n0\r\n\r\n")
        with socket.create_server(("127.0.0.1", 0)) as server:
            def serve():
                for _ in LANGUAGES:
                    conn, _ = server.accept()
                    with conn, conn.makefile("rb") as request:
                        while request.readline().strip():
                            pass
                        conn.sendall(answer)
            threading.Thread(target=serve, daemon=True).start()
            port = server.getsockname()[1]
            self.assertEqual(self.run_both("http_get", "127.0.0.1", port)[:2], (0, "HTTP/1.1 200 OK\nHello, " + "x" * 26 + "world\n"))

    def skip(self, reason):
        """As skipTest; also prints the reason for scripts that count."""
        print("\nskipped:", self.id().rpartition(".")[2] + ":", reason, flush=True)  # on a separate line, because unittest prints dots
        self.skipTest(reason)

    def need(self, what):
        reason = why_no(what)
        if reason:
            self.skip(reason)

    def test_unix_stream(self):
        self.need("AF_UNIX streams")
        path = pathlib.Path(FOLDER, "s")
        self.assertEqual(self.run_both("unix_stream", path)[:2],
                         (0, f"Connected to '{path}' by ''\nReceived Hello\nReceived , wor\nReceived ld\n"))
        self.assertFalse(path.exists())
        self.assertEqual(self.run_both("unix_stream")[0], 0)

    def test_unix_datagram(self):
        self.need("AF_UNIX datagrams")
        here, there = pathlib.Path(FOLDER, "h"), pathlib.Path(FOLDER, "t")
        self.assertEqual(self.run_both("unix_datagram", here, there)[:2],
                         (0, f"Received one from '{here}'\nReceived two\nReceived three\n"))
        self.assertFalse(here.exists() or there.exists())
        self.assertEqual(self.run_both("unix_datagram")[0], 0)

    def test_nonblocking_connect(self):
        self.need("poll()")
        with socket.create_server(("127.0.0.1", 0)) as server:
            port = server.getsockname()[1]
            self.assertEqual(self.run_both("nonblocking_connect", port), (0, f"Under way\nConnected to ('127.0.0.1', {port})\n", ""))
        self.assertEqual(self.run_both("nonblocking_connect", free_port())[::2], (1, "Connection refused\n"))

    def interrupt(self, server):
        """Sends Ctrl-C. Returns how the server ended, and after how many seconds."""
        start = time.monotonic()
        server.process.send_signal(signal.SIGINT)
        return server.end(), time.monotonic() - start

    def need_signals(self):
        if program_of("demo").suffix == ".exe" or EMULATOR:
            self.skip("signals do not reach a program of another machine")

    def test_stop(self):
        self.need_signals()
        for language in LANGUAGES:
            with self.subTest(server=language), contextlib.ExitStack() as clients:
                server = self.start(language, "stop_server", 0)
                address = ("127.0.0.1", server.address()[1])
                def connect():
                    return clients.enter_context(socket.create_connection(address, timeout=PATIENCE))
                for _ in range(20):
                    connect()  # sends nothing, so the server waits in a receive
                    served = connect()
                    served.sendall(b"Hello")
                    self.assertEqual(receive(served, 5), b"Hello")
                    stubborn = connect()  # reads nothing, so the server waits in a send
                    stubborn.setblocking(False)
                    idle = 0
                    while idle < 3:
                        try:
                            stubborn.send(bytes(100000))
                            idle = 0
                        except BlockingIOError:
                            time.sleep(0.01)
                            idle += 1
                (status, output, errors), seconds = self.interrupt(server)
                self.assertEqual((status, output.splitlines()[1:], errors), (0, ["Stopped"], ""))
                self.assertLess(seconds, 10)
                print(f"\nstop_server in {language} stopped {seconds * 1000:.0f} ms after Ctrl-C")

    def test_chat(self):
        self.need_signals()
        clients_wanted = 1000
        resource = __import__("resource")
        limit = resource.getrlimit(resource.RLIMIT_NOFILE)
        if limit[1] < clients_wanted + 100:
            self.skip("this process may not have so many descriptors")
        resource.setrlimit(resource.RLIMIT_NOFILE, (max(limit[0], clients_wanted + 100), limit[1]))
        for language in LANGUAGES:
            with self.subTest(server=language), contextlib.ExitStack() as stack:
                server = self.start(language, "chat_server", 0)
                address = ("127.0.0.1", server.address()[1])
                clients = [stack.enter_context(socket.create_connection(address, timeout=PATIENCE)) for _ in range(clients_wanted)]
                lines = b"".join(b"line %d\n" % i for i in range(100))
                # When the last client's line arrives, the server has accepted all clients.
                clients[-1].sendall(b"Hello\n")
                for client in clients[:-1]:
                    self.assertEqual(receive(client, 6), b"Hello\n")
                clients[0].sendall(lines[:50])
                clients[1].close()
                clients[0].sendall(lines[50:])
                for client in clients[2:]:
                    self.assertEqual(receive(client, len(lines)), lines)
                # A client that does not read misses lines, and does not delay the others.
                for client in clients[10:]:
                    client.close()
                big = b"x" * 99999 + b"\n"
                for _ in range(100):
                    clients[2].sendall(big)
                    self.assertEqual(receive(clients[3], len(big)), big)
                if language == "C++":
                    (status, output, errors), _ = self.interrupt(server)
                    self.assertEqual((status, output.splitlines()[1:], errors), (0, ["Stopped"], ""))

    def test_health_check(self):
        with contextlib.ExitStack() as stack:
            servers = [stack.enter_context(socket.create_server(("127.0.0.1", 0))) for _ in range(50)]
            full = stack.enter_context(socket.create_server(("127.0.0.1", 0), backlog=0))
            dead = not EMULATOR and fills(full, stack)
            names = [f"127.0.0.1:{server.getsockname()[1]}" for server in servers]
            names += [f"127.0.0.1:{free_port()}" for _ in range(40)]
            expected = ["up"] * 50 + ["Connection refused"] * 40
            if dead:
                names += [f"127.0.0.1:{full.getsockname()[1]}"] * 10
                expected += ["timed out"] * 10
            for language in LANGUAGES:
                start = time.monotonic()
                status, output, errors = self.run_one(language, "health_check", 1.0 if dead else PATIENCE, *names)
                seconds = time.monotonic() - start
                self.assertEqual((status, errors), (0, ""))
                states = [line.partition(": ")[2] for line in output.splitlines()]
                if not EMULATOR:
                    self.assertEqual(states, expected)
                else:
                    self.assertEqual(states[:50], expected[:50])
                self.assertLess(seconds, PATIENCE)

    def test_ping(self):
        try:
            socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP).close()
        except PermissionError:
            self.assertEqual(self.run_both("ping"), (1, "", "A raw socket needs root\n"))
            return
        status, output, errors = self.run_both("ping")
        self.assertEqual((status, without_numbers(output), errors), (0, "22 bytes from 127.0.0.1 after N ms\n", ""))

    def certificates(self):
        """A folder of certificates made for this run. Skips the test if the TLS examples were not built."""
        if not program_of("https_get").exists():
            self.skip("built without TLS")
        folder = FOLDER + "/certificates"
        subprocess.run(["sh", pathlib.Path(__file__).with_name("ssl") / "make_certificates.sh", folder], check=True)
        return folder

    def test_tls_echo(self):
        folder = self.certificates()
        trusting = ssl.create_default_context(cafile=folder + "/ca.pem")
        for language in LANGUAGES:
            with self.subTest(server=language):
                server = self.start(language, "tls_echo_server", folder + "/server.both", 0)
                plain = socket.create_connection(("127.0.0.1", server.address()[1]), timeout=PATIENCE)
                with trusting.wrap_socket(plain, server_hostname="localhost", suppress_ragged_eofs=False) as s:
                    s.sendall(b"Hello, world")
                    self.assertEqual(s.recv(100), b"Hello, world")
                    s.unwrap().close()
                status, output, errors = server.end()
                self.assertEqual((status, errors), (0, ""))
                self.assertRegex(output, r"Connected by \('127.0.0.1', \d+\) with TLSv1.3")

    def test_https_get(self):
        folder = self.certificates()
        page = b"x" * 100000
        serving = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        serving.load_cert_chain(folder + "/server.both")
        with socket.create_server(("127.0.0.1", 0)) as listener:
            def serve():
                for _ in range(6):
                    conn, _ = listener.accept()
                    try:
                        with serving.wrap_socket(conn, server_side=True) as s:
                            while not s.recv(1000).endswith(b"\r\n\r\n"):
                                pass
                            s.sendall(b"HTTP/1.0 200 OK\n\n" + page)
                            s.unwrap()
                    except OSError:
                        pass  # a client that refuses the certificate
            threading.Thread(target=serve, daemon=True).start()
            port = listener.getsockname()[1]
            said = "TLSv1.3 with localhost certified by the tests authority\nHTTP/1.0 200 OK\n\n" + page.decode()
            self.assertEqual(self.run_both("https_get", "localhost", port, folder + "/ca.pem"), (0, said, ""))
            for arguments in (("127.0.0.1", port), ("localhost", port, folder + "/stranger.pem")):
                for language in LANGUAGES:
                    status, output, errors = self.run_one(language, "https_get", *arguments)
                    self.assertEqual((status, output), (1, ""))
                    self.assertIn("certificate verify failed: unable to get local issuer certificate", errors)

    def test_smtp_starttls(self):
        folder = self.certificates()
        serving = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        serving.load_cert_chain(folder + "/server.both")
        offers = {False: b"250-mail.test\r\n250 STARTTLS\r\n", True: b"250-mail.test\r\n250-8BITMIME\r\n250 AUTH PLAIN\r\n"}

        def session(conn):
            conn.settimeout(PATIENCE)
            conn.sendall(b"220 mail.test\r\n")
            pending = b""
            while True:
                while b"\r\n" not in pending:
                    data = conn.recv(1000)
                    if not data:
                        return
                    pending += data
                line, _, pending = pending.partition(b"\r\n")
                word = line.upper().split()[0]
                if word == b"EHLO":
                    conn.sendall(offers[isinstance(conn, ssl.SSLSocket)])
                elif word == b"STARTTLS":
                    conn.sendall(b"220 go on\r\n")
                    conn = serving.wrap_socket(conn, server_side=True)
                else:
                    conn.sendall(b"221 bye\r\n")

        with socket.create_server(("127.0.0.1", 0)) as listener:
            def serve():
                for _ in range(4):
                    try:
                        session(listener.accept()[0])
                    except OSError:
                        pass  # a client that refuses the certificate
            threading.Thread(target=serve, daemon=True).start()
            port = listener.getsockname()[1]
            said = "TLSv1.3 with localhost\n8BITMIME\nAUTH PLAIN\n"
            self.assertEqual(self.run_both("smtp_starttls", "localhost", port, folder + "/ca.pem"), (0, said, ""))
            for language in LANGUAGES:
                status, output, errors = self.run_one(language, "smtp_starttls", "localhost", port, folder + "/stranger.pem")
                self.assertEqual((status, output), (1, ""))
                self.assertIn("certificate verify failed", errors)

    # ---- the cookbook ----

    def connect(self, address):
        client = socket.create_connection(address, timeout=PATIENCE)
        self.addCleanup(client.close)
        return client

    def run_with_clients(self, server, client, clients=3):
        """Runs every server with several clients at the same time, in both languages. Returns the output of each client."""
        seen = set()
        for language in LANGUAGES:
            listening = self.start(language, server, 0)
            port = listening.address()[1]
            self.connect(("127.0.0.1", port))  # sends nothing, and must not delay the others
            running = [self.start(one, client, port) for one in LANGUAGES for _ in range(clients)]
            for one in running:
                status, output, errors = one.end()
                self.assertEqual((status, errors), (0, ""), (language, output))
                seen.add(output)
            listening.stop()
        self.assertEqual(len(seen), 1, seen)
        return seen.pop()

    def test_framing(self):
        self.assertEqual(self.run_with_clients("framing_server", "framing_client"),
                         "Received 5 bytes: HELLO\nReceived 0 bytes: \nReceived 100000 bytes: XXXXXXXXXX\n")
        for language in LANGUAGES:
            address = ("127.0.0.1", self.start(language, "framing_server", 0).address()[1])
            slow, greedy, after = (self.connect(address) for _ in range(3))
            greedy.sendall(b"\xff\xff\xff\xff")
            self.assertEqual(receive(greedy, 1), b"")
            for byte in b"\0\0\0\2ab":
                slow.sendall(bytes([byte]))
            self.assertEqual(receive(slow, 6), b"\0\0\0\2AB")
            after.sendall(b"\0\0\0\3a")  # is cut off
            after.shutdown(socket.SHUT_WR)
            self.assertEqual(receive(after, 1), b"")

    def test_line(self):
        for language in LANGUAGES:
            address = ("127.0.0.1", self.start(language, "line_server", 0).address()[1])
            first, second, long, cut = (self.connect(address) for _ in range(4))
            second.sendall(b"PI")
            first.sendall(b"ADD 20 22\nADD x 1\nDO\nPING\r\n")
            expected = b"42\nERROR not a number\nERROR unknown command\nPONG\n"
            self.assertEqual(receive(first, len(expected)), expected)
            second.sendall(b"NG\nQUIT\n")
            self.assertEqual(receive(second, 100), b"PONG\n")
            long.sendall(b"x" * 1000)
            self.assertEqual(receive(long, 100), b"ERROR incomplete line\n")
            cut.sendall(b"PING")
            cut.shutdown(socket.SHUT_WR)
            self.assertEqual(receive(cut, 100), b"ERROR incomplete line\n")

    def test_receive_by_deadline(self):
        pieces = []

        with socket.create_server(("127.0.0.1", 0)) as server:
            def serve():
                for _ in range(6):
                    conn, _ = server.accept()
                    self.addCleanup(conn.close)
                    for piece in pieces:
                        conn.sendall(piece)
                        time.sleep(0.02)
                    if len(pieces) == 2:
                        conn.close()
            threading.Thread(target=serve, daemon=True).start()
            port = server.getsockname()[1]
            pieces[:] = [b"a", b"b", b"c"]
            self.assertEqual(self.run_both("receive_by_deadline", port, 3, PATIENCE), (0, "Received abc\n", ""))
            for language in LANGUAGES:  # each byte arrives in time except the last one
                status, output, errors = self.run_one(language, "receive_by_deadline", port, 4, 1.0)
                self.assertEqual((status, output), (1, ""))
                self.assertRegex(errors, r"^Timed out after [0-3] of 4 bytes\n$")
            pieces[:] = [b"a", b"b"]
            for language in LANGUAGES:
                self.assertEqual(self.run_one(language, "receive_by_deadline", port, 3, PATIENCE),
                                 (1, "", "The stream ended after 2 of 3 bytes\n"))

    def test_file(self):
        with tempfile.TemporaryDirectory() as folder, tempfile.TemporaryDirectory() as own:
            contents = {"empty": b"", "small": b"one\r\ntwo\n\0", "large": bytes(range(256)) * 20000}
            for server in LANGUAGES:
                port = self.start(server, "file_server", folder, 0).address()[1]
                self.connect(("127.0.0.1", port))  # sends nothing, and must not delay the others
                for client in LANGUAGES:
                    def run_all(verb):
                        running = [(name, self.start(client, "file_client", port, verb, pathlib.Path(own, name))) for name in contents]
                        for name, one in running:
                            self.assertEqual(one.end(), (0, f"{verb} {name} done\n", ""))
                    for name, content in contents.items():
                        pathlib.Path(own, name).write_bytes(content)
                    run_all("put")
                    for name, content in contents.items():
                        self.assertEqual(pathlib.Path(folder, name).read_bytes(), content)
                        pathlib.Path(own, name).unlink()
                        pathlib.Path(folder, name).chmod(0o600)
                    run_all("get")
                    for name, content in contents.items():
                        self.assertEqual(pathlib.Path(own, name).read_bytes(), content)
                        pathlib.Path(folder, name).unlink()
                    self.assertEqual(self.run_one(client, "file_client", port, "get", pathlib.Path(own, "nothing"))[0], 1)
                for name in (b"../x", b".x", b"a/b", b"a\\b"):
                    with self.connect(("127.0.0.1", port)) as bad:
                        bad.sendall(b"GET " + name + b"\n")
                        self.assertEqual(receive(bad, 100), b"ERROR bad name\n")
                with self.connect(("127.0.0.1", port)) as cut:
                    cut.sendall(b"PUT large 100\nonly this")
                    cut.shutdown(socket.SHUT_WR)
                    self.assertEqual(receive(cut, 100), b"")
                self.assertEqual(list(pathlib.Path(folder).iterdir()), [])

    def test_udp_retry(self):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
            server.bind(("127.0.0.1", 0))
            port = server.getsockname()[1]
            heard = []

            def serve():  # ignores two requests of each client, and first sends the answer to another request
                while (request := server.recvfrom(1500))[0]:
                    data, client = request
                    heard.append(data)
                    if heard.count(data) >= 3:
                        server.sendto(b"another answer", client)
                        server.sendto(data.replace(b"Hello", b"HELLO"), client)
            serving = threading.Thread(target=serve, daemon=True)
            serving.start()
            for client in [self.start(language, "udp_retry", port, "127.0.0.1", 7) for language in LANGUAGES for _ in range(2)]:
                self.assertEqual(client.end(), (0, "Received HELLO\n", ""))
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as end:
                end.sendto(b"", ("127.0.0.1", port))
            serving.join()
            self.assertEqual(len(set(heard)), 4)
        for language in LANGUAGES:
            self.assertEqual(self.run_one(language, "udp_retry", port, "127.0.0.1", 2), (1, "", "no answer to 2 requests\n"))

    def test_reconnect(self):
        for language in LANGUAGES:
            with socket.socket() as server:
                server.bind(("127.0.0.1", 0))  # bound without listening: connects are refused
                port = server.getsockname()[1]
                client = self.start(language, "reconnect", port, 1000)
                self.assertRegex(client.process.stderr.readline(), REFUSED)
                server.listen()
                for said in (b"one\n", b"two\n", b"three\nbye\nmore\n"):
                    with server.accept()[0] as conn:
                        conn.sendall(said)
                status, output, errors = client.end()
                self.assertEqual((status, output), (0, "one\ntwo\nthree\nbye\n"))
            status, output, errors = self.run_one(language, "reconnect", port, 2)
            self.assertEqual((status, output, len(errors.splitlines())), (1, "", 3))

    def test_tcp_options(self):
        with socket.create_server(("127.0.0.1", 0)) as server:
            for language in LANGUAGES:
                status, output, errors = self.run_one(language, "tcp_options", server.getsockname()[1])
                self.assertEqual((status, errors), (0, ""))
                self.assertRegex(output, r"^(idle seconds 60\n)?keep-alive 1\nno delay 1\n$")
                if sys.platform == "linux" and (language == "Python" or program_of("tcp_options").suffix != ".exe"):
                    self.assertIn("idle seconds 60\n", output)
                # SO_LINGER with no time resets the connection.
                with server.accept()[0] as conn:
                    conn.settimeout(PATIENCE)
                    self.assertRaises(ConnectionResetError, conn.recv, 1)

    def test_unix_http_get(self):
        self.need("AF_UNIX streams")

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                self.send_response(200 if self.path == "/version" else 404, "fine" if self.path == "/version" else "nothing")
                self.end_headers()
                self.wfile.write(b"line\n" * 10000)

            def address_string(self):
                return "unix"

            def log_message(self, *arguments):
                pass

        path = str(pathlib.Path(FOLDER, "http"))
        with socketserver.ThreadingUnixStreamServer(path, Handler) as server:
            threading.Thread(target=server.serve_forever, daemon=True).start()
            for _ in range(2):
                self.assertEqual(self.run_both("unix_http_get", path, "/version"), (0, "HTTP/1.0 200 fine\n" + "line\n" * 10000, ""))
                self.assertTrue(self.run_both("unix_http_get", path)[1].startswith("HTTP/1.0 404 nothing\nline\n"))
            server.shutdown()
        self.assertEqual([self.run_one(language, "unix_http_get", path)[0] for language in LANGUAGES], [1, 1])

    def test_peer_credentials(self):
        self.need("peer credentials")
        path = str(pathlib.Path(FOLDER, "credentials"))
        for language in LANGUAGES:
            server = self.start(language, "peer_credentials_server", path)
            self.assertEqual(server.process.stdout.readline(), "Listening\n")
            for _ in range(3):
                with socket.socket(socket.AF_UNIX) as client:
                    client.settimeout(PATIENCE)
                    client.connect(path)
                    self.assertEqual(receive(client, 100), f"process {os.getpid()}, user {os.getuid()}\n".encode())
            server.stop()  # the path remains, and the next server removes it

    def test_mutual_tls(self):
        folder = self.certificates()
        with_certificate = ssl.create_default_context(cafile=folder + "/ca.pem")
        with_certificate.load_cert_chain(folder + "/client.both")
        stranger = ssl.create_default_context(cafile=folder + "/ca.pem")
        stranger.load_cert_chain(folder + "/unknown.both")
        without = ssl.create_default_context(cafile=folder + "/ca.pem")
        for language in LANGUAGES:
            address = ("127.0.0.1", self.start(language, "mutual_tls_server", folder + "/server.both", folder + "/ca.pem", 0).address()[1])
            self.connect(address)  # never begins its handshake, and must not delay the others

            def ask(context):
                with context.wrap_socket(self.connect(address), server_hostname="localhost") as s:
                    return receive(s, 100)
            for _ in range(2):
                self.assertEqual(ask(with_certificate), b"Hello, the client\n")
                self.assertRaises(OSError, ask, without)
                self.assertRaises(OSError, ask, stranger)

    def test_epoll(self):
        self.need("epoll")
        for language in LANGUAGES:
            address = ("127.0.0.1", self.start(language, "epoll_server", 0).address()[1])
            stubborn = self.connect(address)  # reads nothing
            stubborn.setblocking(False)
            with contextlib.suppress(BlockingIOError):
                while True:
                    stubborn.send(bytes(100000))
            clients = [self.connect(address) for _ in range(50)]
            for i, client in enumerate(clients):
                client.sendall(b"x" * i * 1000 + b"end")
            for i, client in enumerate(clients):
                self.assertEqual(receive(client, i * 1000 + 3), b"x" * i * 1000 + b"end")
                client.shutdown(socket.SHUT_WR)
                self.assertEqual(receive(client, 1), b"")

    def test_worker(self):
        self.need("passing descriptors")
        for language in LANGUAGES:
            server = self.start(language, "worker_server", 0)
            address = ("127.0.0.1", server.address()[1])
            said = [receive(self.connect(address), 100).decode() for _ in range(6)]
            self.assertEqual(len(set(said)), 2, said)
            self.assertEqual(said, said[:2] * 3)
            self.assertNotIn(f"served by process {server.process.pid}\n", said)
            server.process.kill()
            self.assertEqual(server.end()[2], "")  # the workers have ended, too: otherwise the pipe would stay open

    def test_socketpair_test(self):
        self.assertEqual(self.run_both("socketpair_test"), (0, "all tests passed\n", ""))

    def test_demo(self):
        status, output, errors = self.run_one("C++", "demo")
        self.assertEqual((status, errors), (0, ""))
        missing = (not has_ipv6()) * ["AF_INET6"] + bool(why_no("AF_UNIX streams")) * ["AF_UNIX"]
        families = [family for family in ("AF_INET", "AF_INET6", "AF_UNIX") if family not in missing]
        self.assertEqual(output.count("heard Hello, world"), len(families))
        self.assertEqual(output.count("recv: timed out"), len(families))
        self.assertEqual(output.count("read and another"), len(families))
        self.assertEqual(re.findall("There is no (.*?) here", output), missing)

        def echo(server):  # does the same as the demo's thread
            conn, _ = server.accept()
            while data := conn.recv(1024):
                conn.sendall(data)
        world = {"socket": socket, "threading": threading, "echo": echo, "print": lambda line: printed.append(line)}
        printed = []
        for step, line in re.findall(r"^  (.*?) +# (.*)$", output, re.M):
            with self.subTest(step=step, python=line):
                if "raises TimeoutError" in line:
                    self.assertRaises(TimeoutError, exec, line, world)
                else:
                    exec(line, world)
        self.assertEqual(printed, ["and another\n"] * len(families))
        for path in re.findall("AF_UNIX\n  echo server at '(.*?)'", output):
            pathlib.Path(path).unlink()  # the path of the Python server: the demo removes its own


def receive(connection, size):
    """Receives that many bytes, or fewer if the stream ends."""
    data = b""
    while len(data) < size and (piece := connection.recv(size - len(data))):
        data += piece
    return data


def fills(listener, stack):
    """Fills the queue of a listener, so that further connections hang. Returns False if they do not."""
    for _ in range(100):
        client = stack.enter_context(socket.socket())
        client.settimeout(0.2)
        try:
            client.connect(listener.getsockname())
        except TimeoutError:
            return True
    return False


def free_port():
    """A port without a listener."""
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


if __name__ == "__main__":
    own, options = sys.argv[1:], []
    if "--" in own:
        own, options = own[:own.index("--")], own[own.index("--") + 1:]
    SOURCES, PROGRAMS, PROBE, EMULATOR = pathlib.Path(own[0]).resolve(), pathlib.Path(own[1]).resolve(), own[2], own[3:]
    if not has_ipv6():
        print("skipped: test_echo_any: there is no IPv6 here")
    with tempfile.TemporaryDirectory() as FOLDER:
        unittest.main(argv=sys.argv[:1] + options, warnings="ignore")
