// SPDX-License-Identifier: MIT
// Host names: validation, the name for SNI, and the name for verification.
#include "peer_name.hpp"

#include <openssl/x509v3.h>

#include <algorithm>
#include <pysock/detail/ip_text.hpp>
#include <pysock/error.hpp>
#include <stdexcept>

#include "errors.hpp"

namespace pysock {
inline namespace v1 {
namespace detail {
namespace {

constexpr std::size_t longest_name = 253;  // RFC 1035's 255 bytes of labels, as text

[[noreturn]] void refuse(const char* operation, const char* why) {
  throw std::invalid_argument(std::string(operation) + ": " + why);
}

// Empty if it is not an address. Certificates have no scopes.
std::string packed_address(std::string_view text) {
  unsigned char v4[4] = {};
  unsigned char v6[16] = {};
  if (parse_ipv4(text, v4)) return packed_string(v4);
  if (parse_ipv6(text.substr(0, text.find('%')), v6)) return packed_string(v6);
  return {};
}

// Whether the last label of a name is a number, as in `127.0.0.1.` and `127.1`: some programs treat
// it as an address, and it is not a valid host name.
bool ends_in_number(std::string_view name) noexcept {
  std::string_view last = name.substr(name.rfind('.') + 1);  // the whole name if it has no dot
  const bool hexadecimal = last.size() > 2 && last[0] == '0' && (last[1] == 'x' || last[1] == 'X');
  if (hexadecimal) last.remove_prefix(2);
  const char* const digits = hexadecimal ? "0123456789abcdefABCDEF" : "0123456789";
  return last.find_first_not_of(digits) == last.npos;
}

}  // namespace

peer_name::peer_name(std::string_view name, const char* operation)
    : given_(name), packed_(packed_address(name)) {
  if (name.find('\0') != name.npos)
    throw_error(bad_argument::embedded_null, std::string(operation) + " (server_hostname)");
  if (!packed_.empty()) return;
  if (name.empty() || name.front() == '.')
    refuse(operation, "server_hostname cannot be an empty string or start with a leading dot");
  const auto in_name = [](char c) { return c > ' ' && c < 0x7f; };
  if (!std::all_of(name.begin(), name.end(), in_name)) {
    refuse(operation,
           "server_hostname must be printable ASCII; give international names in their xn-- form");
  }
  if (name.back() == '.') name.remove_suffix(1);
  if (ends_in_number(name) || name.find_first_of("[]:") != name.npos)
    refuse(operation, "server_hostname is neither a host name nor an IP address");
  if (name.size() > longest_name) refuse(operation, "server_hostname is too long");
  plain_ = name;
}

void peer_name::apply(SSL* ssl, bool verify) const {
  if (given_.empty()) return;
  // RFC 6066: no addresses are sent, and no dot at the end.
  if (!plain_.empty() && SSL_set_tlsext_host_name(ssl, plain_.c_str()) != 1)
    throw_openssl_error("server_hostname");
  if (!verify) return;
  X509_VERIFY_PARAM* rules = SSL_get0_param(ssl);
  X509_VERIFY_PARAM_set_hostflags(
      rules, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS | X509_CHECK_FLAG_NEVER_CHECK_SUBJECT);
  const int set =
      plain_.empty()
          ? X509_VERIFY_PARAM_set1_ip(rules, reinterpret_cast<const unsigned char*>(packed_.data()),
                                      packed_.size())
          : X509_VERIFY_PARAM_set1_host(rules, plain_.data(), plain_.size());
  if (set != 1) throw_openssl_error("server_hostname");
}

}  // namespace detail
}  // namespace v1
}  // namespace pysock
