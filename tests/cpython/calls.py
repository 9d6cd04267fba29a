# SPDX-License-Identifier: MIT
"""Makes random calls of the socket module, for differential.py, which compares two modules.

usage: calls.py MODULE_FILE|- functions|sockets SEED [ROUND]

Prints a line "ROUND CALL" before each call, and a line "= RESULT" after it. The same seed gives the
same calls. Each round has its own random numbers and sockets, and can be repeated alone. Nothing is
sent to other machines: addresses are those of the loopback, and no name server is asked.
"""
import sys

if __name__ == "__main__" and sys.argv[1] != "-":
    import load

    load.load(sys.argv[1])

import array
import ipaddress
import os
import random
import re
import signal
import socket
import struct
import tempfile
import zlib

ROUNDS = {"functions": 10, "sockets": 40}
TURNS = 150  # of a round of functions, each of several calls
STEPS = 25  # calls of a round with sockets
WAIT = 0.02  # the timeout of sockets
PATIENCE = 1  # seconds, after which a signal ends a call
BLOCKING_PATIENCE = 0.06  # likewise, of a blocking socket


class Endless(Exception):
    """A signal has ended the call."""


class Constant(int):
    """One or more constants, printed by name."""

    def __new__(cls, names):
        value = 0
        for name in names.split("|"):
            value |= getattr(socket, name)
        self = super().__new__(cls, value)
        self.names = names
        return self

    def __repr__(self):
        return self.names


def constants(names):
    return [Constant(name) for name in names.split()]


class Texts:
    """Results as text. Names that the system chose are numbered in the order of appearance."""

    def __init__(self):
        self.names = {}

    def name(self, kind, value):
        same = [key for key in self.names if key[0] == kind]
        return self.names.setdefault((kind, value), f"{kind}{len(same) + 1}")

    def of_bytes(self, value):
        data = bytes(value)
        if re.fullmatch(rb"\0[0-9a-f]{5}", data):
            return self.name("autobound", data)
        if data.startswith(b"\0test"):
            return self.name("abstract", data)
        if data.startswith(struct.pack("i", os.getpid())):  # SCM_CREDENTIALS
            return f"<process>{data[4:]!r}"
        return repr(data) if len(data) <= 40 else f"<{len(data)} bytes, {zlib.crc32(data):08x}>"

    def of_tuple(self, value):
        if len(value) == 2 and value[0] == os.getpid():  # AF_NETLINK
            return f"(<process>, {value[1]})"
        if len(value) in (2, 4) and isinstance(value[0], str) and type(value[1]) is int:
            if 1023 < value[1] < 65536:
                rest = "".join(f", {one!r}" for one in value[2:])
                return f"({value[0]!r}, {self.name('port', value[1])}{rest})"
        return f"({', '.join(map(self.of, value))})"

    def of(self, value):
        if isinstance(value, (bytes, bytearray)):
            return self.of_bytes(value)
        if isinstance(value, (tuple, list)):
            return self.of_tuple(value)
        if isinstance(value, OSError):
            return f"{type(value).__name__} {value if value.errno is None else value.errno}"
        if isinstance(value, Exception):
            return type(value).__name__
        if isinstance(value, int) and not isinstance(value, bool):
            return str(int(value))
        return repr(value)


class Calls:
    def __init__(self, kind, seed, number):
        self.random = random.Random(f"{kind} {seed} {number}")
        self.round = number
        self.texts = Texts()

    def choose(self, *options):
        return self.random.choice(options)

    def chance(self, probability):
        return self.random.random() < probability

    def attempt(self, label, function, state=lambda: "", patience=PATIENCE):
        print(f"{self.round} {label}", flush=True)
        try:
            try:
                signal.setitimer(signal.ITIMER_REAL, patience)
                result = function()
            finally:
                signal.setitimer(signal.ITIMER_REAL, 0)
        except Exception as e:
            result = e
        print(f"= {self.texts.of(result)}{state()}", flush=True)


# ---- functions without a socket ----


class Functions(Calls):
    """Random arguments for the functions of addresses, names and numbers."""

    NUMBERS = [0, 1, -1, 80, 65535, 65536, -65536, 2**31 - 1, 2**31, 2**32 - 1, 2**32, 2**63 - 1,
               2**63, 2**64, -(2**63), -(2**70), True, 1.5, "1"]
    PORTS = [0, 80, None, "80", "http", "domain", "nosuch", "0", "00080", 65535, 65536, -1, 2**40,
             b"80", "http ", " 80", "+80", "0x50", "", "8\x000", 8.0]
    FLAGS = "AI_PASSIVE AI_CANONNAME AI_NUMERICSERV AI_V4MAPPED AI_ALL AI_ADDRCONFIG"
    PARTS4 = ["0", "1", "9", "10", "99", "255", "256", "300", "01", "0x7f", "", "1000", "0377",
              "+1", "1e1", "65535", "16777216"]
    PARTS6 = ["", "0", "1", "ffff", "12345", "g", "::", "abcd", "0000", "00001", "F0"]
    TEXTS = [" 1.2.3.4", "1.2.3.4 ", "1.2.3.4 x", "1.2.3.4\n", "1.2.3.4x", "1.2.3.4/8", "1..2", "",
             "0x7f.1", "017700000001", "1.2.65535", "1.16777215", "4294967295", "4294967296", "0x",
             "0xffffffff", "08.1.1.1", "１.2.3.4", "1.2.3.4\0", "é", "\udcff", "*", "::1%lo",
             "::1%1", "fe80::1%1", "fe80::1%lo", "fe80::1%nosuch", "::ffff:01.2.3.4", "[::1]",
             "::1\0", "::%", "::ffff:0:1.2.3.4"]

    def text(self):
        """A value that may be an address."""
        kind = self.random.randrange(9)
        if kind == 0:
            return ".".join(self.choose(*self.PARTS4) for _ in range(self.choose(1, 2, 3, 4, 5)))
        if kind == 1:
            return ":".join(self.choose(*self.PARTS6) for _ in range(self.random.randrange(1, 10)))
        if kind == 2:
            begin = self.choose("::", "::ffff:", "64:ff9b::", "1:2:3:4:5:6:", "1:2:3:4:5:6:7:")
            parts = self.choose(3, 4, 4, 5)
            return begin + ".".join(str(self.random.randrange(300)) for _ in range(parts))
        if kind == 3:
            return str(ipaddress.IPv6Address(self.random.getrandbits(128)))
        if kind == 4:
            return str(ipaddress.IPv4Address(self.random.getrandbits(32)))
        if kind == 5:
            return ":".join(self.choose("0", "0", "0", "1", "ab") for _ in range(8))
        if kind == 6:
            return self.choose(*self.TEXTS)
        if kind == 7:
            characters = self.random.randrange(20)
            return "".join(self.choose(*"0123456789abcdefx.:% -") for _ in range(characters))
        good = self.choose("1.2.3.4", "::1", "fe80::1%lo", "::ffff:1.2.3.4")
        return good + self.choose("", "\0", " ", "é", ".", ":", "%", "0")

    def data(self, *sizes):
        return bytes(self.random.getrandbits(8) for _ in range(self.choose(*sizes)))

    def call(self, name, *arguments):
        given = ", ".join(map(repr, arguments))
        self.attempt(f"{name}({given})", lambda: getattr(socket, name)(*arguments))

    def run(self):
        rare = (self.getaddrinfo, self.getnameinfo, self.services, self.hosts, self.packed,
                self.control_messages, self.timeouts, self.interfaces)
        for turn in range(TURNS):
            text = self.text()
            self.call("inet_aton", text)
            self.call("inet_pton", Constant("AF_INET"), text)
            self.call("inet_pton", Constant("AF_INET6"), text)
            zeros = self.random.random()
            packed = bytes(0 if self.chance(zeros) else byte for byte in self.data(16))
            self.call("inet_ntop", Constant("AF_INET6"), packed)
            self.call("inet_ntop", Constant("AF_INET"), packed[:4])
            bits = self.random.getrandbits
            number = self.choose(*self.NUMBERS, bits(16), bits(32))
            for name in ("htons", "ntohs", "htonl", "ntohl"):
                self.call(name, number)
            rare[turn % len(rare)](text)

    def flags(self, always, names, probability):
        return Constant("|".join([always, *(n for n in names.split() if self.chance(probability))]))

    def getaddrinfo(self, text):
        host = self.choose(text, text, None, "", "127.0.0.1", "::1", b"127.0.0.1",
                           bytearray(b"::1"))
        port = self.choose(*self.PORTS)
        family = self.choose(0, 0, *constants("AF_INET AF_INET6 AF_UNIX"), 77)
        kind = self.choose(0, 0, 1, 2, 3, 5, 9)
        protocol = self.choose(0, 0, 0, 6, 17, 1, 132, 136, 255, -1)
        flags = self.flags("AI_NUMERICHOST", self.FLAGS, 0.2)
        self.call("getaddrinfo", host, port, family, kind, protocol, flags)

    def getnameinfo(self, text):
        host = self.choose(text, "127.0.0.1", "::1", "fe80::1", "fe80::1%lo", "::ffff:127.0.0.1")
        port = self.choose(0, 22, 80, 514, 65535, 65536, -1, 99999, 2**40)
        flow = self.choose(0, 1, 0xFFFFF, 0x100000, 2**32, -1)
        scope = self.choose(0, 1, 2, 5, 99, -1, 2**32)
        address = self.choose((host,), (host, port), [host, port], (host, port, flow),
                              (host, port, flow, scope), (host, port, 0, 0, 0))
        flags = self.flags("NI_NUMERICHOST", "NI_NUMERICSERV NI_DGRAM NI_NAMEREQD NI_NOFQDN", 0.3)
        self.call("getnameinfo", address, flags)

    def services(self, text):
        protocol = self.choose(("tcp",), ("udp",), ("x",), ("",), (), (), (b"tcp",), ("tcp\0",))
        name = self.choose("http", "domain", "HTTP", "www", "80", "http\0", b"http", text)
        port = self.choose(80, 53, 514, 22, 1, 0, 65535, 65536, -1, 2**40, "80")
        self.call("getservbyname", name, *protocol)
        self.call("getservbyport", port, *protocol)
        self.call("getprotobyname",
                  self.choose("icmp", "tcp", "TCP", "ICMP", "ip", "17", "", "tcp\0", b"tcp", text))

    def hosts(self, text):
        """Only hosts that do not need a name server."""
        host = self.choose("127.0.0.1", "127.1", "1.2.3.4", "0", "<broadcast>", b"127.0.0.1", "::1",
                           bytearray(b"127.1"), "127.0.0.1\0", b"a\0", None, 5, "a" * 64 + "é")
        self.call("gethostbyname", self.choose(host, host, ""))
        self.call("gethostbyname_ex", host)
        self.call("gethostbyaddr",
                  self.choose("127.0.0.1", "127.1", "", "127.0.0.1\0", b"127.0.0.1", None, 5))

    def packed(self, text):
        data = self.data(0, 1, 3, 4, 5, 15, 16, 17)
        data = self.choose(data, bytearray(data), text)
        self.call("inet_ntoa", data)
        family = self.choose(*constants("AF_INET AF_INET6 AF_UNIX"), 0, 77, -1, 2**40)
        self.call("inet_ntop", family, data)
        self.call("inet_pton", family, self.choose(text, b"::1", None))
        self.call("inet_aton", self.choose(b"1.2.3.4", None, 5))

    def control_messages(self, text):
        for name in ("CMSG_LEN", "CMSG_SPACE"):
            self.call(name, self.choose(0, 1, 4, 5, 8, 2**31 - 40, 2**31 - 20, 2**31 - 16,
                                        2**31 - 1, 2**31, 2**63 - 1, 2**63, -1, 1.0))

    def timeouts(self, text):
        timeout = self.choose(None, 0, 0.0, 1, 0.5, 1e-10, -1e-10, -1, 1e9, 9e9, 1e10, 1e300, "1",
                              float("inf"), float("nan"), 2**62, 2**63, -(2**70), True)
        self.call("setdefaulttimeout", timeout)
        self.call("getdefaulttimeout")
        self.call("setdefaulttimeout", None)

    def interfaces(self, text):
        self.call("if_nametoindex", self.choose("lo", b"lo", "", "nosuch", "lo\0", "x" * 15,
                                                "x" * 16, "x" * 40, text, 1, None))
        self.call("if_indextoname", self.choose(1, *self.NUMBERS))
        self.call("if_nameindex")


# ---- sockets ----


class Sockets(Calls):
    """A few sockets, mostly connected to each other, and random methods of them."""

    ABSTRACT = b"\0test%08d" % os.getpid()
    FLAGS = """MSG_PEEK MSG_DONTWAIT MSG_OOB MSG_WAITALL MSG_ERRQUEUE MSG_NOSIGNAL MSG_CTRUNC
        MSG_EOR MSG_TRUNC MSG_CMSG_CLOEXEC MSG_CONFIRM"""
    OPTIONS = """SO_REUSEADDR SO_TYPE SO_ERROR SO_DONTROUTE SO_SNDBUF SO_RCVBUF SO_KEEPALIVE
        SO_OOBINLINE SO_LINGER SO_REUSEPORT SO_PASSCRED SO_PEERCRED SO_RCVLOWAT SO_SNDLOWAT
        SO_RCVTIMEO SO_SNDTIMEO SO_ACCEPTCONN SO_PROTOCOL SO_DOMAIN SO_PRIORITY SO_MARK
        SO_PEERSEC"""
    OTHER_OPTIONS = """SOL_IP.IP_TOS SOL_IP.IP_TTL SOL_IP.IP_RECVTOS SOL_IP.IP_OPTIONS
        SOL_IP.IP_TRANSPARENT SOL_TCP.TCP_NODELAY SOL_TCP.TCP_MAXSEG SOL_TCP.TCP_KEEPIDLE
        SOL_TCP.TCP_KEEPCNT SOL_TCP.TCP_DEFER_ACCEPT SOL_TCP.TCP_CONGESTION SOL_TCP.TCP_USER_TIMEOUT
        IPPROTO_IPV6.IPV6_V6ONLY IPPROTO_IPV6.IPV6_UNICAST_HOPS IPPROTO_IPV6.IPV6_RECVPKTINFO
        IPPROTO_IPV6.IPV6_TCLASS"""
    VALUES = [0, 1, 1, 10, -1, 5000, 2**31 - 1, 2**31, -(2**31) - 1, 2**70, b"", b"\1", b"\1\0\0\0",
              struct.pack("ii", 1, 0), struct.pack("ll", 0, 20000), bytearray(8),
              memoryview(bytes(4)), array.array("i", [1]), None, 1.5, "1", True]
    ADDRESSES = [("127.0.0.1", 9), ("::1", 9), ("::1", 9, 0, 0), ("127.0.0.1", 0), ("0.0.0.0", 0),
                 ("127.1", 9), ("", 0), ("", 9), ("<broadcast>", 9), ("::ffff:127.0.0.1", 9),
                 ("fe80::1%lo", 9), ("fe80::1", 9, 0, 1), ("fe80::1%lo", 9, 0, 0),
                 ("１２７.0.0.1", 9), (b"127.0.0.1", 9), (bytearray(b"127.0.0.1"), 9),
                 ("127.0.0.1\0", 9), (None, 9), (5, 9), ["127.0.0.1", 9], ("127.0.0.1",),
                 ("127.0.0.1", 70000), ("127.0.0.1", -1), ("127.0.0.1", 2**40), ("127.0.0.1", "80"),
                 ("127.0.0.1", 80.0), ("127.0.0.1", True), ("::1", 9, 0x100000, 0),
                 ("::1", 9, -1, 0), ("::1", 9, 5, 1), ("::1", 9, 0, -1), ("::1", 9, 0, 0, 0),
                 None, 5, "", b"", "a\0b",
                 "nosuch/x", bytearray(b"nosuch/y"), memoryview(b"nosuch/z"), "x" * 200, "x" * 108,
                 "y" * 107, ABSTRACT, ABSTRACT.ljust(108, b"z"), ABSTRACT.ljust(109, b"z")]
    WRONG = [None, -1, 2**31, 2**70, 1.5, "text", b"bytes", [], object]

    def __init__(self, kind, seed, number):
        super().__init__(kind, seed, number)
        self.sockets = []
        self.paths = 0
        self.content = bytes(self.random.getrandbits(8) for _ in range(2000)) * 4500

    # -- making them --

    def path(self):
        self.paths += 1
        return f"{self.round}.{self.paths}"

    def abstract(self):
        return self.ABSTRACT + self.path().encode()

    def stream(self, family, host):
        with socket.create_server((host, 0), family=family) as listener:
            client = socket.create_connection(listener.getsockname()[:2], 5)
            accepted = listener.accept()[0]
            for one in (client, accepted):
                one.setsockopt(socket.SOL_TCP, socket.TCP_NODELAY, 1)  # or the clock decides
            return [accepted, client, listener.dup()]

    def datagrams(self, family, host):
        here, there = (socket.socket(family, socket.SOCK_DGRAM) for _ in range(2))
        here.bind((host, 0))
        there.bind((host, 0))
        there.connect(here.getsockname())
        return [here, there]

    def unix_datagrams(self):
        here, there = (socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) for _ in range(2))
        here.bind(self.path())
        there.bind(self.abstract())
        return [here, there]

    def full_listener(self):
        """A listener whose queue is full, and the sockets that connect to it."""
        kind = self.choose(socket.SOCK_STREAM, socket.SOCK_SEQPACKET)
        listener = socket.socket(socket.AF_UNIX, kind)
        listener.bind(self.path())
        listener.listen(self.choose(0, 1))
        clients = [socket.socket(socket.AF_UNIX, kind) for _ in range(4)]
        for one in clients[:3]:
            one.setblocking(False)
            one.connect_ex(listener.getsockname())
        return [listener, *clients]

    def unconnected(self):
        families = (socket.AF_INET, socket.AF_INET6, socket.AF_UNIX)
        kinds = (socket.SOCK_STREAM, socket.SOCK_DGRAM)
        return [socket.socket(self.choose(*families), self.choose(*kinds)) for _ in range(2)]

    def netlink(self):
        programs = 2  # NETLINK_USERSOCK, which reaches no part of the kernel
        return [socket.socket(socket.AF_NETLINK, socket.SOCK_DGRAM, programs), socket.socket()]

    def open(self):
        unix = socket.AF_UNIX
        return self.choose(lambda: list(socket.socketpair(unix, socket.SOCK_STREAM)),
                           lambda: list(socket.socketpair(unix, socket.SOCK_DGRAM)),
                           lambda: list(socket.socketpair(unix, socket.SOCK_SEQPACKET)),
                           lambda: self.stream(socket.AF_INET, "127.0.0.1"),
                           lambda: self.stream(socket.AF_INET6, "::1"),
                           lambda: self.datagrams(socket.AF_INET, "127.0.0.1"),
                           lambda: self.datagrams(socket.AF_INET6, "::1"),
                           self.unix_datagrams, self.full_listener, self.unconnected,
                           self.netlink)()

    # -- calling them --

    def state(self, s):
        """The state that a call may have changed."""
        if s.fileno() < 0:
            return " [closed]"
        mode = "blocking" if os.get_blocking(s.fileno()) else "O_NONBLOCK"
        return f" [{s.gettimeout()}, {mode}]"

    def call(self, s, name, *arguments, function=None, result=lambda value: value):
        """Calls a method, or `function` instead of it; `result` makes what is printed."""
        function = function or getattr(s, name)
        if arguments and self.chance(0.02):
            arguments = list(arguments)
            arguments[self.random.randrange(len(arguments))] = self.choose(*self.WRONG)
        given = ", ".join(map(self.label, arguments))
        patience = BLOCKING_PATIENCE if s.gettimeout() is None else PATIENCE
        self.attempt(f"{self.sockets.index(s)}.{name}({given})",
                     lambda: result(function(*arguments)), lambda: self.state(s), patience)

    def label(self, value):
        if isinstance(value, (bytearray, array.array, memoryview)):
            return f"{type(value).__name__}({self.texts.of_bytes(value)})"
        if isinstance(value, type):
            return value.__name__
        if isinstance(value, list):
            all_of_it = f"[{', '.join(map(self.label, value))}]"
            return all_of_it if len(value) < 20 else f"<list of {len(value)}>"
        return repr(value) if isinstance(value, Constant) else self.texts.of(value)

    def flags(self):
        if self.chance(0.5):
            return ()
        if self.chance(0.05):
            return (self.choose(1 << 20, -1, *self.WRONG),)
        names = self.random.sample(self.FLAGS.split(), self.choose(1, 1, 1, 1, 2))
        return (Constant("|".join(names)),)

    def data(self):
        return self.content[: self.choose(0, 1, 5, 10, 200, 1000, 20000)]

    def size(self):
        return self.choose(0, 1, 10, 10, 1000, 1000, 5000, 70000, -1)

    def address(self):
        own = self.address_of(self.choose(self.sockets[0], *self.sockets))
        return self.choose(own, self.choose(*self.ADDRESSES))

    def address_of(self, s):
        try:
            return s.getsockname()
        except OSError:
            return None

    def send(self, s):
        self.call(s, "send", self.data(), *self.flags())

    def sendall(self, s):
        self.call(s, "sendall", self.choose(self.data(), self.content), *self.flags())

    def sendto(self, s):
        self.call(s, "sendto", self.data(), *self.flags(), self.address())

    def recv(self, s):
        self.call(s, "recv", self.size(), *self.flags())

    def recvfrom(self, s):
        self.call(s, "recvfrom", self.size(), *self.flags())

    def recv_into(self, s, name="recv_into"):
        buffer = bytearray(self.choose(0, 1, 50, 5000))
        if self.chance(0.2):
            buffer = self.choose(bytes(4), memoryview(buffer)[::2], array.array("i", [0, 0]))
        arguments = ()
        if self.chance(0.7):
            arguments = (self.choose(0, 1, 20, 50, 51, 6000, -1), *self.flags())
        self.call(s, name, buffer, *arguments, result=lambda value: (value, bytes(buffer)))

    def recvfrom_into(self, s):
        self.recv_into(s, "recvfrom_into")

    def ancillary(self):
        level, rights, credentials = socket.SOL_SOCKET, socket.SCM_RIGHTS, socket.SCM_CREDENTIALS
        numbers = array.array("i", self.choose([0], [0], [0, 1], [999], []))
        number = struct.pack("i", 64)
        own = struct.pack("iii", os.getpid(), os.getuid(), os.getgid())
        return self.choose([], [], [(level, rights, numbers)], [(level, rights, numbers)],
                           [(level, rights, numbers), (level, rights, array.array("i", [1]))],
                           [(level, rights, b"\0\0\0\0\0")], [(level, rights, "x")],
                           [(level, rights)], [(level, credentials, own)],
                           [(level, credentials, b"x")], [(level, 99, b"xx")],
                           [(socket.SOL_IP, socket.IP_TTL, number)],
                           [(socket.SOL_IP, socket.IP_TOS, b"\4")],
                           [(socket.IPPROTO_IPV6, socket.IPV6_HOPLIMIT, number)],
                           [(7, 7, b"")], [5], 5, None)

    def sendmsg(self, s):
        pieces = [self.content[: self.random.randrange(8)] for _ in range(self.choose(0, 1, 2, 4))]
        arguments = [self.choose(pieces, pieces, (self.data(),), [b"x"] * 1025, [5], 5, None)]
        if self.chance(0.6):
            arguments.append(self.ancillary())
            if self.chance(0.6):
                arguments += self.flags() or (0,)
                if self.chance(0.4):
                    arguments.append(self.address())
        self.call(s, "sendmsg", *arguments)

    def message(self, result):
        """The printed text of a message. Closes its descriptors."""
        data, ancillary, flags, address = result
        shown = []
        for level, kind, value in ancillary:
            if (level, kind) == (socket.SOL_SOCKET, socket.SCM_RIGHTS):
                descriptors = array.array("i", value[: len(value) // 4 * 4])
                value = [len(value), *(os.get_inheritable(one) for one in descriptors)]
                for one in descriptors:
                    os.close(one)
            shown.append((level, kind, value))
        return data, shown, flags, address

    def recvmsg(self, s):
        arguments = ()
        if self.chance(0.8):
            arguments = (self.choose(0, 1, 16, 20, 24, 32, 200, -1), *self.flags())
        self.call(s, "recvmsg", self.size(), *arguments, result=self.message)

    def pass_descriptors(self, s):
        numbers = array.array("i", self.choose([0], [0, 1], [0, 1, 2]))
        self.call(s, "sendmsg", [b"descriptors"], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, numbers)])
        size = self.choose(16, 20, 24, 28, 200)
        self.call(self.choose(*self.sockets), "recvmsg", 20, size, *self.flags(),
                  result=self.message)

    def recvmsg_into(self, s):
        buffers = [bytearray(self.random.randrange(20)) for _ in range(self.choose(0, 1, 2, 3))]
        given = self.choose(buffers, buffers, tuple(buffers), [b"x"], 5)
        arguments = (self.choose(0, 24, 200, -1), *self.flags()) if self.chance(0.8) else ()
        self.call(s, "recvmsg_into", given, *arguments,
                  result=lambda value: (self.message(value), [bytes(one) for one in buffers]))

    def sendfile(self, s):
        def sent(*arguments):
            with open("file", "rb") as file:
                return s.sendfile(file, *arguments)

        offset, count = self.choose(0, 5, 10**6), self.choose(None, 1, 10, 0, -1)
        self.call(s, "sendfile", offset, count, function=sent)

    def option(self):
        if self.chance(0.6):
            return Constant("SOL_SOCKET"), Constant(self.choose(*self.OPTIONS.split()))
        if self.chance(0.1):
            return self.choose((Constant("SOL_SOCKET"), 9999), (999, 1), (-1, -1), (2**31, 1))
        return constants(self.choose(*self.OTHER_OPTIONS.split()).replace(".", " "))

    def getsockopt(self, s):
        level, name = self.option()
        length = self.choose((), (), (0,), (1,), (4,), (5,), (8,), (16,), (1024,), (1025,), (-1,))
        # The peer's number, user and group are this process's, and the number differs.
        process = (level, name) == (socket.SOL_SOCKET, socket.SO_PEERCRED)
        self.call(s, "getsockopt", level, name, *length,
                  result=lambda value: type(value) if process else value)

    def setsockopt(self, s):
        value = self.choose(*self.VALUES)
        length = ()
        if value is None or self.chance(0.1):
            length = (self.choose(0, 1, 4, 8, -1, 2**32, "x"),)
        self.call(s, "setsockopt", *self.option(), value, *length)

    def connect(self, s):
        self.call(s, self.choose("connect", "connect_ex"), self.address())

    def bind(self, s):
        address = self.choose(self.address(), self.path(), self.abstract())
        if isinstance(address, tuple) and address[1:2] == (9,):  # where no server may listen
            address = (address[0], 0, *address[2:])
        self.call(s, "bind", address)

    def listen(self, s):
        self.call(s, "listen", *self.choose((), (0,), (1,), (-1,), (5,), (2**31 - 1,), (2**31,)))

    def accept(self, s):
        accepted = []

        def facts(result):
            accepted.append(result[0])
            return self.facts(result[0]), result[1]

        self.call(s, "accept", result=facts)
        for one in accepted:
            one.settimeout(WAIT)
        self.sockets += accepted

    def facts(self, s):
        return (int(s.family), int(s.type), s.proto, s.gettimeout(), s.getblocking(),
                s.get_inheritable(), os.get_blocking(s.fileno()))

    def shutdown(self, s):
        self.call(s, "shutdown", self.choose(*constants("SHUT_RD SHUT_WR SHUT_RDWR"), 3, -1))

    def names(self, s):
        self.call(s, "getsockname")
        self.call(s, "getpeername")

    def settimeout(self, s):
        self.call(s, "settimeout", self.choose(0, 0.0, WAIT, WAIT, None))
        self.shorten(s)

    def setblocking(self, s):
        self.call(s, "setblocking", self.choose(False, 0, False, True, 1, "x", 2**70))
        self.shorten(s)

    def shorten(self, s):
        """Few sockets remain blocking, and none keeps a long timeout."""
        long = s.gettimeout() not in (0, WAIT, None if self.chance(0.3) else 0)
        if long and s.fileno() >= 0:
            s.settimeout(WAIT)

    def wrong_timeout(self, s):
        self.call(s, "settimeout", self.choose(-1, -1e-10, float("nan"), float("inf"), 1e300, 2**62,
                                               2**70, "x", b"x", []))
        self.shorten(s)

    def inheritable(self, s):
        self.call(s, "set_inheritable", self.choose(True, False))
        self.call(s, "get_inheritable")

    def close(self, s):
        if self.chance(0.3):
            self.call(s, "close")

    def dup(self, s):
        def copied():
            with s.dup() as copy:
                return self.facts(copy)

        self.call(s, "dup", function=copied)

    def from_descriptor(self, s):
        descriptor = self.choose("dup", "dup", "dup", -1, -2, 2**31, 2**70, 999, 1.5, "x")
        given = {"family": self.choose(None, -1, socket.AF_INET, socket.AF_UNIX, 77),
                 "type": self.choose(None, -1, socket.SOCK_STREAM, socket.SOCK_DGRAM),
                 "proto": self.choose(None, -1, 0, 6)}
        given = {name: value for name, value in given.items() if value is not None}

        def wrapped():
            fileno = os.dup(s.fileno()) if descriptor == "dup" else descriptor
            try:
                one = socket.socket(fileno=fileno, **given)
            except BaseException:
                if descriptor == "dup":
                    os.close(fileno)
                raise
            with one:
                return self.facts(one)

        shown = ", ".join(f"{name}={int(value)}" for name, value in given.items())
        self.call(s, f"fileno={descriptor} {shown}", function=wrapped)

    def new(self, s):
        default = self.choose(None, None, 0, 1.5)
        kinds = """SOCK_STREAM SOCK_DGRAM SOCK_SEQPACKET SOCK_DGRAM|SOCK_NONBLOCK
            SOCK_STREAM|SOCK_CLOEXEC"""

        def made(*arguments):
            socket.setdefaulttimeout(default)
            try:
                with socket.socket(*arguments) as one:
                    return self.facts(one)
            finally:
                socket.setdefaulttimeout(None)

        self.call(s, f"default={default} socket",
                  self.choose(*constants("AF_INET AF_INET6 AF_UNIX"), 0, -1, 77, 2**31),
                  self.choose(*constants(kinds), 0, 99, -1),
                  self.choose(0, 0, 0, 1, 6, 17, -1, 255, 9999), function=made)

    def pair(self, s):
        def made(*arguments):
            here, there = socket.socketpair(*arguments)
            with here, there:
                return self.facts(here), self.facts(there)

        kinds = "SOCK_STREAM SOCK_DGRAM SOCK_SEQPACKET SOCK_STREAM|SOCK_NONBLOCK"
        self.call(s, "socketpair", self.choose(*constants("AF_UNIX AF_UNIX AF_INET"), 77, None),
                  self.choose(*constants(kinds), 99), self.choose(0, 0, 0, 1, 6), function=made)

    OFTEN = [send, recv, recv_into, recvfrom, recvfrom_into, sendto, sendmsg, recvmsg, recvmsg_into,
             setsockopt, connect, accept]
    METHODS = 3 * OFTEN + 2 * [sendall, getsockopt, bind, settimeout, pass_descriptors]
    METHODS += [shutdown, listen, names, setblocking, wrong_timeout, close, dup, from_descriptor,
                new, pair, sendfile, inheritable]

    def run(self):
        before = set(os.listdir("/proc/self/fd"))
        self.sockets = self.open()
        for s in self.sockets:
            s.settimeout(self.choose(0, WAIT, WAIT, WAIT, None))
        print(f"{self.round} open\n= {self.texts.of([self.facts(s) for s in self.sockets])}")
        for _ in range(STEPS):
            self.choose(*self.METHODS)(self, self.choose(*self.sockets))
        for s in self.sockets:
            s.close()
        left = set(os.listdir("/proc/self/fd")) - before
        print(f"{self.round} descriptors left\n= {len(left)}", flush=True)


def end_call(number, frame):
    raise Endless


def main(kind, seed, only=None):
    signal.signal(signal.SIGALRM, end_call)
    calls = {"functions": Functions, "sockets": Sockets}[kind]
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        with open("file", "wb") as file:
            file.write(bytes(range(256)) * 40)
        for number in range(ROUNDS[kind]) if only is None else [int(only)]:
            calls(kind, seed, number).run()
        os.chdir("/")


if __name__ == "__main__":
    main(*sys.argv[2:])
