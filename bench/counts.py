# SPDX-License-Identifier: MIT
"""Counts the exact cost of one operation and of building a client, and compares it with limits. The exit status is 1 if one is exceeded.

usage: counts.py [--peers] STATIC_BUILD SHARED_BUILD LTO_BUILD

callgrind counts the instructions, memcheck the allocations, and strace the system calls, without those of child processes. Each count is
the difference of two runs of different length, so that start and end of the program are not counted.
"""
import concurrent.futures
import os
import re
import resource
import shlex
import subprocess
import sys
import tempfile
from typing import NamedTuple, Optional

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))


# ---- the limits -------------------------------------------------------------------------------------------------------------------------

class Count(NamedTuple):
    kind: str          # instructions, allocations, bytes (allocated) or calls (to the system)
    workload: str      # its name in the contenders
    build: str = 'static'  # of pysock, or another contender'
    calls: str = ''    # a regular expression: only system calls whose line in the trace matches


class Limit(NamedTuple):
    figure: str
    count: Count
    limit: float
    over: Optional[Count] = None  # the count to which the limit is added


BUILDS = ('static', 'shared', 'lto')
INSTRUCTIONS = [
    *(Limit(f'send + recv_into of 64 bytes, {build}', Count('instructions', 'sendrecv', build), limit,
            Count('instructions', 'sendrecv', 'raw'))
      for build, limit in zip(BUILDS, (12, 14, 9))),
    *(Limit(f'... in timeout mode, data ready, {build}', Count('instructions', 'sendrecv_timeout', build), 1,
            Count('instructions', 'sendrecv', build))
      for build in BUILDS),
    *(Limit(f'... with an interrupter, data ready, {build}', Count('instructions', 'sendrecv_interrupter', build), 70,
            Count('instructions', 'sendrecv', build))
      for build in BUILDS),
    Limit('sendto + recvfrom_into with text addresses', Count('instructions', 'udp_text'), 600),
    Limit('IPv4 text to inet_address', Count('instructions', 'parse_ipv4'), 240),
    Limit('inet_address to text', Count('instructions', 'print_ipv4'), 220),
    Limit('IPv6 text to inet6_address', Count('instructions', 'parse_ipv6'), 450),
    Limit('inet6_address to text', Count('instructions', 'print_ipv6'), 600),
    Limit('getaddrinfo of a numeric host, type given', Count('instructions', 'getaddrinfo'), 700),
    Limit('send + recv(65536) of 64 bytes', Count('instructions', 'recv_65536'), 720),
    Limit('would-block, thrown and caught', Count('instructions', 'would_block_thrown'), 26000),
    Limit('sendmsg of 16 buffers', Count('instructions', 'sendmsg_16'), 60, Count('instructions', 'sendmsg_16', 'raw')),
    Limit('recvmsg_into of 16 buffers', Count('instructions', 'recvmsg_16'), 150, Count('instructions', 'recvmsg_16', 'raw')),
    Limit('== of two IPv4 addresses', Count('instructions', 'equal'), 30),
    Limit('hash of an IPv4 address', Count('instructions', 'hash'), 40),
]
ALLOCATIONS = [
    Limit('bytes, recv(65536) of 64', Count('bytes', 'recv_65536'), 65700),
    Limit('send, recv_into', Count('allocations', 'sendrecv'), 0),
    Limit('sendall, recv_into', Count('allocations', 'sendall'), 0),
    Limit('sendto, recvfrom_into: IPv4, IPv6, AF_UNIX', Count('allocations', 'any_address'), 0),
    Limit('connect to a literal, accept', Count('allocations', 'connect'), 0),
    Limit('recv_into with an error_code, would-block', Count('allocations', 'would_block'), 0),
    # OpenSSL by hand makes 4: two more for the buffers that an idle connection does not keep.
    *(Limit(f'a record of TLS, {size} bytes', Count('allocations', f'tls_{size}', 'tls'), 2, Count('allocations', f'hand_tls_{size}', 'tls'))
      for size in (64, 16384)),
]
SYSTEM_CALLS = [
    *(Limit(f'send, recv_into: {mode}', Count('calls', workload), 2)
      for mode, workload in (('blocking', 'sendrecv'), ('timeout', 'sendrecv_timeout'), ('non-blocking', 'sendrecv_nonblocking'),
                             ('with an interrupter', 'sendrecv_interrupter'))),
    *(Limit(f'sendto, recvfrom_into: {mode}', Count('calls', workload), 2)
      for mode, workload in (('blocking', 'udp_endpoint'), ('timeout', 'udp_endpoint_timeout'))),
    Limit('receive in timeout mode that waits', Count('calls', 'wait', calls='^(?!sendto)'), 2.1),
    Limit('socket()', Count('calls', 'make', calls='^(?!close)'), 1),
    Limit('accept()', Count('calls', 'connect', calls='^(?!socket|connect|close)'), 1),
    Limit('dup()', Count('calls', 'dup', calls='^(?!close)'), 1),
    *(Limit(f'... {name}() without close-on-exec', Count('calls', workload, calls=f'^({call})(?!.*CLOEXEC)'), 0)
      for name, workload, call in (('socket', 'make', 'socket'), ('accept', 'connect', 'accept'), ('dup', 'dup', 'dup|fcntl'))),
    Limit('create_connection with a timeout, and close', Count('calls', 'create_connection'), 6),
    Limit('getaddrinfo of a numeric host, type given', Count('calls', 'getaddrinfo'), 0),
    # One call sends it. OpenSSL receives the header and then the rest.
    *(Limit(f'a record of TLS, {size} bytes', Count('calls', f'tls_{size}', 'tls', '^(send|recv)'), 3) for size in (64, 16384)),
]
LINES = 31000
FORBIDDEN = ('memory', 'functional', 'iostream', 'regex')
KIBIBYTES_OVER_RAW = 82  # texts of errors and addresses, exceptions, interrupters

# ---- counting ---------------------------------------------------------------------------------------------------------------------------

# Operations in the short and in the long run.
LENGTHS = {'instructions': (1000, 3000), 'allocations': (100, 300), 'bytes': (100, 300), 'calls': (50, 150)}


def run(command, **options):
    done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **options)
    if done.returncode != 0:
        sys.exit(f'{shlex.join(command)} ended with {done.returncode}:\n{done.stderr}')
    return done


def instructions(program):
    said = run(['valgrind', '--tool=callgrind', '--callgrind-out-file=/dev/null', *program]).stderr
    return int(re.search(r'Collected : (\d+)', said)[1])


def heap(program):
    said = run(['valgrind', '--tool=memcheck', '--leak-check=no', '--run-libc-freeres=no', '--run-cxx-freeres=no', *program]).stderr
    return [int(number.replace(',', '')) for number in re.search(r'total heap usage: ([\d,]+) allocs, .* ([\d,]+) bytes', said).groups()]


def calls(program, pattern):
    with tempfile.NamedTemporaryFile('r') as trace:
        run(['strace', '-qq', '-e', 'signal=none', '-o', trace.name, *program])
        return sum(bool(re.search(pattern, line)) for line in trace)


class Counter:
    """Counts each item once, several at the same time."""

    def __init__(self, builds, pool):
        self.builds, self.pool, self.counts = builds, pool, {}

    def program(self, count):
        if count.build in BUILDS:
            return os.path.join(self.builds[count.build], 'bench', 'bench_pysock')
        return os.path.join(self.builds['static'], 'bench', 'bench_' + count.build)

    def at(self, count, length):
        program = [self.program(count), count.workload, str(length)]
        if count.kind == 'instructions':
            return instructions(program)
        if count.kind == 'calls':
            return calls(program, count.calls)
        return heap(program)[count.kind == 'bytes']

    def difference(self, count):
        short, long = LENGTHS[count.kind]
        return (self.at(count, long) - self.at(count, short)) / (long - short)

    def start(self, count):
        if count not in self.counts:
            self.counts[count] = self.pool.submit(self.difference, count)

    def __getitem__(self, count):
        return self.counts[count].result()

    def row(self, limit, others):
        value, base = self[limit.count], self[limit.over] if limit.over else 0
        return (limit.figure, [number(self[one]) if one else '-' for one in others], number(value),
                f'{base:.0f} + {limit.limit}' if limit.over else limit.limit, round(value - base, 1) <= limit.limit)


def number(value):
    return f'{value:.1f}'.removesuffix('.0')


def counted(builds, contenders):
    """Rows of figure, the other contenders' values, pysock's, limit, and whether it is met."""
    groups = {'instructions': INSTRUCTIONS, 'system calls': SYSTEM_CALLS, 'allocations': ALLOCATIONS}
    with concurrent.futures.ThreadPoolExecutor(len(os.sched_getaffinity(0))) as pool:
        counter = Counter(builds, pool)
        can = {name: run([counter.program(Count('', '', name))]).stdout.split() for name in contenders}
        others = {limit: [limit.count._replace(build=name) if limit.count.workload in can[name] else None for name in contenders]
                  for limit in sum(groups.values(), [])}
        for limit in others:
            for count in (limit.count, limit.over, *others[limit]):
                if count:
                    counter.start(count)
        return {title: [counter.row(limit, others[limit]) for limit in limits] for title, limits in groups.items()}


# ---- the cost of building a client -------------------------------------------------------------------------------------------------------

COMPILER = shlex.split(os.environ.get('CXX', 'c++')) + ['-std=c++17', '-I' + os.path.join(ROOT, 'include')]


def preprocessed_lines(source):
    return run([*COMPILER, '-E', '-P', source]).stdout.count('\n')


def includes(source):
    """Every included file, with the file that includes it; both by their full names."""
    chain = [source]
    for line in run([*COMPILER, '-fsyntax-only', '-H', source]).stderr.splitlines():
        if not (found := re.match(r'(\.+) (.*)', line)):
            continue
        del chain[len(found[1]):]
        chain.append(os.path.realpath(found[2]))
        yield chain[-1], chain[-2]


def ours(path):
    return path.startswith(os.path.join(os.path.realpath(ROOT), 'include'))


def compile_seconds(sources, rounds=7):
    """The minimum processor time to compile each source. The sources take turns."""
    best = {}
    for _ in range(rounds):
        for source in sources:
            before = resource.getrusage(resource.RUSAGE_CHILDREN)
            run([*COMPILER, '-O2', '-c', '-o', os.devnull, source])
            after = resource.getrusage(resource.RUSAGE_CHILDREN)
            took = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
            best[source] = min(took, best.get(source, took))
    return [best[source] for source in sources]


def client(builds, contenders):
    """Rows like those of `counted`, for the programs in client/."""
    names = [*contenders, 'pysock']
    sources = [os.path.join(ROOT, 'bench', 'client', name + '.cpp') for name in names]
    lines = [preprocessed_lines(source) for source in sources]
    programs = [os.path.join(builds['static'], 'bench', 'client_' + name) for name in names]
    kibibytes = [round(os.path.getsize(program) / 1024) if os.path.exists(program) else '-' for program in programs]
    found = list(includes(sources[-1]))
    forbidden = sorted({os.path.basename(path) for path, _ in found} & set(FORBIDDEN))
    with tempfile.NamedTemporaryFile('w', suffix='.cpp') as headers:
        headers.writelines(f'#include "{path}"\n' for path, includer in found if ours(includer) and not ours(path))
        headers.write('int main() {}\n')
        headers.flush()
        header_lines = preprocessed_lines(headers.name)
        *seconds, header_seconds = compile_seconds([*sources, headers.name])
    none = ['-'] * len(contenders)
    return [
        ('preprocessed lines', lines[:-1], lines[-1], LINES, lines[-1] <= LINES),
        ('... of the headers that pysock includes', none, header_lines, '-', True),
        ('... of them ' + ', '.join(FORBIDDEN), none, ' '.join(forbidden) or 'none', 'none', not forbidden),
        ('compile time, processor seconds', [f'{one:.2f}' for one in seconds[:-1]], f'{seconds[-1]:.2f}', '-', True),
        ('... over that of those headers alone', none, f'{seconds[-1] / header_seconds:.2f}', '-', True),
        ('stripped static program, KiB', kibibytes[:-1], kibibytes[-1], f'{kibibytes[0]} + {KIBIBYTES_OVER_RAW}',
         kibibytes[-1] - kibibytes[0] <= KIBIBYTES_OVER_RAW),
    ]


def main():
    arguments = sys.argv[1:]
    contenders = ['raw']
    if arguments[0] == '--peers':
        contenders += ['asio', 'poco']
        del arguments[0]
    builds = dict(zip(BUILDS, arguments, strict=True))
    tables = {**counted(builds, contenders), 'one client': client(builds, contenders)}
    exceeded = 0
    for title, rows in tables.items():
        print(f'\n{title:<56}' + ''.join(f'{name:>9}' for name in (*contenders, 'pysock')) + f'{"limit":>12}')
        for figure, others, value, limit, holds in rows:
            print(f'  {figure:<54}' + ''.join(f'{cell:>9}' for cell in (*others, value)) + f'{limit:>12}' + ('' if holds else '  EXCEEDED'))
            exceeded += not holds
    print(f'\n{exceeded} limits exceeded' if exceeded else '\nall limits hold')
    return 1 if exceeded else 0


if __name__ == '__main__':
    sys.exit(main())
