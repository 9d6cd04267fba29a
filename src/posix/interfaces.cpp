// SPDX-License-Identifier: MIT
// Network interfaces.
#include "features.hpp"

#include <cerrno>
#include <pysock/detail/sys.hpp>
#if PYSOCK_HAVE_IF_NAMEINDEX
#include <memory>
#endif

namespace pysock {
inline namespace v1 {
namespace detail {
int sys::if_nameindex([[maybe_unused]] std::vector<interface_entry>& out) {
#if PYSOCK_HAVE_IF_NAMEINDEX
  const std::unique_ptr<struct ::if_nameindex, decltype(&::if_freenameindex)> list(
      ::if_nameindex(), &::if_freenameindex);
  if (!list) return -1;
  std::vector<interface_entry> made;
  for (const struct ::if_nameindex* entry = list.get(); entry->if_name != nullptr; ++entry) {
    made.push_back({entry->if_index, entry->if_name});
  }
  out.swap(made);
  return 0;
#else
  errno = ENOSYS;
  return -1;
#endif
}

unsigned sys::if_nametoindex(const char* name) noexcept { return ::if_nametoindex(name); }

int sys::if_indextoname(unsigned index, std::string& out) {
  char name[IF_NAMESIZE] = {};
  if (::if_indextoname(index, name) == nullptr) return -1;
  out = name;
  return 0;
}

}  // namespace detail
}  // namespace v1
}  // namespace pysock
