// SPDX-License-Identifier: MIT
// The module's functions for names of hosts, services, protocols and interfaces.
#include <pysock/resolver.hpp>

#include <pysock/interfaces.hpp>
#include "binding.hpp"

namespace binding {
namespace {

// The host argument of functions that have no other.
std::string only_host(PyObject* host) {
  if (!PyUnicode_Check(host)) return host_text(host);
  const object encoded = object::take(PyUnicode_AsEncodedString(host, "idna", nullptr));
  return host_text(encoded.get());
}

object to_list(const std::vector<std::string>& texts) {
  object list = object::take(PyList_New(0));
  for (const std::string& text : texts) {
    const object item = to_text(text);
    check(PyList_Append(list.get(), item.get()) >= 0);
  }
  return list;
}

object to_triple(const pysock::host_info& info) {
  const object name = to_text(info.hostname);
  const object aliases = to_list(info.aliaslist);
  const object addresses = to_list(info.ipaddrlist);
  return build("(OOO)", name.get(), aliases.get(), addresses.get());
}

// ---- hosts ----

pysock::service to_service(PyObject* port) {
  if (port == Py_None) return std::nullopt;
  if (PyLong_CheckExact(port)) {
    const object digits = object::take(PyObject_Str(port));
    return PyUnicode_AsUTF8(digits.get());
  }
  if (PyUnicode_Check(port)) {
    Py_ssize_t size = 0;
    const char* const name = PyUnicode_AsUTF8AndSize(port, &size);
    check(name != nullptr);
    return std::string(name, static_cast<std::size_t>(size));
  }
  if (!PyBytes_Check(port)) raise(PyExc_OSError, "Int or String expected");
  return std::string(bytes_of(object::share(port)));
}

object getaddrinfo(PyObject* arguments, PyObject* keywords) {
  static const char* names[] = {"host", "port", "family", "type", "proto", "flags", nullptr};
  PyObject* host = nullptr;
  PyObject* port = nullptr;
  int family = 0;
  int type = 0;
  int proto = 0;
  int flags = 0;
  check(PyArg_ParseTupleAndKeywords(arguments, keywords, "OO|iiii:getaddrinfo",
                                    const_cast<char**>(names), &host, &port, &family, &type, &proto,
                                    &flags) != 0);
  std::string name;
  std::optional<pysock::text> asked;
  if (host != Py_None) {
    if (!PyUnicode_Check(host) && !PyBytes_Check(host))
      raise(PyExc_TypeError, "getaddrinfo() argument 1 must be string or None");
    name = only_host(host);
    asked = name;
  }
  const pysock::service service = to_service(port);
  audit("socket.getaddrinfo", "OOiii", host, port, family, type, proto);
  const auto found =
      without_lock([&] { return pysock::getaddrinfo(asked, service, family, type, proto, flags); });

  object list = object::take(PyList_New(0));
  for (const pysock::address_info& one : found) {
    const object address = from_address(one.sockaddr);
    const object item =
        build("(iiisO)", one.family, one.type, one.proto, one.canonname.c_str(), address.get());
    check(PyList_Append(list.get(), item.get()) >= 0);
  }
  return list;
}

object getnameinfo(PyObject* arguments) {
  PyObject* from = nullptr;
  int flags = 0;
  parse(arguments, "Oi:getnameinfo", &from, &flags);
  if (!PyTuple_Check(from)) raise(PyExc_TypeError, "getnameinfo() argument 1 must be a tuple");
  const char* host = nullptr;
  int port = 0;
  unsigned flowinfo = 0;
  unsigned scope_id = 0;
  parse(from, "si|II;getnameinfo(): illegal sockaddr argument", &host, &port, &flowinfo, &scope_id);
  audit("socket.getnameinfo", "(O)", from);
  if (flowinfo > 0xFFFFF) raise(PyExc_OverflowError, "getnameinfo(): flowinfo must be 0-1048575.");
  const pysock::address address = PyTuple_GET_SIZE(from) == 2
                                      ? pysock::address(host, port)
                                      : pysock::address(host, port, flowinfo, scope_id);
  const pysock::name_info found = without_lock([&] { return pysock::getnameinfo(address, flags); });
  const object name = to_text(found.host);
  return build("(Os)", name.get(), found.port.c_str());
}

object gethostbyname(PyObject* host) {
  const std::string name = only_host(host);
  audit("socket.gethostbyname", "O", host);
  return to_text(without_lock([&] { return pysock::gethostbyname(name); }));
}

object gethostbyname_ex(PyObject* host) {
  const std::string name = only_host(host);
  audit("socket.gethostbyname", "O", host);
  return to_triple(without_lock([&] { return pysock::gethostbyname_ex(name); }));
}

object gethostbyaddr(PyObject* host) {
  const std::string name = only_host(host);
  audit("socket.gethostbyaddr", "O", host);
  return to_triple(without_lock([&] { return pysock::gethostbyaddr(name); }));
}

object gethostname(PyObject*) {
  audit("socket.gethostname", nullptr);
  return to_text(without_lock([] { return pysock::gethostname(); }));
}

object sethostname(PyObject* name) {
  const object encoded = from_text(name);
  audit("socket.sethostname", "(O)", name);
  pysock::sethostname(bytes_of(encoded));
  return none();
}

// ---- services and protocols ----

std::optional<pysock::text> to_optional(const char* text) {
  if (text == nullptr) return std::nullopt;
  return text;
}

object getservbyname(PyObject* arguments) {
  const char* name = nullptr;
  const char* proto = nullptr;
  parse(arguments, "s|s:getservbyname", &name, &proto);
  audit("socket.getservbyname", "ss", name, proto != nullptr ? proto : "");
  return build("i", without_lock([&] { return pysock::getservbyname(name, to_optional(proto)); }));
}

object getservbyport(PyObject* arguments) {
  int port = 0;
  const char* proto = nullptr;
  parse(arguments, "i|s:getservbyport", &port, &proto);
  if (port < 0 || port > 65535) raise(PyExc_OverflowError, "getservbyport: port must be 0-65535.");
  audit("socket.getservbyport", "is", port, proto != nullptr ? proto : "");
  return to_text(without_lock([&] { return pysock::getservbyport(port, to_optional(proto)); }));
}

object getprotobyname(PyObject* arguments) {
  const char* name = nullptr;
  parse(arguments, "s:getprotobyname", &name);
  return build("i", without_lock([&] { return pysock::getprotobyname(name); }));
}

// ---- interfaces ----

object if_nameindex(PyObject*) {
  object list = object::take(PyList_New(0));
  for (const pysock::interface_info& one : pysock::if_nameindex()) {
    const object name = to_text(one.name);
    const object item = build("(IO)", one.index, name.get());
    check(PyList_Append(list.get(), item.get()) >= 0);
  }
  return list;
}

object if_nametoindex(PyObject* name) {
  const object encoded = from_text(name);
  return build("I", pysock::if_nametoindex(bytes_of(encoded)));
}

object if_indextoname(PyObject* argument) {
  return to_text(with_unsigned(argument, &pysock::if_indextoname));
}

}  // namespace

PyMethodDef resolver_functions[] = {
    {"getaddrinfo", with_keywords(function_with_keywords<getaddrinfo>),
     METH_VARARGS | METH_KEYWORDS,
     "getaddrinfo(host, port[, family, type, proto, flags]) -> list of (family, type, proto, "
     "canonname, sockaddr)"},
    {"getnameinfo", function<getnameinfo>, METH_VARARGS,
     "getnameinfo(sockaddr, flags) -> (host, port)"},
    {"gethostbyname", function<gethostbyname>, METH_O, "gethostbyname(host) -> address"},
    {"gethostbyname_ex", function<gethostbyname_ex>, METH_O,
     "gethostbyname_ex(host) -> (name, aliaslist, addresslist)"},
    {"gethostbyaddr", function<gethostbyaddr>, METH_O,
     "gethostbyaddr(host) -> (name, aliaslist, addresslist)"},
    {"gethostname", function<gethostname>, METH_NOARGS, "gethostname() -> str"},
    {"sethostname", function<sethostname>, METH_O, "sethostname(name)"},
    {"getservbyname", function<getservbyname>, METH_VARARGS,
     "getservbyname(servicename[, protocolname]) -> int"},
    {"getservbyport", function<getservbyport>, METH_VARARGS,
     "getservbyport(port[, protocolname]) -> str"},
    {"getprotobyname", function<getprotobyname>, METH_VARARGS, "getprotobyname(name) -> int"},
    {"if_nameindex", function<if_nameindex>, METH_NOARGS,
     "if_nameindex() -> list of (index, name)"},
    {"if_nametoindex", function<if_nametoindex>, METH_O, "if_nametoindex(name) -> int"},
    {"if_indextoname", function<if_indextoname>, METH_O, "if_indextoname(index) -> str"},
    {nullptr, nullptr, 0, nullptr},
};

}  // namespace binding
