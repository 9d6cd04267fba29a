// SPDX-License-Identifier: MIT
// Other processes: peers to talk to, and bodies that must not share the tests' own process. One
// source file per platform implements it.
#pragma once

#include <functional>
#include <pysock/detail/config.hpp>
#include <string>
#include <vector>

namespace test_support {

/// Whether a program of that name can be started.
bool has_program(const std::string& name);

/// A running program. Its input and all its output are joined to this object, which ends it when it
/// goes.
class process {
 public:
  /// Starts `argv[0]`, found along PATH.
  explicit process(const std::vector<std::string>& argv);
  process(const process&) = delete;
  process& operator=(const process&) = delete;
  ~process();

  /// The next line of its output. Throws std::runtime_error with whatever it said last if there is
  /// none, or none comes.
  std::string line();
  /// All that is left of its output, up to its end.
  std::string rest();
  /// Writes to its input.
  void say(const std::string& text);
  /// Ends its input.
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

/// As above, for a body that answers with text. Empty where it ended otherwise.
std::string text_from_child(const std::function<std::string()>& body);

}  // namespace test_support
