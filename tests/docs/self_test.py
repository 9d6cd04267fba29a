#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Tests that the checks of the documentation find errors in a page and in a site."""
import pathlib
import subprocess
import sys
import tempfile
import unittest

HERE = pathlib.Path(__file__).resolve().parent
GOOD = "```python\nprint('port', 23456)\n```\n```text\nport 12345\n```\n"


def block(language, code):
    return f"```{language}\n{code}\n```\n"


class Checks(unittest.TestCase):
    def setUp(self):
        holder = tempfile.TemporaryDirectory()
        self.addCleanup(holder.cleanup)
        self.folder = pathlib.Path(holder.name)

    def run_page(self, text):
        page = self.folder / "page.md"
        page.write_text(text)
        done = subprocess.run([sys.executable, HERE / "snippets.py", "run", self.folder, self.folder, page], capture_output=True, text=True)
        return done.returncode, done.stdout + done.stderr

    def test_good_page(self):
        status, output = self.run_page(GOOD)
        self.assertEqual(status, 0, output)
        self.assertIn("counted: 1 code blocks of the documentation: 0 of C++ compiled and run, 1 of Python run", output)

    def test_bad_pages(self):
        table = "| Python | C++ |\n| --- | --- |\n| `socket.no_such_name()` | `1` |\n"
        for reason, page in {
            "page.md:2: prints": GOOD.replace("12345", "none"),
            "page.md:2: ends with 1": block("python", "raise SystemExit(1)"),
            "a block of nothing": block("", "x"),
            "output of what?": block("text", "x"),
            "no end": "```python\nprint()\n",
            "not a verb of ./dev": block("sh", "./dev nonsense"),
            "was not compiled": block("cpp", "int x = 0;"),
            "Python has no socket.no_such_name": GOOD + table,
            "servers or clients alone": block("python", "s.connect(50007)"),
            "0 code blocks": "# nothing\n",
        }.items():
            with self.subTest(reason):
                status, output = self.run_page(page)
                self.assertEqual(status, 1, output)
                self.assertIn(reason, output)

    def test_a_block_that_cannot_run_is_counted(self):
        status, output = self.run_page(GOOD + block("sh", "sudo make install"))
        self.assertEqual(status, 0, output)
        self.assertIn("1 not run", output)
        self.assertRegex(output, "skipped: .*page.md:8: shell commands")

    def check_site(self, paragraph):
        for folder in ("xml", "html"):
            (self.folder / folder).mkdir(exist_ok=True)
        (self.folder / "xml/a.xml").write_text(
            '<doxygen><compounddef kind="class"><compoundname>pysock::thing</compoundname>'
            '<memberdef kind="function" prot="public"><name>method</name></memberdef></compounddef></doxygen>')
        (self.folder / "html/a.html").write_text(f'<p>{paragraph}</p><div class="fragment"><div class="line">`shell`</div></div>')
        page = self.folder / "names.md"
        page.write_text("`thing`")
        done = subprocess.run([sys.executable, HERE / "site.py", self.folder, page], capture_output=True, text=True)
        return done.returncode, done.stdout

    def test_names(self):
        status, output = self.check_site("<code>it's</code>")
        self.assertEqual(status, 1)
        self.assertIn("thing::method is missing", output)
        self.assertIn("2 public names; 1 problems", output)

    def test_spans(self):
        status, output = self.check_site("\u2018it\u2019s`")
        self.assertEqual(status, 1)
        self.assertIn("a.html: a code span is broken", output)
        self.assertIn("2 public names; 2 problems", output)


if __name__ == "__main__":
    unittest.main()
