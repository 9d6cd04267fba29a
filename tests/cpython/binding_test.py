# SPDX-License-Identifier: MIT
"""Tests beyond test_socket: calls that signals interrupt, and threads."""
import os
import signal
import socket
import sys
import threading
import time
import unittest


class Stop(Exception):
    pass


class SignalTest(unittest.TestCase):
    """A signal's handler runs during a blocking call, and ends the call if it raises."""

    def setUp(self):
        self.handled = 0
        self.raise_at = None
        before = signal.signal(signal.SIGALRM, self.handle)
        self.addCleanup(signal.signal, signal.SIGALRM, before)
        self.addCleanup(signal.setitimer, signal.ITIMER_REAL, 0)
        self.ends = socket.socketpair()
        for end in self.ends:
            self.addCleanup(end.close)

    def handle(self, number, frame):
        self.handled += 1
        if self.handled == self.raise_at:
            signal.setitimer(signal.ITIMER_REAL, 0)  # otherwise, on a busy machine, another signal arrives before the exception is caught
            raise Stop
        if self.handled == 3:
            self.release()

    def release(self):
        """Ends the call that the signals interrupt."""
        self.ends[1].send(b"late")

    def tick(self):
        signal.setitimer(signal.ITIMER_REAL, 0.02, 0.02)

    def assert_stops(self, function, *arguments, at=2):
        self.handled = 0
        self.raise_at = at
        self.tick()
        with self.assertRaises(Stop):
            function(*arguments)
        self.assertEqual(self.handled, at)

    def test_recv_goes_on(self):
        for timeout in (None, 60):
            with self.subTest(timeout=timeout):
                self.handled = 0
                self.ends[0].settimeout(timeout)
                self.tick()
                self.assertEqual(self.ends[0].recv(100), b"late")
                signal.setitimer(signal.ITIMER_REAL, 0)
                self.assertGreaterEqual(self.handled, 3)

    def test_recv_stops(self):
        for timeout in (None, 60):
            self.ends[0].settimeout(timeout)
            self.assert_stops(self.ends[0].recv, 100)

    def test_every_receiving_call_stops(self):
        for call in ("recv_into", "recvfrom_into"):
            self.assert_stops(getattr(self.ends[0], call), bytearray(9))
        for call in ("recvfrom", "recvmsg"):
            self.assert_stops(getattr(self.ends[0], call), 9)

    def test_sendall_stops(self):
        for timeout in (None, 60):
            self.ends[0].settimeout(timeout)
            self.assert_stops(self.ends[0].sendall, bytes(10_000_000))

    def test_accept_stops(self):
        with socket.create_server(("127.0.0.1", 0)) as listener:
            self.assert_stops(listener.accept)

    def full_listener(self):
        """A listener whose queue is full: connects to it hang."""
        listener = socket.socket(socket.AF_UNIX)
        self.addCleanup(listener.close)
        listener.bind("")  # the system chooses a name
        listener.listen(0)
        first = socket.socket(socket.AF_UNIX)
        self.addCleanup(first.close)
        first.connect(listener.getsockname())
        return listener

    @unittest.skipUnless(sys.platform == "linux", "needs abstract names")
    def test_connect_stops(self):
        listener = self.full_listener()
        for call in ("connect", "connect_ex"):
            with socket.socket(socket.AF_UNIX) as s:
                self.assert_stops(getattr(s, call), listener.getsockname(), at=1)  # an AF_UNIX connect cannot be continued

    def test_accepted_and_paired_sockets_stop(self):
        with socket.create_server(("127.0.0.1", 0)) as listener, socket.create_connection(listener.getsockname()):
            with listener.accept()[0] as accepted, accepted.dup() as copy:
                self.assert_stops(accepted.recv, 1)
                self.assert_stops(copy.recv, 1)


class ThreadTest(unittest.TestCase):
    def test_blocked_calls_let_others_run(self):
        here, there = socket.socketpair()
        with here, there:
            received = []
            thread = threading.Thread(target=lambda: received.append(here.recv(1)))
            thread.start()
            time.sleep(0.05)
            there.send(b"x")
            thread.join(30)
            self.assertEqual(received, [b"x"])

    def test_both_directions(self):
        here, there = socket.socketpair()
        data = os.urandom(3_000_000)
        with here, there:

            def echo():
                while chunk := there.recv(65536):
                    there.sendall(chunk)
                there.shutdown(socket.SHUT_WR)

            def send():
                here.sendall(data)
                here.shutdown(socket.SHUT_WR)

            threads = [threading.Thread(target=echo), threading.Thread(target=send)]
            for thread in threads:
                thread.start()
            received = b"".join(iter(lambda: here.recv(65536), b""))
            for thread in threads:
                thread.join()
        self.assertEqual(received, data)
