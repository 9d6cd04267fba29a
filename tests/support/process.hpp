// SPDX-License-Identifier: MIT
// Other processes: peers, and functions that must run in a process of their own. One
// source file per platform implements it.
#pragma once

#include <functional>
#include <pysock/detail/config.hpp>
#include <string>
#include <vector>

namespace test_support {

/// Whether a program of that name can be started.
bool has_program(const std::string& name);

/// A running program. This object has its input and output, and its destructor ends the program.
class process {
 public:
  /// Starts `argv[0]`, found along PATH.
  explicit process(const std::vector<std::string>& argv);
  process(const process&) = delete;
  process& operator=(const process&) = delete;
  ~process();

  /// The next line of its output. Throws std::runtime_error with its last output if there is none,
  /// or none arrives in time.
  std::string line();
  /// The rest of its output, up to its end.
  std::string rest();
  /// Writes to its input.
  void say(const std::string& text);
  /// Closes its input.
  void end_input();
  /// Waits for its end. Returns its exit status, or 128 and the number of the signal that ended it.
  int wait();

 private:
  bool read_more();

  pysock::native_handle_type channel_ = -1;
  int id_ = -1;
  int status_ = -1;
  std::string pending_;
};

/// Runs `body` in a child of this process and returns what it returned, or 128 and the number of
/// the signal that ended it.
int in_child(const std::function<int()>& body);

/// As above, for a function that returns text. Empty if the child did not end normally.
std::string text_from_child(const std::function<std::string()>& body);

}  // namespace test_support
