// SPDX-License-Identifier: MIT
// The state of a descriptor, read without the library. One source file per platform
// implements it.
#pragma once

#if __has_include(<poll.h>)
#include <poll.h>
#endif

#include <cstdint>
#include <optional>
#include <pysock/constants.hpp>
#include <set>

namespace test_support {

bool is_open(pysock::native_handle_type fd);

/// The descriptors that are open in this process.
std::set<pysock::native_handle_type> open_descriptors();

/// Empty if the system does not report the mode.
std::optional<bool> is_nonblocking(pysock::native_handle_type fd);
bool is_close_on_exec(pysock::native_handle_type fd);

/// The position of a file.
std::int64_t position_of(pysock::native_handle_type file);

/// A pipe made without the library.
class a_pipe {
 public:
  a_pipe();
  a_pipe(const a_pipe&) = delete;
  a_pipe& operator=(const a_pipe&) = delete;
  ~a_pipe();
  [[nodiscard]] pysock::native_handle_type reading() const { return ends_[0]; }

 private:
  pysock::native_handle_type ends_[2] = {-1, -1};
};

/// Waits until the descriptor has one of these events, an error or a hang-up. False if none occurs
/// in that time.
bool wait_for(pysock::native_handle_type fd, short events, int milliseconds = 30000);

}  // namespace test_support
