// SPDX-License-Identifier: MIT
// strace makes system calls fail: the right exception is thrown, no descriptor is left open, and no
// call is repeated that must not be.
#include <algorithm>
#include <cerrno>
#include <map>
#include <pysock/error.hpp>

#include "support/catch.hpp"
#include "support/failure.hpp"
#include "support/strace.hpp"

using namespace test_support;

namespace {

// The trace of the probe's call `name`, without a fault.
trace undisturbed(const std::string& name) {
  return run_traced({}, {PYSOCK_SYSCALL_PROBE, "fail", name});
}

// The trace in which the nth system call of that name (from 1) within the probe's call fails, and
// the next `times` - 1 as well.
trace with_fault(const trace& clean, const std::string& name, const std::string& call,
                 const std::string& fault, int nth = 1, int times = 1) {
  const int first = clean.count_before(call, "begin " + name) + nth;
  const std::string when = std::to_string(first) + ".." + std::to_string(first + times - 1);
  return run_traced(
      {"-e", "inject=" + trace::every_name(call) + ":error=" + fault + ":when=" + when},
      {PYSOCK_SYSCALL_PROBE, "fail", name});
}

std::string first_line(const trace& seen) { return seen.output.substr(0, seen.output.find('\n')); }

std::string outcome(const trace& seen) { return seen.output.substr(0, seen.output.find(';')); }

std::string outcome_of(const std::string& name, const std::string& call, const std::string& fault,
                       int nth = 1, int times = 1) {
  return outcome(with_fault(undisturbed(name), name, call, fault, nth, times));
}

bool leaks(const trace& seen) { return first_line(seen).find("; 0 left;") == std::string::npos; }

}  // namespace

#define NEEDS_STRACE()                                             \
  const std::string why_not = why_no_strace(PYSOCK_SYSCALL_PROBE); \
  if (!why_not.empty()) SKIP_TEST(why_not);                        \
  static_assert(true)

TEST_CASE("no descriptor stays open, whichever system call fails", "[faults]") {
  NEEDS_STRACE();
  const std::string name = GENERATE("socket", "socketpair", "accept", "dup", "module dup", "fromfd",
                                    "fromfd with a default timeout");
  CAPTURE(name);
  const trace clean = undisturbed(name);
  REQUIRE(outcome(clean) == "none");
  REQUIRE_FALSE(leaks(clean));
  int failures = 0;
  std::map<std::string, int> nth;
  for (const std::string& call : clean.between("begin " + name, "end " + name)) {
    if (call == "close") continue;  // of what it made: a failure of close() cannot be handled
    const trace seen = with_fault(clean, name, call, "EMFILE", ++nth[call]);
    CAPTURE(call, nth[call], seen.output);
    CHECK((outcome(seen) == "none" || outcome(seen) == failure("error", EMFILE)));
    CHECK_FALSE(leaks(seen));
    failures += outcome(seen) != "none" ? 1 : 0;
  }
  CHECK(failures > 0);
}

TEST_CASE("an accept that fails throws the error's class, and the connection stays queued",
          "[faults]") {
  NEEDS_STRACE();
  const trace clean = undisturbed("accept");
  for (const auto& [fault, expected] :
       {std::pair{"EMFILE", failure("error", EMFILE)},
        std::pair{"ENFILE", failure("error", ENFILE)},
        std::pair{"ENOBUFS", failure("error", ENOBUFS)},
        std::pair{"ECONNABORTED", failure("connection_aborted_error", ECONNABORTED)},
        std::pair{"EPERM", failure("permission_error", EPERM)}}) {
    const trace seen = with_fault(clean, "accept", "accept4", fault);
    CAPTURE(fault, seen.output);
    CHECK(outcome(seen) == expected);
    CHECK_FALSE(leaks(seen));
    CHECK(seen.output.find("\nnone\n") != std::string::npos);
  }
}

TEST_CASE("accept without accept4 returns a socket that is not inheritable", "[faults][accept]") {
  NEEDS_STRACE();
  // An old kernel or a filter of system calls never has the call, so all of them fail.
  const trace seen = with_fault(undisturbed("accept"), "accept", "accept4", "ENOSYS", 1, 100);
  CHECK(outcome(seen) == "none");
  CHECK_FALSE(leaks(seen));
  const std::vector<std::string> calls = seen.between("begin accept", "end accept");
  REQUIRE(std::count(calls.begin(), calls.end(), "accept") == 1);
  CHECK((std::count(calls.begin(), calls.end(), "fcntl") +
         std::count(calls.begin(), calls.end(), "ioctl")) > 0);
}

TEST_CASE("fromfd: the check of the duplicate fails, and it is closed", "[faults]") {
  NEEDS_STRACE();
  const trace seen = with_fault(undisturbed("fromfd"), "fromfd", "getsockopt", "ENOTSOCK");
  CHECK(outcome(seen) == failure("error", ENOTSOCK));
  CHECK_FALSE(leaks(seen));
}

TEST_CASE("from_fileno: on failure the descriptor stays open", "[faults]") {
  NEEDS_STRACE();
  const trace clean = undisturbed("from_fileno");
  for (const char* call : {"getsockopt", "ioctl"}) {
    const trace seen = with_fault(clean, "from_fileno", call, "EINVAL");
    CHECK(outcome(seen) == failure("error", EINVAL));
    CHECK(seen.output.find("closed what it did not own") == std::string::npos);
  }
}

TEST_CASE("settimeout that fails changes nothing", "[faults]") {
  NEEDS_STRACE();
  const trace seen = with_fault(undisturbed("settimeout"), "settimeout", "ioctl", "EINVAL");
  CHECK(outcome(seen) == failure("error", EINVAL));
  CHECK(seen.mark("the timeout has changed") == seen.calls.size());
}

TEST_CASE("close reports errors except a reset, and is never repeated", "[faults]") {
  NEEDS_STRACE();
  const trace clean = undisturbed("close");
  const auto closing = [&](const char* fault) {
    const trace seen = with_fault(clean, "close", "close", fault);
    std::vector<std::string> closes;
    for (const std::string& line : seen.lines_between("begin close", "end close")) {
      if (line.find("INJECTED") != std::string::npos)
        closes.push_back(line.substr(0, line.find(')') + 1));
    }
    REQUIRE(closes.size() == 1);
    int repeated = 0;
    for (const std::string& line : seen.lines_between("begin close", "end close"))
      repeated += line.compare(0, closes[0].size(), closes[0]) == 0;
    CHECK(repeated == 1);
    CHECK(first_line(seen).find("fileno -1") != std::string::npos);  // released nevertheless
    return outcome(seen);
  };
  CHECK(closing("EIO") == failure("error", EIO));
  CHECK(closing("ECONNRESET") == "none");
  // POSIX allows close() of the C library to hide EINTR.
  const std::string bare = outcome_of("bare close", "close", "EINTR");
  REQUIRE((bare == failure("interrupted_error", EINTR) || bare == "none"));
  CHECK(closing("EINTR") == bare);
}

TEST_CASE("calls that signals interrupt are repeated", "[faults]") {
  NEEDS_STRACE();
  CHECK(outcome_of("recv", "recvfrom", "EINTR", 1, 5) == "none");
  CHECK(outcome_of("send", "sendto", "EINTR", 1, 5) == "none");
  CHECK(outcome_of("sendall", "sendto", "EINTR", 1, 5) == "none");
  CHECK(outcome_of("accept", "accept4", "EINTR", 1, 5) == "none");
}

TEST_CASE("a call waits again after false readiness", "[faults]") {
  NEEDS_STRACE();
  CHECK(outcome_of("recv", "recvfrom", "EAGAIN", 1, 5) == "none");
  CHECK(outcome_of("send", "sendto", "EAGAIN", 1, 5) == "none");
  CHECK(outcome_of("accept", "accept4", "EAGAIN", 1, 5) == "none");
}

TEST_CASE("errors of data calls have their classes", "[faults]") {
  NEEDS_STRACE();
  CHECK(outcome_of("recv", "recvfrom", "ECONNRESET") ==
        failure("connection_reset_error", ECONNRESET));
  CHECK(outcome_of("recv", "recvfrom", "ETIMEDOUT") ==
        failure("timeout", ETIMEDOUT));  // the kernel's error has a number
  CHECK(outcome_of("send", "sendto", "EPIPE") == failure("broken_pipe_error", EPIPE));
  CHECK(outcome_of("send", "sendto", "ENOBUFS") == failure("error", ENOBUFS));
}
