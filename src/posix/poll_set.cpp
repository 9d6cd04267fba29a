// SPDX-License-Identifier: MIT
// Waiting for several descriptors: epoll, kqueue or poll.
#include "features.hpp"

#include <atomic>
#include <new>
#include <pysock/detail/sys.hpp>
#include <type_traits>

#if PYSOCK_POLL_SET == PYSOCK_POLL_SET_EPOLL
#include <sys/epoll.h>
#elif PYSOCK_POLL_SET == PYSOCK_POLL_SET_KQUEUE
#include <sys/event.h>
#include <sys/time.h>
#else
#include <poll.h>

#include <pysock/detail/poll_entries.hpp>
#endif

namespace pysock {
inline namespace v1 {
namespace detail {

#if PYSOCK_POLL_SET == PYSOCK_POLL_SET_EPOLL

class sys::poll_set {
 public:
  int open() noexcept {
    handle_ = outcome(::epoll_create1(EPOLL_CLOEXEC));
    return handle_ < 0 ? handle_ : 0;
  }
  poll_set() = default;
  poll_set(const poll_set&) = delete;
  poll_set& operator=(const poll_set&) = delete;
  ~poll_set() {
    if (handle_ >= 0) ::close(handle_);
  }
  [[nodiscard]] native_handle_type handle() const noexcept { return handle_; }

  int change(native_handle_type s, event before, event after, std::uint32_t generation) noexcept {
    epoll_event wanted{};
    if (contains(after, event::read)) wanted.events |= EPOLLIN;
    if (contains(after, event::write)) wanted.events |= EPOLLOUT;
    wanted.data.u64 = std::uint64_t{generation} << 32 | static_cast<std::uint32_t>(s);
    const int operation = before == event::error  ? EPOLL_CTL_ADD
                          : after == event::error ? EPOLL_CTL_DEL
                                                  : EPOLL_CTL_MOD;
    const int result = outcome(::epoll_ctl(handle_, operation, s, &wanted));
    if (result == 0 && operation == EPOLL_CTL_ADD) ++size_;
    if (operation == EPOLL_CTL_DEL) --size_;
    return result;
  }

  int wait(std::vector<poll_result>& out, int milliseconds) {
    const int size = size_;
    if (events_.size() < static_cast<std::size_t>(size) || events_.empty())
      events_.resize(static_cast<std::size_t>(size < 1 ? 1 : size));
    const int count = outcome(
        ::epoll_wait(handle_, events_.data(), static_cast<int>(events_.size()), milliseconds));
    for (int i = 0; i < count; ++i) {
      const epoll_event& one = events_[static_cast<std::size_t>(i)];
      // An error and a hang-up count as ready for both.
      event events = event::error;
      if ((one.events & ~std::uint32_t{EPOLLOUT}) != 0) events = events | event::read;
      if ((one.events & ~std::uint32_t{EPOLLIN}) != 0) events = events | event::write;
      out.push_back({static_cast<native_handle_type>(one.data.u64 & UINT32_MAX),
                     static_cast<std::uint32_t>(one.data.u64 >> 32), events});
    }
    return count;
  }

 private:
  native_handle_type handle_ = invalid_handle;
  std::atomic<int> size_{0};
  std::vector<epoll_event> events_;
};

#elif PYSOCK_POLL_SET == PYSOCK_POLL_SET_KQUEUE

namespace {

// The field for the program's own use is a pointer or a number.
using user_data = decltype(std::declval<struct kevent>().udata);
template <class To = user_data>
To to_user_data(std::uint32_t generation) noexcept {
  if constexpr (std::is_pointer_v<To>)
    return reinterpret_cast<To>(static_cast<std::uintptr_t>(generation));
  else
    return static_cast<To>(generation);
}
template <class From>
std::uint32_t from_user_data(From data) noexcept {
  if constexpr (std::is_pointer_v<From>)
    return static_cast<std::uint32_t>(reinterpret_cast<std::uintptr_t>(data));
  else
    return static_cast<std::uint32_t>(data);
}

}  // namespace

class sys::poll_set {
 public:
  int open() noexcept {
    handle_ = outcome(::kqueue());
    return handle_ < 0 ? handle_ : set_inheritable(handle_, false);
  }
  poll_set() = default;
  poll_set(const poll_set&) = delete;
  poll_set& operator=(const poll_set&) = delete;
  ~poll_set() {
    if (handle_ >= 0) ::close(handle_);
  }
  [[nodiscard]] native_handle_type handle() const noexcept { return handle_; }

  int change(native_handle_type s, event before, event after, std::uint32_t generation) noexcept {
    const int result = set_filter(s, EVFILT_READ, event::read, before, after, generation);
    if (result < 0) return result;
    const int other = set_filter(s, EVFILT_WRITE, event::write, before, after, generation);
    if (other < 0) set_filter(s, EVFILT_READ, event::read, after, before, generation);
    if (other == 0 && before == event::error) ++size_;
    if (after == event::error) --size_;
    return other;
  }

  int wait(std::vector<poll_result>& out, int milliseconds) {
    const int size = size_;
    const auto wanted = static_cast<std::size_t>(size < 1 ? 1 : size) * 2;
    if (events_.size() < wanted) events_.resize(wanted);
    timespec limit{};
    limit.tv_sec = milliseconds / 1000;
    limit.tv_nsec = static_cast<long>(milliseconds % 1000) * 1000000;
    const int count = outcome(::kevent(handle_, nullptr, 0, events_.data(), to_count(),
                                       milliseconds < 0 ? nullptr : &limit));
    for (int i = 0; i < count; ++i) {
      const struct kevent& one = events_[static_cast<std::size_t>(i)];
      out.push_back({static_cast<native_handle_type>(one.ident), from_user_data(one.udata),
                     one.filter == EVFILT_READ ? event::read : event::write});
    }
    return count;
  }

 private:
  // NetBSD counts in size_t, the others in int.
  struct count_argument {
    std::size_t value;
    template <class Integer, std::enable_if_t<std::is_integral_v<Integer>, int> = 0>
    operator Integer() const noexcept {
      return static_cast<Integer>(value);
    }
  };
  [[nodiscard]] count_argument to_count() const noexcept { return {events_.size()}; }

  int set_filter(native_handle_type s, int filter, event one, event before, event after,
                 std::uint32_t generation) noexcept {
    const bool was = contains(before, one);
    const bool is = contains(after, one);
    if (!was && !is) return 0;
    struct kevent wanted {};
    EV_SET(&wanted, static_cast<decltype(wanted.ident)>(s),
           static_cast<decltype(wanted.filter)>(filter), is ? EV_ADD : EV_DELETE, 0, 0,
           to_user_data(generation));
    const int result = outcome(::kevent(handle_, &wanted, 1, nullptr, 0, nullptr));
    return result < 0 && is ? result : 0;  // the system has removed closed descriptors
  }

  native_handle_type handle_ = invalid_handle;
  std::atomic<int> size_{0};
  std::vector<struct kevent> events_;
};

#else

class sys::poll_set {
 public:
  int open() noexcept { return entries_.open(); }
  [[nodiscard]] native_handle_type handle() const noexcept { return invalid_handle; }

  int change(native_handle_type s, event before, event after, std::uint32_t generation) {
    if (before == event::error && ::fcntl(s, F_GETFD) < 0) return outcome(-1);
    entries_.change(s, after, generation);
    return 0;
  }

  int wait(std::vector<poll_result>& out, int milliseconds) {
    const auto& entries = entries_.copy();
    polled_.resize(entries.size() + 1);
    for (std::size_t i = 0; i < entries.size(); ++i) {
      polled_[i] = {};
      polled_[i].fd = entries[i].handle;
      if (contains(entries[i].events, event::read)) polled_[i].events |= POLLIN;
      if (contains(entries[i].events, event::write)) polled_[i].events |= POLLOUT;
    }
    polled_.back() = {};
    polled_.back().fd = entries_.wake();
    polled_.back().events = POLLIN;
    const int count =
        outcome(::poll(polled_.data(), static_cast<nfds_t>(polled_.size()), milliseconds));
    for (std::size_t i = 0; count > 0 && i < entries.size(); ++i) {
      const int found = polled_[i].revents;
      // A closed descriptor is never reported, as with epoll and kqueue.
      if (found == 0 || (found & POLLNVAL) != 0) continue;
      event events = event::error;
      if ((found & ~POLLOUT) != 0) events = events | event::read;
      if ((found & ~POLLIN) != 0) events = events | event::write;
      out.push_back({entries[i].handle, entries[i].generation, events});
    }
    return count < 0 ? count : static_cast<int>(out.size());
  }

 private:
  poll_entries entries_;
  std::vector<pollfd> polled_;
};

#endif

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

native_handle_type sys::poll_set_handle(const poll_set& set) noexcept { return set.handle(); }

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
