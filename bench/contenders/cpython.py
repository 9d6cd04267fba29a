# SPDX-License-Identifier: MIT
"""CPython's own socket module, with the workloads and the command line of the other contenders. Both ends of a ping-pong use it."""
import functools
import os
import resource
import selectors
import socket
import sys
import time

MESSAGE = bytes(64)
IPV4, IPV6 = '192.168.100.200', '2001:db8:1:20::1234:5678'


def measure(operation, count):
    begin = time.perf_counter_ns()
    for _ in range(count):
        operation()
    return time.perf_counter_ns() - begin


@functools.cache
def listening():
    return socket.create_server(('127.0.0.1', 0))


def connected(family):
    if family == socket.AF_UNIX:
        return socket.socketpair()
    client = socket.create_connection(listening().getsockname())
    return client, listening().accept()[0]


def other_process(run, ours):
    if os.fork() == 0:
        ours.close()
        run()
        os._exit(0)


def pingpong(family, timeout=None):
    def run(count):
        near, far = connected(family)

        def echo():
            while data := far.recv(64):
                far.send(data)

        other_process(echo, near)
        far.close()
        near.settimeout(timeout)

        def operation():
            near.send(MESSAGE)
            near.recv(64)

        return measure(operation, count)
    return run


def bulk(count):
    near, far = connected(socket.AF_INET)
    data = bytearray(65536)

    def receive():
        while far.recv_into(data):
            pass

    other_process(receive, near)
    far.close()
    return measure(lambda: near.sendall(data), count)


def sendrecv(size=64, family=socket.AF_UNIX, timeout=None):
    def run(count):
        out, into = connected(family)
        out.settimeout(timeout)
        into.settimeout(timeout)

        def operation():
            out.send(MESSAGE)
            into.recv(size)

        return measure(operation, count)
    return run


def allow_many_descriptors():
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def selector(takes):
    def run(count):
        allow_many_descriptors()
        loop = selectors.DefaultSelector()
        pairs = [connected(socket.AF_UNIX) for _ in range(1000)]
        for near, far in pairs:
            loop.register(near, selectors.EVENT_READ, far)
        for _, far in pairs[::100]:
            far.send(b'x')

        def operation():
            for key, _ in loop.select():
                if takes:
                    key.data.send(key.fileobj.recv(1))

        return measure(operation, count)
    return run


def idle(count):
    allow_many_descriptors()
    held = [connected(socket.AF_INET) for _ in range(1000)]
    try:
        return sendrecv(family=socket.AF_INET)(count)
    finally:
        del held


def connect(count):
    server = listening()
    address = server.getsockname()

    def operation():
        with socket.socket() as client:
            client.connect(address)
            server.accept()[0].close()

    return measure(operation, count)


def udp_text(count):
    out, into = (socket.socket(type=socket.SOCK_DGRAM) for _ in range(2))
    into.bind(('127.0.0.1', 0))
    address = into.getsockname()

    def operation():
        out.sendto(MESSAGE, address)
        into.recvfrom(64)

    return measure(operation, count)


def call(function, *arguments):
    return lambda count: measure(lambda: function(*arguments), count)


WORKLOADS = {
    'tcp_pingpong': pingpong(socket.AF_INET),
    'unix_pingpong': pingpong(socket.AF_UNIX),
    'tcp_pingpong_timeout': pingpong(socket.AF_INET, 10),
    'unix_pingpong_timeout': pingpong(socket.AF_UNIX, 10),
    'selector': selector(True),
    'selector_ready': selector(False),
    'bulk': bulk,
    'sendrecv': sendrecv(),
    'sendrecv_timeout': sendrecv(timeout=10),
    'recv_4096': sendrecv(4096),
    'recv_65536': sendrecv(65536),
    'connect': connect,
    'udp_text': udp_text,
    'parse_ipv4': call(socket.inet_pton, socket.AF_INET, IPV4),
    'parse_ipv6': call(socket.inet_pton, socket.AF_INET6, IPV6),
    'print_ipv4': call(socket.inet_ntop, socket.AF_INET, socket.inet_pton(socket.AF_INET, IPV4)),
    'print_ipv6': call(socket.inet_ntop, socket.AF_INET6, socket.inet_pton(socket.AF_INET6, IPV6)),
    'getaddrinfo': call(socket.getaddrinfo, '127.0.0.1', 80, 0, socket.SOCK_STREAM),
    'idle': idle,
}

if __name__ == '__main__':
    if len(sys.argv) != 3:
        print(*WORKLOADS, sep='\n')
    else:
        print(WORKLOADS[sys.argv[1]](int(sys.argv[2])))
