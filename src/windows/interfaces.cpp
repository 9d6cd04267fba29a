// SPDX-License-Identifier: MIT
// Network interfaces.
#include "winsock.hpp"

#include <iphlpapi.h>
#include <netioapi.h>
#include <memory>

namespace pysock {
inline namespace v1 {
namespace detail {
namespace {

struct free_table {
  void operator()(MIB_IF_TABLE2* table) const noexcept { ::FreeMibTable(table); }
};

}  // namespace

int sys::if_nameindex(std::vector<interface_entry>& out) {
  MIB_IF_TABLE2* found = nullptr;
  if (const DWORD reason = ::GetIfTable2(&found); reason != NO_ERROR)
    return -static_cast<int>(reason);
  const std::unique_ptr<MIB_IF_TABLE2, free_table> table(found);
  std::vector<interface_entry> made;
  for (ULONG i = 0; i < table->NumEntries; ++i) {
    char name[IF_MAX_STRING_SIZE + 1] = {};
    if (const DWORD reason =
            ::ConvertInterfaceLuidToNameA(&table->Table[i].InterfaceLuid, name, sizeof name);
        reason != NO_ERROR) {
      return -static_cast<int>(reason);
    }
    made.push_back({table->Table[i].InterfaceIndex, name});
  }
  out.swap(made);
  return 0;
}

std::int64_t sys::if_nametoindex(const char* name) noexcept {
  const unsigned index = ::if_nametoindex(name);
  return index != 0 ? static_cast<std::int64_t>(index) : -ERROR_DEV_NOT_EXIST;
}

int sys::if_indextoname(unsigned index, std::string& out) {
  char name[IF_MAX_STRING_SIZE + 1] = {};
  if (::if_indextoname(index, name) == nullptr) return -ERROR_DEV_NOT_EXIST;
  out = name;
  return 0;
}

}  // namespace detail
}  // namespace v1
}  // namespace pysock
