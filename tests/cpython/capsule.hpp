// SPDX-License-Identifier: MIT
// A socket object as CPython's own `_ssl` sees it.
//
// `_ssl` does not call a socket's methods: it is handed the type by the capsule `_socket.CAPI` and
// reads the object's memory. This is the one place that follows a private layout of the
// interpreter's (3.11 to 3.13) rather than a documented interface.
#pragma once

#include "binding.hpp"

namespace binding {

// What `_ssl` reads, at the offsets where it reads it.
struct ssl_view {
  PyObject_HEAD int descriptor;
  int family;
  int type;
  int proto;
  PyObject* (*raise_errno)();
  std::int64_t timeout;  // nanoseconds, 0: non-blocking, -1: blocking
};

struct socket_object {
  ssl_view seen_by_ssl;
  pysock::socket socket;
};

// To be called whenever descriptor or timeout have changed.
void keep_in_step(socket_object& object) noexcept;

void add_capsule(PyObject* module, PyTypeObject* socket_type);

// A method of the socket, as the interpreter calls it.
template <object (*body)(socket_object& self, PyObject* arguments)>
PyObject* method(PyObject* self, PyObject* arguments) noexcept {
  return guarded(
      [self, arguments] { return body(*reinterpret_cast<socket_object*>(self), arguments); });
}
template <object (*body)(socket_object& self, PyObject* arguments, PyObject* keywords)>
PyObject* method_with_keywords(PyObject* self, PyObject* arguments, PyObject* keywords) noexcept {
  return guarded([self, arguments, keywords] {
    return body(*reinterpret_cast<socket_object*>(self), arguments, keywords);
  });
}

}  // namespace binding
