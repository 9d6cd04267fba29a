// SPDX-License-Identifier: MIT
// Other processes: peers, and functions that must run in their own process. Each platform has a
// source file that implements this.
#pragma once

#include <functional>
#include <pysock/detail/config.hpp>
#include <string>
#include <vector>

namespace test_support {

/// Whether a program of that name can be started.
bool has_program(const std::string& name);

/// A running program, connected through its standard input and output. The destructor ends it.
class process {
 public:
  /// Starts `argv[0]`, found along PATH.
  explicit process(const std::vector<std::string>& argv);
  process(const process&) = delete;
  process& operator=(const process&) = delete;
  ~process();

  /// The next line of its output. Throws std::runtime_error with the last output if the program has
  /// ended or prints no line in time.
  std::string line();
  /// The rest of its output, up to its end.
  std::string rest();
  /// Writes to the program's input.
  void say(const std::string& text);
  /// Closes the program's input.
  void end_input();
  /// Waits until the program ends. Returns its exit status, or 128 plus the signal that ended it.
  int wait();

 private:
  bool read_more();

  pysock::native_handle_type channel_ = -1;
  int id_ = -1;
  int status_ = -1;
  std::string pending_;
};

/// Runs `body` in a child of this process. Returns the result of `body`, or 128 plus the signal
/// that ended the child.
int in_child(const std::function<int()>& body);

/// As above, for a function that returns text. Empty if the child did not end normally.
std::string text_from_child(const std::function<std::string()>& body);

}  // namespace test_support
