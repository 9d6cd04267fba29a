// SPDX-License-Identifier: MIT
// With -Wl,--wrap=NAME the linker directs all calls of NAME to __wrap_NAME, and __real_NAME is the
// function of the C library.
#include "c_library.hpp"

#include <cstdarg>

namespace {

// While a replacement runs, its own calls are not replaced.
template <class Function, class Real, class... Arguments>
auto call(Real real, Arguments... arguments) {
  const typename Function::function* const replacement = Function::replacement();
  if (replacement == nullptr) return real(arguments...);
  Function::replacement() = nullptr;
  const auto result = (*replacement)(arguments...);
  Function::replacement() = replacement;
  return result;
}

}  // namespace

#define PYSOCK_REPLACEMENT(name)                          \
  const test_support::c_library::name::function*&         \
  test_support::c_library::name::replacement() noexcept { \
    thread_local const function* current = nullptr;       \
    return current;                                       \
  }

#define PYSOCK_LIST(...) __VA_ARGS__

// The calls of `symbol`, which is the function `name`.
#define PYSOCK_WRAP_SYMBOL(symbol, name, result, parameters, arguments)                  \
  extern "C" result __real_##symbol parameters;                                          \
  extern "C" result __wrap_##symbol parameters {                                         \
    return call<test_support::c_library::name>(&__real_##symbol, PYSOCK_LIST arguments); \
  }

#define PYSOCK_WRAP(name, result, parameters, arguments) \
  PYSOCK_REPLACEMENT(name)                               \
  PYSOCK_WRAP_SYMBOL(name, name, result, parameters, arguments)

// A function with variable arguments, of which there is at most one.
#define PYSOCK_WRAP_VARIABLE(symbol, name, command_type)                                       \
  extern "C" int __real_##symbol(int fd, command_type command, ...);                           \
  extern "C" int __wrap_##symbol(int fd, command_type command, ...) {                          \
    std::va_list rest;                                                                         \
    va_start(rest, command);                                                                   \
    void* const argument = va_arg(rest, void*);                                                \
    va_end(rest);                                                                              \
    const auto real = [](int s, command_type c, void* a) { return __real_##symbol(s, c, a); }; \
    return call<test_support::c_library::name>(real, fd, command, argument);                   \
  }

PYSOCK_WRAP(accept, int, (int s, sockaddr* address, socklen_t* size), (s, address, size))
PYSOCK_WRAP(accept4, int, (int s, sockaddr* address, socklen_t* size, int flags),
            (s, address, size, flags))
PYSOCK_WRAP(epoll_create1, int, (int flags), (flags))
PYSOCK_WRAP(eventfd, int, (unsigned count, int flags), (count, flags))
PYSOCK_WRAP(getaddrinfo, int,
            (const char* host, const char* service, const addrinfo* hints, addrinfo** results),
            (host, service, hints, results))
PYSOCK_WRAP(gethostbyname2, hostent*, (const char* name, int family), (name, family))
PYSOCK_WRAP(gethostname, int, (char* name, std::size_t size), (name, size))
PYSOCK_WRAP(getservbyname, servent*, (const char* name, const char* proto), (name, proto))
PYSOCK_WRAP(getsockname, int, (int s, sockaddr* address, socklen_t* size), (s, address, size))
PYSOCK_WRAP(getsockopt, int, (int s, int level, int name, void* value, socklen_t* size),
            (s, level, name, value, size))
PYSOCK_WRAP(if_indextoname, char*, (unsigned index, char* name), (index, name))
PYSOCK_WRAP(if_nametoindex, unsigned, (const char* name), (name))
PYSOCK_WRAP(pipe, int, (int* ends), (ends))
PYSOCK_WRAP(pthread_create, int,
            (pthread_t * thread, const pthread_attr_t* attributes, void* (*start)(void*),
             void* argument),
            (thread, attributes, start, argument))
PYSOCK_WRAP(sendfile, ssize_t, (int s, int file, void* offset, std::size_t count),
            (s, file, offset, count))
PYSOCK_WRAP(sethostname, int, (const char* name, std::size_t size), (name, size))
PYSOCK_WRAP(sigtimedwait, int, (const sigset_t* signals, siginfo_t* info, const timespec* limit),
            (signals, info, limit))
PYSOCK_WRAP(socket, int, (int family, int type, int proto), (family, type, proto))
PYSOCK_WRAP(sysconf, long, (int name), (name))

PYSOCK_REPLACEMENT(fcntl)
PYSOCK_WRAP_VARIABLE(fcntl, fcntl, int)
PYSOCK_REPLACEMENT(ioctl)
PYSOCK_WRAP_VARIABLE(ioctl, ioctl, unsigned long)

PYSOCK_REPLACEMENT(if_nameindex)
extern "C" struct ::if_nameindex* __real_if_nameindex();
extern "C" struct ::if_nameindex* __wrap_if_nameindex() {
  return call<test_support::c_library::if_nameindex>(&__real_if_nameindex);
}

#ifdef __GLIBC__
// Their names where file offsets have 64 bits.
PYSOCK_WRAP_VARIABLE(fcntl64, fcntl, int)
PYSOCK_WRAP_SYMBOL(sendfile64, sendfile, ssize_t,
                   (int s, int file, void* offset, std::size_t count), (s, file, offset, count))

PYSOCK_WRAP(gethostbyname2_r, int,
            (const char* name, int family, hostent* entry, char* buffer, std::size_t size,
             hostent** found, int* reason),
            (name, family, entry, buffer, size, found, reason))
PYSOCK_WRAP(getservbyname_r, int,
            (const char* name, const char* proto, servent* entry, char* buffer, std::size_t size,
             servent** found),
            (name, proto, entry, buffer, size, found))
#endif
