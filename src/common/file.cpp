// SPDX-License-Identifier: MIT
#include <pysock/file.hpp>
#include <utility>

namespace pysock {
inline namespace v1 {

file::file() : std::iostream(nullptr) { attach(); }

file::file(std::unique_ptr<detail::byte_transport> transport, detail::file_mode mode, int bufsize,
           std::int64_t timeout)
    : std::iostream(nullptr), buffer_(std::move(transport), mode, bufsize, timeout) {
  attach();
}

file::file(file&& other) noexcept
    : std::iostream(std::move(other)), buffer_(std::move(other.buffer_)) {
  set_rdbuf(&buffer_);
}

file& file::operator=(file&& other) noexcept {
  buffer_ = std::move(other.buffer_);
  std::iostream::operator=(std::move(other));
  return *this;
}

file::~file() = default;

void file::attach() {
  rdbuf(&buffer_);  // clears the badbit of a stream without a buffer
  exceptions(std::ios_base::badbit);
}

// Python's methods ignore the state that a failed function of the stream has left.
detail::file_buffer& file::in_order() {
  if (!good()) clear();
  return buffer_;
}

std::string file::read(std::ptrdiff_t size) { return in_order().read(size); }

std::string file::readline(std::ptrdiff_t limit) { return in_order().readline(limit); }

std::vector<std::string> file::readlines(std::ptrdiff_t hint) { return in_order().readlines(hint); }

std::size_t file::write(const_bytes data) {
  detail::deadline until(buffer_.timeout());
  in_order().write(data, until);
  return data.size();
}

detail::deadline file::begin_writing() {
  in_order();
  return detail::deadline(buffer_.timeout());
}

std::size_t file::write_line(const_bytes line, detail::deadline& until, std::size_t before) {
  buffer_.write(line, until, "writelines", before);
  return line.size();
}

file& file::flush() {
  in_order().flush();
  return *this;
}

void file::close() { in_order().close(); }

bool file::closed() const noexcept { return buffer_.closed(); }

void file::settimeout(timeout_value value) noexcept {
  buffer_.set_timeout(detail::timeout_word(value));
}

std::optional<seconds> file::gettimeout() const noexcept {
  return detail::timeout_left(buffer_.timeout());
}

native_handle_type file::fileno() const noexcept { return buffer_.fileno(); }

bool file::readable() const noexcept { return buffer_.mode().reads; }

bool file::writable() const noexcept { return buffer_.mode().writes; }

std::string file::mode() const {
  return std::string(readable() ? "r" : "") + (writable() ? "wb" : "b");
}

}  // namespace v1
}  // namespace pysock
