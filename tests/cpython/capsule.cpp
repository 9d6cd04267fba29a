// SPDX-License-Identifier: MIT
#include "capsule.hpp"

#include <cstddef>

namespace binding {
namespace {

// The struct to which the capsule points.
struct ssl_record {
  PyTypeObject* socket_type;
  PyObject* error;
  PyObject* timeout_error;
};

static_assert(offsetof(ssl_view, descriptor) == sizeof(PyObject));
static_assert(offsetof(ssl_view, timeout) % alignof(std::int64_t) == 0);

// `_ssl` calls this immediately after OpenSSL has reported a failed system call.
PyObject* raise_errno() { return PyErr_SetFromErrno(PyExc_OSError); }

}  // namespace

void keep_in_step(socket_object& object) noexcept {
  ssl_view& seen = object.seen_by_ssl;
  seen.descriptor = object.socket.fileno();
  seen.family = object.socket.family();
  seen.type = object.socket.type();
  seen.proto = object.socket.proto();
  seen.raise_errno = raise_errno;
  // Nanoseconds, rounded up so that a tiny timeout does not become 0; -1 for none.
  const auto timeout = object.socket.gettimeout();
  const double exact = timeout ? timeout->count() * 1e9 : -1;
  seen.timeout = static_cast<std::int64_t>(exact);
  if (static_cast<double>(seen.timeout) < exact) ++seen.timeout;
}

void add_capsule(PyObject* module, PyTypeObject* socket_type) {
  static ssl_record record;
  record = {socket_type, PyExc_OSError, PyExc_TimeoutError};
  const object capsule = object::take(PyCapsule_New(&record, "_socket.CAPI", nullptr));
  check(PyModule_AddObjectRef(module, "CAPI", capsule.get()) >= 0);
}

}  // namespace binding
