// SPDX-License-Identifier: MIT
// Bodies of the socket's sendfile: by the kernel where it can, else by reading and sending.
#pragma once

#include <climits>  // LONG_MAX
#include <new>      // bad_alloc

#include "../socket.hpp"

namespace pysock {
inline namespace v1 {
namespace detail {

inline constexpr std::size_t sendfile_block = std::size_t{1}
                                              << 30;  // what the kernel is asked to move at a time
inline constexpr std::size_t file_room = 65536;       // what is read at a time

// A file while it is being sent from an absolute offset. Closes what it opened, and leaves the
// caller's streams where the sending ended.
class file_reader {
 public:
  file_reader(const file_source& source, std::int64_t start) noexcept : start_(start) {
    if (const auto* handle = std::get_if<native_handle_type>(&source.value_))
      handle_ = *handle;
    else if (const auto* file = std::get_if<std::FILE*>(&source.value_))
      c_file_ = *file;
    else if (const auto* path = std::get_if<file_path>(&source.value_))
      path_ = path;
    else
      stream_ = std::get_if<stream_source>(&source.value_);
  }
  file_reader(const file_reader&) = delete;
  file_reader& operator=(const file_reader&) = delete;
  ~file_reader() {
    if (path_ != nullptr && handle_ != invalid_handle) sys::close_file(handle_);
  }

  // Called once, before anything else.
  void open(std::error_code& ec) noexcept {
    if (stream_ != nullptr) {
      position_ = stream_->tell();
      if (position_ < 0 && start_ != 0) ec = std::make_error_code(std::errc::invalid_seek);
      return;
    }
    if (path_ != nullptr) open_path(ec);
    if (c_file_ != nullptr) handle_ = sys::file_handle(c_file_);
    if (ec) return;
    size_ = sys::file_size(handle_);
    if (size_ < 0) ec = last_code();
  }

  // The descriptor for the kernel to read.
  [[nodiscard]] native_handle_type handle() const noexcept { return handle_; }
  // The bytes in the file when it was opened; 0 where only reading can tell.
  [[nodiscard]] std::uint64_t size() const noexcept { return static_cast<std::uint64_t>(size_); }

  // Reads from `done` bytes after the start. 0 at the end, or with the reason in `ec`.
  std::size_t read(char* room, std::size_t size, std::size_t done, std::error_code& ec) noexcept {
    const std::uint64_t offset = static_cast<std::uint64_t>(start_) + done;
    std::ptrdiff_t count = 0;
    if (stream_ == nullptr) {
      do count = sys::read_file(handle_, room, size, offset);
      while (count < 0 && sys::classify(sys::last_error()) == sys::failure::interrupted);
      if (count < 0) ec = last_code();
    } else if (position_ < 0 || stream_->seek(static_cast<std::int64_t>(offset))) {
      count = stream_->read(room, size);
      if (count < 0) ec = std::make_error_code(std::errc::io_error);
    }
    return count < 0 ? 0 : static_cast<std::size_t>(count);
  }

  // Sets the positions for `sent` bytes gone; as if nothing had been touched if there were none.
  void leave(std::size_t sent) noexcept {
    const std::int64_t end = start_ + static_cast<std::int64_t>(sent);
    if (stream_ != nullptr && position_ >= 0) (void)stream_->seek(sent != 0 ? end : position_);
    if (c_file_ != nullptr && sent != 0 && end <= LONG_MAX)
      std::fseek(c_file_, static_cast<long>(end), SEEK_SET);
  }

  // For messages.
  static std::string operation(const file_source& source) {
    const auto* path = std::get_if<file_path>(&source.value_);
    return path == nullptr ? "sendfile" : "sendfile '" + path->str() + "'";
  }

 private:
  void open_path(std::error_code& ec) noexcept {
    if (path_->view().find('\0') != std::string_view::npos) {
      ec = bad_argument::embedded_null;
      return;
    }
    try {
      handle_ = sys::open_file(path_->str().c_str());
      if (handle_ == invalid_handle) ec = last_code();
    } catch (const std::bad_alloc&) {
      ec = std::make_error_code(std::errc::not_enough_memory);
    }
  }

  std::int64_t start_;
  native_handle_type handle_ = invalid_handle;
  std::int64_t size_ = 0;
  std::FILE* c_file_ = nullptr;
  const file_path* path_ = nullptr;
  const stream_source* stream_ = nullptr;
  std::int64_t position_ = -1;  // where the stream stood; -1 if it cannot seek
};

inline std::error_code check_sendfile(int type, std::int64_t offset,
                                      std::optional<std::int64_t> count) noexcept {
  if (type != SOCK_STREAM) return bad_argument::not_stream;
  if (count && *count <= 0) return bad_argument::file_count;
  if (offset < 0) return bad_argument::file_offset;
  return {};
}

}  // namespace detail

inline std::size_t socket::sendfile(const file_source& file, std::int64_t offset,
                                    std::optional<std::int64_t> count) {
  std::error_code ec;
  const std::size_t sent = sendfile(file, offset, count, ec);
  if (ec) detail::throw_error(ec, detail::file_reader::operation(file), sent);
  return sent;
}

inline std::size_t socket::sendfile(const file_source& file, std::int64_t offset,
                                    std::optional<std::int64_t> count,
                                    std::error_code& ec) noexcept {
  ec = detail::check_sendfile(type_, offset, count);
  if (ec) return 0;
  detail::file_reader reader(file, offset);
  reader.open(ec);
  if (ec) return 0;

  const std::uint64_t wanted = count ? static_cast<std::uint64_t>(*count) : UINT64_MAX;
  const auto limit = static_cast<std::size_t>(wanted < SIZE_MAX ? wanted : SIZE_MAX);
  std::size_t sent = 0;
  bool by_kernel = reader.size() != 0;
  if (by_kernel) {
    sent = send_by_kernel(reader, static_cast<std::uint64_t>(offset), limit, ec);
    by_kernel = sent != 0 || !ec || ec.category() != detail::sys::category() ||
                !detail::sys::sendfile_unsupported(ec.value());
  }
  if (!by_kernel) sent = read_and_send(reader, limit, ec);
  reader.leave(sent);
  return sent;
}

inline std::size_t socket::send_by_kernel(const detail::file_reader& reader, std::uint64_t offset,
                                          std::size_t limit, std::error_code& ec) noexcept {
  if (timeout_nanoseconds() == 0) {
    ec = bad_argument::not_blocking;
    return 0;
  }
  std::size_t sent = 0;
  while (sent < limit) {
    const std::uint64_t from = offset + sent;
    const std::size_t block =
        limit - sent < detail::sendfile_block ? limit - sent : detail::sendfile_block;
    const bool may_wait = timeout_nanoseconds() < 0;
    const std::size_t moved =
        write(ec, detail::sys::sendfile, reader.handle(), from, block, may_wait);
    if (moved == 0) break;  // the end of the file, or a failure
    sent += moved;
    if (moved < block && offset + sent < reader.size() && !go_on(ec)) break;
  }
  return sent;
}

PYSOCK_COLD inline std::size_t socket::read_and_send(detail::file_reader& reader, std::size_t limit,
                                                     std::error_code& ec) noexcept {
  char room[detail::file_room];
  std::size_t sent = 0;
  ec.clear();
  while (sent < limit) {
    const_bytes rest(
        room, reader.read(room, limit - sent < sizeof room ? limit - sent : sizeof room, sent, ec));
    if (!rest.empty() && timeout_nanoseconds() == 0) ec = bad_argument::not_blocking;
    if (rest.empty() || ec) break;
    while (!rest.empty()) {
      const std::size_t moved = write(ec, detail::sys::send, rest.data(), rest.size(), 0);
      sent += moved;
      rest = rest.after(moved);
      if (ec || (!rest.empty() && !go_on(ec))) return sent;
    }
  }
  return sent;
}

inline bool socket::go_on(std::error_code& ec) const noexcept {
  const detail::call_context calling = context();
  return detail::wait_loop(calling, detail::sys::event::write).resume(ec);
}

}  // namespace v1
}  // namespace pysock
