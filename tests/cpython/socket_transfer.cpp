// SPDX-License-Identifier: MIT
// The socket's methods that transfer data.
#include <algorithm>

#include "capsule.hpp"

namespace binding {
namespace {

void refuse_negative(Py_ssize_t size, const char* function) {
  if (size < 0) raise(PyExc_ValueError, "negative buffersize in %s", function);
}

// A bytes object with the data that `receive` puts into a buffer of `size` bytes.
template <class Receive>
object receive_bytes(Py_ssize_t size, const Receive& receive) {
  object bytes = object::take(PyBytes_FromStringAndSize(nullptr, size));
  const pysock::mutable_bytes buffer = writable_bytes_of(bytes);
  // With MSG_TRUNC the library returns the length that a datagram had.
  const std::size_t count = std::min(without_lock([&] { return receive(buffer); }), buffer.size());
  if (count == buffer.size()) return bytes;
  PyObject* resized = bytes.release();
  check(_PyBytes_Resize(&resized, static_cast<Py_ssize_t>(count)) >= 0);
  return object::take(resized);
}

object recv(socket_object& self, PyObject* arguments) {
  Py_ssize_t size = 0;
  int flags = 0;
  parse(arguments, "n|i:recv", &size, &flags);
  refuse_negative(size, "recv");
  return receive_bytes(
      size, [&](pysock::mutable_bytes buffer) { return self.socket.recv_into(buffer, 0, flags); });
}

object recvfrom(socket_object& self, PyObject* arguments) {
  Py_ssize_t size = 0;
  int flags = 0;
  parse(arguments, "n|i:recvfrom", &size, &flags);
  refuse_negative(size, "recvfrom");
  pysock::endpoint from;
  const object data = receive_bytes(size, [&](pysock::mutable_bytes buffer) {
    return self.socket.recvfrom_into(buffer, from, flags);
  });
  const object address = from_address(from, self.socket.proto());
  return build("(OO)", data.get(), address.get());
}

struct into {
  into(PyObject* arguments, PyObject* keywords, const char* format, const char* function) {
    static const char* names[] = {"buffer", "nbytes", "flags", nullptr};
    check(PyArg_ParseTupleAndKeywords(arguments, keywords, format, const_cast<char**>(names),
                                      target.view(), &nbytes, &flags) != 0);
    refuse_negative(nbytes, function);
  }
  [[nodiscard]] std::size_t count() const noexcept { return static_cast<std::size_t>(nbytes); }

  buffer target;
  Py_ssize_t nbytes = 0;
  int flags = 0;
};

object recv_into(socket_object& self, PyObject* arguments, PyObject* keywords) {
  const into asked(arguments, keywords, "w*|ni:recv_into", "recv_into");
  const std::size_t count = without_lock(
      [&] { return self.socket.recv_into(asked.target.writable(), asked.count(), asked.flags); });
  return build("n", static_cast<Py_ssize_t>(count));
}

object recvfrom_into(socket_object& self, PyObject* arguments, PyObject* keywords) {
  const into asked(arguments, keywords, "w*|ni:recvfrom_into", "recvfrom_into");
  const auto received = without_lock([&] {
    return self.socket.recvfrom_into(asked.target.writable(), asked.count(), asked.flags);
  });
  const object address = from_address(received.from, self.socket.proto());
  return build("(nO)", static_cast<Py_ssize_t>(received.nbytes), address.get());
}

object send(socket_object& self, PyObject* arguments) {
  buffer data;
  int flags = 0;
  parse(arguments, "y*|i:send", data.view(), &flags);
  const std::size_t count = without_lock([&] { return self.socket.send(data.bytes(), flags); });
  return build("n", static_cast<Py_ssize_t>(count));
}

object sendall(socket_object& self, PyObject* arguments) {
  buffer data;
  int flags = 0;
  parse(arguments, "y*|i:sendall", data.view(), &flags);
  without_lock([&] { return self.socket.sendall(data.bytes(), flags); });
  return none();
}

object sendto(socket_object& self, PyObject* arguments) {
  const Py_ssize_t given = PyTuple_GET_SIZE(arguments);
  buffer data;
  PyObject* to = nullptr;
  int flags = 0;
  if (given == 2)
    parse(arguments, "y*O:sendto", data.view(), &to);
  else if (given == 3)
    parse(arguments, "y*iO:sendto", data.view(), &flags, &to);
  else
    raise(PyExc_TypeError, "sendto() takes 2 or 3 arguments (%zd given)", given);
  const pysock::address address = to_address(self.socket, to, "sendto");
  audit("socket.sendto", "OO", reinterpret_cast<PyObject*>(&self), to);
  const std::size_t count =
      without_lock([&] { return self.socket.sendto(data.bytes(), flags, address); });
  return build("n", static_cast<Py_ssize_t>(count));
}

}  // namespace

PyMethodDef transfer_methods[] = {
    {"recv", method<recv>, METH_VARARGS, "recv(bufsize[, flags]) -> bytes"},
    {"recvfrom", method<recvfrom>, METH_VARARGS, "recvfrom(bufsize[, flags]) -> (bytes, address)"},
    {"recv_into", with_keywords(method_with_keywords<recv_into>), METH_VARARGS | METH_KEYWORDS,
     "recv_into(buffer, [nbytes[, flags]]) -> count"},
    {"recvfrom_into", with_keywords(method_with_keywords<recvfrom_into>),
     METH_VARARGS | METH_KEYWORDS, "recvfrom_into(buffer[, nbytes[, flags]]) -> (count, address)"},
    {"send", method<send>, METH_VARARGS, "send(data[, flags]) -> count"},
    {"sendall", method<sendall>, METH_VARARGS, "sendall(data[, flags])"},
    {"sendto", method<sendto>, METH_VARARGS, "sendto(data[, flags], address) -> count"},
    {nullptr, nullptr, 0, nullptr},
};

}  // namespace binding
