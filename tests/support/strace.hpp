// SPDX-License-Identifier: MIT
// Runs programs under strace, which records their system calls and can make some fail.
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

  /// The position of a mark: a write of this text by the program.
  [[nodiscard]] std::size_t mark(const std::string& text, std::size_t from = 0) const {
    while (from < calls.size() &&
           calls[from].find("write(-1, \"" + text + "\"") == std::string::npos)
      ++from;
    return from;
  }

  /// System calls that have another name on a few architectures: {that name, the usual name}.
  static constexpr const char* other_names[][2] = {
      {"recv", "recvfrom"}, {"send", "sendto"}, {"fcntl64", "fcntl"}, {"ppoll", "poll"}};

  static std::string name_of(const std::string& call) {
    const std::string name = call.substr(0, call.find('('));
    for (const auto& [here, elsewhere] : other_names) {
      if (name == here) return elsewhere;
    }
    return name;
  }

  /// All names of a call, for the options of strace.
  static std::string every_name(const std::string& name) {
    for (const auto& [here, elsewhere] : other_names) {
      if (name == elsewhere) return name + ",?" + here;
    }
    return name;
  }

  /// The calls between two marks.
  [[nodiscard]] std::vector<std::string> lines_between(const std::string& begin,
                                                       const std::string& end) const {
    const std::size_t first = mark(begin);
    const std::size_t last = mark(end, first);
    if (last >= calls.size()) return {"no such marks"};
    return {calls.begin() + static_cast<std::ptrdiff_t>(first) + 1,
            calls.begin() + static_cast<std::ptrdiff_t>(last)};
  }

  /// The names of the calls between two marks, except those that only the allocator, the clock,
  /// the sanitizers and the first use of a static variable make.
  [[nodiscard]] std::vector<std::string> between(const std::string& begin,
                                                 const std::string& end) const {
    std::vector<std::string> names;
    for (const std::string& line : lines_between(begin, end)) {
      const std::string name = name_of(line);
      bool counts = line[0] != '-' && line[0] != '+';  // signals and the exit
      for (const char* one : {"mmap", "munmap", "mprotect", "madvise", "brk", "futex", "gettid",
                              "clock_gettime", "rt_sigprocmask", "write"}) {
        counts = counts && name != one;
      }
      if (counts) names.push_back(name);
    }
    return names;
  }

  /// The number of calls of that name before the mark.
  [[nodiscard]] int count_before(const std::string& name, const std::string& text) const {
    int count = 0;
    for (std::size_t i = 0; i < mark(text); ++i) count += name_of(calls[i]) == name ? 1 : 0;
    return count;
  }
};

/// Runs a program under strace with these options. The leak checker of the address sanitizer cannot
/// be traced, and is off.
inline trace run_traced(const std::vector<std::string>& options,
                        const std::vector<std::string>& program) {
  const temporary_directory folder;
  const char* before = std::getenv("ASAN_OPTIONS");
  std::vector<std::string> command = {
      "strace", "-qq",
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

/// Why strace cannot trace this program here; empty if it can. With the argument "nothing" the
/// program must write the marks "begin nothing" and "end nothing".
inline std::string why_no_strace(const std::string& program) {
  if (!has_program("strace")) return "there is no strace";
  process trial({"strace", "-qq", "-o", "/dev/null", "true"});
  const std::string said = trial.rest();
  if (trial.wait() != 0) return "strace cannot trace here: " + said.substr(0, said.find('\n'));
  const trace nothing = run_traced({}, {program, "nothing"});
  if (nothing.lines_between("begin nothing", "end nothing").empty()) return "";
  return "strace cannot watch this platform's programs: " +
         nothing.output.substr(0, nothing.output.find('\n'));
}

}  // namespace test_support
