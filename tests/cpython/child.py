# SPDX-License-Identifier: MIT
"""Runs tests in this process and reports each as a line of JSON.

usage: child.py DESCRIPTOR MODULE_FILE|- list|run|names NAME...
"""
import json
import os
import sys
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))


def report(**record):
    os.write(channel, (json.dumps(record) + "\n").encode())


class Reporter(unittest.TestResult):
    """Reports every outcome at once: run.py kills this process if it reports nothing for too long."""

    def tell(self, test, outcome, text=""):
        test = getattr(test, "test_case", test)  # of a subtest
        report(test=test.id(), outcome=outcome, text=text)

    def startTest(self, test):
        super().startTest(test)
        report(start=test.id())

    def addSuccess(self, test):
        self.tell(test, "passed")

    def addFailure(self, test, err):
        self.tell(test, "failed", self._exc_info_to_string(err, test))

    addError = addFailure

    def addSubTest(self, test, subtest, err):
        if err is not None:
            self.addFailure(test, err)

    def addSkip(self, test, reason):
        self.tell(test, "skipped", reason)

    def addExpectedFailure(self, test, err):
        self.tell(test, "passed")

    def addUnexpectedSuccess(self, test):
        self.tell(test, "failed", "unexpected success")


def all_tests(suite):
    for one in suite:
        if isinstance(one, unittest.TestSuite):
            yield from all_tests(one)
        else:
            yield one


def exported():
    import socket

    _socket = socket._socket
    module = {name: getattr(_socket, name) for name in dir(_socket)}
    values = {name: value for name, value in module.items() if isinstance(value, (int, str)) and not name.startswith("__")}
    others = sorted(name for name in module if name not in values and not name.startswith("__"))
    return {"file": getattr(_socket, "__file__", None), "constants": values, "functions": others, "methods": [n for n in dir(_socket.socket) if not n.startswith("__")]}


def main(module, action, *names):
    os.set_inheritable(channel, False)
    sys.path.append(HERE)
    if module != "-":
        import load

        load.load(module)
    if action == "names":
        report(**exported())
        return
    from test import support

    # Tests must not use networks outside. test_socketserver needs the resource, but uses only the loopback.
    support.use_resources = ["cpu", "walltime"] + ["network"] * names[0].startswith("test.test_socketserver")
    suite = unittest.defaultTestLoader.loadTestsFromNames(names)
    if action == "list":
        for test in all_tests(suite):
            report(test=test.id(), cls=".".join(test.id().split(".")[:-1]))
        return
    suite.run(Reporter())
    report(done=True)


if __name__ == "__main__":
    channel = int(sys.argv[1])
    main(*sys.argv[2:])
