// SPDX-License-Identifier: MIT
// How many system calls a call makes, counted by strace.
#include <pysock/socket.hpp>

#include "support/catch.hpp"
#include "support/strace.hpp"

using namespace test_support;

TEST_CASE("a call with the peer ready is one system call", "[syscalls]") {
  const std::string why_not = why_no_strace(PYSOCK_SYSCALL_PROBE);
  if (!why_not.empty()) SKIP_TEST(why_not);
  const trace seen = run_traced({}, {PYSOCK_SYSCALL_PROBE, "calls"});
  REQUIRE(seen.output.empty());

  using names = std::vector<std::string>;
  // Some C libraries set close-on-exec again, for kernels without F_DUPFD_CLOEXEC.
  names duplicating =
      seen.between("begin the C library's F_DUPFD_CLOEXEC", "end the C library's F_DUPFD_CLOEXEC");
  REQUIRE(!duplicating.empty());
  duplicating.pop_back();  // the close
  const std::vector<std::pair<std::string, names>> expected = {
      {"socket", {"socket"}},
      {"socket with a default timeout", {"socket"}},
      {"connect", {"connect"}},
      {"accept", {"poll", "accept4"}},  // the listener has a timeout
      {"settimeout", {"ioctl"}},
      {"gettimeout and fileno", {}},
      {"recv_into", {"recvfrom"}},
      {"recv", {"recvfrom"}},
      {"recv of nothing", {}},
      {"send", {"sendto"}},
      {"sendall", {"sendto"}},
      {"recv_into that expires", {"recvfrom", "poll"}},
      {"sendto", {"sendto"}},
      {"recvfrom_into", {"recvfrom"}},
      {"connect with a timeout", {"connect", "poll", "getsockopt"}},
      {"accept with a timeout", {"poll", "accept4"}},
      {"dup", duplicating},
      {"socketpair", {"socketpair"}},
      {"addresses that do not fit", {}},
      {"close", {"close"}},
  };
  for (const auto& [name, calls] : expected) {
    CAPTURE(name);
    REQUIRE(seen.mark("end " + name) < seen.calls.size());
    CHECK(seen.between("begin " + name, "end " + name) == calls);
  }
}

TEST_CASE("bad arguments make no system call", "[syscalls]") {
  const std::string why_not = why_no_strace(PYSOCK_SYSCALL_PROBE);
  if (!why_not.empty()) SKIP_TEST(why_not);
  const trace seen = run_traced({}, {PYSOCK_SYSCALL_PROBE, "calls"});
  REQUIRE(seen.mark("end bad arguments") < seen.calls.size());
  for (const std::string& name : seen.between("begin bad arguments", "end bad arguments")) {
    CAPTURE(name);  // throwing may make system calls of its own
    for (const char* one :
         {"bind", "connect", "getsockopt", "ioctl", "fcntl", "recvfrom", "socket"})
      CHECK(name != one);
  }
}

TEST_CASE("sendfile of a small file is five system calls, and four with a count",
          "[syscalls][sendfile]") {
  const std::string why_not = why_no_strace(PYSOCK_SYSCALL_PROBE);
  if (!why_not.empty()) SKIP_TEST(why_not);
  const trace seen = run_traced({}, {PYSOCK_SYSCALL_PROBE, "calls"});
  REQUIRE(seen.mark("end sendfile with a count") < seen.calls.size());
  // fstat, SIGPIPE blocked, sendfile twice (the second finds the end), SIGPIPE unblocked.
  CHECK(seen.between("begin sendfile", "end sendfile").size() == 3);
  CHECK(seen.between("begin sendfile with a count", "end sendfile with a count").size() == 2);
  for (const std::string name : {"sendfile", "sendfile with a count"}) {
    int masks = 0;
    for (const std::string& line : seen.lines_between("begin " + name, "end " + name))
      masks += trace::name_of(line) == "rt_sigprocmask" ? 1 : 0;
    CHECK(masks == 2);
  }
}

TEST_CASE("each of several receives is one system call", "[syscalls]") {
  const std::string why_not = why_no_strace(PYSOCK_SYSCALL_PROBE);
  if (!why_not.empty()) SKIP_TEST(why_not);
  const trace seen = run_traced({}, {PYSOCK_SYSCALL_PROBE, "calls"});
  int calls = 0;
  for (std::size_t begin = seen.mark("begin recv_into"); begin < seen.calls.size();
       begin = seen.mark("begin recv_into", begin + 1)) {
    CHECK(trace::name_of(seen.calls.at(begin + 1)) == "recvfrom");
    CHECK(seen.mark("end recv_into", begin) == begin + 2);
    ++calls;
  }
  CHECK(calls == 3);
}
