// SPDX-License-Identifier: MIT
// What the system knows of a descriptor, asked without the library.
#pragma once

#include <fcntl.h>
#include <poll.h>

#include <filesystem>
#include <iterator>
#include <set>
#include <string>
#include <system_error>

namespace test_support {

inline bool is_open(int fd) { return ::fcntl(fd, F_GETFD) >= 0; }

/// The descriptors that are open in this process.
inline std::set<int> open_descriptors() {
  std::set<int> found;
  std::error_code missing;
  for (const auto& entry : std::filesystem::directory_iterator("/proc/self/fd", missing)) found.insert(std::stoi(entry.path().filename()));
  if (missing) {
    for (int fd = 0; fd < 2048; ++fd) found.insert(fd);
  }
  for (auto fd = found.begin(); fd != found.end();) fd = is_open(*fd) ? std::next(fd) : found.erase(fd);  // the iterator had one too
  return found;
}

inline bool is_nonblocking(int fd) { return (::fcntl(fd, F_GETFL) & O_NONBLOCK) != 0; }
inline bool is_close_on_exec(int fd) { return (::fcntl(fd, F_GETFD) & FD_CLOEXEC) != 0; }

/// Waits until the descriptor has one of these events, an error or a hang-up. False if none comes in that time.
inline bool wait_for(int fd, short events, int milliseconds = 30000) {
  pollfd entry{fd, events, 0};
  return ::poll(&entry, 1, milliseconds) == 1;
}

}  // namespace test_support
