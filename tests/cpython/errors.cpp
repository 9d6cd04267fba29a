// SPDX-License-Identifier: MIT
// Converts pysock's exceptions to Python's.
#include <new>
#include <stdexcept>

#include "binding.hpp"

namespace binding {
namespace {

PyObject* gaierror_type = nullptr;
PyObject* herror_type = nullptr;

// Errors with a number have two arguments, from which OSError's constructor chooses the class for
// an errno. The instance is made here, because 3.10 would keep the given class.
void raise_error(PyObject* type, const pysock::error& e) {
  const object text = to_text(e.strerror());
  const object arguments =
      e.errnum() ? build("(iO)", *e.errnum(), text.get()) : build("(O)", text.get());
  const object instance = object::take(PyObject_CallObject(type, arguments.get()));
  PyErr_SetObject(reinterpret_cast<PyObject*>(Py_TYPE(instance.get())), instance.get());
}

PyObject* new_exception(PyObject* module, const char* name, const char* qualified_name) {
  object type = object::take(PyErr_NewException(qualified_name, PyExc_OSError, nullptr));
  check(PyModule_AddObjectRef(module, name, type.get()) >= 0);
  return type.release();
}

void translate() {
  try {
    throw;
  } catch (const python_error&) {
    // the exception is set
  } catch (const pysock::interrupted_error& e) {
    // A signal handler of Python may have ended the call with an exception, which must be kept.
    if (PyErr_Occurred() == nullptr) raise_error(PyExc_OSError, e);
  } catch (const pysock::gaierror& e) {
    raise_error(gaierror_type, e);
  } catch (const pysock::herror& e) {
    raise_error(herror_type, e);
  } catch (const pysock::timeout& e) {
    raise_error(PyExc_TimeoutError, e);
  } catch (const pysock::error& e) {
    raise_error(PyExc_OSError, e);
  } catch (const std::invalid_argument& e) {
    PyErr_SetString(PyExc_ValueError, e.what());
  } catch (const std::out_of_range& e) {
    PyErr_SetString(PyExc_OverflowError, e.what());
  } catch (const std::bad_alloc&) {
    PyErr_NoMemory();
  } catch (const std::exception& e) {
    PyErr_SetString(PyExc_SystemError, e.what());
  }
}

}  // namespace

void raise_current() noexcept {
  try {
    translate();
  } catch (...) {
    // The conversion failed in the interpreter, which has set an exception.
  }
}

void add_exceptions(PyObject* module) {
  herror_type = new_exception(module, "herror", "socket.herror");
  gaierror_type = new_exception(module, "gaierror", "socket.gaierror");
}

}  // namespace binding
