// SPDX-License-Identifier: MIT
// sendfile: the signal of a closed connection, files that the kernel cannot send, and offsets.
#include <pthread.h>

#include <cerrno>
#include <csignal>
#include <pysock/socket.hpp>

#include "support/c_library.hpp"
#include "support/catch.hpp"
#include "support/failure.hpp"
#include "support/files.hpp"
#include "support/sockets.hpp"

namespace sk = pysock;
namespace sys = pysock::detail::sys;
using namespace test_support;

namespace {

volatile std::sig_atomic_t delivered = 0;

sigset_t only_sigpipe() {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGPIPE);
  return signals;
}

bool is_pending() {
  sigset_t pending;
  sigemptyset(&pending);
  ::sigpending(&pending);
  return sigismember(&pending, SIGPIPE) == 1;
}

bool is_blocked() {
  sigset_t mask;
  sigemptyset(&mask);
  ::pthread_sigmask(SIG_BLOCK, nullptr, &mask);
  return sigismember(&mask, SIGPIPE) == 1;
}

// Counts the signals that are delivered, and restores the mask of this thread at the end.
class signal_scope {
 public:
  signal_scope() {
    delivered = 0;
    struct sigaction counting {};
    counting.sa_handler = [](int) { delivered = delivered + 1; };
    ::sigaction(SIGPIPE, &counting, &action_);
    ::pthread_sigmask(SIG_BLOCK, nullptr, &mask_);
  }
  signal_scope(const signal_scope&) = delete;
  signal_scope& operator=(const signal_scope&) = delete;
  ~signal_scope() {
    ::pthread_sigmask(SIG_SETMASK, &mask_, nullptr);
    ::sigaction(SIGPIPE, &action_, nullptr);
  }
  static void block() {
    const sigset_t signals = only_sigpipe();
    ::pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  }

 private:
  struct sigaction action_ {};
  sigset_t mask_{};
};

// How sendfile fails if the connection is closed. Not every kernel raises the signal.
std::string failure_of_sendfile() {
  const replaced<c_library::sendfile> closed([](int, int, void*, std::size_t) {
    ::pthread_kill(::pthread_self(), SIGPIPE);
    errno = EPIPE;
    return -1;
  });
  const file_with file("content");
  auto [a, b] = sk::socketpair();
  return failure_of([&a = a, &file] { return a.sendfile(file.path); });
}

const std::string broken_pipe = failure("broken_pipe_error", EPIPE);

}  // namespace

TEST_CASE("sendfile removes the signal of a closed connection", "[sendfile]") {
  const signal_scope scope;
  CHECK(failure_of_sendfile() == broken_pipe);
  CHECK_FALSE(is_pending());
  CHECK_FALSE(is_blocked());
  CHECK(delivered == 0);
}

TEST_CASE("sendfile removes the signal although another signal interrupts it", "[sendfile]") {
  const signal_scope scope;
  int calls = 0;
  const replaced<c_library::sigtimedwait> interrupted(
      [&calls](const sigset_t* signals, siginfo_t* info, const timespec* limit) {
        if (++calls > 1) return ::sigtimedwait(signals, info, limit);
        errno = EINTR;
        return -1;
      });
  CHECK(failure_of_sendfile() == broken_pipe);
  CHECK_FALSE(is_pending());
  CHECK(delivered == 0);
}

TEST_CASE("sendfile leaves SIGPIPE blocked if it was", "[sendfile]") {
  const signal_scope scope;
  signal_scope::block();
  CHECK(failure_of_sendfile() == broken_pipe);
  CHECK_FALSE(is_pending());
  CHECK(is_blocked());
}

TEST_CASE("sendfile keeps a SIGPIPE that was pending before", "[sendfile]") {
  const signal_scope scope;
  signal_scope::block();
  ::pthread_kill(::pthread_self(), SIGPIPE);
  CHECK(failure_of_sendfile() == broken_pipe);
  CHECK(is_pending());
  CHECK(is_blocked());
  CHECK(delivered == 0);
}

TEST_CASE("sendfile reads and sends where the kernel cannot", "[sendfile]") {
  for (const int number : {EINVAL, ENOSYS, ENOTSUP, EOPNOTSUPP, ESPIPE}) {
    CAPTURE(number);
    const replaced<c_library::sendfile> unsupported(number);
    const file_with file(pattern(200000));
    CHECK(arrives(connected(), patience, [&](sk::socket& s) {
            CHECK(s.sendfile(file.path, 8) == 199992);
          }) == file.content.substr(8));
  }
}

TEST_CASE("sendfile reports other errors of the kernel and sends nothing", "[sendfile]") {
  const replaced<c_library::sendfile> failing(EIO);
  const file_with file("content");
  CHECK(arrives(connected(), patience, [&](sk::socket& s) {
          CHECK(failure_of([&] { return s.sendfile(file.path); }) == failure("error", EIO));
        }).empty());
}

TEST_CASE("offsets above the largest one are EINVAL, and nothing is transferred", "[sendfile]") {
  const file_with file("content");
  const open_file handle = file.open();
  auto [a, b] = sk::socketpair();
  constexpr std::uint64_t too_large = std::uint64_t{INT64_MAX} + 1;
  CHECK(sys::sendfile(a.fileno(), handle.get(), too_large, 1) == -EINVAL);
  char byte = 'x';
  CHECK(sys::read_file(handle.get(), &byte, 1, too_large) == -EINVAL);
  CHECK(byte == 'x');
  b.setblocking(false);
  CHECK(failure_of([&b = b] { return b.recv(1); }) == failure("blocking_io_error", EAGAIN));
}
