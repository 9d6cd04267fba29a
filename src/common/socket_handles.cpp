// SPDX-License-Identifier: MIT
// Sockets made from descriptors, and in pairs.
#include <pysock/socket.hpp>

namespace pysock {
inline namespace v1 {

socket socket::dup() const {
  const native_handle_type copy = detail::sys::duplicate(fileno());
  if (copy < 0) detail::throw_result(copy, "dup");
  socket result(copy, family_, type_, proto_, timeout_word());
  result.set_interrupt_hook(hook_, hook_data_);
  result.change_interrupter(interrupter_);
  return result;
}

socket socket::wrap(const char* operation, native_handle_type fd, int family, int type, int proto) {
  int seen_family = AF_UNSPEC;
  int seen_type = 0;
  int seen_proto = 0;
  int result = detail::sys::describe(fd, seen_family, seen_type, seen_proto);
  const bool nonblocking = type >= 0 && detail::sys::strip_type_flags(type);
  std::int64_t timeout = nonblocking ? 0 : detail::default_timeout();
  if (result >= 0) {
    result =
        timeout >= 0 ? detail::sys::set_nonblocking(fd, true) : detail::sys::get_nonblocking(fd);
  }
  if (result < 0) detail::throw_result(result, operation);
  if (timeout < 0 && result == 1) timeout = 0;
  return socket(fd, family < 0 ? seen_family : family, type < 0 ? seen_type : type,
                proto < 0 ? seen_proto : proto, timeout);
}

socket fromfd(native_handle_type fd, int family, int type, int proto) {
  const native_handle_type handle = detail::sys::duplicate(fd);
  if (handle < 0) detail::throw_result(handle, "fromfd");
  descriptor copy(handle);
  socket result = socket::wrap("fromfd", copy.get(), family, type, proto);
  (void)copy.release();
  return result;
}

socket from_fileno(native_handle_type fd, int family, int type, int proto) {
  if (fd < 0) detail::throw_error(bad_argument::negative_descriptor, "from_fileno");
  return socket::wrap("from_fileno", fd, family, type, proto);
}

#ifdef FROM_PROTOCOL_INFO
std::string socket::share(unsigned long process_id) const {
  std::string shared;
  const int result = detail::sys::share(fileno(), process_id, shared);
  if (result < 0) detail::throw_result(result, "share");
  return shared;
}

socket fromshare(const_bytes info) {
  if (info.size() != sizeof(::WSAPROTOCOL_INFOW))
    detail::throw_error(bad_argument::share_length, "fromshare");
  const native_handle_type handle = detail::sys::fromshare(info.data());
  if (handle < 0) detail::throw_result(handle, "fromshare");
  descriptor owner(handle);
  socket result = from_fileno(owner.get());
  (void)owner.release();
  return result;
}
#endif

std::pair<socket, socket> socketpair(int family, int type, int proto) {
  const std::int64_t timeout = detail::sys::strip_type_flags(type) ? 0 : detail::default_timeout();
  native_handle_type ends[2] = {invalid_handle, invalid_handle};
  const int result = detail::sys::socketpair(family, type, proto, timeout >= 0, ends);
  if (result < 0) detail::throw_result(result, "socketpair");
  return {socket(ends[0], family, type, proto, timeout),
          socket(ends[1], family, type, proto, timeout)};
}

}  // namespace v1
}  // namespace pysock
