// SPDX-License-Identifier: MIT
#include <pysock/detail/file_reader.hpp>

#include <new>

#include "repr.hpp"

namespace pysock {
inline namespace v1 {
namespace detail {

file_reader::file_reader(const file_source& source, std::int64_t start,
                         const call_context& calling) noexcept
    : calling_(calling), start_(start) {
  switch (source.kind_) {
    case file_source::kind::handle:
      handle_ = source.handle_;
      break;
    case file_source::kind::c_file:
      c_file_ = source.c_file_;
      break;
    case file_source::kind::path:
      path_ = &source.path_;
      break;
    case file_source::kind::stream:
      stream_ = &source.stream_;
      break;
  }
}

file_reader::~file_reader() {
  if (path_ != nullptr && handle_ >= 0) sys::close_file(handle_);
}

bool file_reader::open(std::error_code& ec) noexcept {
  if (stream_ != nullptr) {
    position_ = stream_->tell();
    if (position_ < 0 && start_ != 0) ec = std::make_error_code(std::errc::invalid_seek);
    return !ec;
  }
  if (path_ != nullptr && !open_path(ec)) return false;
  if (c_file_ != nullptr) handle_ = sys::file_handle(c_file_);
  size_ = sys::file_size(handle_);
  if (size_ < 0) ec = system_code(static_cast<int>(-size_));
  return size_ >= 0;
}

// Reads of files wait here; a signal ends them only if the socket's hook returns false.
template <class Attempt>
std::ptrdiff_t file_reader::uninterrupted(const Attempt& attempt,
                                          std::error_code& ec) const noexcept {
  const call_context waiting{handle_, 0, calling_.hook, calling_.hook_data, calling_.interrupter};
  deadline none(0);
  operation op(waiting, sys::event::read, none);
  return complete(op, 0, attempt, ec);
}

bool file_reader::open_path(std::error_code& ec) noexcept {
  if (path_->view().find('\0') != std::string_view::npos) {
    ec = bad_argument::embedded_null;
    return false;
  }
  try {
    const std::string path = path_->str();
    handle_ = static_cast<native_handle_type>(uninterrupted(
        [&]() noexcept -> std::ptrdiff_t { return sys::open_file(path.c_str()); }, ec));
  } catch (const std::bad_alloc&) {
    ec = std::make_error_code(std::errc::not_enough_memory);
  }
  return handle_ >= 0;
}

std::size_t file_reader::read(char* data, std::size_t size, std::size_t done,
                              std::error_code& ec) noexcept {
  const std::uint64_t offset = static_cast<std::uint64_t>(start_) + done;
  std::ptrdiff_t count = 0;
  if (stream_ == nullptr) {
    count =
        uninterrupted([&]() noexcept { return sys::read_file(handle_, data, size, offset); }, ec);
  } else if (position_ < 0 || stream_->seek(static_cast<std::int64_t>(offset))) {
    count = stream_->read(data, size);
    if (count < 0) ec = std::make_error_code(std::errc::io_error);
  }
  return count < 0 ? 0 : static_cast<std::size_t>(count);
}

void file_reader::leave(std::size_t sent) noexcept {
  const std::int64_t end = start_ + static_cast<std::int64_t>(sent);
  if (stream_ != nullptr && position_ >= 0) (void)stream_->seek(sent != 0 ? end : position_);
  if (c_file_ != nullptr && sent != 0) (void)sys::seek_file(c_file_, end);
}

std::string file_reader::operation_name(const file_source& source) {
  if (source.kind_ != file_source::kind::path) return "sendfile";
  return call_text("sendfile", source.path_.view());
}

std::error_code check_sendfile(int type, std::int64_t offset,
                               std::optional<std::int64_t> count) noexcept {
  if (type != SOCK_STREAM) return bad_argument::not_stream;
  if (count && *count <= 0) return bad_argument::file_count;
  if (offset < 0) return bad_argument::file_offset;
  return {};
}

}  // namespace detail
}  // namespace v1
}  // namespace pysock
