// SPDX-License-Identifier: MIT
// The buffers of a file, as a std::streambuf that has Python's methods too.
//
// A read removes no byte from the buffer before it can return it, and allocates the memory for a
// byte before it receives it: a call that fails keeps the received bytes for the next one.
#pragma once

#include <algorithm>     // copy_n, max, min
#include <cstddef>       // size_t, ptrdiff_t
#include <cstdint>       // int64_t
#include <cstring>       // memchr, memmove
#include <memory>        // unique_ptr
#include <streambuf>     // streambuf
#include <string>        // string
#include <system_error>  // error_code
#include <utility>       // move
#include <vector>        // vector

#include "../bytes.hpp"
#include "../error.hpp"
#include "deadline.hpp"
#include "raise.hpp"
#include "sys.hpp"
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

// Calls a function at its end, also by an exception, unless `done`.
template <class Function>
struct unless_done {
  explicit unless_done(Function call) noexcept : function(call) {}
  unless_done(const unless_done&) = delete;
  unless_done& operator=(const unless_done&) = delete;
  ~unless_done() {
    if (!done) function();
  }

  Function function;
  bool done = false;
};
template <class Function>
unless_done(Function) -> unless_done<Function>;

class file_buffer final : public std::streambuf {
 public:
  // A closed buffer.
  file_buffer() = default;
  file_buffer(std::unique_ptr<byte_transport> transport, file_mode mode, int bufsize,
              std::int64_t timeout)
      : transport_(std::move(transport)),
        mode_(mode),
        line_buffered_(bufsize == 1),
        size_(bufsize < 0 || bufsize == 1 ? default_size : static_cast<std::size_t>(bufsize)),
        timeout_(timeout) {
    if (mode_.writes) out_.resize(size_);
    set_unread(0);
    set_unsent(0);
  }
  file_buffer(file_buffer&& other) noexcept { take(other); }
  file_buffer& operator=(file_buffer&& other) noexcept {
    if (this == &other) return *this;
    close_quietly();
    take(other);
    return *this;
  }
  ~file_buffer() override { close_quietly(); }

  std::string readline(std::ptrdiff_t limit) {
    check(mode_.reads, "readline");
    deadline until(timeout_);
    return taken(
        line_size(0, limit < 0 ? no_limit : static_cast<std::size_t>(limit), until, "readline"));
  }

  std::vector<std::string> readlines(std::ptrdiff_t hint) {
    check(mode_.reads, "readlines");
    deadline until(timeout_);
    std::vector<std::string> lines;
    const std::size_t wanted = hint <= 0 ? no_limit : static_cast<std::size_t>(hint);
    std::size_t seen = 0;
    while (seen < wanted) {
      const std::size_t size = line_size(seen, no_limit, until, "readlines");
      if (size == 0) break;
      lines.emplace_back(gptr() + seen, size);
      seen += size;
    }
    skip(seen);
    return lines;
  }

  std::string read(std::ptrdiff_t size) {
    check(mode_.reads, "read");
    deadline until(timeout_);
    const std::size_t wanted = size < 0 ? no_limit : static_cast<std::size_t>(size);
    if (goes_through_buffer(wanted)) return taken(fill(wanted, until));

    std::size_t got = unread();
    std::string bytes(gptr(), got);
    unless_done kept([&]() noexcept { put_back(std::move(bytes), got); });
    while (got < wanted) {
      if (got == bytes.size())
        bytes.resize(got + (std::min)(wanted - got, (std::max)(got, large_step)));
      std::error_code ec;
      const std::size_t count = receive(&bytes[got], bytes.size() - got, until, ec);
      if (ec) throw_error(ec, "read", got);
      if (count == 0) break;
      got += count;
    }
    kept.done = true;
    set_unread(0);
    bytes.resize(got);
    return bytes;
  }

  // `before` is the number of bytes that the same call has already written.
  void write(const_bytes data, deadline& until, const char* operation = "write",
             std::size_t before = 0) {
    check(mode_.writes, operation);
    std::error_code ec;
    const std::size_t count = put(data.data(), data.size(), until, ec);
    if (ec) throw_error(ec, operation, before + count);
  }

  void flush() {
    check(true, "flush");
    deadline until(timeout_);
    std::error_code ec;
    const std::size_t sent = send_held(until, ec);
    if (ec) throw_error(ec, "flush", sent);
  }

  void close() {
    if (closed()) return;
    deadline until(timeout_);
    std::error_code unsent_because;
    std::error_code ec;
    const std::size_t sent = send_held(until, unsent_because);
    transport_->close(ec);
    forget();
    if (unsent_because) throw_error(unsent_because, "close", sent);
    if (ec) throw_error(ec, "close");
  }

  [[nodiscard]] bool closed() const noexcept { return transport_ == nullptr; }
  [[nodiscard]] file_mode mode() const noexcept { return mode_; }
  [[nodiscard]] native_handle_type fileno() const noexcept {
    return closed() ? invalid_handle : transport_->fileno();
  }
  [[nodiscard]] std::int64_t timeout() const noexcept { return timeout_; }
  void set_timeout(std::int64_t timeout) noexcept { timeout_ = timeout; }

 protected:
  int_type underflow() override {
    check(mode_.reads, "read");
    deadline until(timeout_);
    return fill(1, until) == 0 ? traits_type::eof() : traits_type::to_int_type(*gptr());
  }

  std::streamsize xsgetn(char* to, std::streamsize size) override {
    check(mode_.reads, "read");
    deadline until(timeout_);
    const std::size_t wanted = not_negative(size);
    if (goes_through_buffer(wanted)) {
      const std::size_t size_there = fill(wanted, until);
      std::copy_n(gptr(), size_there, to);
      skip(size_there);
      return static_cast<std::streamsize>(size_there);
    }

    std::size_t got = unread();
    std::copy_n(gptr(), got, to);
    unless_done kept([&]() noexcept {
      in_.assign(to, got);  // within its capacity
      set_unread(got);
    });
    while (got < wanted) {
      const std::size_t step = (std::min)(wanted - got, (std::max)(got, large_step));
      // Allocates the memory for keeping the bytes, if the call fails, before it receives them.
      if (in_.capacity() < got + step) in_.reserve(got + step);
      std::error_code ec;
      const std::size_t count = receive(to + got, step, until, ec);
      if (ec) throw_error(ec, "read", got);
      if (count == 0) break;
      got += count;
    }
    kept.done = true;
    set_unread(0);
    return static_cast<std::streamsize>(got);
  }

  int_type overflow(int_type c) override {
    if (traits_type::eq_int_type(c, traits_type::eof())) {
      flush();
    } else {
      const char byte = traits_type::to_char_type(c);
      deadline until(timeout_);
      write(const_bytes(&byte, 1), until);
    }
    return traits_type::not_eof(c);
  }

  std::streamsize xsputn(const char* data, std::streamsize size) override {
    deadline until(timeout_);
    write(const_bytes(data, not_negative(size)), until);
    return size;
  }

  int sync() override {
    flush();
    return 0;
  }

 private:
  static constexpr std::size_t default_size = 8192;
  static constexpr std::size_t large_step = 65536;
  static constexpr std::size_t no_limit = static_cast<std::size_t>(-1);

  static constexpr std::size_t not_negative(std::streamsize size) noexcept {
    return size < 0 ? 0 : static_cast<std::size_t>(size);
  }

  void check(bool allowed, const char* operation) const {
    if (PYSOCK_LIKELY(transport_ != nullptr && allowed)) return;
    if (closed())
      throw_invalid_argument((operation + std::string(": I/O operation on closed file")).c_str());
    throw_error(errc::unsupported_operation, operation);
  }

  // Whether a step of a call can begin: the first always can.
  static bool in_time(deadline& until, std::error_code& ec) noexcept {
    if (until.begin_step()) return true;
    ec = errc::timed_out;
    return false;
  }

  // ---- reading: the get area is what is unread, and starts where `in_` does ----

  [[nodiscard]] std::size_t unread() const noexcept {
    return static_cast<std::size_t>(egptr() - gptr());
  }
  void set_unread(std::size_t size) noexcept { setg(in_.data(), in_.data(), in_.data() + size); }
  void skip(std::size_t size) noexcept { setg(eback(), gptr() + size, egptr()); }
  std::string taken(std::size_t size) {
    std::string bytes(gptr(), size);
    skip(size);
    return bytes;
  }
  // Bytes received past the buffer, for the next call.
  void put_back(std::string&& bytes, std::size_t size) noexcept {
    in_ = std::move(bytes);
    set_unread(size);
  }

  // Whether a read of so many bytes needs less than one more buffer. A larger read bypasses the
  // buffer.
  [[nodiscard]] bool goes_through_buffer(std::size_t wanted) const noexcept {
    return wanted <= unread() || wanted - unread() < size_;
  }

  std::size_t receive(char* to, std::size_t size, deadline& until, std::error_code& ec) noexcept {
    return in_time(until, ec) ? transport_->read(to, size, until, ec) : 0;
  }

  // Receives more data behind the unread data. False at the end of the stream.
  bool receive_more(deadline& until, const char* operation) {
    const std::size_t kept = unread();
    const std::size_t step =
        (std::max)(size_, std::size_t{1});  // one byte at a time never reads ahead
    if (kept == 0 && in_.capacity() > step + large_step) {
      std::string().swap(in_);
    } else if (gptr() != in_.data()) {
      std::memmove(in_.data(), gptr(), kept);
    }
    set_unread(kept);
    if (in_.size() - kept < (step + 1) / 2) {
      in_.resize(kept + step);
      set_unread(kept);
    }
    std::error_code ec;
    const std::size_t count =
        receive(in_.data() + kept, (std::min)(in_.size() - kept, step), until, ec);
    if (ec) throw_error(ec, operation, kept);
    set_unread(kept + count);
    return count != 0;
  }

  // Receives until there are so many unread bytes; returns how many there are, fewer at the end of
  // the stream.
  std::size_t fill(std::size_t wanted, deadline& until) {
    while (unread() < wanted && receive_more(until, "read")) {
    }
    return (std::min)(wanted, unread());
  }

  // The size of the line `offset` bytes on, at most `limit`; 0 at the end of the stream.
  std::size_t line_size(std::size_t offset, std::size_t limit, deadline& until,
                        const char* operation) {
    for (std::size_t seen = 0;;) {
      const std::size_t here = (std::min)(unread() - offset, limit);
      const char* const line = gptr() + offset;
      if (here > seen) {
        const void* const newline = std::memchr(line + seen, '\n', here - seen);
        if (newline != nullptr)
          return static_cast<std::size_t>(static_cast<const char*>(newline) - line) + 1;
      }
      seen = here;
      if (here == limit || !receive_more(until, operation)) return here;
    }
  }

  // ---- writing: the put area begins with the buffered data; with line buffering it is empty, so
  // every byte goes through put() ----

  [[nodiscard]] std::size_t held() const noexcept {
    return static_cast<std::size_t>(pptr() - pbase());
  }
  void set_unsent(std::size_t size) noexcept {
    setp(out_.data(), out_.data() + (line_buffered_ ? size : out_.size()));
    pbump(static_cast<int>(size));
  }

  std::size_t send(const char* data, std::size_t size, deadline& until,
                   std::error_code& ec) noexcept {
    if (!in_time(until, ec)) return 0;
    // No transport writes more than it is given. g++ must see it, or it warns of the copies below.
    return (std::min)(transport_->write(data, size, until, ec), size);
  }

  // Sends the buffered data and keeps what it cannot send. Returns the number of bytes sent.
  std::size_t send_held(deadline& until, std::error_code& ec) noexcept {
    const std::size_t size = held();
    if (size == 0) return 0;
    const std::size_t sent = send(out_.data(), size, until, ec);
    std::memmove(out_.data(), out_.data() + sent, size - sent);
    set_unsent(size - sent);
    return sent;
  }

  // Returns how many bytes were sent or are buffered: all, unless it fails.
  std::size_t put(const char* data, std::size_t size, deadline& until,
                  std::error_code& ec) noexcept {
    const bool has_newline =
        line_buffered_ && size != 0 && std::memchr(data, '\n', size) != nullptr;
    std::size_t sent = 0;
    if (size > out_.size() - held()) {
      send_held(until, ec);
      if (!ec && size >= out_.size()) sent = send(data, size, until, ec);
    }
    const std::size_t fits = (std::min)(size - sent, out_.size() - held());
    std::copy_n(data + sent, fits, out_.data() + held());
    set_unsent(held() + fits);
    if (has_newline && !ec) send_held(until, ec);
    return sent + fits;
  }

  // ---- life ----

  void close_quietly() noexcept {
    if (closed()) return;
    deadline until(timeout_);
    std::error_code ignored;
    send_held(until, ignored);
    forget();
  }

  void forget() noexcept {
    transport_.reset();
    setg(nullptr, nullptr, nullptr);
    setp(nullptr, nullptr);
  }

  // The areas are found again by their offsets: a short string moves its bytes.
  void take(file_buffer& other) noexcept {
    const auto begin = other.gptr() - other.eback();
    const auto end = other.egptr() - other.eback();
    const std::size_t unsent = other.held();
    std::streambuf::operator=(other);
    transport_ = std::move(other.transport_);
    mode_ = other.mode_;
    line_buffered_ = other.line_buffered_;
    size_ = other.size_;
    timeout_ = other.timeout_;
    in_ = std::move(other.in_);
    out_ = std::move(other.out_);
    setg(in_.data(), in_.data() + begin, in_.data() + end);
    set_unsent(unsent);
    other.forget();
  }

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
