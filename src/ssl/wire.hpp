// SPDX-License-Identifier: MIT
// The connection below a session, as OpenSSL sees it: a BIO over the seam. It never waits, and
// nothing it sends raises SIGPIPE.
#pragma once

#include <pysock/socket.hpp>

#include "handles.hpp"

namespace pysock {
inline namespace v1 {
namespace detail {

// What the BIO stands on, and how its last calls went. It must outlive the BIO.
struct wire {
  socket plain{nullptr};
  int failure = 0;       // the system's number
  bool blocked = false;  // the system would have had to wait
  bool ended = false;    // nothing more will come

  void begin() noexcept {
    failure = 0;
    blocked = false;
  }
};

// A BIO over `below`.
bio_handle make_bio(wire& below);

}  // namespace detail
}  // namespace v1
}  // namespace pysock
