// SPDX-License-Identifier: MIT
// The descriptors of a poll_set, for systems to which every wait passes all of them.
#pragma once

#include <algorithm>  // find_if
#include <cstdint>    // uint32_t
#include <mutex>      // mutex, lock_guard
#include <vector>     // vector

#include "sys.hpp"

namespace pysock {
inline namespace v1 {
namespace detail {

// Any thread may change it; the waiting thread is woken and makes a new copy.
class poll_entries {
 public:
  struct entry {
    native_handle_type handle;
    sys::event events;
    std::uint32_t generation;
  };

  poll_entries() = default;
  poll_entries(const poll_entries&) = delete;
  poll_entries& operator=(const poll_entries&) = delete;
  ~poll_entries() {
    if (wake_[0] >= 0) sys::close_wake(wake_);
  }

  // 0, or the negative error number.
  int open() noexcept { return sys::open_wake(wake_); }
  // Readable when the copy is out of date.
  [[nodiscard]] native_handle_type wake() const noexcept { return wake_[0]; }

  void change(native_handle_type handle, sys::event after, std::uint32_t generation) {
    const std::lock_guard<std::mutex> lock(mutex_);
    const auto found = std::find_if(entries_.begin(), entries_.end(),
                                    [handle](const entry& e) { return e.handle == handle; });
    if (after == sys::event::error) {
      if (found != entries_.end()) entries_.erase(found);
    } else if (found != entries_.end()) {
      *found = {handle, after, generation};
    } else {
      entries_.push_back({handle, after, generation});
    }
    sys::wake(wake_[1]);
  }

  // For the thread that waits.
  const std::vector<entry>& copy() {
    const std::lock_guard<std::mutex> lock(mutex_);
    sys::clear_wake(wake_[0]);
    copy_ = entries_;
    return copy_;
  }

 private:
  std::mutex mutex_;
  std::vector<entry> entries_;
  std::vector<entry> copy_;
  native_handle_type wake_[2] = {invalid_handle, invalid_handle};
};

}  // namespace detail
}  // namespace v1
}  // namespace pysock
