// SPDX-License-Identifier: MIT
#include <algorithm>
#include <cstring>
#include <pysock/detail/file_buffer.hpp>
#include <pysock/detail/raise.hpp>
#include <pysock/detail/sys.hpp>
#include <utility>

namespace pysock {
inline namespace v1 {
namespace detail {
namespace {

constexpr std::size_t default_size = 8192;
constexpr std::size_t large_step = 65536;
constexpr std::size_t no_limit = static_cast<std::size_t>(-1);

constexpr std::size_t not_negative(std::streamsize size) noexcept {
  return size < 0 ? 0 : static_cast<std::size_t>(size);
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

}  // namespace

file_buffer::file_buffer(std::unique_ptr<byte_transport> transport, file_mode mode, int bufsize,
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

file_buffer::file_buffer(file_buffer&& other) noexcept { take(other); }

file_buffer& file_buffer::operator=(file_buffer&& other) noexcept {
  if (this == &other) return *this;
  close_quietly();
  take(other);
  return *this;
}

file_buffer::~file_buffer() { close_quietly(); }

std::string file_buffer::readline(std::ptrdiff_t limit) {
  check(mode_.reads, "readline");
  deadline until(timeout_);
  return taken(
      line_size(0, limit < 0 ? no_limit : static_cast<std::size_t>(limit), until, "readline"));
}

std::vector<std::string> file_buffer::readlines(std::ptrdiff_t hint) {
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

std::string file_buffer::read(std::ptrdiff_t size) {
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

void file_buffer::write(const_bytes data, deadline& until, const char* operation,
                        std::size_t before) {
  check(mode_.writes, operation);
  std::error_code ec;
  const std::size_t count = put(data.data(), data.size(), until, ec);
  if (ec) throw_error(ec, operation, before + count);
}

void file_buffer::flush() {
  check(true, "flush");
  deadline until(timeout_);
  std::error_code ec;
  const std::size_t sent = send_held(until, ec);
  if (!ec) transport_->flush(until, ec);
  if (ec) throw_error(ec, "flush", sent);
}

void file_buffer::close() {
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

native_handle_type file_buffer::fileno() const noexcept {
  return closed() ? invalid_handle : transport_->fileno();
}

file_buffer::int_type file_buffer::underflow() {
  check(mode_.reads, "read");
  deadline until(timeout_);
  return fill(1, until) == 0 ? traits_type::eof() : traits_type::to_int_type(*gptr());
}

std::streamsize file_buffer::xsgetn(char* to, std::streamsize size) {
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

file_buffer::int_type file_buffer::overflow(int_type c) {
  if (traits_type::eq_int_type(c, traits_type::eof())) {
    flush();
  } else {
    const char byte = traits_type::to_char_type(c);
    deadline until(timeout_);
    write(const_bytes(&byte, 1), until);
  }
  return traits_type::not_eof(c);
}

std::streamsize file_buffer::xsputn(const char* data, std::streamsize size) {
  deadline until(timeout_);
  write(const_bytes(data, not_negative(size)), until);
  return size;
}

int file_buffer::sync() {
  flush();
  return 0;
}

void file_buffer::check(bool allowed, const char* operation) const {
  if (PYSOCK_LIKELY(transport_ != nullptr && allowed)) return;
  if (closed())
    throw_invalid_argument((operation + std::string(": I/O operation on closed file")).c_str());
  throw_error(errc::unsupported_operation, operation);
}

bool file_buffer::in_time(deadline& until, std::error_code& ec) noexcept {
  if (until.begin_step()) return true;
  ec = errc::timed_out;
  return false;
}

std::string file_buffer::taken(std::size_t size) {
  std::string bytes(gptr(), size);
  skip(size);
  return bytes;
}

void file_buffer::put_back(std::string&& bytes, std::size_t size) noexcept {
  in_ = std::move(bytes);
  set_unread(size);
}

bool file_buffer::goes_through_buffer(std::size_t wanted) const noexcept {
  return wanted <= unread() || wanted - unread() < size_;
}

std::size_t file_buffer::receive(char* to, std::size_t size, deadline& until,
                                 std::error_code& ec) noexcept {
  return in_time(until, ec) ? transport_->read(to, size, until, ec) : 0;
}

bool file_buffer::receive_more(deadline& until, const char* operation) {
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

std::size_t file_buffer::fill(std::size_t wanted, deadline& until) {
  while (unread() < wanted && receive_more(until, "read")) {
  }
  return (std::min)(wanted, unread());
}

std::size_t file_buffer::line_size(std::size_t offset, std::size_t limit, deadline& until,
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

void file_buffer::set_unsent(std::size_t size) noexcept {
  setp(out_.data(), out_.data() + (line_buffered_ ? size : out_.size()));
  pbump(static_cast<int>(size));
}

std::size_t file_buffer::send(const char* data, std::size_t size, deadline& until,
                              std::error_code& ec) noexcept {
  if (!in_time(until, ec)) return 0;
  // No transport writes more than it is given. g++ must see it, or it warns of the copies below.
  return (std::min)(transport_->write(data, size, until, ec), size);
}

std::size_t file_buffer::send_held(deadline& until, std::error_code& ec) noexcept {
  const std::size_t size = held();
  if (size == 0) return 0;
  const std::size_t sent = send(out_.data(), size, until, ec);
  std::memmove(out_.data(), out_.data() + sent, size - sent);
  set_unsent(size - sent);
  return sent;
}

std::size_t file_buffer::put(const char* data, std::size_t size, deadline& until,
                             std::error_code& ec) noexcept {
  const bool has_newline = line_buffered_ && size != 0 && std::memchr(data, '\n', size) != nullptr;
  std::size_t sent = 0;
  if (size > out_.size() - held()) {
    send_held(until, ec);
    if (!ec && size >= out_.size()) sent = send(data, size, until, ec);
  }
  const std::size_t fits = (std::min)(size - sent, out_.size() - held());
  if (fits != 0) std::memcpy(out_.data() + held(), data + sent, fits);
  set_unsent(held() + fits);
  if (has_newline && !ec) send_held(until, ec);
  return sent + fits;
}

void file_buffer::close_quietly() noexcept {
  if (closed()) return;
  deadline until(timeout_);
  std::error_code ignored;
  send_held(until, ignored);
  forget();
}

void file_buffer::forget() noexcept {
  transport_.reset();
  setg(nullptr, nullptr, nullptr);
  setp(nullptr, nullptr);
}

void file_buffer::take(file_buffer& other) noexcept {
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

}  // namespace detail
}  // namespace v1
}  // namespace pysock
