// SPDX-License-Identifier: MIT
// The text of a socket.
#include <pysock/socket.hpp>

#include <pysock/names.hpp>

namespace pysock {
inline namespace v1 {

std::string socket::to_string() const {
  std::string out = *this ? "<socket.socket" : "<socket.socket [closed]";
  out += " fd=" + std::to_string(fileno()) + ", family=" + family_name(family_) +
         ", type=" + type_name(type_) + ", proto=" + std::to_string(proto_);
  if (!*this) return out + ">";
  detail::sockaddr_any any;
  const auto add = [&any, &out](const char* label, int result, socklen_t size) {
    const address found = result < 0 ? address() : address(&any.base, size);
    if (!found || found.is_unnamed()) return;
    const auto* un = found.get_if<unix_address>();
    // Python quotes names that are bytes, not those that are text.
    const bool path = un != nullptr && un->view().front() != '\0';
    out += label + (path ? found.path() : found.to_string());
  };
  socklen_t size = sizeof any;
  int result = detail::sys::getsockname(fileno(), &any.base, &size);
  add(", laddr=", result, size);
  size = sizeof any;
  result = detail::sys::getpeername(fileno(), &any.base, &size);
  add(", raddr=", result, size);
  return out + ">";
}

}  // namespace v1
}  // namespace pysock
