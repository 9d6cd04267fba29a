// SPDX-License-Identifier: MIT
// The connection below a session, as OpenSSL sees it: a BIO over the seam. It never waits, and
// nothing it sends raises SIGPIPE.
//
// OpenSSL cannot leave a record half sent and do something else first, such as answering a
// KeyUpdate or sending the closing alert. So the wire takes whole records, and keeps what the
// system does not take.
#pragma once

#include <pysock/socket.hpp>
#include <system_error>
#include <vector>

#include "handles.hpp"

namespace pysock {
inline namespace v1 {
namespace detail {

class wire {
 public:
  wire() = default;
  wire(const wire&) = delete;
  wire& operator=(const wire&) = delete;

  // A BIO over this wire, which must outlive it.
  bio_handle make_bio();

  // How the last step, one call of OpenSSL, went.
  struct step {
    bool read_blocked = false;   // the system had nothing to receive
    bool write_blocked = false;  // the system took less than there was to send
    bool moved = false;          // bytes were received or sent
    bool exhausted = false;      // the step received as many records as one step may
    std::error_code failure;     // why receiving failed, or keeping bytes to send
  };

  // Starts a step. `refill`: it may receive as many records as one step may; otherwise it shares
  // this number with the step before.
  void begin(bool refill) noexcept;
  [[nodiscard]] const step& last() const noexcept { return step_; }

  // Sends what is kept, as far as the system takes it now.
  void flush() noexcept;
  // Keeps what the rest of the step sends; `flush` then sends it at once. A small record that
  // follows another one waits in the system for the peer's acknowledgement, which may take 40 ms.
  void gather() noexcept { gathers_ = true; }
  [[nodiscard]] bool has_unsent() const noexcept { return first_unsent_ < unsent_.size(); }
  // Why the connection takes no more bytes. Receiving goes on: what the peer sent before it closed
  // can still be read.
  [[nodiscard]] std::error_code send_error() const noexcept { return send_error_; }
  // After the closing alert: what OpenSSL sends from now on, answers to KeyUpdate for example, is
  // dropped.
  void end_sending() noexcept { sending_ended_ = true; }

  // Has the system acknowledge what was received, where it can be told to. A client's first data
  // may wait for that, for 40 ms: the end of its handshake is a small segment that is under way,
  // and nothing that a server sends acknowledges it before.
  void acknowledge() noexcept;

  // What OpenSSL calls. Negative: try again; 0: the end or a failure; else the number of bytes.
  std::ptrdiff_t write(const char* data, std::size_t size) noexcept;
  std::ptrdiff_t read(char* buffer, std::size_t size) noexcept;

  socket plain{nullptr};

 private:
  bool keep(const char* data, std::size_t size) noexcept;

  step step_;
  int reads_left_ = 0;
  std::error_code send_error_;
  bool sending_ended_ = false;
  bool gathers_ = false;
  std::vector<char> unsent_;  // has no memory while it is empty
  std::size_t first_unsent_ = 0;
};

}  // namespace detail
}  // namespace v1
}  // namespace pysock
