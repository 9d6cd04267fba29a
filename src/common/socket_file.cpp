// SPDX-License-Identifier: MIT
// sendfile: by the kernel if possible, otherwise by reading and sending.
#include <new>
#include <pysock/detail/file_reader.hpp>

#include "socket_parts.hpp"

namespace pysock {
inline namespace v1 {
namespace detail {

namespace {

constexpr std::size_t kernel_block = std::size_t{1} << 30;  // the maximum of one call of the kernel
constexpr std::size_t read_block = 65536;                   // the size of one read

// One step of a transfer, with a time limit of its own.
class transfer_step {
 public:
  explicit transfer_step(const call_context& calling) noexcept : calling_(calling) {}

  // Returns the bytes that `attempt` sent; 0 at the end of the file, or with the reason in `ec`.
  template <class Attempt>
  std::size_t move(const Attempt& attempt, std::error_code& ec) const noexcept {
    deadline until(calling_.timeout);
    operation op(calling_, sys::event::write, until);
    const std::ptrdiff_t count = complete(op, 0, attempt, ec);
    return count < 0 ? 0 : static_cast<std::size_t>(count);
  }

  // After a step that sent a part: whether the call may go on.
  bool proceed(std::error_code& ec) const noexcept {
    deadline until(calling_.timeout);
    return operation(calling_, sys::event::write, until).proceed(ec);
  }

 private:
  const call_context& calling_;
};

// Blocks SIGPIPE for a whole transfer.
class sigpipe_guard {
 public:
  sigpipe_guard() noexcept : state_(sys::block_sigpipe()) {}
  sigpipe_guard(const sigpipe_guard&) = delete;
  sigpipe_guard& operator=(const sigpipe_guard&) = delete;
  ~sigpipe_guard() { sys::restore_sigpipe(state_, may_be_pending_); }

  // After a sendfile() of `wanted` bytes. If it sent fewer, the connection may be closed and
  // SIGPIPE pending.
  void note(std::ptrdiff_t result, std::size_t wanted) noexcept {
    const bool failed =
        result < 0 && sys::classify(static_cast<int>(-result)) == sys::failure::other;
    const bool cut = result > 0 && static_cast<std::size_t>(result) < wanted;
    if (failed || cut) may_be_pending_ = true;
  }

 private:
  int state_;
  bool may_be_pending_ = false;
};

// Sends the rest of the file's known size, and then tries to send more, in case it has grown.
// \pre the socket is not in non-blocking mode
std::size_t send_by_kernel(const call_context& calling, const file_reader& reader,
                           std::uint64_t offset, std::size_t limit, std::error_code& ec) noexcept {
  // sendfile() has no flag for not waiting if other code has made the descriptor blocking.
  if (!calling.waits_in_system()) {
    const int result = sys::set_nonblocking(calling.handle, true);
    if (result < 0) ec = system_code(-result);
    if (ec) return 0;
  }
  const transfer_step step(calling);
  deadline whole(timeout_of_all_steps(calling.timeout));
  sigpipe_guard guard;
  std::size_t sent = 0;
  while (sent < limit) {
    const std::uint64_t from = offset + sent;
    std::size_t block = capped(limit - sent, kernel_block);
    const bool within = from < reader.size();
    if (within && reader.size() - from < block)
      block = static_cast<std::size_t>(reader.size() - from);
    if (!whole.begin_step()) {
      if (within) ec = errc::timed_out;
      break;
    }
    const auto attempt = [&]() noexcept {
      const std::ptrdiff_t result = sys::sendfile(calling.handle, reader.handle(), from, block);
      guard.note(result, block);
      return result;
    };
    const std::size_t moved = step.move(attempt, ec);
    if (moved == 0) break;  // the end of the file, or a failure
    sent += moved;
    if (moved < block && within && !step.proceed(ec)) break;
  }
  return sent;
}

std::size_t read_and_send(const call_context& calling, file_reader& reader, std::size_t limit,
                          std::error_code& ec) noexcept {
  const std::unique_ptr<char[]> block(new (std::nothrow) char[read_block]);
  if (block == nullptr) {
    ec = std::make_error_code(std::errc::not_enough_memory);
    return 0;
  }
  const transfer_step step(calling);
  deadline whole(timeout_of_all_steps(calling.timeout));
  std::size_t sent = 0;
  ec.clear();
  while (sent < limit) {
    const std::size_t wanted = capped(limit - sent, read_block);
    const_bytes rest(block.get(), reader.read(block.get(), wanted, sent, ec));
    if (!rest.empty() && calling.timeout == 0) ec = bad_argument::not_blocking;
    if (!rest.empty() && !ec && !whole.begin_step()) ec = errc::timed_out;
    if (rest.empty() || ec) break;
    while (!rest.empty()) {
      const std::size_t moved = step.move(
          [&]() noexcept {
            return transferred(
                sys::send(calling.handle, rest.data(), rest.size(), calling.flags()));
          },
          ec);
      sent += moved;
      rest = rest.after(moved);
      if (ec || (!rest.empty() && !step.proceed(ec))) return sent;
    }
  }
  return sent;
}

}  // namespace
}  // namespace detail

std::size_t socket::sendfile(const file_source& file, std::int64_t offset,
                             std::optional<std::int64_t> count, std::error_code& ec) noexcept {
  ec = detail::check_sendfile(type_, offset, count);
  if (ec) return 0;
  const detail::call_context calling = context();
  detail::file_reader reader(file, offset, calling);
  if (!reader.open(ec)) return 0;

  const std::uint64_t wanted = count ? static_cast<std::uint64_t>(*count) : UINT64_MAX;
  const auto limit = static_cast<std::size_t>(wanted < SIZE_MAX ? wanted : SIZE_MAX);
  std::size_t sent = 0;
  bool by_kernel = reader.size() != 0;
  if (by_kernel && calling.timeout == 0) {
    ec = bad_argument::not_blocking;
    return 0;
  }
  if (by_kernel) {
    const auto start = static_cast<std::uint64_t>(offset);
    sent = detail::send_by_kernel(calling, reader, start, limit, ec);
    by_kernel = sent != 0 || !ec || ec.category() != detail::sys::category() ||
                !detail::sys::sendfile_unsupported(ec.value());
  }
  if (!by_kernel) sent = detail::read_and_send(calling, reader, limit, ec);
  reader.leave(sent);
  return sent;
}

std::size_t socket::sendfile(const file_source& file, std::int64_t offset,
                             std::optional<std::int64_t> count) {
  std::error_code ec;
  const std::size_t sent = sendfile(file, offset, count, ec);
  if (ec) detail::throw_error(ec, detail::file_reader::operation_name(file), sent);
  return sent;
}

}  // namespace v1
}  // namespace pysock
