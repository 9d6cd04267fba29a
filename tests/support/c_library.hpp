// SPDX-License-Identifier: MIT
// Replaces functions of the C library in one thread, so that they fail or return what a test
// chooses. It needs a linker with --wrap: tests/CMakeLists.txt has the list of the functions, and
// c_library.cpp implements them.
#pragma once

#include <net/if.h>
#include <netdb.h>
#include <pthread.h>
#include <sys/types.h>
#include <time.h>

#include <cerrno>
#include <csignal>
#include <functional>
#include <pysock/constants.hpp>
#include <type_traits>
#include <utility>

namespace test_support {

/// The functions that can be replaced. Functions with variable arguments have one argument instead.
namespace c_library {

#define PYSOCK_C_FUNCTION(name, ...)                \
  struct name {                                     \
    using function = std::function<__VA_ARGS__>;    \
    static const function*& replacement() noexcept; \
  }

PYSOCK_C_FUNCTION(accept, int(int, sockaddr*, socklen_t*));
PYSOCK_C_FUNCTION(accept4, int(int, sockaddr*, socklen_t*, int));
PYSOCK_C_FUNCTION(epoll_create1, int(int));
PYSOCK_C_FUNCTION(eventfd, int(unsigned, int));
PYSOCK_C_FUNCTION(fcntl, int(int, int, void*));
PYSOCK_C_FUNCTION(getaddrinfo, int(const char*, const char*, const addrinfo*, addrinfo**));
PYSOCK_C_FUNCTION(gethostbyname2, hostent*(const char*, int));
PYSOCK_C_FUNCTION(gethostname, int(char*, std::size_t));
PYSOCK_C_FUNCTION(getservbyname, servent*(const char*, const char*));
PYSOCK_C_FUNCTION(getsockname, int(int, sockaddr*, socklen_t*));
PYSOCK_C_FUNCTION(getsockopt, int(int, int, int, void*, socklen_t*));
PYSOCK_C_FUNCTION(if_indextoname, char*(unsigned, char*));
PYSOCK_C_FUNCTION(if_nameindex, struct ::if_nameindex*());
PYSOCK_C_FUNCTION(if_nametoindex, unsigned(const char*));
PYSOCK_C_FUNCTION(ioctl, int(int, unsigned long, void*));
PYSOCK_C_FUNCTION(pipe, int(int*));
PYSOCK_C_FUNCTION(pthread_create, int(pthread_t*, const pthread_attr_t*, void* (*)(void*), void*));
PYSOCK_C_FUNCTION(sendfile, ssize_t(int, int, void*, std::size_t));
PYSOCK_C_FUNCTION(sethostname, int(const char*, std::size_t));
PYSOCK_C_FUNCTION(sigtimedwait, int(const sigset_t*, siginfo_t*, const timespec*));
PYSOCK_C_FUNCTION(socket, int(int, int, int));
PYSOCK_C_FUNCTION(sysconf, long(int));
#ifdef __GLIBC__
PYSOCK_C_FUNCTION(gethostbyname2_r,
                  int(const char*, int, hostent*, char*, std::size_t, hostent**, int*));
PYSOCK_C_FUNCTION(getservbyname_r,
                  int(const char*, const char*, servent*, char*, std::size_t, servent**));
#endif

#undef PYSOCK_C_FUNCTION

}  // namespace c_library

/// A replacement that fails as most functions do: it sets errno and returns -1, or a null pointer.
template <class Function>
struct failing_result;
template <class Result, class... Arguments>
struct failing_result<std::function<Result(Arguments...)>> {
  static Result get() noexcept {
    if constexpr (std::is_pointer_v<Result>)
      return nullptr;
    else
      return std::is_signed_v<Result> ? static_cast<Result>(-1) : Result{};
  }
};

/// Replaces a function for the calls of this thread, for its own lifetime. The replacement may call
/// the function, which then is the real one.
template <class Function>
class replaced {
 public:
  explicit replaced(typename Function::function replacement)
      : replacement_(std::move(replacement)), before_(Function::replacement()) {
    Function::replacement() = &replacement_;
  }
  /// Every call fails with this error number.
  explicit replaced(int error_number)
      : replaced([error_number](auto&&...) {
          errno = error_number;
          return failing_result<typename Function::function>::get();
        }) {}
  replaced(const replaced&) = delete;
  replaced& operator=(const replaced&) = delete;
  ~replaced() { Function::replacement() = before_; }

 private:
  typename Function::function replacement_;
  const typename Function::function* before_;
};

}  // namespace test_support
