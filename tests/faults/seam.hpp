// SPDX-License-Identifier: MIT
// Comes first in every file of the fault tests, those of the library included: its calls of the
// seam then go to functions of the same names in `faulty_sys`, which may fail on request and
// otherwise call the real ones. The list of calls is the one of the fake.
#pragma once

#include <pysock/detail/sys.hpp>
#include <tuple>
#include <type_traits>
#include <utility>

#include "../support/fake_sys.hpp"

namespace faults {

namespace seam = pysock::detail::sys;

#define PYSOCK_FAULTS_NAME(name) name,
enum class call : unsigned char { PYSOCK_FAKE_CALLS(PYSOCK_FAULTS_NAME) count };
#undef PYSOCK_FAULTS_NAME

// What one call is to do.
struct order {
  enum class what : unsigned char { pass, fail, shorten, lie } kind = what::pass;
  int number = 0;        // with which it fails
  bool is_code = false;  // EAI_* or h_errno, not the system's error number
};

// Counts the call, and says what it is to do. Allocates nothing.
order next(call c) noexcept;

// The system's: errno, or WSASetLastError().
void set_error_number(int number) noexcept;

// What a failed call returns.
template <call which, class Result>
Result failed(const order& o) noexcept {
  if constexpr (std::is_same_v<Result, seam::resolver_status>) {
    return {o.number, !o.is_code};
  } else if constexpr (which == call::send || which == call::sendto || which == call::recv ||
                       which == call::recvfrom) {
    set_error_number(o.number);
    return -1;
  } else {
    return static_cast<Result>(o.is_code ? o.number : -o.number);
  }
}

// Which argument is the size of a transfer that the system may cut short; -1: none.
constexpr int size_argument(call c) noexcept {
  switch (c) {
    case call::send:
    case call::sendto:
    case call::recv:
    case call::recvfrom:
    case call::send_now:
    case call::recv_now:
    case call::read_file:
      return 2;
    case call::sendfile:
      return 3;
    default:
      return -1;
  }
}

// Whether a call that is to fail is made all the same: a descriptor is closed whatever close()
// returns, and an interrupted connect goes on, but for AF_UNIX.
template <call which, class... A>
bool happens_anyway(const order& o, const A&... a) noexcept {
  if constexpr (which == call::connect) {
    const sockaddr* const address = std::get<1>(std::tie(a...));
    const bool goes_on =
        seam::classify(o.number) == seam::failure::interrupted || seam::connect_pending(o.number);
    return goes_on && address->sa_family != AF_UNIX;
  }
  return which == call::close || which == call::close_file;
}

// A call of the seam, by its own arguments.
template <call which, class Result, class... Parameters>
struct wrapper {
  Result (*real)(Parameters...);

  Result operator()(Parameters... p) const {
    const order o = next(which);
    if (o.kind == order::what::fail) {
      if (happens_anyway<which>(o, p...)) {
        const Result result = real(p...);
        if constexpr (which == call::connect) {
          // Refused at once, which leaves no error in the socket that a wait would find.
          if (result < 0 && !seam::connect_pending(-result)) return result;
        }
      }
      return failed<which, Result>(o);
    }
    if (o.kind == order::what::shorten) return shortened(p...);
    if constexpr (which == call::poll) {
      if (o.kind == order::what::lie) return 1;
    }
    if constexpr (which == call::sethostname) return 0;  // this host keeps its name
    return real(p...);
  }

  // The last argument of `poll` and `pause` is optional.
  template <class... A, std::enable_if_t<sizeof...(A) + 1 == sizeof...(Parameters), int> = 0>
  Result operator()(A... a) const {
    return (*this)(a..., pysock::invalid_handle);
  }

 private:
  Result shortened(Parameters... p) const {
    const auto all = std::tie(p...);
    if constexpr (size_argument(which) >= 0) {
      auto& size = std::get<static_cast<std::size_t>(size_argument(which))>(all);
      if (size > 1) size = 1;
    } else if constexpr (which == call::sendmsg || which == call::recvmsg) {
      auto& whole = std::get<1>(all);
      seam::message cut = whole;  // its first buffer alone
      if (cut.buffer_count > 1) cut.buffer_count = 1;
      const Result count = real(std::get<0>(all), cut, std::get<2>(all));
      if constexpr (which == call::recvmsg) whole = cut;
      return count;
    }
    return real(p...);
  }
};

template <call which, class Result, class... Parameters>
constexpr wrapper<which, Result, Parameters...> wrap(Result (*real)(Parameters...)) noexcept {
  return {real};
}

}  // namespace faults

namespace pysock {
inline namespace v1 {
namespace detail {
namespace faulty_sys {

using namespace sys;

#define PYSOCK_FAULTS_WRAP(name) \
  inline constexpr auto name = ::faults::wrap<::faults::call::name>(&sys::name);
PYSOCK_FAKE_CALLS(PYSOCK_FAULTS_WRAP)
#undef PYSOCK_FAULTS_WRAP

}  // namespace faulty_sys
}  // namespace detail
}  // namespace v1
}  // namespace pysock

#define sys faulty_sys
