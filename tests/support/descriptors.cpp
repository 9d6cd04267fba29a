// SPDX-License-Identifier: MIT
// Descriptors and threads of POSIX systems.
#include "descriptors.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <stdexcept>
#include <string>
#include <system_error>

#include "background.hpp"

#if __has_include(<sys/syscall.h>)
#include <sys/syscall.h>
#endif

namespace test_support {

bool is_open(int fd) { return ::fcntl(fd, F_GETFD) >= 0; }

std::set<int> open_descriptors() {
  std::set<int> found;
  std::error_code missing;
  for (const auto& entry : std::filesystem::directory_iterator("/proc/self/fd", missing))
    found.insert(std::stoi(entry.path().filename()));
  if (missing) {
    for (int fd = 0; fd < 2048; ++fd) found.insert(fd);
  }
  for (auto fd = found.begin(); fd != found.end();)
    fd = is_open(*fd) ? std::next(fd) : found.erase(fd);  // the directory iterator had one
  return found;
}

std::optional<bool> is_nonblocking(int fd) { return (::fcntl(fd, F_GETFL) & O_NONBLOCK) != 0; }
bool is_close_on_exec(int fd) { return (::fcntl(fd, F_GETFD) & FD_CLOEXEC) != 0; }

std::int64_t position_of(int file) { return ::lseek(file, 0, SEEK_CUR); }

a_pipe::a_pipe() {
  if (::pipe(ends_) != 0) throw std::runtime_error("cannot make a pipe");
}
a_pipe::~a_pipe() {
  for (const int end : ends_) ::close(end);
}

bool wait_for(int fd, short events, int milliseconds) {
  pollfd entry{fd, events, 0};
  return ::poll(&entry, 1, milliseconds) == 1;
}

long thread_id() {
#ifdef SYS_gettid
  return static_cast<long>(::syscall(SYS_gettid));
#else
  return 0;
#endif
}

char thread_state(long id) {
  std::ifstream file("/proc/self/task/" + std::to_string(id) + "/stat");
  std::string line;
  std::getline(file, line);
  const std::size_t name_end = line.rfind(')');
  return name_end != std::string::npos && name_end + 2 < line.size() ? line[name_end + 2] : '?';
}

}  // namespace test_support
