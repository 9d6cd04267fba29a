// SPDX-License-Identifier: MIT
// Network interfaces by name and number.
#include <pysock/interfaces.hpp>

#include "repr.hpp"

namespace pysock {
inline namespace v1 {

std::vector<interface_info> if_nameindex() {
  std::vector<detail::sys::interface_entry> entries;
  const int result = detail::sys::if_nameindex(entries);
  if (result < 0) detail::throw_result(result, "if_nameindex");
  std::vector<interface_info> list;
  list.reserve(entries.size());
  for (detail::sys::interface_entry& entry : entries)
    list.push_back({entry.index, std::move(entry.name)});
  return list;
}

unsigned if_nametoindex(text name) {
  const std::string asked = detail::c_name("if_nametoindex", name.view());
  const std::int64_t index = detail::sys::if_nametoindex(asked.c_str());
  if (index < 0) detail::throw_result(index, detail::call_text("if_nametoindex", asked));
  return static_cast<unsigned>(index);
}

std::string if_indextoname(long long index) {
  const std::string operation = detail::call_text("if_indextoname", index);
  if (index < 0) throw std::invalid_argument(operation + ": value must not be negative");
  if (index > 0xFFFFFFFFLL) detail::throw_error(bad_argument::value_range, operation);
  std::string name;
  const int result = detail::sys::if_indextoname(static_cast<unsigned>(index), name);
  if (result < 0) detail::throw_result(result, operation);
  return name;
}

}  // namespace v1
}  // namespace pysock
