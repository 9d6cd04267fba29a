// SPDX-License-Identifier: MIT
// The module `_socket`, and its functions without lookups of names.
#include <pysock/descriptor.hpp>
#include <pysock/inet.hpp>
#include <vector>

#include "binding.hpp"

namespace binding {

// ---- timeouts ----

pysock::timeout_value to_timeout(PyObject* from) {
  if (from == Py_None) return std::nullopt;
  // 3.15 accepts any real number, older versions an int or a float.
  if (PY_VERSION_HEX >= 0x030F0000 ? !PyIndex_Check(from) : PyFloat_Check(from)) {
    const double seconds = PyFloat_AsDouble(from);
    check(seconds != -1 || PyErr_Occurred() == nullptr);
    return seconds;
  }
  const long long seconds = PyLong_AsLongLong(from);
  check(seconds != -1 || PyErr_Occurred() == nullptr);
  return seconds;
}

object from_timeout(const std::optional<pysock::seconds>& timeout) {
  return timeout ? object::take(PyFloat_FromDouble(timeout->count())) : none();
}

namespace {

object getdefaulttimeout(PyObject*) { return from_timeout(pysock::getdefaulttimeout()); }

object setdefaulttimeout(PyObject* value) {
  pysock::setdefaulttimeout(to_timeout(value));
  return none();
}

// ---- byte order and packing ----

template <auto convert>
object byte_order(PyObject* argument) {
  return build("I", with_unsigned(argument, [](long long value) {
                 return static_cast<unsigned>(convert(value));
               }));
}

object inet_aton(PyObject* arguments) {
  const char* text = nullptr;
  parse(arguments, "s:inet_aton", &text);
  return to_bytes(pysock::inet_aton(text));
}

object inet_ntoa(PyObject* packed) {
  const buffer bytes(packed);
  return to_text(pysock::inet_ntoa(bytes.bytes()));
}

object inet_pton(PyObject* arguments) {
  int family = 0;
  const char* text = nullptr;
  parse(arguments, "is:inet_pton", &family, &text);
  return to_bytes(pysock::inet_pton(family, text));
}

object inet_ntop(PyObject* arguments) {
  int family = 0;
  PyObject* packed = nullptr;
  parse(arguments, "iO:inet_ntop", &family, &packed);
  const buffer bytes(packed);
  return to_text(pysock::inet_ntop(family, bytes.bytes()));
}

object cmsg_len(PyObject* arguments) {
  Py_ssize_t length = 0;
  parse(arguments, "n:CMSG_LEN", &length);
  return build("n", static_cast<Py_ssize_t>(pysock::cmsg_len(length)));
}

object cmsg_space(PyObject* arguments) {
  Py_ssize_t length = 0;
  parse(arguments, "n:CMSG_SPACE", &length);
  return build("n", static_cast<Py_ssize_t>(pysock::cmsg_space(length)));
}

// ---- descriptors ----

object socketpair(PyObject* arguments) {
  int family = AF_UNIX;
  int type = SOCK_STREAM;
  int proto = 0;
  parse(arguments, "|iii:socketpair", &family, &type, &proto);
  auto ends = without_lock([=] { return pysock::socketpair(family, type, proto); });
  const object first = make_socket(std::move(ends.first));
  const object second = make_socket(std::move(ends.second));
  return build("(OO)", first.get(), second.get());
}

object dup(PyObject* descriptor) {
  pysock::descriptor copy = pysock::dup(to_int(descriptor, "dup"));
  object result = build("i", copy.get());
  (void)copy.release();  // the caller owns it now
  return result;
}

object close(PyObject* descriptor) {
  const int handle = to_int(descriptor, "close");
  without_lock([=] { pysock::close(handle); });
  return none();
}

// ---- the module ----

PyMethodDef functions[] = {
    {"getdefaulttimeout", function<getdefaulttimeout>, METH_NOARGS,
     "getdefaulttimeout() -> seconds or None"},
    {"setdefaulttimeout", function<setdefaulttimeout>, METH_O,
     "setdefaulttimeout(seconds or None)"},
    {"ntohl", function<byte_order<pysock::ntohl<long long>>>, METH_O, "ntohl(integer) -> integer"},
    {"ntohs", function<byte_order<pysock::ntohs<long long>>>, METH_O, "ntohs(integer) -> integer"},
    {"htonl", function<byte_order<pysock::htonl<long long>>>, METH_O, "htonl(integer) -> integer"},
    {"htons", function<byte_order<pysock::htons<long long>>>, METH_O, "htons(integer) -> integer"},
    {"inet_aton", function<inet_aton>, METH_VARARGS, "inet_aton(text) -> packed bytes"},
    {"inet_ntoa", function<inet_ntoa>, METH_O, "inet_ntoa(packed bytes) -> text"},
    {"inet_pton", function<inet_pton>, METH_VARARGS, "inet_pton(family, text) -> packed bytes"},
    {"inet_ntop", function<inet_ntop>, METH_VARARGS, "inet_ntop(family, packed bytes) -> text"},
    {"CMSG_LEN", function<cmsg_len>, METH_VARARGS,
     "CMSG_LEN(length) -> length of a control message"},
    {"CMSG_SPACE", function<cmsg_space>, METH_VARARGS,
     "CMSG_SPACE(length) -> room for a control message"},
    {"socketpair", function<socketpair>, METH_VARARGS,
     "socketpair([family[, type[, proto]]]) -> (socket, socket)"},
    {"dup", function<dup>, METH_O, "dup(descriptor) -> descriptor"},
    {"close", function<close>, METH_O, "close(descriptor)"},
    {nullptr, nullptr, 0, nullptr},
};

PyModuleDef definition{
    PyModuleDef_HEAD_INIT,
    "_socket",
    "The module below Python's socket module, on pysock.",
    -1,
    functions,
    nullptr,
    nullptr,
    nullptr,
    nullptr,
};

object make_module() {
  object made = object::take(PyModule_Create(&definition));
  PyObject* const module = made.get();
  check(PyModule_AddFunctions(module, resolver_functions) >= 0);
  add_exceptions(module);
  check(PyModule_AddObjectRef(module, "error", PyExc_OSError) >= 0);
  check(PyModule_AddObjectRef(module, "timeout", PyExc_TimeoutError) >= 0);
  check(PyModule_AddObjectRef(module, "has_ipv6", pysock::has_ipv6 ? Py_True : Py_False) >= 0);
  add_socket_type(module);
  add_selector_type(module);
  add_constants(module);
  return made;
}

}  // namespace
}  // namespace binding

PyMODINIT_FUNC PyInit__socket() {
  return binding::guarded([] { return binding::make_module(); });
}
