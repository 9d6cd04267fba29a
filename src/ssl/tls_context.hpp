// SPDX-License-Identifier: MIT
// The state of an ssl_context, which its connections share.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <pysock/ssl_context.hpp>
#include <string>

#include "handles.hpp"

namespace pysock {
inline namespace v1 {
namespace detail {

// The settings that a connection copies from its context when it is made.
struct tls_rules {
  VerifyMode mode = CERT_NONE;
  bool check_hostname = false;
  int tickets = 2;
  // Changes with every setting that could reject a peer that was accepted before. A session of
  // another generation is not resumed.
  std::uint64_t generation = 0;
};

class tls_context {
 public:
  using choose_context = std::function<std::shared_ptr<const tls_context>(const std::string& name)>;

  explicit tls_context(ssl_protocol side);
  tls_context(const tls_context&) = delete;
  tls_context& operator=(const tls_context&) = delete;
  ~tls_context();

  [[nodiscard]] SSL_CTX* get() const noexcept { return handle_.get(); }

  // A session with the present rules, which are stored in `rules`.
  ssl_handle new_session(tls_rules& rules) const;
  // The context for a client that requests this name; null for this one.
  [[nodiscard]] std::shared_ptr<const tls_context> chosen_for(const std::string& name) const;

  const ssl_protocol protocol;

  // Locked while a setting is changed or read, and while a session is made, because OpenSSL copies
  // most settings into each session.
  mutable std::mutex mutex;

  // The other members are protected by the mutex.
  tls_rules rules;
  TLSVersion minimum = TLSVersion::TLSv1_2;
  TLSVersion maximum = TLSVersion::MAXIMUM_SUPPORTED;
  std::string alpn;         // each protocol after its length, in the format of the extension
  bool has_folder = false;  // of authorities, which OpenSSL reads when it needs them
  choose_context choose;
  std::string keylog_path;
  bio_handle keylog;

  void set_mode(VerifyMode value) noexcept;
  void set_alpn(const std::vector<std::string>& protocols);
  void set_keylog(const std::string& path);
  // Called after a change of a setting that could reject a peer that was accepted before.
  void next_generation() noexcept;
  [[nodiscard]] bool trusts_nobody() const noexcept;

 private:
  const std::uint64_t id_;
  ssl_ctx_handle handle_;
};

// The peer, as verified in the handshake.
struct tls_peer {
  bool verified = false;
  certificate_handle certificate;
  chain_handle verified_chain;  // null if it is not known
  chain_handle sent_chain;
};

// The session of an earlier connection. It may be resumed only with its own context, for the same
// name and with the same rules, because a resumption verifies nothing.
struct tls_session {
  session_handle session;
  std::shared_ptr<const tls_context> context;
  std::string host;
  std::uint64_t generation = 0;
  std::shared_ptr<const tls_peer> peer;
};

}  // namespace detail
}  // namespace v1
}  // namespace pysock
