// SPDX-License-Identifier: MIT
// Network interfaces by name and number.
#include <pysock/interfaces.hpp>

namespace pysock {
inline namespace v1 {

std::vector<interface_info> if_nameindex() {
  std::vector<detail::sys::interface_entry> entries;
  if (detail::sys::if_nameindex(entries) < 0) detail::throw_last("if_nameindex");
  std::vector<interface_info> list;
  list.reserve(entries.size());
  for (detail::sys::interface_entry& entry : entries)
    list.push_back({entry.index, std::move(entry.name)});
  return list;
}

unsigned if_nametoindex(text name) {
  const std::string operation = "if_nametoindex '" + name.str() + "'";
  if (name.view().find('\0') != std::string_view::npos)
    detail::throw_error(bad_argument::embedded_null, "if_nametoindex");
  const unsigned index = detail::sys::if_nametoindex(name.str().c_str());
  if (index == 0) detail::throw_error(errc::interface_not_found, operation);
  return index;
}

std::string if_indextoname(long long index) {
  const std::string operation = "if_indextoname " + std::to_string(index);
  if (index < 0 || index > 0xFFFFFFFFLL) detail::throw_error(bad_argument::value_range, operation);
  std::string name;
  if (detail::sys::if_indextoname(static_cast<unsigned>(index), name) < 0)
    detail::throw_last(operation);
  return name;
}

}  // namespace v1
}  // namespace pysock
