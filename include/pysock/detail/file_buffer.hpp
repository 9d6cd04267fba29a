// SPDX-License-Identifier: MIT
// The buffers of a file, as a std::streambuf that has Python's methods too.
//
// A read removes no byte from the buffer before it can return it, and allocates the memory for a
// byte before it receives it: a call that fails keeps the received bytes for the next one.
#pragma once

#include <cstddef>       // size_t, ptrdiff_t
#include <cstdint>       // int64_t
#include <memory>        // unique_ptr
#include <streambuf>     // streambuf
#include <string>        // string
#include <string_view>   // string_view
#include <system_error>  // error_code
#include <vector>        // vector

#include "../bytes.hpp"
#include "../error.hpp"
#include "deadline.hpp"
#include "transport.hpp"

namespace pysock {
inline namespace v1 {
namespace detail {

struct file_mode {
  bool reads = false;
  bool writes = false;
};

inline file_mode parse_file_mode(std::string_view mode) {
  if (mode.find_first_not_of("rwb") != mode.npos) throw_error(bad_argument::file_mode, "makefile");
  const bool writes = mode.find('w') != mode.npos;
  return {!writes || mode.find('r') != mode.npos, writes};
}

class file_buffer final : public std::streambuf {
 public:
  // A closed buffer.
  file_buffer() = default;
  file_buffer(std::unique_ptr<byte_transport> transport, file_mode mode, int bufsize,
              std::int64_t timeout);
  file_buffer(file_buffer&& other) noexcept;
  file_buffer& operator=(file_buffer&& other) noexcept;
  ~file_buffer() override;
  std::string readline(std::ptrdiff_t limit);

  std::vector<std::string> readlines(std::ptrdiff_t hint);
  std::string read(std::ptrdiff_t size);

  // `before` is the number of bytes that the same call has already written.
  void write(const_bytes data, deadline& until, const char* operation = "write",
             std::size_t before = 0);
  void flush();
  void close();

  [[nodiscard]] bool closed() const noexcept { return transport_ == nullptr; }
  [[nodiscard]] file_mode mode() const noexcept { return mode_; }
  [[nodiscard]] native_handle_type fileno() const noexcept;
  [[nodiscard]] std::int64_t timeout() const noexcept { return timeout_; }
  void set_timeout(std::int64_t timeout) noexcept { timeout_ = timeout; }

 protected:
  int_type underflow() override;
  std::streamsize xsgetn(char* to, std::streamsize size) override;
  int_type overflow(int_type c) override;
  std::streamsize xsputn(const char* data, std::streamsize size) override;
  int sync() override;

 private:
  void check(bool allowed, const char* operation) const;

  // Whether a step of a call can begin: the first always can.
  static bool in_time(deadline& until, std::error_code& ec) noexcept;

  // ---- reading: the get area is what is unread, and starts where `in_` does ----

  [[nodiscard]] std::size_t unread() const noexcept {
    return static_cast<std::size_t>(egptr() - gptr());
  }
  void set_unread(std::size_t size) noexcept { setg(in_.data(), in_.data(), in_.data() + size); }
  void skip(std::size_t size) noexcept { setg(eback(), gptr() + size, egptr()); }
  std::string taken(std::size_t size);
  // Bytes received past the buffer, for the next call.
  void put_back(std::string&& bytes, std::size_t size) noexcept;

  // Whether a read of so many bytes needs less than one more buffer. A larger read bypasses the
  // buffer.
  [[nodiscard]] bool goes_through_buffer(std::size_t wanted) const noexcept;
  std::size_t receive(char* to, std::size_t size, deadline& until, std::error_code& ec) noexcept;

  // Receives more data behind the unread data. False at the end of the stream.
  bool receive_more(deadline& until, const char* operation);

  // Receives until there are so many unread bytes; returns how many there are, fewer at the end of
  // the stream.
  std::size_t fill(std::size_t wanted, deadline& until);

  // The size of the line `offset` bytes on, at most `limit`; 0 at the end of the stream.
  std::size_t line_size(std::size_t offset, std::size_t limit, deadline& until,
                        const char* operation);

  // ---- writing: the put area begins with the buffered data; with line buffering it is empty, so
  // every byte goes through put() ----

  [[nodiscard]] std::size_t held() const noexcept {
    return static_cast<std::size_t>(pptr() - pbase());
  }
  void set_unsent(std::size_t size) noexcept;
  std::size_t send(const char* data, std::size_t size, deadline& until,
                   std::error_code& ec) noexcept;

  // Sends the buffered data and keeps what it cannot send. Returns the number of bytes sent.
  std::size_t send_held(deadline& until, std::error_code& ec) noexcept;

  // Returns how many bytes were sent or are buffered: all, unless it fails.
  std::size_t put(const char* data, std::size_t size, deadline& until,
                  std::error_code& ec) noexcept;

  // ---- life ----

  void close_quietly() noexcept;
  void forget() noexcept;

  // The areas are found again by their offsets: a short string moves its bytes.
  void take(file_buffer& other) noexcept;

  std::unique_ptr<byte_transport> transport_;
  file_mode mode_;
  bool line_buffered_ = false;
  std::size_t size_ = 0;  // 0: unbuffered
  std::int64_t timeout_ = -1;
  std::string in_;
  std::string out_;
};

}  // namespace detail
}  // namespace v1
}  // namespace pysock
