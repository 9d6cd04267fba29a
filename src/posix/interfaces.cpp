// SPDX-License-Identifier: MIT
// This host's name and its network interfaces.
#include "features.hpp"

#include <cerrno>
#include <limits>
#include <pysock/detail/sys.hpp>
#if PYSOCK_HAVE_IF_NAMEINDEX
#include <memory>
#endif

namespace pysock {
inline namespace v1 {
namespace detail {
namespace {

// The length is a size_t on some systems and an int on others.
template <class Length>
int set_name(int (*set)(const char*, Length), const char* name, std::size_t size) noexcept {
  if (size > static_cast<std::size_t>(std::numeric_limits<Length>::max())) {
    errno = EINVAL;
    return -1;
  }
  return set(name, static_cast<Length>(size));
}

}  // namespace

int sys::gethostname(std::string& out) {
  char name[NI_MAXHOST] = {};  // no system allows more, and a name that just fits need not come with its NUL
  if (::gethostname(name, sizeof name - 1) < 0) return -1;
  out = name;
  return 0;
}

int sys::sethostname(const char* name, std::size_t size) noexcept { return set_name(&::sethostname, name, size); }

int sys::if_nameindex([[maybe_unused]] std::vector<interface_entry>& out) {
#if PYSOCK_HAVE_IF_NAMEINDEX
  const std::unique_ptr<struct ::if_nameindex, decltype(&::if_freenameindex)> list(::if_nameindex(), &::if_freenameindex);
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
