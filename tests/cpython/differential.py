# SPDX-License-Identifier: MIT
"""Compares the results of random calls with CPython's own module and with the one on pysock.

calls.py makes the calls. A result that differs is an error, unless DIFFERENCES lists it. A result
that does not differ when the round is repeated depends on timing, and is no error.
"""
import collections
import concurrent.futures
import dataclasses
import pathlib
import re
import select
import subprocess

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
KINDS = ("functions", "sockets")
LIMIT = 15  # seconds without output, after which a process is ended
REPEATS = 3  # of a round in which something differs
SHOWN = 20  # findings that are printed
WORKERS = 6  # pairs of processes at once; they mostly wait


@dataclasses.dataclass(frozen=True)
class Difference:
    """An intended difference. Patterns match the call and its results."""

    reason: str  # the beginning of a sentence in docs/python.md, "Intended differences"
    call: str
    own: str = ".*"  # the result with CPython's own module
    ours: str = ".*"
    ends: bool = False  # the sockets' states differ from here: the round is not compared further
    before: tuple = (99,)  # the first version of CPython that does not differ

    def has(self, call, own, ours):
        pairs = ((self.call, call), (self.own, own), (self.ours, ours))
        return all(re.fullmatch(pattern, text) for pattern, text in pairs)


AT_ONCE = "A call with MSG_DONTWAIT returns at once in every mode"
BEYOND = "Numbers that do not fit the C type are rejected"
FAMILY = "An IPv4 address with a flowinfo or a scope is"
FULL = "An AF_UNIX `connect` waits where the listener's queue is full"
HERROR = "The number of an `herror` is that of the lookup"
INHERITABLE = "Received descriptors are not inheritable"
MODE = "`from_fileno` and `fromfd` of a descriptor that does not block"
NEWEST = "Where versions of Python differ, pysock follows the newest"
NO_HOST = '`getaddrinfo("", ...)` passes no host'
NUL = "A NUL inside a path or a name is rejected"
ORDER = "All arguments are checked before a host is looked up"
PORT = "Ports outside 0..65535 are rejected everywhere"
SCOPE = "`fe80::1%eth0` keeps its scope"
RAW_PORT = "With an empty port and no host the port is 0"
STAR = '`"*"` is not a host'
TRIED_FIRST = "With a timeout a call other than `accept` is tried before it waits"
TRUNCATED = "With MSG_TRUNC, `recv` and `recvfrom` return"

HUGE = "(2147483648|2147483649|1180591620717411303424)"  # beyond a C int
DIFFERENCES = [
    # functions
    Difference(PORT, r"getaddrinfo\(.*, (65536|1099511627776|-1|'\+80'), .*",
               ours="(gaierror -8|OverflowError.*)"),
    Difference(PORT, r"getnameinfo\(.*, (65536|99999|1099511627776|-1).*", ours="OverflowError"),
    Difference(NUL, r"get.*\\x00.*", ours="ValueError|TypeError"),
    Difference(NO_HOST, r"getaddrinfo\('', .*"),
    Difference(SCOPE, r"getnameinfo\(\('.*%.*", own=r"\('[^%]*', .*", ours=r"\('.*%.*', .*"),
    Difference(FAMILY, r"getnameinfo\(.*", own="OSError IPv4 sockaddr .*", ours="ValueError"),
    Difference(RAW_PORT, r"getaddrinfo\(None, '', .*", own=r"\(.*", ours="gaierror -8"),
    Difference(STAR, r"getaddrinfo\('\*', .*", ours="gaierror -2"),
    Difference(STAR, r"getnameinfo\(\('\*', .*", own="OSError sockaddr res.*", ours="gaierror -2"),
    Difference(HERROR, r"gethostby.*", own="herror 0", ours="herror 1"),
    Difference(NEWEST, r"if_indextoname\(.*", own="OSError 6", ours="OverflowError",
               before=(3, 12)),
    Difference(NEWEST, r"if_nametoindex\(.*", own="OSError no interface.*", ours="OSError 19",
               before=(3, 14)),
    # methods of sockets
    Difference(ORDER, r"\d+\.\w+\(.*", own="(gaierror|OSError address family).*",
               ours="(Overflow|Value|Type)Error.*"),
    Difference(NUL, r"\d+\..*\\x00.*", ours="(Value|Type)Error.*", ends=True),
    Difference(SCOPE, r"\d+\.\w+\(.*fe80::1%lo.*", ends=True),
    Difference(BEYOND, r"\d+\.fileno=2147483648 .*", own="ValueError.*", ours="OverflowError.*"),
    Difference(MODE, r"\d+\.fileno=dup .*", own=r"\(.*, None, True, False, False\).*",
               ours=r"\(.*, 0\.0, False, False, False\).*"),
    Difference(NEWEST, rf"\d+\.setsockopt\(.*{HUGE}.*", own="TypeError.*", ours="OverflowError.*",
               before=(3, 15)),
    Difference(NEWEST, r"\d+\.setblocking\(.*", own="(Overflow|Type)Error.*",
               ours="(None|OSError 9).*", ends=True, before=(3, 13)),
    Difference(TRUNCATED, r"\d+\.recv(from|msg)?\(.*(MSG_TRUNC|-1).*"),
    Difference(INHERITABLE, r"\d+\.recvmsg\w*\(.*", own=r".*\(1, 1, \(\d+, True.*",
               ours=r".*\(1, 1, \(\d+, False.*"),
    Difference(FULL, r"\d+\.connect\(.*", own="BlockingIOError 11 .*",
               ours="TimeoutError timed out .*"),
    Difference(AT_ONCE, r"\d+\.\w+\(.*(MSG_DONTWAIT|-1).*", own="TimeoutError timed out.*",
               ours="BlockingIOError 11 .*"),
    # Calls that fail at once; that send although poll() waits for more space; that receive although
    # poll() waits for more data (SO_RCVLOWAT), or that need no data.
    Difference(TRIED_FIRST, r"\d+\.(recv|send)\w*\(.*", own="TimeoutError timed out.*",
               ours=r"(OSError|BrokenPipeError|Connection\w+) \d+ .*"),
    Difference(TRIED_FIRST, r"\d+\.send\w*\(.*", own="TimeoutError timed out.*",
               ours=r"(\d+|None) .*", ends=True),
    Difference(TRIED_FIRST, r"\d+\.recv\w*\(.*", own="TimeoutError timed out.*", ours=r"[(b\d].*",
               ends=True),
]


@dataclasses.dataclass
class Call:
    label: str
    result: str = "no answer"


def make_calls(python, module, kind, seed, *only):
    """The calls of each round."""
    command = [python, str(HERE / "calls.py"), module, kind, str(seed), *map(str, only)]
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                               stderr=subprocess.PIPE)
    output = b""
    while select.select([process.stdout], [], [], LIMIT)[0]:
        data = process.stdout.read1(1 << 16)
        if not data:
            break
        output += data
    else:
        process.kill()
    errors = process.communicate()[1].decode(errors="replace")
    if process.returncode > 0:
        raise RuntimeError(f"{' '.join(command)}: exit status {process.returncode}\n{errors}")
    rounds = collections.defaultdict(list)
    calls = []
    for line in output.decode().splitlines():
        if line.startswith("= "):
            calls[-1].result = line[2:]
        else:
            number, label = line.split(" ", 1)
            calls = rounds[int(number)]
            calls.append(Call(label))
    return rounds


@dataclasses.dataclass
class Finding:
    """An unintended difference."""

    kind: str
    seed: int
    round: int
    before: list = dataclasses.field(compare=False)  # the calls of the round until this one
    own: Call
    ours: Call

    def __str__(self):
        lines = [f"{self.kind} {self.seed} {self.round}"]
        if self.kind == "sockets":
            lines += [f"{call.label} -> {call.result}" for call in self.before]
        lines += [self.own.label, f"  CPython's own: {self.own.result}"]
        if self.ours.label != self.own.label:
            lines += [self.ours.label]
        return "\n  ".join([*lines, f"  pysock:        {self.ours.result}"])


class Comparison:
    def __init__(self, python, module, version):
        self.python, self.module = python, module
        self.differences = [one for one in DIFFERENCES if version < one.before]
        self.calls = 0
        self.seen = collections.Counter()  # the intended differences

    def compare(self, kind, seed, *only):
        """The differences of a seed: every function call, and the first call of a round with sockets."""

        def make(module):
            return make_calls(self.python, module, kind, seed, *only)

        with concurrent.futures.ThreadPoolExecutor(2) as pair:
            own, ours = pair.map(make, ("-", self.module))
        findings = []
        for number in sorted(set(own) & set(ours)):  # a process that ended early lacks rounds
            findings += self.compare_round(kind, seed, number, own[number], ours[number])
        return findings

    def compare_round(self, kind, seed, number, own, ours):
        findings = []
        none = [Call("no call")]
        for index in range(max(len(own), len(ours))):
            one, other = (own[index : index + 1] or none)[0], (ours[index : index + 1] or none)[0]
            self.calls += 1
            if one == other:
                continue
            known = [entry for entry in self.differences
                     if one.label == other.label and entry.has(one.label, one.result, other.result)]
            self.seen.update(known[:1])
            if not known:
                findings.append(Finding(kind, seed, number, own[:index], one, other))
            if kind == "sockets" and (not known or known[0].ends):
                break
        return findings

    def confirmed(self, finding):
        """Whether the result differs each time. Results of functions do not depend on time."""
        if finding.kind == "functions":
            return True
        return all(finding in self.compare("sockets", finding.seed, finding.round)
                   for _ in range(REPEATS))


def undocumented():
    """The reasons that docs/python.md does not have."""
    page = (ROOT / "docs" / "python.md").read_text(encoding="utf-8")
    section = " ".join(page.split("## Intended differences", 1)[1].split())
    return sorted({one.reason for one in DIFFERENCES if one.reason not in section})


def run(python, module, version, seeds):
    """Compares the calls of these seeds, and prints what differs. Returns whether all is well, and
    a summary."""
    comparison = Comparison(python, module, version)
    with concurrent.futures.ThreadPoolExecutor(WORKERS) as workers:
        jobs = [workers.submit(comparison.compare, kind, seed) for seed in seeds for kind in KINDS]
        findings = [finding for job in jobs for finding in job.result()]
    calls = comparison.calls
    real = [finding for finding in findings if comparison.confirmed(finding)]
    for finding in real[:SHOWN]:
        print(f"\n{finding}")
    for reason in undocumented():
        print(f"\nnot in docs/python.md: {reason}")
    print("\ndifferences on purpose:")
    for entry in comparison.differences:
        print(f"  {comparison.seen[entry]:5} {entry.reason}")
    once = len(findings) - len(real)
    summary = f"differential: {calls} calls, seeds {seeds[0]} to {seeds[-1]}: "
    summary += f"{len(real)} differ, {once} differed once"
    return calls > 0 and not real and not undocumented(), summary
