// SPDX-License-Identifier: MIT
// Python's own socket module in another process.
#pragma once

#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "process.hpp"

namespace test_support {

/// A Python script as the peer. It prints lines with a key and a value: `say("port",
/// s.getsockname()[1])`.
class python_peer {
 public:
  /// \param script finds `socket`, `sys`, `hashlib` and `say` defined, and its arguments in
  /// `sys.argv[1:]`
  explicit python_peer(const std::string& script, const std::vector<std::string>& arguments = {})
      : process_(command(script, arguments)) {}

  /// The value of the next line, which must have this key. Otherwise throws with the output, for
  /// example a traceback.
  std::string expect(const std::string& key) {
    const std::string line = process_.line();
    if (line.compare(0, key.size() + 1, key + " ") == 0) return line.substr(key.size() + 1);
    throw std::runtime_error("expected '" + key + "' from Python, got: " + line + "\n" +
                             process_.rest());
  }
  /// The value of the next line as a number.
  int expect_number(const std::string& key) { return std::stoi(expect(key)); }

  /// Continues the script, which waits in `sys.stdin.readline()`.
  void go_on() { process_.say("go on\n"); }

  /// Waits until the script ends, and checks that its exit status is 0.
  void finish() {
    const std::string last = process_.rest();
    if (process_.wait() != 0) throw std::runtime_error("Python failed: " + last);
  }

 private:
  static std::vector<std::string> command(const std::string& script,
                                          const std::vector<std::string>& arguments) {
    std::vector<std::string> all = {"python3", "-c",
                                    "import socket, sys, hashlib\n"
                                    "def say(key, value): print(key, value, flush=True)\n" +
                                        script};
    all.insert(all.end(), arguments.begin(), arguments.end());
    return all;
  }

  process process_;
};

}  // namespace test_support
