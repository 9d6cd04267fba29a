// SPDX-License-Identifier: MIT
// C++ classes that could be copied as bytes, but that are no options of any system.
#include <chrono>
#include <optional>
#include <pysock/socket.hpp>

enum class scoped { value };
struct structure {
  int first;
  int second;
};

void cases(pysock::socket& s, const std::optional<int>& maybe) {
#ifdef SETSOCKOPT_DURATION
  s.setsockopt(SOL_SOCKET, SO_RCVBUF, std::chrono::seconds(5));  // error: no matching
#else
  s.setsockopt(SOL_SOCKET, SO_RCVBUF, std::chrono::seconds(5).count());
#endif

#ifdef SETSOCKOPT_OPTIONAL
  s.setsockopt(SOL_SOCKET, SO_RCVBUF, maybe);  // error: no matching
#else
  s.setsockopt(SOL_SOCKET, SO_RCVBUF, *maybe);
#endif

#ifdef SETSOCKOPT_TIMEOUT_VALUE
  s.setsockopt(SOL_SOCKET, SO_RCVBUF, pysock::timeout_value(5));  // error: no matching
#else
  s.setsockopt(SOL_SOCKET, SO_RCVBUF, structure{1, 5});
#endif

#ifdef SETSOCKOPT_SCOPED_ENUMERATION
  s.setsockopt(SOL_SOCKET, SO_RCVBUF, scoped::value);  // error: no matching
#else
  s.setsockopt(SOL_SOCKET, SO_RCVBUF, static_cast<int>(scoped::value));
#endif

#ifdef SETSOCKOPT_FLOATING_POINT
  s.setsockopt(SOL_SOCKET, SO_RCVBUF, 0.5);  // error: no matching
#else
  s.setsockopt(SOL_SOCKET, SO_RCVBUF, 5);
#endif

#ifdef GETSOCKOPT_DURATION
  (void)s.getsockopt<std::chrono::seconds>(SOL_SOCKET, SO_RCVBUF);  // error: a C structure
#else
  (void)s.getsockopt<structure>(SOL_SOCKET, SO_RCVBUF);
#endif

#ifdef CONTROL_MESSAGE_OF_DURATION
  const pysock::control_message m(1, 2, std::chrono::seconds(5));  // error: no matching
#else
  const pysock::control_message m(1, 2, structure{1, 5});
#endif

#ifdef CONTROL_MESSAGE_OF_OPTIONAL
  const pysock::control_message n(1, 2, maybe);  // error: no matching
#else
  const pysock::control_message n(1, 2, maybe.value());
#endif

#ifdef CONTROL_MESSAGE_AS_DURATION
  (void)m.as<std::chrono::seconds>();  // error: plain C values
#else
  (void)m.as<structure>();
#endif
  (void)n;
}
