// SPDX-License-Identifier: MIT
// What every file of the extension needs: owned references, errors as exceptions, the interpreter's
// lock.
//
// Inside, a Python error is the C++ exception `python_error`, so that everything owned goes away by
// itself; `guarded`, through which the interpreter calls in, turns exceptions of either kind back
// into Python's.
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

  // Takes over what the interpreter has just made.
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

// Of the functions that return a negative number or false where they have set an exception.
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

// An argument that C has as an int. (PyArg_ParseTuple's format i, for single arguments.)
inline int to_int(PyObject* from, const char* function) {
  int overflow = 0;
  const long value = PyLong_AsLongAndOverflow(from, &overflow);
  check(value != -1 || PyErr_Occurred() == nullptr);
  if (overflow != 0 || value != static_cast<int>(value))
    raise(PyExc_OverflowError, "%s: Python int too large to convert to C int", function);
  return static_cast<int>(value);
}

// Calls `function` with a number that must fit into an unsigned type, which the library checks.
// What no long long holds is passed as the nearest that one does.
template <class Function>
auto with_unsigned(PyObject* from, const Function& function) {
  int overflow = 0;
  long long value = PyLong_AsLongLongAndOverflow(from, &overflow);
  check(value != -1 || PyErr_Occurred() == nullptr);
  if (overflow != 0) value = overflow < 0 ? LLONG_MIN : LLONG_MAX;
  try {
    return function(value);
  } catch (const std::invalid_argument& e) {
    // A negative number is ValueError since 3.14.
    raise(PY_VERSION_HEX >= 0x030E0000 ? PyExc_ValueError : PyExc_OverflowError, "%s", e.what());
  }
}

template <class... Arguments>
void audit(const char* event, const char* format, Arguments... arguments) {
  check(PySys_Audit(event, format, arguments...) >= 0);
}

// Sets the Python exception that stands for the C++ exception being handled.
void raise_current() noexcept;

// Puts `gaierror` and `herror` into the module.
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

// A function that takes keywords, as the tables want it.
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

// The bytes of a Python object, held in place while this lives.
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
  [[nodiscard]] pysock::mutable_bytes room() const noexcept { return {view_.buf, size()}; }
  [[nodiscard]] std::size_t size() const noexcept { return static_cast<std::size_t>(view_.len); }

 private:
  Py_buffer view_{};
};

// What a bytes object holds. (PyBytes_AS_STRING alone is an array of one char in 3.10.)
inline std::string_view bytes_of(const object& bytes) noexcept {
  return {PyBytes_AS_STRING(bytes.get()), static_cast<std::size_t>(PyBytes_GET_SIZE(bytes.get()))};
}
inline pysock::mutable_bytes writable_bytes_of(const object& fresh) noexcept {
  return {PyBytes_AS_STRING(fresh.get()), bytes_of(fresh).size()};
}

// The items of any iterable. A list may change while they are used, since a conversion may run
// Python code: the tuple does not, and owns its items.
inline object to_tuple(PyObject* iterable, const char* message) {
  return object::take(PySequence_Tuple(object::take(PySequence_Fast(iterable, message)).get()));
}

inline object to_bytes(pysock::const_bytes bytes) {
  return object::take(
      PyBytes_FromStringAndSize(bytes.data(), static_cast<Py_ssize_t>(bytes.size())));
}

// Text of the system's: names of hosts, interfaces and files.
inline object to_text(const std::string& text) {
  return object::take(
      PyUnicode_DecodeFSDefaultAndSize(text.data(), static_cast<Py_ssize_t>(text.size())));
}

// The name of a host, interface or file as the system has it, as a bytes object.
inline object from_text(PyObject* text) {
  PyObject* encoded = nullptr;
  check(PyUnicode_FSConverter(text, &encoded) != 0);
  return object::take(encoded);
}

// ---- addresses.cpp, families.cpp ----

// A host: text of any script goes through IDNA.
std::string host_text(PyObject* host);

// The address that `from` means to a socket of that family; `function` is for the message. In the
// other direction the protocol tells how to read AF_CAN's.
pysock::address to_address(const pysock::socket& socket, PyObject* from, const char* function);
object from_address(const pysock::address& address, int protocol = 0);

// Of families that pysock knows as plain bytes.
pysock::endpoint to_endpoint(const pysock::socket& socket, PyObject* from, const char* function);
object from_endpoint(const pysock::endpoint& endpoint, int protocol);

// ---- timeouts, in module.cpp ----

pysock::timeout_value to_timeout(PyObject* from);
object from_timeout(const std::optional<pysock::seconds>& timeout);

// After a signal during a blocking call: runs Python's handlers; false if one of them raises.
bool run_signal_handlers(void* unused) noexcept;

// ---- what the module is put together from ----

extern PyMethodDef resolver_functions[];  // resolver.cpp
extern PyMethodDef transfer_methods[];    // socket_transfer.cpp
extern PyMethodDef message_methods[];     // socket_message.cpp

void add_constants(PyObject* module);      // constants.cpp
void add_selector_type(PyObject* module);  // selector_object.cpp
void add_socket_type(PyObject* module);    // socket_object.cpp
object make_socket(pysock::socket socket);

}  // namespace binding
