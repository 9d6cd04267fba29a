# SPDX-License-Identifier: MIT
"""What test_socket leaves out and the binding has to get right: signals, threads, errors, descriptors, other families."""
import _socket
import array
import errno
import gc
import os
import signal
import socket
import sys
import threading
import time
import unittest
import warnings


class Stop(Exception):
    pass


class SignalTest(unittest.TestCase):
    """A signal's handler runs in the middle of a blocking call, and ends it if it raises."""

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
            raise Stop
        if self.handled == 3:
            self.release()

    def release(self):
        """Lets the call that goes on come to its end."""
        self.ends[1].send(b"late")

    def tick(self):
        signal.setitimer(signal.ITIMER_REAL, 0.02, 0.02)

    def assert_stops(self, function, *arguments, at=2):
        self.handled = 0
        self.raise_at = at
        self.tick()
        with self.assertRaises(Stop):
            function(*arguments)
        signal.setitimer(signal.ITIMER_REAL, 0)
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
        """A listener whose queue is full: connecting to it takes for ever."""
        listener = socket.socket(socket.AF_UNIX)
        self.addCleanup(listener.close)
        listener.bind("")  # a name of the system's choice
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
                self.assert_stops(getattr(s, call), listener.getsockname(), at=1)  # an AF_UNIX connect does not go on

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


class Emptying:
    """An item that empties the lists it is in when it is converted."""

    def __init__(self, *lists):
        self.lists = lists

    def empty(self):
        for one in self.lists:
            one.clear()

    def __index__(self):
        self.empty()
        return socket.SOL_SOCKET

    def __buffer__(self, flags):
        self.empty()
        return memoryview(bytearray(3))


@unittest.skipUnless("pysock" in _socket.__doc__, "CPython's own module reads beyond the list")
class ChangingListTest(unittest.TestCase):
    """Converting an item may run Python code, and this may change the list that has the item."""

    def setUp(self):
        self.here, self.there = socket.socketpair()
        self.addCleanup(self.here.close)
        self.addCleanup(self.there.close)

    def test_ancillary_data(self):
        items = []
        for _ in range(50):
            item = []
            item += [Emptying(items, item), socket.SCM_RIGHTS, array.array("i", [0])]
            items.append(item)
        self.assertEqual(self.here.sendmsg([b"x"], items), 1)
        data, ancillary, _, _ = self.there.recvmsg(1, 10_000)
        received = array.array("i", ancillary[0][2])
        for descriptor in received:
            os.close(descriptor)
        self.assertEqual((data, len(received)), (b"x", 50))

    @unittest.skipIf(sys.version_info < (3, 12), "a class has no __buffer__ before 3.12")
    def test_buffers(self):
        def buffers():
            items = []
            items += [Emptying(items) for _ in range(50)]
            return items

        self.assertEqual(self.here.sendmsg(buffers()), 150)
        self.assertEqual(self.there.recvmsg_into(buffers())[0], 150)


class ErrorTest(unittest.TestCase):
    def assert_raises(self, type, arguments, function, *given):
        with self.assertRaises(OSError) as caught:
            function(*given)
        self.assertIs(caught.exception.__class__, type)
        self.assertEqual(caught.exception.args, arguments)

    def test_classes_and_arguments(self):
        with socket.socket() as s:
            with socket.create_server(("127.0.0.1", 0)) as gone:
                address = gone.getsockname()
            refused = (errno.ECONNREFUSED, os.strerror(errno.ECONNREFUSED))
            self.assert_raises(ConnectionRefusedError, refused, s.connect, address)
        self.assert_raises(OSError, (errno.EBADF, os.strerror(errno.EBADF)), s.recv, 1)
        here, there = socket.socketpair()
        with here:
            here.settimeout(0.01)
            self.assert_raises(TimeoutError, ("timed out",), here.recv, 1)
            here.setblocking(False)
            self.assert_raises(BlockingIOError, (errno.EAGAIN, os.strerror(errno.EAGAIN)), here.recv, 1)
            there.close()
            self.assert_raises(BrokenPipeError, (errno.EPIPE, os.strerror(errno.EPIPE)), here.send, b"x")
        self.assert_raises(OSError, ("AF_UNIX path too long",), socket.socket(socket.AF_UNIX).bind, "x" * 109)

    def test_resolver(self):
        with self.assertRaises(socket.gaierror) as caught:
            socket.getaddrinfo("127.0.0.1", None, socket.AF_INET6)
        self.assertEqual(caught.exception.errno, socket.EAI_ADDRFAMILY)
        self.assertFalse(isinstance(caught.exception, socket.herror))

    def test_unclosed(self):
        for make in (socket.socket, _socket.socket):
            with self.assertWarns(ResourceWarning):
                s = make()
                descriptor = s.fileno()
                del s
                gc.collect()
            with self.assertRaises(OSError):
                os.fstat(descriptor)

    def test_unclosed_as_an_error(self):
        unraisable = []
        before, sys.unraisablehook = sys.unraisablehook, unraisable.append
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("error")
                _socket.socket()
                gc.collect()
            self.assertEqual([one.exc_type for one in unraisable], [ResourceWarning])
        finally:
            sys.unraisablehook = before

    def test_never_initialized(self):
        s = _socket.socket.__new__(_socket.socket)
        self.assertEqual((s.fileno(), s.family, s.type, s.proto), (-1, 0, 0, 0))
        with self.assertRaises(OSError):
            s.recv(1)

    def test_initialized_twice(self):
        s = _socket.socket()
        first = s.fileno()
        s.__init__(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.assertEqual((s.family, s.type), (socket.AF_UNIX, socket.SOCK_DGRAM))
        s.close()
        try:
            os.close(first)  # CPython's own leaves it open
        except OSError:
            pass

    def test_references(self):
        with socket.socket() as s:
            address = ("127.0.0.1", 0)
            data = bytearray(100)
            before = [sys.getrefcount(one) for one in (None, s, address, data)]
            for _ in range(1000):
                s.settimeout(None)
                for bad in (lambda: s.connect(("127.0.0.1", -1)), lambda: s.recv(-1), lambda: s.sendto(data, 0, None), lambda: s.send(data)):
                    self.assertRaises((OSError, OverflowError, ValueError, TypeError), bad)
            after = [sys.getrefcount(one) for one in (None, s, address, data)]
        for x, y in zip(before[1:], after[1:]):
            self.assertEqual(x, y)
        self.assertLess(abs(after[0] - before[0]), 100)

    def test_buffers_are_released(self):
        data = bytearray(10)
        here, there = socket.socketpair()
        with here, there:
            there.send(b"12345")
            here.recv_into(data)
            there.sendmsg([data, data], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [0]))])
            ancillary = here.recvmsg_into([data], 100)[1]
            os.close(array.array("i", ancillary[0][2])[0])
        data.extend(b"x")  # not while somebody holds it

    def test_audit(self):
        seen = []
        sys.addaudithook(lambda event, arguments: event.startswith("socket.") and seen.append((event, arguments[1:])))
        with socket.socket() as s:
            s.bind(("127.0.0.1", 0))
            self.assertRaises(OSError, s.connect, ("127.0.0.1", 1))
            self.assertRaises(OSError, s.sendto, b"", ("127.0.0.1", 1))
            socket.getaddrinfo("127.0.0.1", 80)
        events = [event for event, _ in seen]
        self.assertEqual(events, ["socket.__new__", "socket.bind", "socket.connect", "socket.sendto", "socket.getaddrinfo"])
        self.assertEqual(seen[1][1], (("127.0.0.1", 0),))


@unittest.skipUnless(sys.platform == "linux", "families of Linux's")
class FamilyTest(unittest.TestCase):
    def open(self, *arguments):
        try:
            s = socket.socket(*arguments)
        except OSError as e:
            self.skipTest(str(e))
        self.addCleanup(s.close)
        return s

    def test_netlink(self):
        s = self.open(socket.AF_NETLINK, socket.SOCK_RAW, socket.NETLINK_ROUTE)
        s.bind((0, 0))
        self.assertEqual(s.getsockname()[1], 0)
        self.assertGreater(s.getsockname()[0], 0)
        header = (20).to_bytes(4, sys.byteorder) + (18).to_bytes(2, sys.byteorder) + (0x301).to_bytes(2, sys.byteorder)
        s.sendto(header + bytes(12), (0, 0))  # RTM_GETLINK
        data, address = s.recvfrom(65536)
        self.assertGreater(len(data), 20)
        self.assertEqual(address, (0, 0))

    def test_packet(self):
        s = self.open(socket.AF_PACKET, socket.SOCK_RAW)
        s.bind(("lo", 0x0800))
        self.assertEqual(s.getsockname(), ("lo", 0x0800, 0, 772, bytes(6)))
        self.assertRaises(OSError, s.bind, ("nosuch", 0))
        self.assertRaises(ValueError, s.bind, ("lo", 0, 0, 0, bytes(9)))

    def test_vsock(self):
        s = self.open(socket.AF_VSOCK, socket.SOCK_STREAM)
        s.bind((socket.VMADDR_CID_ANY, socket.VMADDR_PORT_ANY))
        self.assertEqual(s.getsockname()[0], socket.VMADDR_CID_ANY)

    def test_unknown(self):
        s = socket.socket()
        unknown = _socket.socket(77, socket.SOCK_STREAM, 0, s.detach())
        self.addCleanup(unknown.close)
        self.assertRaisesRegex(OSError, "bad family", unknown.bind, ("127.0.0.1", 0))


if __name__ == "__main__":
    unittest.main()
