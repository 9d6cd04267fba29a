// SPDX-License-Identifier: MIT
// The database of hosts, and the name of this host.
#include <pysock/detail/ip_text.hpp>

#include "lookup.hpp"
#include "resolve.hpp"

namespace pysock {
inline namespace v1 {
namespace {

using detail::c_name;
using detail::call_text;
using detail::throw_error;

std::string text_of(int family, std::string_view packed) {
  return inet_ntop(family, const_bytes(packed));
}

host_info to_host_info(const detail::sys::host_entry& entry) {
  host_info info{entry.name, entry.aliases, {}};
  for (const std::string& packed : entry.addresses)
    info.ipaddrlist.push_back(text_of(entry.family, packed));
  return info;
}

// A lookup's result: 0, an h_errno number, or the negative error number.
void check(int result, const std::string& operation) {
  if (result < 0) detail::throw_result(result, operation);
  if (result > 0) throw_error({result, herror_category()}, operation);
}

// The first step of the hostent functions: looks up one address of a host. Failures are gaierror.
// \pre `family` is AF_INET or AF_UNSPEC
address first_address(const char* function, const std::string& name, int family) {
  unsigned char packed[4];
  if (detail::parse_ipv4(name, packed)) return inet_address(name, 0);
  std::error_code ec;
  const endpoint found = detail::lookup(name, family, detail::idn_flag(name), ec);
  if (ec) throw_error(ec, call_text(function, name));
  return found;
}

}  // namespace

std::string gethostbyname(text hostname) {
  constexpr const char* function = "gethostbyname";
  const std::string name = c_name(function, hostname.view());
  if (name.empty()) return "0.0.0.0";
  if (name == "<broadcast>") return "255.255.255.255";
  return first_address(function, name, AF_INET).host();
}

host_info gethostbyname_ex(text hostname) {
  constexpr const char* function = "gethostbyname_ex";
  const std::string name = c_name(function, hostname.view());
  if (!name.empty() && name != "<broadcast>") (void)first_address(function, name, AF_INET);
  detail::sys::host_entry entry;
  const int number = detail::sys::gethostbyname(name.c_str(), AF_INET, entry);
  check(number, call_text(function, name));
  return to_host_info(entry);
}

host_info gethostbyaddr(text ip_address) {
  constexpr const char* function = "gethostbyaddr";
  const std::string name = c_name(function, ip_address.view());
  if (name.empty()) throw_error(errc::wildcard_ambiguous, call_text(function, name));
  const address found(name == "<broadcast>" ? address("255.255.255.255", 0)
                                            : first_address(function, name, AF_UNSPEC));
  detail::sys::host_entry entry;
  const auto* in = found.get_if<inet_address>();
  const auto* in6 = found.get_if<inet6_address>();
  const int number = in != nullptr ? detail::sys::gethostbyaddr(in->bytes(), 4, AF_INET, entry)
                                   : detail::sys::gethostbyaddr(in6->bytes(), 16, AF_INET6, entry);
  check(number, call_text(function, name));
  return to_host_info(entry);
}

std::string getfqdn(text name) {
  constexpr const char* space = " \t\n\r\f\v";
  std::string asked = name.str();
  asked.erase(0, asked.find_first_not_of(space));
  asked.erase(asked.find_last_not_of(space) + 1);
  if (asked.empty() || asked == "0.0.0.0" || asked == "::") asked = gethostname();
  host_info info;
  try {
    info = gethostbyaddr(asked);
  } catch (const error&) {
    return asked;
  }
  if (info.hostname.find('.') != std::string::npos) return info.hostname;
  for (const std::string& alias : info.aliaslist) {
    if (alias.find('.') != std::string::npos) return alias;
  }
  return info.hostname;
}

std::string gethostname() {
  std::string name;
  const int result = detail::sys::gethostname(name);
  if (result < 0) detail::throw_result(result, "gethostname");
  return name;
}

void sethostname(text name) {
  const std::string host = c_name("sethostname", name.view());
  const int result = detail::sys::sethostname(host.data(), host.size());
  if (result < 0) detail::throw_result(result, call_text("sethostname", host));
}

}  // namespace v1
}  // namespace pysock
