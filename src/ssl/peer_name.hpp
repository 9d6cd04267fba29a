// SPDX-License-Identifier: MIT
// The name or address that a client asks for.
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
  // Throws std::invalid_argument for what cannot be the name of a host.
  peer_name(std::string_view name, const char* operation);

  // Asks the server for it; verifies it too, if told to.
  void apply(SSL* ssl, bool verify) const;

  // As it was given; empty for none.
  [[nodiscard]] const std::string& given() const noexcept { return given_; }

 private:
  std::string given_;
  std::string plain_;   // a name without the dot at its end; empty for an address
  std::string packed_;  // an address in network byte order
};

}  // namespace detail
}  // namespace v1
}  // namespace pysock
