// SPDX-License-Identifier: MIT
// The memory layout of a socket object that CPython's `_ssl` expects.
//
// `_ssl` does not call a socket's methods. It gets the type from the capsule `_socket.CAPI` and
// reads the object's memory. Only this file depends on a private layout of the interpreter (3.11
// to 3.13) instead of a documented interface.
#pragma once

#include "binding.hpp"

namespace binding {

// The members that `_ssl` reads, at their offsets.
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

// Must be called after every change of the descriptor or the timeout.
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
