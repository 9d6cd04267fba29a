// SPDX-License-Identifier: MIT
// The name or address that a client requests.
#pragma once

#include <openssl/ssl.h>

#include <string>
#include <string_view>

namespace pysock {
inline namespace v1 {
namespace detail {

class peer_name {
 public:
  // None.
  peer_name() = default;
  // Throws std::invalid_argument for an invalid host name.
  peer_name(std::string_view name, const char* operation);

  // Sets the name for SNI, and for verification if requested.
  void apply(SSL* ssl, bool verify) const;

  // The name as given; empty for none.
  [[nodiscard]] const std::string& given() const noexcept { return given_; }

 private:
  std::string given_;
  std::string plain_;   // a name without the dot at its end; empty for an address
  std::string packed_;  // an address in network byte order
};

}  // namespace detail
}  // namespace v1
}  // namespace pysock
