// SPDX-License-Identifier: MIT
// Waiting for several sockets: select(), with sets of any size.
#include "winsock.hpp"

#include <algorithm>
#include <pysock/detail/poll_entries.hpp>

namespace pysock {
inline namespace v1 {
namespace detail {
namespace {

// select() uses the count in a set, not FD_SETSIZE.
class socket_set {
 public:
  void clear() { words_.assign(1, 0); }
  void add(native_handle_type s) { words_.push_back(sys::winsock::to_socket(s)); }
  // The argument of select(); null for an empty set.
  fd_set* get() noexcept {
    if (words_.size() == 1) return nullptr;
    auto* const set = reinterpret_cast<fd_set*>(words_.data());
    set->fd_count = static_cast<u_int>(words_.size() - 1);
    return set;
  }
  // After select(), which keeps only the sockets that are ready.
  void sort() {
    if (words_.size() == 1) return;
    words_.resize(1 + reinterpret_cast<fd_set*>(words_.data())->fd_count);
    std::sort(words_.begin() + 1, words_.end());
  }
  [[nodiscard]] bool contains(native_handle_type s) const {
    return std::binary_search(words_.begin() + 1, words_.end(), sys::winsock::to_socket(s));
  }

 private:
  // An fd_set: the count, padded to the size of a socket, and the sockets.
  static_assert(offsetof(fd_set, fd_array) == sizeof(SOCKET));
  std::vector<SOCKET> words_ = std::vector<SOCKET>(1);
};

}  // namespace

using sys::event;

class sys::poll_set {
 public:
  int open() noexcept { return entries_.open(); }

  int change(native_handle_type s, event before, event after, std::uint32_t generation) {
    if (before == event::error) {
      int family = 0;
      int type = 0;
      int proto = 0;
      if (const int result = describe(s, family, type, proto); result < 0) return result;
    }
    entries_.change(s, after, generation);
    return 0;
  }

  int wait(std::vector<poll_result>& out, int milliseconds) {
    const auto& entries = entries_.copy();
    for (socket_set* set : {&readable_, &writable_, &failed_}) set->clear();
    readable_.add(entries_.wake());
    for (const auto& one : entries) {
      if (contains(one.events, event::read)) readable_.add(one.handle);
      if (!contains(one.events, event::write)) continue;
      writable_.add(one.handle);
      failed_.add(one.handle);  // a failed connect is reported only there
    }
    timeval limit{};
    limit.tv_sec = milliseconds / 1000;
    limit.tv_usec = milliseconds % 1000 * 1000;
    const int count = winsock::outcome(::select(0, readable_.get(), writable_.get(), failed_.get(),
                                                milliseconds < 0 ? nullptr : &limit));
    if (count == -WSAENOTSOCK) return drop_closed(entries);
    if (count <= 0) return count;
    for (socket_set* set : {&readable_, &writable_, &failed_}) set->sort();
    for (const auto& one : entries) {
      event events = event::error;
      if (readable_.contains(one.handle)) events = events | event::read;
      if (writable_.contains(one.handle) || failed_.contains(one.handle))
        events = events | event::write;
      if (events != event::error) out.push_back({one.handle, one.generation, events});
    }
    return static_cast<int>(out.size());
  }

 private:
  // A closed socket is never reported, as on other systems; with it select() would fail.
  int drop_closed(const std::vector<poll_entries::entry>& entries) {
    bool found = false;
    for (const auto& one : entries) {
      int family = 0;
      int type = 0;
      int proto = 0;
      if (describe(one.handle, family, type, proto) != -WSAENOTSOCK) continue;
      entries_.change(one.handle, event::error, one.generation);
      found = true;
    }
    if (!found) ::Sleep(1);  // the number of the closed socket has been reused or unregistered
    return 0;
  }

  poll_entries entries_;
  socket_set readable_;
  socket_set writable_;
  socket_set failed_;
};

int sys::open_poll_set(poll_set*& out) {
  out = new poll_set;
  const int result = out->open();
  if (result < 0) {
    delete out;
    out = nullptr;
  }
  return result;
}

void sys::close_poll_set(poll_set* set) noexcept { delete set; }

native_handle_type sys::poll_set_handle(const poll_set& /*set*/) noexcept { return invalid_handle; }

int sys::change_poll_set(poll_set& set, native_handle_type s, event before, event after,
                         std::uint32_t generation) {
  return set.change(s, before, after, generation);
}

int sys::wait_poll_set(poll_set& set, std::vector<poll_result>& out, int milliseconds) {
  out.clear();
  return set.wait(out, milliseconds);
}

}  // namespace detail
}  // namespace v1
}  // namespace pysock
