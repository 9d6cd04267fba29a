// SPDX-License-Identifier: MIT
// Shared by all files of the extension: owned references, errors as exceptions, the interpreter's
// lock.
//
// Within the extension a Python error is the C++ exception `python_error`, so that destructors
// release references. The interpreter calls the extension through `guarded`, which converts C++
// exceptions of every kind into Python exceptions.
#pragma once

#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include <pysock/address.hpp>
#include <pysock/message.hpp>
#include <pysock/socket.hpp>

#include <climits>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>

namespace binding {

// A Python exception has been set.
struct python_error {};

// Owns a reference.
class object {
 public:
  object() noexcept = default;
  object(object&& other) noexcept : pointer_(other.release()) {}
  object(const object&) = delete;
  object& operator=(object other) noexcept {
    std::swap(pointer_, other.pointer_);
    return *this;
  }
  ~object() { Py_XDECREF(pointer_); }

  // Takes ownership of a new reference.
  static object take(PyObject* fresh) {
    if (fresh == nullptr) throw python_error();
    object made;
    made.pointer_ = fresh;
    return made;
  }
  static object share(PyObject* borrowed) {
    Py_INCREF(borrowed);
    return take(borrowed);
  }

  [[nodiscard]] PyObject* get() const noexcept { return pointer_; }
  [[nodiscard]] PyObject* release() noexcept { return std::exchange(pointer_, nullptr); }

 private:
  PyObject* pointer_ = nullptr;
};

inline object none() { return object::share(Py_None); }

// For functions that set an exception and return a negative number or false.
inline void check(bool good) {
  if (!good) throw python_error();
}

template <class... Arguments>
[[noreturn]] void raise(PyObject* type, const char* format, Arguments... arguments) {
  PyErr_Format(type, format, arguments...);
  throw python_error();
}

template <class... Arguments>
object build(const char* format, Arguments... arguments) {
  return object::take(Py_BuildValue(format, arguments...));
}

template <class... Arguments>
void parse(PyObject* arguments, const char* format, Arguments... into) {
  check(PyArg_ParseTuple(arguments, format, into...) != 0);
}

// Converts to int, as PyArg_ParseTuple's format i, for functions with a single argument.
inline int to_int(PyObject* from, const char* function) {
  int overflow = 0;
  const long value = PyLong_AsLongAndOverflow(from, &overflow);
  check(value != -1 || PyErr_Occurred() == nullptr);
  if (overflow != 0 || value != static_cast<int>(value))
    raise(PyExc_OverflowError, "%s: Python int too large to convert to C int", function);
  return static_cast<int>(value);
}

// Calls `function` with a number, whose range the library checks. A number that does not fit a
// long long becomes the nearest one that does.
template <class Function>
auto with_unsigned(PyObject* from, const Function& function) {
  int overflow = 0;
  long long value = PyLong_AsLongLongAndOverflow(from, &overflow);
  check(value != -1 || PyErr_Occurred() == nullptr);
  if (overflow != 0) value = overflow < 0 ? LLONG_MIN : LLONG_MAX;
  try {
    return function(value);
  } catch (const std::invalid_argument& e) {
    // Since 3.14 a negative number raises ValueError.
    raise(PY_VERSION_HEX >= 0x030E0000 ? PyExc_ValueError : PyExc_OverflowError, "%s", e.what());
  }
}

template <class... Arguments>
void audit(const char* event, const char* format, Arguments... arguments) {
  check(PySys_Audit(event, format, arguments...) >= 0);
}

// Sets the Python exception that corresponds to the C++ exception being handled.
void raise_current() noexcept;

// Adds `gaierror` and `herror` to the module.
void add_exceptions(PyObject* module);

template <class Body>
PyObject* guarded(const Body& body) noexcept {
  try {
    return body().release();
  } catch (...) {
    raise_current();
    return nullptr;
  }
}

// A function of the module, as the interpreter calls it.
template <object (*body)(PyObject* arguments)>
PyObject* function(PyObject* /*module*/, PyObject* arguments) noexcept {
  return guarded([arguments] { return body(arguments); });
}

// Casts a function that takes keywords to the type of the method tables.
inline PyCFunction with_keywords(PyCFunctionWithKeywords function) noexcept {
  return reinterpret_cast<PyCFunction>(reinterpret_cast<void (*)()>(function));
}

template <object (*body)(PyObject* arguments, PyObject* keywords)>
PyObject* function_with_keywords(PyObject* /*module*/, PyObject* arguments,
                                 PyObject* keywords) noexcept {
  return guarded([=] { return body(arguments, keywords); });
}

// Lets other Python threads run while `body` may block.
template <class Body>
auto without_lock(const Body& body) {
  class released {
   public:
    released() = default;
    released(const released&) = delete;
    released& operator=(const released&) = delete;
    ~released() { PyEval_RestoreThread(state_); }

   private:
    PyThreadState* state_ = PyEval_SaveThread();
  };
  const released unlocked;
  return body();
}

// The bytes of a Python object, which stay valid during the lifetime of this object.
class buffer {
 public:
  // Empty, for PyArg_ParseTuple to fill (formats y* and w*).
  buffer() = default;
  explicit buffer(PyObject* of, int flags = PyBUF_SIMPLE) {
    if (PyObject_GetBuffer(of, &view_, flags) >= 0) return;
    if (PyErr_ExceptionMatches(PyExc_BufferError) == 0) throw python_error();
    raise(PyExc_TypeError, "a read-write bytes-like object is required, not %.100s",
          Py_TYPE(of)->tp_name);
  }
  buffer(const buffer&) = delete;
  buffer& operator=(const buffer&) = delete;
  ~buffer() { PyBuffer_Release(&view_); }

  [[nodiscard]] Py_buffer* view() noexcept { return &view_; }
  [[nodiscard]] pysock::const_bytes bytes() const noexcept { return {view_.buf, size()}; }
  [[nodiscard]] pysock::mutable_bytes writable() const noexcept { return {view_.buf, size()}; }
  [[nodiscard]] std::size_t size() const noexcept { return static_cast<std::size_t>(view_.len); }

 private:
  Py_buffer view_{};
};

// The contents of a bytes object. In 3.10 compilers take PyBytes_AS_STRING for an array of one
// char.
inline std::string_view bytes_of(const object& bytes) noexcept {
  return {PyBytes_AS_STRING(bytes.get()), static_cast<std::size_t>(PyBytes_GET_SIZE(bytes.get()))};
}
inline pysock::mutable_bytes writable_bytes_of(const object& fresh) noexcept {
  return {PyBytes_AS_STRING(fresh.get()), bytes_of(fresh).size()};
}

// The items of any iterable as a tuple, which owns them. A list could change while its items are
// used, because a conversion may run Python code.
inline object to_tuple(PyObject* iterable, const char* message) {
  return object::take(PySequence_Tuple(object::take(PySequence_Fast(iterable, message)).get()));
}

inline object to_bytes(pysock::const_bytes bytes) {
  return object::take(
      PyBytes_FromStringAndSize(bytes.data(), static_cast<Py_ssize_t>(bytes.size())));
}

// Converts the system's names of hosts, interfaces and files to str.
inline object to_text(const std::string& text) {
  return object::take(
      PyUnicode_DecodeFSDefaultAndSize(text.data(), static_cast<Py_ssize_t>(text.size())));
}

// Converts the name of a host, interface or file to bytes as the system uses them.
inline object from_text(PyObject* text) {
  PyObject* encoded = nullptr;
  check(PyUnicode_FSConverter(text, &encoded) != 0);
  return object::take(encoded);
}

// ---- addresses.cpp, families.cpp ----

// The text of a host. A str is encoded with IDNA.
std::string host_text(PyObject* host);

// Converts `from` to an address for the socket's family; `function` is for the error message. In
// the other direction AF_CAN addresses depend on the protocol.
pysock::address to_address(const pysock::socket& socket, PyObject* from, const char* function);
object from_address(const pysock::address& address, int protocol = 0);

// For families whose addresses pysock passes as bytes.
pysock::endpoint to_endpoint(const pysock::socket& socket, PyObject* from, const char* function);
object from_endpoint(const pysock::endpoint& endpoint, int protocol);

// ---- timeouts, in module.cpp ----

pysock::timeout_value to_timeout(PyObject* from);
object from_timeout(const std::optional<pysock::seconds>& timeout);

// The interrupt hook: runs Python's signal handlers. Returns false if one of them raises.
bool run_signal_handlers(void* unused) noexcept;

// ---- the parts of the module ----

extern PyMethodDef resolver_functions[];  // resolver.cpp
extern PyMethodDef transfer_methods[];    // socket_transfer.cpp
extern PyMethodDef message_methods[];     // socket_message.cpp

void add_constants(PyObject* module);      // constants.cpp
void add_selector_type(PyObject* module);  // selector_object.cpp
void add_socket_type(PyObject* module);    // socket_object.cpp
object make_socket(pysock::socket socket);

}  // namespace binding
