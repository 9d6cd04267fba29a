// SPDX-License-Identifier: MIT
// The type `_socket.selector`: pysock's selector, for descriptors. selectors_on_pysock.py wraps it
// as a class of Python's `selectors`.
#include <new>
#include <optional>
#include <pysock/selectors.hpp>

#include "binding.hpp"

namespace binding {
namespace {

// A Python object that the selector keeps with a descriptor. The selector may release it without
// the interpreter's lock.
class kept {
 public:
  explicit kept(PyObject* borrowed) : held_(object::share(borrowed)) {}
  kept(kept&& other) noexcept = default;
  kept& operator=(kept&& other) = delete;
  ~kept() {
    if (held_.get() == nullptr) return;
    const PyGILState_STATE lock = PyGILState_Ensure();
    held_ = object();
    PyGILState_Release(lock);
  }
  [[nodiscard]] PyObject* get() const noexcept { return held_.get(); }

 private:
  object held_;
};

using selector = pysock::selector<kept>;

struct selector_object {
  PyObject_HEAD std::optional<selector> held;
};

template <object (*body)(selector& self, PyObject* arguments)>
PyObject* method(PyObject* self, PyObject* arguments) noexcept {
  return guarded([self, arguments] {
    try {
      return body(*reinterpret_cast<selector_object*>(self)->held, arguments);
    } catch (const std::out_of_range& e) {
      raise(PyExc_KeyError, "%s", e.what());
    }
  });
}

PyObject* create(PyTypeObject* type, PyObject* /*arguments*/, PyObject* /*keywords*/) {
  return guarded([type] {
    object made = object::take(type->tp_alloc(type, 0));
    auto& self = *reinterpret_cast<selector_object*>(made.get());
    new (&self.held) std::optional<selector>();
    self.held.emplace().set_interrupt_hook(run_signal_handlers, nullptr);
    return made;
  });
}

void destroy(PyObject* self) {
  PyTypeObject* const type = Py_TYPE(self);
  reinterpret_cast<selector_object*>(self)->held.~optional();
  type->tp_free(self);
  Py_DECREF(type);
}

object add(selector& self, PyObject* arguments) {
  int fd = 0;
  int events = 0;
  PyObject* data = nullptr;
  parse(arguments, "iiO:register", &fd, &events, &data);
  if (self.get_map().find(fd) != self.get_map().end())
    raise(PyExc_KeyError, "%d is already registered", fd);
  self.register_(fd, events, kept(data));
  return none();
}

object modify(selector& self, PyObject* arguments) {
  int fd = 0;
  int events = 0;
  PyObject* data = nullptr;
  parse(arguments, "iiO:modify", &fd, &events, &data);
  self.modify(fd, events, kept(data));
  return none();
}

object unregister(selector& self, PyObject* descriptor) {
  return object::share(self.unregister(to_int(descriptor, "unregister")).data().get());
}

object find(selector& self, PyObject* descriptor) {
  return object::share(self.get_key(to_int(descriptor, "find")).data().get());
}

object keys(selector& self, PyObject*) {
  object all = object::take(PyList_New(0));
  for (const auto& key : self.get_map()) check(PyList_Append(all.get(), key.data().get()) >= 0);
  return all;
}

object select(selector& self, PyObject* argument) {
  const pysock::timeout_value timeout = to_timeout(argument);
  object all = object::take(PyList_New(0));
  for (const auto& [key, events] : without_lock([&] { return self.select(timeout); })) {
    const object one = build("(Oi)", key.data().get(), events);
    check(PyList_Append(all.get(), one.get()) >= 0);
  }
  return all;
}

object close(selector& self, PyObject*) {
  self.close();
  return none();
}

object fileno(selector& self, PyObject*) { return build("i", self.fileno()); }

PyMethodDef methods[] = {
    {"register", method<add>, METH_VARARGS, "register(descriptor, events, data)"},
    {"modify", method<modify>, METH_VARARGS, "modify(descriptor, events, data)"},
    {"unregister", method<unregister>, METH_O, "unregister(descriptor) -> data"},
    {"find", method<find>, METH_O, "find(descriptor) -> data"},
    {"keys", method<keys>, METH_NOARGS, "keys() -> list of data"},
    {"select", method<select>, METH_O, "select(timeout) -> list of (data, events)"},
    {"close", method<close>, METH_NOARGS, "close()"},
    {"fileno", method<fileno>, METH_NOARGS, "fileno() -> descriptor"},
    {nullptr, nullptr, 0, nullptr},
};

template <class Function>
void* slot(Function* function) {
  return reinterpret_cast<void*>(function);
}

}  // namespace

void add_selector_type(PyObject* module) {
  PyType_Slot slots[] = {
      {Py_tp_new, slot(create)},
      {Py_tp_dealloc, slot(destroy)},
      {Py_tp_methods, methods},
      {Py_tp_doc, const_cast<char*>("selector()\n\nA selector of pysock's.")},
      {0, nullptr},
  };
  PyType_Spec spec{"_socket.selector", sizeof(selector_object), 0,
                   Py_TPFLAGS_DEFAULT | Py_TPFLAGS_IMMUTABLETYPE, slots};
  const object type = object::take(PyType_FromSpec(&spec));
  check(PyModule_AddObjectRef(module, "selector", type.get()) >= 0);
}

}  // namespace binding
