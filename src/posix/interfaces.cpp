// SPDX-License-Identifier: MIT
// Network interfaces.
#include "features.hpp"

#include <cerrno>
#include <cstring>
#include <pysock/detail/sys.hpp>
#if PYSOCK_HAVE_IF_NAMEINDEX
#include <memory>
#endif

namespace pysock {
inline namespace v1 {
namespace detail {
namespace {

// The reason why a lookup failed, for which the C library opens a socket; `unknown` if it does not
// set errno. glibc leaves ENOENT if it could not open the socket, so this opens one to get the
// reason.
int reason(int unknown) noexcept {
  const int number = errno;
  if (number == ENODEV || number == ENXIO) return number;
  const int probe = ::socket(AF_UNIX, SOCK_DGRAM | sys::feature::type_cloexec, 0);
  if (probe < 0) return errno;
  ::close(probe);
  return number != 0 && number != ENOENT ? number : unknown;
}

}  // namespace

int sys::if_nameindex([[maybe_unused]] std::vector<interface_entry>& out) {
#if PYSOCK_HAVE_IF_NAMEINDEX
  const std::unique_ptr<struct ::if_nameindex, decltype(&::if_freenameindex)> list(
      ::if_nameindex(), &::if_freenameindex);
  if (!list) return -errno;
  std::vector<interface_entry> made;
  for (const struct ::if_nameindex* entry = list.get(); entry->if_name != nullptr; ++entry) {
    made.push_back({entry->if_index, entry->if_name});
  }
  out.swap(made);
  return 0;
#else
  return -ENOSYS;
#endif
}

std::int64_t sys::if_nametoindex(const char* name) noexcept {
  // Some C libraries truncate a longer name, and would find another interface.
  if (std::strlen(name) >= IF_NAMESIZE) return -ENODEV;
  errno = 0;
  const unsigned index = ::if_nametoindex(name);
  return index != 0 ? static_cast<std::int64_t>(index) : -reason(ENODEV);
}

int sys::if_indextoname(unsigned index, std::string& out) {
  char name[IF_NAMESIZE] = {};
  errno = 0;
  if (::if_indextoname(index, name) == nullptr) return -reason(ENXIO);
  out = name;
  return 0;
}

}  // namespace detail
}  // namespace v1
}  // namespace pysock
