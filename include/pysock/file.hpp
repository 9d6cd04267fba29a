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
/// file objects. (Python: the result of `socket.makefile`; the stream buffer that `rdbuf()` returns
/// corresponds to `socket.SocketIO`)
///
/// **Lifetime.** It owns a duplicate of the descriptor: file and socket close independently, in any
/// order, and the peer sees the end of the stream only after both (or after `shutdown`).
/// Destruction flushes, waiting as long as the timeout allows, and ignores failures; `close`
/// reports them. Moving also moves the buffers and leaves the other file closed. After `close`, and
/// after a move, reading and writing throw `std::invalid_argument`.
///
/// **Bytes.** Neither newlines nor encodings are translated. Reading and writing have a buffer
/// each, of the size given to `makefile`: `socket::recv` does not return data that the file has
/// read ahead, and written data is sent by `flush`, by a full buffer, or with line buffering by a
/// newline. Reading does not flush. There is no position: seeking fails.
///
/// **Waiting.** The file starts with the socket's timeout and interrupt hook and then has a timeout
/// of its own. That timeout alone decides how long it waits, whatever the mode of the descriptor,
/// which it shares with the socket: `std::nullopt` waits without limit, 0 does not wait. The
/// timeout is for one call as a whole, with all its receives or sends: `readline`, `readlines`,
/// `read(n)`, `write`, `writelines`, `flush`, `close`, and the stream's own `read` and `write` with
/// a pointer. Other functions of `std::istream` and `std::ostream`, `std::getline` and the
/// operators have it each time they fill or empty the buffer.
///
/// **Errors.** `timeout`, `blocking_io_error` (a timeout of 0, and the call would block),
/// `interrupted_error` (the hook ended the call), `connection_reset_error`, `broken_pipe_error`, or
/// `error`, for every function: the stream has `exceptions(badbit)` from the start, so
/// `std::getline(f, line)` also throws `timeout`. Reading a write-only file, or writing a read-only
/// one, is `error` with `errc::unsupported_operation`. The end of the stream is not an error:
/// Python's methods return the remaining data, then nothing; the others set eofbit and failbit as
/// usual. SIGPIPE is never raised.
///
/// **After a failure** the file can still be used.
/// - A read that failed loses no data: the `transferred()` bytes that it has received stay in the
/// buffer for the next call.
/// - A write that failed has accepted `transferred()` bytes of its data: they are sent, or are in
/// the buffer for a later `flush`. Continue with the rest, as after `socket::sendall`. A `flush`
/// that failed keeps the bytes that it could not send.
/// - Python's methods ignore the state of the stream, and clear it. Other functions of the stream
/// need `clear()` first, as with any stream. After a failed `std::getline` the beginning of the
/// line is in the string; the characters that a failed `>>` has read are lost. To continue after a
/// timeout, use `readline`, `read` and `write`.
///
/// **Threads.** Only one thread at a time may use a file. A thread that reads and a thread that
/// writes need a file each.
class PYSOCK_API file : public std::iostream {
 public:
  class line_iterator;

  /// \name Opening
  /// @{

  /// A closed file, to be assigned later.
  file();
  /// \overload
  explicit file(std::nullptr_t) : file() {}
  /// Moves everything, the buffered data included, and leaves `other` closed.
  file(file&& other) noexcept;
  /// Closes this file first, as destruction does, then leaves `other` closed.
  file& operator=(file&& other) noexcept;
  /// Flushes and closes; failures are ignored. (Python: garbage collection, `with`)
  ~file() override;

  /// @}

  /// \name Reading
  /// @{

  using std::iostream::read;

  /// Receives up to the end of the stream, or `size` bytes: fewer only at the end of the stream.
  /// Large reads bypass the buffer; the memory grows with the received data. \param size the
  /// maximum in bytes; negative for all \throws as the class says; `transferred()` tells how many
  /// bytes wait for the next call
  [[nodiscard]] std::string read(std::ptrdiff_t size = -1);

  /// The next line, its newline included; without one at the end of the stream and if the limit is
  /// reached; empty after the end. An unbuffered file receives byte by byte, so that it does not
  /// read ahead. \param limit the maximum in bytes; negative for none \throws as the class says;
  /// the beginning of the line is kept for the next call
  [[nodiscard]] std::string readline(std::ptrdiff_t limit = -1);

  /// All lines up to the end of the stream. \param hint stops after the line that reaches so many
  /// bytes; 0 or less for no limit \throws as the class says; all the lines are kept for the next
  /// call
  [[nodiscard]] std::vector<std::string> readlines(std::ptrdiff_t hint = -1);

  /// Reads by lines, each as `readline` gives it: `for (const std::string& line : f)`. An exception
  /// ends the loop; a new loop continues with the next line. \throws as `readline`, here and when
  /// advancing
  [[nodiscard]] line_iterator begin();
  /// The end of the stream.
  [[nodiscard]] line_iterator end() noexcept;

  /// @}

  /// \name Writing
  /// @{

  using std::iostream::write;

  /// Writes all the bytes. Small pieces are kept in the buffer, large pieces bypass it, and an
  /// unbuffered file sends everything at once. \returns the number of bytes given \throws as the
  /// class says; `transferred()` tells how many were accepted
  std::size_t write(const_bytes data);

  /// Writes one piece after the other; nothing is added between them. \param lines a range of
  /// values that convert to `const_bytes`, or `{"a\n", "b\n"}`; another file gives its lines
  /// \throws as `write`, over all the pieces, and what the range throws
  template <class Lines = std::initializer_list<const_bytes>>
  void writelines(Lines&& lines) {
    detail::deadline until = begin_writing();
    std::size_t written = 0;
    for (auto&& line : lines) written += write_line(const_bytes(line), until, written);
  }

  /// Sends the buffered data. \throws as the class says; `transferred()` bytes were sent, and the
  /// others stay in the buffer
  file& flush();

  /// @}

  /// \name Closing and settings
  /// @{

  /// Flushes and closes; does nothing if closed. The socket stays open. \throws as `flush`, error
  /// EBADF if other code has closed the descriptor; the file is closed in any case, and data that
  /// could not be sent is lost
  void close();

  /// Whether it was closed, or moved from.
  [[nodiscard]] bool closed() const noexcept;

  /// Sets how long one call may wait: `std::nullopt` without limit, 0 not at all. The socket and
  /// the descriptor do not change.
  void settimeout(timeout_value value) noexcept;

  /// The timeout, as `socket::gettimeout`.
  [[nodiscard]] std::optional<seconds> gettimeout() const noexcept;

  /// The file's own descriptor, for poll(); -1 if closed. Its readiness does not include buffered
  /// data.
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

  // `timeout` is a word as in timeout.hpp.
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
  using pointer = const std::string*;                 ///< The result of `->`.
  using reference = const std::string&;               ///< The result of `*`.

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

// Makes files, for `makefile` of sockets and of TLS sessions.
struct file_access {
  static file make(std::unique_ptr<byte_transport> transport, file_mode mode, int bufsize,
                   std::int64_t timeout) {
    return file(std::move(transport), mode, bufsize, timeout);
  }
};

}  // namespace detail

}  // namespace v1
}  // namespace pysock
