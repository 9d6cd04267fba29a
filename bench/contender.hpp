// SPDX-License-Identifier: MIT
// A contender is a program `NAME WORKLOAD COUNT` that does COUNT operations and prints how many
// nanoseconds they took. Each contender is one file in contenders/, with its library's code for
// each workload. The code around the operations is the same for all.
#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

namespace bench {

[[noreturn]] inline void fail(const char* what) {
  std::perror(what);
  std::exit(1);
}
inline void check(bool holds, const char* what) {
  if (!holds) fail(what);
}

// Keeps the compiler from knowing what a pointer points to, and from removing code whose result is
// not used.
template <class T>
const T* opaque(const T* pointer) {
  __asm__ volatile("" : "+r"(pointer) : : "memory");
  return pointer;
}
template <class T>
void keep(const T& value) {
  opaque(&value);
}

// Runs an operation the given number of times and measures the time.
class meter {
 public:
  explicit meter(long count) : count_(count) {}

  template <class Op>
  void operator()(Op op) {
    const auto begin = std::chrono::steady_clock::now();
    for (long i = 0; i < count_; ++i) op();
    elapsed_ = std::chrono::steady_clock::now() - begin;
  }
  // The same with a preparation before each operation, which is not measured.
  template <class Prepare, class Op>
  void operator()(Prepare prepare, Op op) {
    for (long i = 0; i < count_; ++i) {
      prepare();
      const auto begin = std::chrono::steady_clock::now();
      op();
      elapsed_ += std::chrono::steady_clock::now() - begin;
    }
  }
  [[nodiscard]] long count() const { return count_; }
  [[nodiscard]] std::chrono::nanoseconds elapsed() const { return elapsed_; }

 private:
  long count_;
  std::chrono::nanoseconds elapsed_{};
};

struct workload {
  const char* name;
  void (*run)(meter&);
};
// The contender's workloads.
std::vector<workload> workloads();

// ---- common code, with plain system calls ----

constexpr std::size_t message_size = 64;
constexpr std::size_t bulk_size = 65536;
constexpr const char* ipv4_text = "192.168.100.200";
constexpr const char* ipv6_text = "2001:db8:1:20::1234:5678";
constexpr int idle_connections = 1000;
constexpr useconds_t long_pause = 3000;  // microseconds: long enough that a receive has to wait

struct pair {
  int near;
  int far;
};

inline sockaddr_in loopback() {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

inline sockaddr_in name_of(int fd) {
  sockaddr_in address{};
  socklen_t size = sizeof address;
  check(::getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size) == 0, "getsockname");
  return address;
}

inline int listen_on_loopback() {
  const int fd = ::socket(AF_INET, SOCK_STREAM, 0);
  const sockaddr_in address = loopback();
  check(fd >= 0 && ::bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0 &&
            ::listen(fd, 1024) == 0,
        "listen");
  return fd;
}

// Two connected stream sockets of AF_UNIX or AF_INET.
inline pair connected(int family) {
  int made[2];
  if (family == AF_UNIX) {
    check(::socketpair(AF_UNIX, SOCK_STREAM, 0, made) == 0, "socketpair");
    return {made[0], made[1]};
  }
  static const int listening = listen_on_loopback();
  const sockaddr_in address = name_of(listening);
  made[0] = ::socket(AF_INET, SOCK_STREAM, 0);
  check(made[0] >= 0 &&
            ::connect(made[0], reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0,
        "connect");
  made[1] = ::accept(listening, nullptr, nullptr);
  check(made[1] >= 0, "accept");
  return {made[0], made[1]};
}

// A child process for the other end. `run` returns when this process closes its end. So destroy
// this process's end before this object.
class process {
 public:
  template <class Run>
  explicit process(Run run) : id_(::fork()) {
    check(id_ >= 0, "fork");
    if (id_ > 0) return;
    run();
    ::_exit(0);
  }
  process(const process&) = delete;
  process& operator=(const process&) = delete;
  ~process() { ::waitpid(id_, nullptr, 0); }

 private:
  pid_t id_;
};

// Returns each message to its sender, after a pause if one is given.
inline void echo(int fd, useconds_t pause = 0) {
  char data[message_size];
  for (ssize_t got = 0; (got = ::recv(fd, data, sizeof data, 0)) > 0;) {
    if (pause != 0) ::usleep(pause);
    check(::send(fd, data, static_cast<std::size_t>(got), MSG_NOSIGNAL) == got, "echo");
  }
}

}  // namespace bench
