# SPDX-License-Identifier: MIT
"""Times the workloads of all contenders in one run, and writes docs/performance.json and docs/performance.svg if all of them ran.

usage: run.py [--rounds N] BUILD [WORKLOAD...]

In each round every contender and a program with plain system calls ("raw") run once on one processor, in random order. The result is the
median of the ratios to raw in the same round. The control is raw a second time: its distance from 1 is noise.
"""
import argparse
import contextlib
import json
import os
import platform
import random
import re
import shutil
import statistics
import subprocess
import sys

import chart

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
RUN_NANOSECONDS = 20e6  # the intended duration of one run
TOLERANCE = {'bulk': 0.20}  # added to the control's spread; for other workloads
USUAL_TOLERANCE = 0.05
TEXT = ('udp_text', 'parse_ipv4', 'parse_ipv6', 'print_ipv4', 'print_ipv6')  # workloads in which pysock must be faster than plain system calls
WORKLOADS = {
    'tcp_pingpong': 'TCP ping-pong, 64 B',
    'tcp_pingpong_timeout': '... with a timeout',
    'unix_pingpong': 'AF_UNIX ping-pong, 64 B',
    'unix_pingpong_timeout': '... with a timeout',
    'unix_pingpong_interrupter': '... with an interrupter',
    'interrupt': 'a receive ended from another thread',
    'selector': '10 events, 1,000 descriptors registered',
    'selector_ready': '... without what their handlers do',
    'bulk': 'bulk over TCP, 64 KiB',
    'sendrecv': 'send + receive, one thread',
    'sendrecv_timeout': '... with a timeout',
    'idle': 'TCP, beside 1,000 idle connections',
    'recv_4096': 'recv(4096) of 64 B',
    'recv_65536': 'recv(65536) of 64 B',
    'connect': 'connect + accept + close',
    'udp_endpoint': 'UDP, 64 B, binary addresses',
    'udp_text': 'UDP, 64 B, addresses as text',
    'parse_ipv4': 'IPv4 text to address',
    'parse_ipv6': 'IPv6 text to address',
    'print_ipv4': 'IPv4 address to text',
    'print_ipv6': 'IPv6 address to text',
    'getaddrinfo': 'getaddrinfo, numeric host',
}


def contenders(build):
    """Command and suffix of its workloads' names, by contender."""
    program = os.path.join(build, 'bench', 'bench_').__add__
    found = {
        'raw': ([program('raw')], ''),
        'control': ([program('raw')], ''),
        'pysock': ([program('pysock')], ''),
        'pysock, strings': ([program('pysock')], '_owning'),
        'Asio': ([program('asio')], ''),
        'Poco': ([program('poco')], ''),
        'libevent': ([program('libevent')], ''),
        'libuv': ([program('libuv')], ''),
        'CPython': ([sys.executable, os.path.join(ROOT, 'bench', 'contenders', 'cpython.py')], ''),
    }
    return {name: one for name, one in found.items() if os.path.exists(one[0][0])}


def output(*command):
    return subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, check=True, text=True).stdout


def nanoseconds(command, workload, count):
    """Per operation."""
    return float(output(*command, workload, str(count))) / count


def measure(workload, entrants, rounds):
    """Nanoseconds per operation of each round, by contender."""
    counts = {}
    for name, (command, suffix) in entrants.items():
        trial = 100
        while trial < 10000 and nanoseconds(command, workload + suffix, trial) * trial < RUN_NANOSECONDS / 20:
            trial *= 10
        counts[name] = max(1, round(RUN_NANOSECONDS / nanoseconds(command, workload + suffix, trial)))
    times = {name: [] for name in entrants}
    for _ in range(rounds):
        for name in random.sample(list(entrants), len(entrants)):
            command, suffix = entrants[name]
            times[name].append(nanoseconds(command, workload + suffix, counts[name]))
    return times


def summary(times):
    """Median nanoseconds, and median and quartiles of the ratio to raw, by contender."""
    result = {}
    for name, samples in times.items():
        ratios = [sample / raw for sample, raw in zip(samples, times['raw'])]
        low, median, high = statistics.quantiles(ratios, method='inclusive') if len(ratios) > 1 else ratios * 3
        result[name] = {'nanoseconds': round(statistics.median(samples), 1), 'ratio': round(median, 3),
                        'quartiles': [round(low, 3), round(high, 3)]}
    return result


def verdict(workload, results):
    """The project's claims that this run does not confirm. The limits are the control's quartiles plus the tolerance."""
    low, high = results['control']['quartiles']
    band = max(1 - low, high - 1) + TOLERANCE.get(workload, USUAL_TOLERANCE)
    ours = results['pysock']['ratio']
    wrong = []
    if ours > 1 + band:
        wrong.append(f'pysock is beyond {1 + band:.2f}')
    if workload in TEXT and ours >= 1:
        wrong.append('pysock is not below 1')
    for name, result in results.items():
        if name not in ('raw', 'control') and not name.startswith('pysock') and abs(result['ratio'] - 1) > band and result['ratio'] <= ours:
            wrong.append(f'{name} is ahead')
    return wrong


def cell(result):
    if result is None:
        return '-'
    low, high = result['quartiles']
    return f'{result["ratio"]:.2f} ±{(high - low) / 2:.2f}'


def packaged(name):
    """The upstream version of a Debian package."""
    if not shutil.which('dpkg-query'):
        return 'of unknown version'
    return re.sub(r'^\d+:|-[^-]*$', '', output('dpkg-query', '-W', '-f', '${Version}', name))


def machine():
    with open('/proc/cpuinfo', encoding='utf-8') as info:
        processor = re.search(r'model name\s*: (.*)', info.read())
    return {
        'processor': processor[1] if processor else platform.machine(),
        'processors': os.cpu_count(),
        'kernel': ' '.join([platform.system(), re.match(r'[\d.]+', platform.release())[0]]),
        'compiler': output(os.environ.get('CXX', 'c++'), '--version').splitlines()[0] + ', -O2',
        'libc': ' '.join(platform.libc_ver()),
        'peers': f'Asio {packaged("libasio-dev")}, Poco {packaged("libpoco-dev")}, '
                 f'libevent {packaged("libevent-dev")}, libuv {packaged("libuv1-dev")}, CPython {platform.python_version()}',
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('--rounds', type=int, default=41)
    parser.add_argument('build')
    parser.add_argument('workload', nargs='*', help='all of them by default: ' + ', '.join(WORKLOADS))
    arguments = parser.parse_args()
    if unknown := set(arguments.workload) - set(WORKLOADS):
        parser.error('no such workload: ' + ', '.join(sorted(unknown)))

    entrants = contenders(arguments.build)
    can = {name: output(*command).split() for name, (command, _) in entrants.items()}
    os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    with contextlib.suppress(PermissionError):
        os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(1))  # with priority over other programs of this machine
    print(f'ratio to raw, median of {arguments.rounds} rounds, and half the distance of its quartiles\n')
    print(f'{"workload":<24}{"raw, ns":>10}' + ''.join(f'{name:>17}' for name in entrants if name != 'raw'))
    results = {}
    for workload in arguments.workload or WORKLOADS:
        able = {name: one for name, one in entrants.items() if workload + one[1] in can[name]}
        results[workload] = result = summary(measure(workload, able, arguments.rounds))
        cells = [cell(result.get(name)) for name in entrants if name != 'raw']
        print(f'{workload:<24}{result["raw"]["nanoseconds"]:>10.0f}' + ''.join(f'{one:>17}' for one in cells),
              '; '.join(verdict(workload, result)), sep='   ', flush=True)

    if len(results) == len(WORKLOADS):
        os.makedirs(os.path.join(ROOT, 'docs'), exist_ok=True)
        facts = {'machine': machine(), 'rounds': arguments.rounds, 'workloads': results}
        with open(os.path.join(ROOT, 'docs', 'performance.json'), 'w', encoding='utf-8') as out:
            json.dump(facts, out, indent=1)
            out.write('\n')
        with open(os.path.join(ROOT, 'docs', 'performance.svg'), 'w', encoding='utf-8') as out:
            out.write(chart.draw(facts, WORKLOADS))
        print('\nwrote docs/performance.json and docs/performance.svg')


if __name__ == '__main__':
    main()
