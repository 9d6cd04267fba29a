// SPDX-License-Identifier: MIT
/// \file
/// The file object that `socket::makefile` returns: a stream with Python's methods.
#pragma once

#include <cstddef>           // ptrdiff_t, nullptr_t
#include <cstdint>           // int64_t
#include <initializer_list>  // initializer_list
#include <istream>           // iostream
#include <iterator>          // input_iterator_tag
#include <memory>            // unique_ptr
#include <optional>          // optional
#include <string>            // string
#include <utility>           // move
#include <vector>            // vector

#include "bytes.hpp"
#include "detail/file_buffer.hpp"
#include "detail/transport.hpp"
#include "socket.hpp"
#include "timeout.hpp"

namespace pysock {
inline namespace v1 {
namespace detail {

struct file_access;

}  // namespace detail

PYSOCK_EXPORTED_CLASSES_BEGIN
/// A buffered stream of bytes over a connection: a `std::iostream` with the methods of Python's
/// file objects. (Python: what `socket.makefile` returns; `socket.SocketIO` below it is here the
/// stream buffer that `rdbuf()` gives)
///
/// **Lifetime.** It owns a duplicate of the descriptor: file and socket close independently, in any
/// order, and the peer sees the end of the stream only after both (or after `shutdown`).
/// Destruction flushes, waiting as long as the timeout allows, and swallows what fails; `close`
/// reports it. Moving takes the buffers along and leaves the other closed. After `close`, and after
/// a move, what reads or writes throws `std::invalid_argument`.
///
/// **Bytes.** Nothing is translated, neither newlines nor encodings. Reading and writing have a
/// buffer each, as `makefile` was told: what was read ahead is out of reach of `socket::recv`, and
/// what is written waits for `flush`, a full buffer, or with line buffering a newline. Reading does
/// not flush. There is no position: seeking fails.
///
/// **Waiting.** The file starts with the socket's timeout and interrupt hook and has a timeout of
/// its own from then on. It waits by that alone, also where the descriptor, whose mode it shares
/// with the socket, is in another mode: without a timeout for ever, else at most so long, with 0
/// not at all. The timeout is for the whole of one call, of as many receives or sends as it takes:
/// `readline`, `readlines`, `read(n)`, `write`, `writelines`, `flush`, `close`, and the stream's
/// own `read` and `write` with a pointer. Other functions of `std::istream` and `std::ostream`,
/// `std::getline` and the operators have it for each time they refill or empty the buffer.
///
/// **Errors.** `timeout`, `blocking_io_error` (a timeout of 0, and nothing to be had),
/// `interrupted_error` (the hook ended the call), `connection_reset_error`, `broken_pipe_error`, or
/// `error`, whichever function it is: the stream is born with `exceptions(badbit)`, so that
/// `std::getline(f, line)` throws `timeout` itself. The wrong direction is `error` with
/// `errc::unsupported_operation`. The end of the stream is no error: Python's methods return what
/// there is, then nothing; the others set eofbit and failbit as ever. SIGPIPE is never raised.
///
/// **After a failure** the file stays usable.
/// - A read that failed loses nothing: what it had received, `transferred()` bytes, waits in the
/// buffer, and the next call begins with it.
/// - A write that failed has taken `transferred()` bytes of its data: they are sent, or held and go
/// out with a later `flush`. Go on with
///   the rest, as after `socket::sendall`. A `flush` that failed keeps what it could not send for
///   the next.
/// - Python's methods do not heed the state of the stream, and clear it. Other functions of the
/// stream are used again after `clear()`, as
///   with any stream. Of a failed `std::getline` the beginning of the line is in the string; what a
///   failed `>>` had taken of a value is gone. Where timeouts are to be survived, `readline`,
///   `read` and `write` are the way.
///
/// **Threads.** One at a time. A thread that reads and a thread that writes take a file each.
class PYSOCK_API file : public std::iostream {
 public:
  class line_iterator;

  /// \name Opening
  /// @{

  /// A closed file, to be assigned later.
  file();
  /// \overload
  explicit file(std::nullptr_t) : file() {}
  /// Takes everything along, what is buffered included, and leaves `other` closed.
  file(file&& other) noexcept;
  /// Closes this file first, as destruction does, then leaves `other` closed.
  file& operator=(file&& other) noexcept;
  /// Flushes and closes; failures are swallowed. (Python: garbage collection, `with`)
  ~file() override;

  /// @}

  /// \name Reading
  /// @{

  using std::iostream::read;

  /// Receives up to the end of the stream, or `size` bytes: fewer only at the end of the stream.
  /// Large reads bypass the buffer, and memory grows with what arrives. \param size at most so many
  /// bytes; negative for all \throws as the class says; `transferred()` tells how many bytes wait
  /// for the next call
  [[nodiscard]] std::string read(std::ptrdiff_t size = -1);

  /// The next line, its newline included; without one at the end of the stream and where the limit
  /// cuts it; empty after the end. An unbuffered file receives byte by byte, so that nothing is
  /// read ahead. \param limit at most so many bytes; negative for none \throws as the class says; a
  /// line that has begun waits for the next call
  [[nodiscard]] std::string readline(std::ptrdiff_t limit = -1);

  /// All lines up to the end of the stream. \param hint stops after the line with which so many
  /// bytes are reached; 0 or less for never \throws as the class says; all the lines then wait for
  /// the next call
  [[nodiscard]] std::vector<std::string> readlines(std::ptrdiff_t hint = -1);

  /// Reads by lines, each as `readline` gives it: `for (const std::string& line : f)`. An exception
  /// ends the loop; a new one goes on where it stopped. \throws as `readline`, here and when
  /// advancing
  [[nodiscard]] line_iterator begin();
  /// The end of the stream.
  [[nodiscard]] line_iterator end() noexcept;

  /// @}

  /// \name Writing
  /// @{

  using std::iostream::write;

  /// Writes all the bytes. What fits is held in the buffer, large pieces bypass it, and an
  /// unbuffered file sends everything at once. \returns the number of bytes given \throws as the
  /// class says; `transferred()` tells how many were taken
  std::size_t write(const_bytes data);

  /// Writes one piece after the other; nothing is put between them. \param lines a range of
  /// whatever makes `const_bytes`, values included, or `{"a\n", "b\n"}`; another file gives its
  /// lines \throws as `write`, over all the pieces, and what the range throws
  template <class Lines = std::initializer_list<const_bytes>>
  void writelines(Lines&& lines) {
    detail::deadline until = begin_writing();
    std::size_t written = 0;
    for (auto&& line : lines) written += write_line(const_bytes(line), until, written);
  }

  /// Sends what is held. \throws as the class says; what did not go stays, `transferred()` bytes
  /// went
  file& flush();

  /// @}

  /// \name Closing and settings
  /// @{

  /// Flushes and closes; twice is silent. The socket stays open. \throws as `flush`, error EBADF if
  /// somebody else closed the descriptor; the file is closed all the same, and what could not be
  /// sent is lost
  void close();

  /// Whether it was closed, or moved from.
  [[nodiscard]] bool closed() const noexcept;

  /// How long one call may wait: `std::nullopt` for ever, 0 not at all. Nothing changes for the
  /// socket or the descriptor.
  void settimeout(timeout_value value) noexcept;

  /// The timeout, as `socket::gettimeout`.
  [[nodiscard]] std::optional<seconds> gettimeout() const noexcept;

  /// The file's own descriptor, to wait for; -1 if closed. It tells nothing of what is buffered.
  [[nodiscard]] native_handle_type fileno() const noexcept;

  /// Whether it was made for reading.
  [[nodiscard]] bool readable() const noexcept;

  /// Whether it was made for writing.
  [[nodiscard]] bool writable() const noexcept;

  /// The mode in Python's words: `rb`, `wb` or `rwb`.
  [[nodiscard]] std::string mode() const;

  /// @}

 private:
  friend struct detail::file_access;

  // `timeout` is a timeout as the library keeps it.
  file(std::unique_ptr<detail::byte_transport> transport, detail::file_mode mode, int bufsize,
       std::int64_t timeout);

  void attach();
  detail::file_buffer& in_order();
  detail::deadline begin_writing();
  std::size_t write_line(const_bytes line, detail::deadline& until, std::size_t before);

  detail::file_buffer buffer_;
};
PYSOCK_EXPORTED_CLASSES_END

/// An input iterator over the lines of a file.
class file::line_iterator {
 public:
  using iterator_category = std::input_iterator_tag;  ///< One pass.
  using value_type = std::string;                     ///< A line.
  using difference_type = std::ptrdiff_t;             ///< Required of iterators.
  using pointer = const std::string*;                 ///< What `->` gives.
  using reference = const std::string&;               ///< What `*` gives.

  /// The end.
  line_iterator() noexcept = default;
  /// At the next line of `f`.
  explicit line_iterator(file& f) : file_(&f) { ++*this; }

  /// The line, its newline included.
  [[nodiscard]] reference operator*() const noexcept { return line_; }
  /// The same.
  [[nodiscard]] pointer operator->() const noexcept { return &line_; }
  /// Reads the next line. \throws as `readline`
  line_iterator& operator++() {
    line_ = file_->readline();
    if (line_.empty()) file_ = nullptr;
    return *this;
  }
  /// \overload
  line_iterator operator++(int) {
    line_iterator before = *this;
    ++*this;
    return before;
  }

  /// Whether both are at the end, or neither.
  [[nodiscard]] friend bool operator==(const line_iterator& a, const line_iterator& b) noexcept {
    return a.file_ == b.file_;
  }
  /// The opposite.
  [[nodiscard]] friend bool operator!=(const line_iterator& a, const line_iterator& b) noexcept {
    return a.file_ != b.file_;
  }

 private:
  file* file_ = nullptr;
  std::string line_;
};

inline file::line_iterator file::begin() { return line_iterator(*this); }
inline file::line_iterator file::end() noexcept { return line_iterator(); }

namespace detail {

// What makes a file: `makefile` of sockets and of TLS sessions.
struct file_access {
  static file make(std::unique_ptr<byte_transport> transport, file_mode mode, int bufsize,
                   std::int64_t timeout) {
    return file(std::move(transport), mode, bufsize, timeout);
  }
};

}  // namespace detail

}  // namespace v1
}  // namespace pysock
