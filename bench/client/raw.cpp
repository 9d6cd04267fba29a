// SPDX-License-Identifier: MIT
// The same client with plain system calls and exceptions.
#include <netdb.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>

namespace {

ssize_t check(ssize_t result, const char* what) {
  if (result < 0) throw std::system_error(errno, std::system_category(), what);
  return result;
}

}  // namespace

int main() {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* to = nullptr;
  if (getaddrinfo("localhost", "50007", &hints, &to) != 0) return 1;
  const int fd = static_cast<int>(
      check(socket(to->ai_family, to->ai_socktype | SOCK_CLOEXEC, to->ai_protocol), "socket"));
  check(connect(fd, to->ai_addr, to->ai_addrlen), "connect");
  freeaddrinfo(to);
  check(send(fd, "Hello, world", 12, MSG_NOSIGNAL), "send");
  char data[1024];
  const ssize_t got = check(recv(fd, data, sizeof data, 0), "recv");
  close(fd);
  return got == 12 ? 0 : 1;
}
