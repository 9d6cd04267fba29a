// SPDX-License-Identifier: MIT
// A transport with a scripted peer, for files without sockets.
#pragma once

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <deque>
#include <initializer_list>
#include <memory>
#include <pysock/file.hpp>
#include <string>
#include <system_error>
#include <vector>

#include "fake_sys.hpp"

namespace test_support {

inline const std::error_code would_block = pysock::detail::system_code(EAGAIN);

/// The result of one receive: bytes, the end of the stream, or a failure; and how long it takes.
struct arrival {
  std::string bytes;
  std::error_code ec;
  int milliseconds = 0;
};

/// The peer of a transport: the data that it sends and receives, and the parameters of the calls.
struct peer {
  std::deque<arrival> sends;        // after them the stream ends
  std::string got;                  // what was written
  std::deque<std::size_t> accepts;  // bytes of each next write; a partial one fails with `refusal`
  std::error_code refusal = pysock::errc::timed_out;
  std::error_code close_failure;
  std::vector<std::size_t> receives;   // the requested sizes
  std::vector<std::size_t> writes;     // the sizes given
  std::vector<std::int64_t> timeouts;  // the time left of each step
  int write_milliseconds = 0;
  bool closed = false;
  bool destroyed = false;
};

/// Time passes only on the fake's clock.
class memory_transport final : public pysock::detail::byte_transport {
 public:
  explicit memory_transport(peer& p) : peer_(p) {}
  ~memory_transport() override { peer_.destroyed = true; }

  std::size_t read(char* data, std::size_t size, pysock::detail::deadline& until,
                   std::error_code& ec) noexcept override {
    peer_.receives.push_back(size);
    peer_.timeouts.push_back(left(until));
    ec.clear();
    if (peer_.sends.empty()) return 0;
    arrival& next = peer_.sends.front();
    fake::advance(next.milliseconds);
    ec = next.ec;
    const std::size_t count = next.bytes.copy(data, size);
    next.bytes.erase(0, count);
    if (next.bytes.empty()) peer_.sends.pop_front();
    return count;
  }

  std::size_t write(const char* data, std::size_t size, pysock::detail::deadline& until,
                    std::error_code& ec) noexcept override {
    peer_.writes.push_back(size);
    peer_.timeouts.push_back(left(until));
    fake::advance(peer_.write_milliseconds);
    ec.clear();
    std::size_t count = size;
    if (!peer_.accepts.empty()) {
      count = std::min(size, peer_.accepts.front());
      peer_.accepts.pop_front();
      if (count < size) ec = peer_.refusal;
    }
    peer_.got.append(data, count);
    return count;
  }

  pysock::native_handle_type fileno() const noexcept override { return 77; }

  void close(std::error_code& ec) noexcept override {
    peer_.closed = true;
    ec = peer_.close_failure;
  }

 private:
  // Nanoseconds, in whole milliseconds; 0 and -1 are not changed.
  static std::int64_t left(pysock::detail::deadline& until) noexcept {
    const int milliseconds = until.milliseconds(until.now());
    return milliseconds < 0 ? -1 : std::int64_t{milliseconds} * 1000000;
  }

  peer& peer_;
};

/// A file over the transport.
inline pysock::file open(peer& p, const char* mode = "r", int bufsize = -1,
                         pysock::timeout_value timeout = 5) {
  return pysock::detail::file_access::make(std::make_unique<memory_transport>(p),
                                           pysock::detail::parse_file_mode(mode), bufsize,
                                           pysock::detail::timeout_word(timeout));
}

/// One receive for each piece.
inline std::deque<arrival> arrivals(std::initializer_list<const char*> pieces) {
  std::deque<arrival> made;
  for (const char* piece : pieces) made.push_back({piece, {}});
  return made;
}

inline const arrival time_out{"", pysock::errc::timed_out};

}  // namespace test_support
