// SPDX-License-Identifier: MIT
// The databases of services and protocols.
#include "lookup.hpp"

namespace pysock {
inline namespace v1 {
namespace {

using detail::c_name;
using detail::call_text;
using detail::throw_error;

struct c_proto {
  c_proto(const char* function, const std::optional<text>& name)
      : given(name.has_value()), value(name ? c_name(function, name->view()) : "") {}
  [[nodiscard]] const char* get() const noexcept { return given ? value.c_str() : nullptr; }
  bool given;
  std::string value;
};

// A lookup's result: 1 if it found the entry, 0 if there is none, or the negative error number.
void check(int result, errc not_found, const std::string& operation) {
  if (result < 0) detail::throw_result(result, operation);
  if (result == 0) throw_error(not_found, operation);
}

}  // namespace

int getprotobyname(text protocolname) {
  const std::string name = c_name("getprotobyname", protocolname.view());
  int number = 0;
  const int result = detail::sys::getprotobyname(name.c_str(), number);
  check(result, errc::protocol_not_found, call_text("getprotobyname", name));
  return number;
}

int getservbyname(text servicename, const std::optional<text>& protocolname) {
  const std::string name = c_name("getservbyname", servicename.view());
  const c_proto proto("getservbyname", protocolname);
  int port = 0;
  const int result = detail::sys::getservbyname(name.c_str(), proto.get(), port);
  check(result, errc::service_not_found, call_text("getservbyname", name));
  return port;
}

std::string getservbyport(port_number port, const std::optional<text>& protocolname) {
  const c_proto proto("getservbyport", protocolname);
  const std::string operation = call_text("getservbyport", port.value());
  const int number = port.checked(operation.c_str());
  std::string name;
  const int result = detail::sys::getservbyport(number, proto.get(), name);
  check(result, errc::port_not_found, operation);
  return name;
}

}  // namespace v1
}  // namespace pysock
