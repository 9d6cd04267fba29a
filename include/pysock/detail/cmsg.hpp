// SPDX-License-Identifier: MIT
// Control messages in the system's layout: the only code that uses cmsghdr and its macros.
//
// Headers are copied, never accessed through a pointer, so the buffer need not be aligned. Lengths
// in it are checked against its size. A message takes the space of its data with the padding, so
// the system's macros for iteration are not needed.
#pragma once

#include <cstddef>  // size_t
#include <cstring>  // memcpy

#include "../bytes.hpp"
#include "../constants.hpp"

namespace pysock {
inline namespace v1 {
namespace detail {
namespace cmsg {

using header = cmsg_header;

// The space for `size` bytes of data with their header, without and with the padding up to the next
// header. They are functions, not constants, because some systems' macros call functions.
#ifdef WSA_CMSG_LEN
inline std::size_t length(std::size_t size) noexcept { return WSA_CMSG_LEN(size); }
inline std::size_t space(std::size_t size) noexcept { return WSA_CMSG_SPACE(size); }
#else
inline std::size_t length(std::size_t size) noexcept { return CMSG_LEN(size); }
inline std::size_t space(std::size_t size) noexcept { return CMSG_SPACE(size); }
#endif

// Whether the data are descriptors, which the receiver must close: those that the sender passed, or
// the one that the system adds by itself for SO_PASSPIDFD.
#ifdef SCM_RIGHTS
inline bool carries_descriptors(int level, int type) noexcept {
  return level == SOL_SOCKET && (type == SCM_RIGHTS || type == pidfd_message);
}
#else
inline bool carries_descriptors(int /*level*/, int /*type*/) noexcept { return false; }
#endif

// The type of a length differs: some compilers warn of a cast that changes nothing.
template <class Length>
void set_length(Length& out, std::size_t size) noexcept {
  out = static_cast<Length>(size);
}

// Writes one message. \pre `buffer` has space(data.size()) bytes
inline void write(char* buffer, int level, int type, const_bytes data) noexcept {
  header head{};
  set_length(head.cmsg_len, length(data.size()));
  head.cmsg_level = level;
  head.cmsg_type = type;
  std::memcpy(buffer, &head, sizeof head);
  if (!data.empty()) std::memcpy(buffer + length(0), data.data(), data.size());
}

// The message at the start of `raw`; its data are the part that is there. Returns what follows it;
// after a truncated message that is empty. False if there is no message: no space for a header, or
// a length smaller than the header, which would never advance.
inline bool read(const_bytes raw, int& level, int& type, const_bytes& data,
                 const_bytes& rest) noexcept {
  const std::size_t before = length(0);
  if (raw.size() < before) return false;
  header head;
  std::memcpy(&head, raw.data(), sizeof head);
  const std::size_t whole = head.cmsg_len;
  if (whole < before) return false;

  level = head.cmsg_level;
  type = head.cmsg_type;
  const bool cut = whole > raw.size();
  const std::size_t size = (cut ? raw.size() : whole) - before;
  data = const_bytes(raw.data() + before, size);
  rest = cut || space(size) >= raw.size() ? const_bytes() : raw.after(space(size));
  return true;
}

}  // namespace cmsg
}  // namespace detail
}  // namespace v1
}  // namespace pysock
