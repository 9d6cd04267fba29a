// SPDX-License-Identifier: MIT
// Control messages in the system's layout: the one place that knows of cmsghdr and its macros.
//
// Headers are copied in and out, never pointed at: a buffer may then lie anywhere, and what stands
// in it is believed only as far as it fits. One message takes the space of its data, padding
// included, so the system's macros for walking are not needed.
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

// What `size` bytes of data take: with the header before them, and with the padding up to the next
// header as well. Functions and not constants: on some systems the macros call one.
#ifdef WSA_CMSG_LEN
inline std::size_t length(std::size_t size) noexcept { return WSA_CMSG_LEN(size); }
inline std::size_t space(std::size_t size) noexcept { return WSA_CMSG_SPACE(size); }
#else
inline std::size_t length(std::size_t size) noexcept { return CMSG_LEN(size); }
inline std::size_t space(std::size_t size) noexcept { return CMSG_SPACE(size); }
#endif

// Whether the data are descriptors that the sender passed; and whether they are descriptors at all,
// which the receiver must close: the system adds one by itself for SO_PASSPIDFD.
#ifdef SCM_RIGHTS
inline bool carries_rights(int level, int type) noexcept {
  return level == SOL_SOCKET && type == SCM_RIGHTS;
}
inline bool carries_descriptors(int level, int type) noexcept {
  return level == SOL_SOCKET && (type == SCM_RIGHTS || type == pidfd_message);
}
#else
inline bool carries_rights(int /*level*/, int /*type*/) noexcept { return false; }
inline bool carries_descriptors(int /*level*/, int /*type*/) noexcept { return false; }
#endif

// The type of a length differs: some compilers warn of a cast that changes nothing.
template <class Length>
void set_length(Length& out, std::size_t size) noexcept {
  out = static_cast<Length>(size);
}

// Writes one message. \pre `room` has space(data.size()) bytes
inline void write(char* room, int level, int type, const_bytes data) noexcept {
  header head{};
  set_length(head.cmsg_len, length(data.size()));
  head.cmsg_level = level;
  head.cmsg_type = type;
  std::memcpy(room, &head, sizeof head);
  if (!data.empty()) std::memcpy(room + length(0), data.data(), data.size());
}

// The message at the start of `raw`; its data are the part that is there. Returns what follows it;
// after a message that is cut off nothing does. False where there is no message: no room for a
// header, or a length that does not even cover it and would never lead on.
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
