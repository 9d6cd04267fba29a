// SPDX-License-Identifier: MIT
// sendmsg and recvmsg: buffers in several pieces, and control messages.
#include <algorithm>
#include <cstring>
#include <deque>
#include <vector>

#include "capsule.hpp"

#if __has_include(<linux/if_alg.h>)
#include <linux/if_alg.h>
#endif

namespace binding {
namespace {

// The buffers of a Python iterable, which stay valid during the lifetime of this object.
template <class Bytes>
class pieces {
 public:
  pieces(PyObject* iterable, int flags, const char* message) {
    const object items = to_tuple(iterable, message);
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(items.get()); ++i) {
      const buffer& held = held_.emplace_back(PyTuple_GET_ITEM(items.get(), i), flags);
      if constexpr (std::is_same_v<Bytes, pysock::mutable_bytes>)
        bytes_.push_back(held.writable());
      else
        bytes_.push_back(held.bytes());
    }
  }
  [[nodiscard]] pysock::basic_buffers<Bytes> buffers() noexcept { return bytes_; }

 private:
  std::deque<buffer> held_;
  std::vector<Bytes> bytes_;
};

// ---- receiving ----

// Closes received descriptors unless they have been passed to Python.
class received_descriptors {
 public:
  explicit received_descriptors(const pysock::ancillary_data& ancdata) {
    for (const auto& message : ancdata) {
      if (message.level != SOL_SOCKET || message.type != SCM_RIGHTS) continue;
      for (const int handle : message.as_array<int>()) owned_.emplace_back(handle);
    }
  }
  void dismiss() noexcept {
    for (pysock::descriptor& one : owned_) (void)one.release();
  }

 private:
  std::vector<pysock::descriptor> owned_;
};

object from_ancillary(const pysock::ancillary_data& ancdata) {
  object list = object::take(PyList_New(0));
  for (const auto& [level, type, data] : ancdata) {
    const object bytes = to_bytes(data);
    const object item = build("(iiO)", level, type, bytes.get());
    check(PyList_Append(list.get(), item.get()) >= 0);
  }
  return list;
}

std::size_t ancillary_size(Py_ssize_t size) {
  if (size < 0 || size > INT_MAX) raise(PyExc_ValueError, "invalid ancillary data buffer length");
  return static_cast<std::size_t>(size);
}

// `first` makes the first value of the result from the number of bytes received.
template <class First>
object receive(socket_object& self, const pysock::mutable_buffers& buffers, std::size_t ancbufsize,
               int flags, const First& first) {
  const auto received =
      without_lock([&] { return self.socket.recvmsg_into(buffers, ancbufsize, flags); });
  received_descriptors descriptors(received.ancdata);
  const object ancillary = from_ancillary(received.ancdata);
  const object from = from_address(received.from, self.socket.proto());
  const object data = first(received.nbytes);
  object result = build("(OOiO)", data.get(), ancillary.get(), received.flags, from.get());
  descriptors.dismiss();
  return result;
}

object recvmsg(socket_object& self, PyObject* arguments) {
  Py_ssize_t size = 0;
  Py_ssize_t ancbufsize = 0;
  int flags = 0;
  parse(arguments, "n|ni:recvmsg", &size, &ancbufsize, &flags);
  if (size < 0) raise(PyExc_ValueError, "negative buffer size in recvmsg()");
  object bytes = object::take(PyBytes_FromStringAndSize(nullptr, size));
  pysock::mutable_bytes buffer[] = {writable_bytes_of(bytes)};
  return receive(self, buffer, ancillary_size(ancbufsize), flags, [&](std::size_t count) {
    PyObject* resized = bytes.release();
    // With MSG_TRUNC the library returns the length that a datagram had.
    check(_PyBytes_Resize(&resized, std::min(size, static_cast<Py_ssize_t>(count))) >= 0);
    return object::take(resized);
  });
}

object recvmsg_into(socket_object& self, PyObject* arguments) {
  PyObject* targets = nullptr;
  Py_ssize_t ancbufsize = 0;
  int flags = 0;
  parse(arguments, "O|ni:recvmsg_into", &targets, &ancbufsize, &flags);
  pieces<pysock::mutable_bytes> buffer(targets, PyBUF_WRITABLE,
                                       "recvmsg_into() argument 1 must be an iterable");
  return receive(self, buffer.buffers(), ancillary_size(ancbufsize), flags,
                 [](std::size_t count) { return build("n", static_cast<Py_ssize_t>(count)); });
}

// ---- sending ----

pysock::ancillary_data to_ancillary(PyObject* from) {
  pysock::ancillary_data ancdata;
  const object items = to_tuple(from, "sendmsg() argument 2 must be an iterable");
  for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(items.get()); ++i) {
    const object triple = to_tuple(PyTuple_GET_ITEM(items.get(), i),
                                   "[sendmsg() ancillary data items must be sequences]");
    int level = 0;
    int type = 0;
    PyObject* data = nullptr;
    parse(triple.get(), "iiO:[sendmsg() ancillary data items]", &level, &type, &data);
    const buffer bytes(data);
    ancdata.add({level, type, bytes.bytes()});
  }
  return ancdata;
}

object send(socket_object& self, const pysock::const_buffers& buffers,
            const pysock::ancillary_data& ancdata, int flags, const pysock::address& to) {
  const std::size_t count =
      without_lock([&] { return self.socket.sendmsg(buffers, ancdata, flags, to); });
  return build("n", static_cast<Py_ssize_t>(count));
}

object sendmsg(socket_object& self, PyObject* arguments) {
  PyObject* data = nullptr;
  PyObject* ancillary = nullptr;
  int flags = 0;
  PyObject* to = Py_None;
  parse(arguments, "O|OiO:sendmsg", &data, &ancillary, &flags, &to);
  pysock::address address;
  if (to != Py_None) address = to_address(self.socket, to, "sendmsg");
  audit("socket.sendmsg", "OO", reinterpret_cast<PyObject*>(&self), to);
  pieces<pysock::const_bytes> bytes(data, PyBUF_SIMPLE, "sendmsg() argument 1 must be an iterable");
  return send(self, bytes.buffers(),
              ancillary != nullptr ? to_ancillary(ancillary) : pysock::ancillary_data(), flags,
              address);
}

#ifdef ALG_SET_AEAD_ASSOCLEN
object sendmsg_afalg(socket_object& self, PyObject* arguments, PyObject* keywords) {
  static const char* names[] = {"msg", "op", "iv", "assoclen", "flags", nullptr};
  PyObject* data = nullptr;
  int operation = -1;
  PyObject* iv = Py_None;
  PyObject* assoclen = nullptr;
  int flags = 0;
  check(PyArg_ParseTupleAndKeywords(arguments, keywords, "|O$iOOi:sendmsg_afalg",
                                    const_cast<char**>(names), &data, &operation, &iv, &assoclen,
                                    &flags) != 0);
  if (self.socket.family() != AF_ALG) raise(PyExc_OSError, "algset is only supported for AF_ALG");
  if (operation < 0) raise(PyExc_TypeError, "Invalid or missing argument 'op'");

  pysock::ancillary_data ancdata{{SOL_ALG, ALG_SET_OP, operation}};
  if (iv != Py_None) {
    const buffer bytes(iv);
    const auto size = static_cast<std::uint32_t>(bytes.size());
    std::string value(reinterpret_cast<const char*>(&size), sizeof size);
    value.append(bytes.bytes().view());
    ancdata.add({SOL_ALG, ALG_SET_IV, pysock::const_bytes(value)});
  }
  if (assoclen != nullptr) {
    const int length = to_int(assoclen, "sendmsg_afalg");
    if (length < 0) raise(PyExc_TypeError, "assoclen must be positive");
    ancdata.add({SOL_ALG, ALG_SET_AEAD_ASSOCLEN, length});
  }
  if (data == nullptr) return send(self, {}, ancdata, flags, {});
  pieces<pysock::const_bytes> bytes(data, PyBUF_SIMPLE,
                                    "sendmsg_afalg() argument 1 must be an iterable");
  return send(self, bytes.buffers(), ancdata, flags, {});
}
#endif

}  // namespace

PyMethodDef message_methods[] = {
    {"recvmsg", method<recvmsg>, METH_VARARGS,
     "recvmsg(bufsize[, ancbufsize[, flags]]) -> (bytes, ancdata, msg_flags, address)"},
    {"recvmsg_into", method<recvmsg_into>, METH_VARARGS,
     "recvmsg_into(buffers[, ancbufsize[, flags]]) -> (count, ancdata, msg_flags, address)"},
    {"sendmsg", method<sendmsg>, METH_VARARGS,
     "sendmsg(buffers[, ancdata[, flags[, address]]]) -> count"},
#ifdef ALG_SET_AEAD_ASSOCLEN
    {"sendmsg_afalg", with_keywords(method_with_keywords<sendmsg_afalg>),
     METH_VARARGS | METH_KEYWORDS,
     "sendmsg_afalg([buffers], *, op[, iv[, assoclen[, flags]]]) -> count"},
#endif
    {nullptr, nullptr, 0, nullptr},
};

}  // namespace binding
