// SPDX-License-Identifier: MIT
// What an ssl_context keeps, and its connections with it.
#pragma once

#include <pysock/ssl_context.hpp>
#include <string>

#include "handles.hpp"

namespace pysock {
inline namespace v1 {
namespace detail {

class tls_context {
 public:
  explicit tls_context(ssl_protocol side);

  [[nodiscard]] SSL_CTX* get() const noexcept { return handle_.get(); }

  const ssl_protocol protocol;
  VerifyMode mode = CERT_NONE;
  bool check_hostname = false;
  TLSVersion minimum = TLSVersion::TLSv1_2;
  TLSVersion maximum = TLSVersion::MAXIMUM_SUPPORTED;
  std::string alpn;  // each with its length before it, as it is sent

  void set_mode(VerifyMode value) noexcept;
  void set_alpn(const std::vector<std::string>& protocols);

 private:
  ssl_ctx_handle handle_;
};

// Of an earlier connection; only its own context may use it again, and only for the same name:
// nothing is verified the second time.
struct tls_session {
  session_handle session;
  std::shared_ptr<const tls_context> context;
  std::string host;
};

}  // namespace detail
}  // namespace v1
}  // namespace pysock
