// SPDX-License-Identifier: MIT
// Converts addresses between Python's strings and tuples and pysock's types.
#include "binding.hpp"

namespace binding {
namespace {

void require_tuple(PyObject* from, const char* function, const char* family) {
  if (!PyTuple_Check(from))
    raise(PyExc_TypeError, "%s(): %s address must be tuple, not %.500s", function, family,
          Py_TYPE(from)->tp_name);
}

// A port that does not fit a C int is out of range, too.
int to_port(PyObject* from, const char* function) {
  int overflow = 0;
  const long port = PyLong_AsLongAndOverflow(from, &overflow);
  if (port == -1 && PyErr_Occurred() != nullptr) throw python_error();
  if (overflow != 0 || port < 0 || port > 65535)
    raise(PyExc_OverflowError, "%s(): port must be 0-65535.", function);
  return static_cast<int>(port);
}

pysock::address to_path(PyObject* from) {
  if (!PyUnicode_Check(from)) {
    const buffer path(from);
    return pysock::unix_address(path.bytes().view());
  }
  const object encoded = object::take(PyUnicode_EncodeFSDefault(from));
  const buffer path(encoded.get());
  return pysock::unix_address(path.bytes().view());
}

pysock::address to_inet(PyObject* from, const char* function) {
  require_tuple(from, function, "AF_INET");
  PyObject* host = nullptr;
  PyObject* port = nullptr;
  parse(from, "OO;AF_INET address must be a pair (host, port)", &host, &port);
  return {host_text(host), to_port(port, function)};
}

pysock::address to_inet6(PyObject* from, const char* function) {
  require_tuple(from, function, "AF_INET6");
  PyObject* host = nullptr;
  PyObject* port = nullptr;
  unsigned flowinfo = 0;
  unsigned scope_id = 0;
  parse(from, "OO|II;AF_INET6 address must be a tuple (host, port[, flowinfo[, scopeid]])", &host,
        &port, &flowinfo, &scope_id);
  const std::string name = host_text(host);
  if (PyTuple_GET_SIZE(from) == 2) return {name, to_port(port, function)};
  if (flowinfo > 0xFFFFF) raise(PyExc_OverflowError, "%s(): flowinfo must be 0-1048575.", function);
  return {name, to_port(port, function), flowinfo, scope_id};
}

struct to_object {
  object operator()(pysock::no_address) const { return none(); }
  object operator()(const pysock::unix_address& a) const {
    const std::string path = a.path();
    const bool abstract_name = !path.empty() && path.front() == '\0';
    return abstract_name ? to_bytes(path) : to_text(path);
  }
  object operator()(const pysock::inet_address& a) const {
    return build("(si)", a.host().c_str(), a.port());
  }
  object operator()(const pysock::inet6_address& a) const {
    return build("(siII)", a.host().c_str(), a.port(), static_cast<unsigned>(a.flowinfo()),
                 static_cast<unsigned>(a.scope_id()));
  }
  object operator()(const pysock::endpoint& a) const { return from_endpoint(a, protocol); }
  object operator()(const pysock::host_address& a) const {
    return build("(si)", a.host.c_str(), a.port);
  }

  int protocol;
};

}  // namespace

std::string host_text(PyObject* host) {
  object encoded;
  if (PyUnicode_Check(host) && PyUnicode_IS_ASCII(host)) {
    encoded = object::take(PyUnicode_AsASCIIString(host));
  } else if (PyUnicode_Check(host)) {
    encoded = object::take(PyUnicode_AsEncodedString(host, "idna", nullptr));
  } else if (PyBytes_Check(host) || PyByteArray_Check(host)) {
    encoded = object::take(PyBytes_FromObject(host));
  } else {
    raise(PyExc_TypeError, "a host is str, bytes or bytearray, not %s", Py_TYPE(host)->tp_name);
  }
  const std::string_view text = bytes_of(encoded);
  if (text.find('\0') != text.npos)
    raise(PyExc_TypeError, "host name must not contain null character");
  return std::string(text);
}

pysock::address to_address(const pysock::socket& socket, PyObject* from, const char* function) {
  switch (socket.family()) {
    case AF_UNIX:
      return to_path(from);
    case AF_INET:
      return to_inet(from, function);
    case AF_INET6:
      return to_inet6(from, function);
#ifdef AF_RDS
    case AF_RDS:
      return to_inet(from, function);
#endif
    default:
      return to_endpoint(socket, from, function);
  }
}

object from_address(const pysock::address& address, int protocol) {
  return address.visit(to_object{protocol});
}

}  // namespace binding
