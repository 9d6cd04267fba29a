// SPDX-License-Identifier: MIT
// The type `_socket.socket`: construction, and all methods except those that transfer data.
#include <iterator>
#include <new>
#include <vector>

#include "capsule.hpp"

namespace binding {
namespace {

PyTypeObject* socket_type = nullptr;

void adopt(socket_object& self, pysock::socket socket) {
  self.socket = std::move(socket);
  self.socket.set_interrupt_hook(run_signal_handlers, nullptr);
  keep_in_step(self);
}

// ---- construction and closing ----

PyObject* create(PyTypeObject* type, PyObject* /*arguments*/, PyObject* /*keywords*/) {
  PyObject* const made = type->tp_alloc(type, 0);
  if (made == nullptr) return nullptr;
  auto& self = *reinterpret_cast<socket_object*>(made);
  new (&self.socket) pysock::socket(nullptr);
  keep_in_step(self);
  return made;
}

// -1 means detect it from fileno, or the default for a new socket.
pysock::socket open(int family, int type, int proto, PyObject* fileno) {
  if (fileno == nullptr || fileno == Py_None) {
    if (family == -1) family = AF_INET;
    if (type == -1) type = SOCK_STREAM;
    if (proto == -1) proto = 0;
    return without_lock([=] { return pysock::socket(family, type, proto); });
  }
  if (PyFloat_Check(fileno)) raise(PyExc_TypeError, "integer argument expected, got float");
  return pysock::from_fileno(to_int(fileno, "fileno"), family, type, proto);
}

object initialize(socket_object& self, PyObject* arguments, PyObject* keywords) {
  static const char* names[] = {"family", "type", "proto", "fileno", nullptr};
  int family = -1;
  int type = -1;
  int proto = -1;
  PyObject* fileno = nullptr;
  check(PyArg_ParseTupleAndKeywords(arguments, keywords, "|iiiO:socket", const_cast<char**>(names),
                                    &family, &type, &proto, &fileno) != 0);
  audit("socket.__new__", "Oiii", reinterpret_cast<PyObject*>(&self), family, type, proto);
  adopt(self, open(family, type, proto, fileno));
  return none();
}

int initialize_slot(PyObject* self, PyObject* arguments, PyObject* keywords) {
  PyObject* const done = method_with_keywords<initialize>(self, arguments, keywords);
  Py_XDECREF(done);
  return done != nullptr ? 0 : -1;
}

void warn_if_open(PyObject* self) {
  auto& object = *reinterpret_cast<socket_object*>(self);
  if (!object.socket) return;
  PyObject* type = nullptr;
  PyObject* value = nullptr;
  PyObject* traceback = nullptr;
  PyErr_Fetch(&type, &value, &traceback);
  if (PyErr_ResourceWarning(self, 1, "unclosed %R", self) < 0 &&
      PyErr_ExceptionMatches(PyExc_Warning) != 0)
    PyErr_WriteUnraisable(self);
  object.socket = pysock::socket(nullptr);
  keep_in_step(object);
  PyErr_Restore(type, value, traceback);
}

void destroy(PyObject* self) {
  if (PyObject_CallFinalizerFromDealloc(self) < 0) return;
  PyTypeObject* const type = Py_TYPE(self);
  reinterpret_cast<socket_object*>(self)->socket.~socket();
  type->tp_free(self);
  Py_DECREF(type);
}

PyObject* repr(PyObject* self) {
  const pysock::socket& s = reinterpret_cast<socket_object*>(self)->socket;
  return PyUnicode_FromFormat("<socket object, fd=%d, family=%d, type=%d, proto=%d>", s.fileno(),
                              s.family(), s.type(), s.proto());
}

object close(socket_object& self, PyObject*) {
  self.seen_by_ssl.descriptor = -1;
  without_lock([&self] { self.socket.close(); });
  return none();
}

object detach(socket_object& self, PyObject*) {
  const int descriptor = self.socket.detach();
  keep_in_step(self);
  return build("i", descriptor);
}

object fileno(socket_object& self, PyObject*) { return build("i", self.socket.fileno()); }

// ---- connections ----

object accept(socket_object& self, PyObject*) {
  pysock::accept_result accepted = without_lock([&self] { return self.socket.accept(); });
  const object address = from_address(accepted.address, self.socket.proto());
  object result = build("(iO)", accepted.conn.fileno(), address.get());
  (void)accepted.conn.detach();  // the caller owns it now
  return result;
}

object bind(socket_object& self, PyObject* address) {
  audit("socket.bind", "OO", reinterpret_cast<PyObject*>(&self), address);
  const pysock::address local = to_address(self.socket, address, "bind");
  without_lock([&] { self.socket.bind(local); });
  return none();
}

object connect(socket_object& self, PyObject* address) {
  const pysock::address remote = to_address(self.socket, address, "connect");
  audit("socket.connect", "OO", reinterpret_cast<PyObject*>(&self), address);
  without_lock([&] { self.socket.connect(remote); });
  return none();
}

object connect_ex(socket_object& self, PyObject* address) {
  const pysock::address remote = to_address(self.socket, address, "connect_ex");
  audit("socket.connect", "OO", reinterpret_cast<PyObject*>(&self), address);
  const int outcome = without_lock([&] { return self.socket.connect_ex(remote); });
  check(PyErr_Occurred() == nullptr);  // a signal handler raised
  return build("i", outcome);
}

object listen(socket_object& self, PyObject* arguments) {
  int backlog = pysock::socket::default_backlog;
  parse(arguments, "|i:listen", &backlog);
  without_lock([&] { self.socket.listen(backlog); });
  return none();
}

object shutdown(socket_object& self, PyObject* argument) {
  const int how = to_int(argument, "shutdown");
  without_lock([&] { self.socket.shutdown(how); });
  return none();
}

object getpeername(socket_object& self, PyObject*) {
  return from_address(without_lock([&self] { return self.socket.getpeername(); }),
                      self.socket.proto());
}

object getsockname(socket_object& self, PyObject*) {
  return from_address(without_lock([&self] { return self.socket.getsockname(); }),
                      self.socket.proto());
}

// ---- modes and options ----

object settimeout(socket_object& self, PyObject* value) {
  const pysock::timeout_value timeout = to_timeout(value);
  without_lock([&] { self.socket.settimeout(timeout); });
  keep_in_step(self);
  return none();
}

object setblocking(socket_object& self, PyObject* flag) {
  const int blocking = PyObject_IsTrue(flag);
  check(blocking >= 0);
  without_lock([&] { self.socket.setblocking(blocking != 0); });
  keep_in_step(self);
  return none();
}

object getblocking(socket_object& self, PyObject*) {
  return object::share(self.socket.getblocking() ? Py_True : Py_False);
}

object gettimeout(socket_object& self, PyObject*) { return from_timeout(self.socket.gettimeout()); }

object getsockopt(socket_object& self, PyObject* arguments) {
  int level = 0;
  int name = 0;
  int buflen = 0;
  parse(arguments, "ii|i:getsockopt", &level, &name, &buflen);
#ifdef AF_VSOCK
  if (buflen == 0 && self.socket.family() == AF_VSOCK) {
    return build(
        "K", static_cast<unsigned long long>(self.socket.getsockopt<std::uint64_t>(level, name)));
  }
#endif
  if (buflen == 0) return build("i", self.socket.getsockopt(level, name));
  return to_bytes(self.socket.getsockopt(level, name, buflen));
}

object setsockopt(socket_object& self, PyObject* arguments) {
  int level = 0;
  int name = 0;
  PyObject* value = nullptr;
  unsigned optlen = 0;
  parse(arguments, "iiO|I:setsockopt", &level, &name, &value, &optlen);
  const bool null = value == Py_None;
  const bool sized = PyTuple_GET_SIZE(arguments) == 4;
  if (null && !sized)
    raise(PyExc_TypeError, "setsockopt() requires 4 arguments when the third argument is None");
  if (sized && !null)
    raise(PyExc_TypeError, "setsockopt() only takes 4 arguments when the third argument is None");
  if (null) {
    self.socket.setsockopt(level, name, nullptr, static_cast<socklen_t>(optlen));
  } else if (PyIndex_Check(value)) {
    const long long number = PyLong_AsLongLong(value);
    if (number == -1 && PyErr_Occurred() != nullptr) throw python_error();
#ifdef AF_VSOCK
    if (self.socket.family() == AF_VSOCK) {
      const auto wide = static_cast<std::uint64_t>(number);
      self.socket.setsockopt(level, name, pysock::const_bytes(&wide, sizeof wide));
      return none();
    }
#endif
    self.socket.setsockopt(level, name, number);
  } else if (PyObject_CheckBuffer(value)) {
    const buffer bytes(value);
    self.socket.setsockopt(level, name, bytes.bytes());
  } else {
    raise(PyExc_TypeError, "socket option should be int, bytes-like object or None (got %.100s)",
          Py_TYPE(value)->tp_name);
  }
  return none();
}

// ---- the type ----

template <int (pysock::socket::*read)() const noexcept>
PyObject* number(PyObject* self, void* /*closure*/) {
  return PyLong_FromLong((reinterpret_cast<socket_object*>(self)->socket.*read)());
}

PyObject* timeout(PyObject* self, void* /*closure*/) {
  return guarded(
      [self] { return from_timeout(reinterpret_cast<socket_object*>(self)->socket.gettimeout()); });
}

PyGetSetDef properties[] = {
    {"family", number<&pysock::socket::family>, nullptr, "the socket family", nullptr},
    {"type", number<&pysock::socket::type>, nullptr, "the socket type", nullptr},
    {"proto", number<&pysock::socket::proto>, nullptr, "the socket protocol", nullptr},
    {"timeout", timeout, nullptr, "the socket timeout", nullptr},
    {nullptr, nullptr, nullptr, nullptr, nullptr},
};

PyMethodDef methods[] = {
    {"_accept", method<accept>, METH_NOARGS, "_accept() -> (descriptor, address)"},
    {"bind", method<bind>, METH_O, "bind(address)"},
    {"close", method<close>, METH_NOARGS, "close()"},
    {"connect", method<connect>, METH_O, "connect(address)"},
    {"connect_ex", method<connect_ex>, METH_O, "connect_ex(address) -> errno"},
    {"detach", method<detach>, METH_NOARGS, "detach() -> descriptor"},
    {"fileno", method<fileno>, METH_NOARGS, "fileno() -> descriptor"},
    {"getblocking", method<getblocking>, METH_NOARGS, "getblocking() -> bool"},
    {"getpeername", method<getpeername>, METH_NOARGS, "getpeername() -> address"},
    {"getsockname", method<getsockname>, METH_NOARGS, "getsockname() -> address"},
    {"getsockopt", method<getsockopt>, METH_VARARGS,
     "getsockopt(level, name[, buflen]) -> int or bytes"},
    {"gettimeout", method<gettimeout>, METH_NOARGS, "gettimeout() -> seconds or None"},
    {"listen", method<listen>, METH_VARARGS, "listen([backlog])"},
    {"setblocking", method<setblocking>, METH_O, "setblocking(flag)"},
    {"setsockopt", method<setsockopt>, METH_VARARGS,
     "setsockopt(level, name, value) or setsockopt(level, name, None, optlen)"},
    {"settimeout", method<settimeout>, METH_O, "settimeout(seconds or None)"},
    {"shutdown", method<shutdown>, METH_O, "shutdown(how)"},
};

// The interpreter needs the methods of all files in one table.
PyMethodDef* all_methods() {
  static std::vector<PyMethodDef> all(std::begin(methods), std::end(methods));
  for (const PyMethodDef* more : {transfer_methods, message_methods}) {
    while (more->ml_name != nullptr) all.push_back(*more++);
  }
  all.push_back({nullptr, nullptr, 0, nullptr});
  return all.data();
}

template <class Function>
void* slot(Function* function) {
  return reinterpret_cast<void*>(function);
}

}  // namespace

bool run_signal_handlers(void* /*unused*/) noexcept {
  const PyGILState_STATE lock = PyGILState_Ensure();
  const bool go_on = PyErr_CheckSignals() == 0;
  PyGILState_Release(lock);
  return go_on;
}

object make_socket(pysock::socket socket) {
  object made = object::take(create(socket_type, nullptr, nullptr));
  adopt(*reinterpret_cast<socket_object*>(made.get()), std::move(socket));
  return made;
}

void add_socket_type(PyObject* module) {
  PyType_Slot slots[] = {
      {Py_tp_new, slot(create)},
      {Py_tp_init, slot(initialize_slot)},
      {Py_tp_finalize, slot(warn_if_open)},
      {Py_tp_dealloc, slot(destroy)},
      {Py_tp_repr, slot(repr)},
      {Py_tp_getset, properties},
      {Py_tp_methods, all_methods()},
      {Py_tp_doc, const_cast<char*>("socket(family=AF_INET, type=SOCK_STREAM, proto=0, "
                                    "fileno=None)\n\nA socket of pysock's.")},
      {0, nullptr},
  };
  PyType_Spec spec{"_socket.socket", sizeof(socket_object), 0,
                   Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_IMMUTABLETYPE, slots};
  socket_type = reinterpret_cast<PyTypeObject*>(object::take(PyType_FromSpec(&spec)).release());
  auto* const type = reinterpret_cast<PyObject*>(socket_type);
  check(PyModule_AddObjectRef(module, "socket", type) >= 0);
  check(PyModule_AddObjectRef(module, "SocketType", type) >= 0);
  add_capsule(module, socket_type);
}

}  // namespace binding
