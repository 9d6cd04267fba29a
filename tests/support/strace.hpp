// SPDX-License-Identifier: MIT
// Programs run under strace: which system calls they make, and what they do when some fail.
#pragma once

#include <cstdlib>
#include <fstream>
#include <string>
#include <vector>

#include "process.hpp"
#include "temporary_directory.hpp"

namespace test_support {

struct trace {
  std::string output;              ///< What the program printed.
  std::vector<std::string> calls;  ///< Its system calls, one a line, with arguments and results.

  /// Where the program marked its begin, and its end, by a write of that text.
  [[nodiscard]] std::size_t mark(const std::string& text, std::size_t from = 0) const {
    while (from < calls.size() && calls[from].find("write(-1, \"" + text + "\"") == std::string::npos) ++from;
    return from;
  }

  static std::string name_of(const std::string& call) { return call.substr(0, call.find('(')); }

  /// The calls between two marks.
  [[nodiscard]] std::vector<std::string> lines_between(const std::string& begin, const std::string& end) const {
    const std::size_t first = mark(begin);
    const std::size_t last = mark(end, first);
    if (last >= calls.size()) return {"no such marks"};
    return {calls.begin() + static_cast<std::ptrdiff_t>(first) + 1, calls.begin() + static_cast<std::ptrdiff_t>(last)};
  }

  /// The names of the calls between two marks, but for those that only the allocator, the clock, the sanitizers and the first use of a
  /// static variable make.
  [[nodiscard]] std::vector<std::string> between(const std::string& begin, const std::string& end) const {
    std::vector<std::string> names;
    for (const std::string& line : lines_between(begin, end)) {
      std::string name = name_of(line);
      if (name == "ppoll") name = "poll";
      bool counts = line[0] != '-' && line[0] != '+';  // signals and the end
      for (const char* one :
           {"mmap", "munmap", "mprotect", "madvise", "brk", "futex", "gettid", "clock_gettime", "rt_sigprocmask", "write"}) {
        counts = counts && name != one;
      }
      if (counts) names.push_back(name);
    }
    return names;
  }

  /// How many calls of that name there are before the mark.
  [[nodiscard]] int count_before(const std::string& name, const std::string& text) const {
    int count = 0;
    for (std::size_t i = 0; i < mark(text); ++i) count += name_of(calls[i]) == name ? 1 : 0;
    return count;
  }
};

/// Runs a program under strace with these options. The leak checker of the address sanitizer cannot be traced, and is off.
inline trace run_traced(const std::vector<std::string>& options, const std::vector<std::string>& program) {
  const temporary_directory folder;
  const char* before = std::getenv("ASAN_OPTIONS");
  std::vector<std::string> command = {"strace", "-qq",
                                      "-s",     "200",
                                      "-o",     folder / "trace",
                                      "-E",     "ASAN_OPTIONS=" + std::string(before != nullptr ? before : "") + ":detect_leaks=0"};
  command.insert(command.end(), options.begin(), options.end());
  command.insert(command.end(), program.begin(), program.end());
  process running(command);
  trace made;
  made.output = running.rest();
  if (running.wait() != 0) made.output += "\nended with " + std::to_string(running.wait());
  std::ifstream file(folder / "trace");
  for (std::string line; std::getline(file, line);) {
    if (!line.empty()) made.calls.push_back(line);
  }
  return made;
}

/// Why programs cannot be traced here; empty if they can.
inline std::string why_no_strace() {
  if (!has_program("strace")) return "there is no strace";
  process trial({"strace", "-qq", "-o", "/dev/null", "true"});
  const std::string said = trial.rest();
  return trial.wait() == 0 ? "" : "strace cannot trace here: " + said.substr(0, said.find('\n'));
}

}  // namespace test_support
