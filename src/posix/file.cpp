// SPDX-License-Identifier: MIT
// Files, and sending them.
#include "features.hpp"

#include <sys/stat.h>
#if PYSOCK_SENDFILE == PYSOCK_SENDFILE_LINUX
#include <sys/sendfile.h>
#endif

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <ctime>
#include <iterator>
#include <pysock/detail/sys.hpp>

namespace pysock {
inline namespace v1 {
namespace detail {
namespace {

// The system rejects an offset above the largest one, because it becomes negative.
static_assert(sizeof(off_t) == sizeof(std::uint64_t));

constexpr int was_blocked = 1;  // bits of the result of block_sigpipe()
constexpr int was_pending = 2;

bool is_pending(int signal) noexcept {
  sigset_t pending;
  sigemptyset(&pending);
  sigpending(&pending);
  return sigismember(&pending, signal) == 1;
}

void take_away(const sigset_t& signals) noexcept {
#if PYSOCK_HAVE_SIGTIMEDWAIT
  const timespec at_once{};
  while (sigtimedwait(&signals, nullptr, &at_once) < 0 && errno == EINTR) {
  }
#else
  int taken = 0;
  if (is_pending(SIGPIPE)) sigwait(&signals, &taken);
#endif
}

sigset_t only_sigpipe() noexcept {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGPIPE);
  return signals;
}

// One call of the system's sendfile().
[[maybe_unused]] std::ptrdiff_t send_piece([[maybe_unused]] native_handle_type s,
                                           [[maybe_unused]] native_handle_type file,
                                           [[maybe_unused]] off_t offset,
                                           [[maybe_unused]] std::size_t count) noexcept {
#if PYSOCK_SENDFILE == PYSOCK_SENDFILE_LINUX
  return sys::outcome(::sendfile(s, file, &offset, count));
#elif PYSOCK_SENDFILE == PYSOCK_SENDFILE_NONE
  return -ENOSYS;
#else
  if (count == 0) return 0;  // which would mean the whole file
  off_t sent = 0;
#if PYSOCK_SENDFILE == PYSOCK_SENDFILE_FREEBSD
  const int result = sys::outcome(::sendfile(file, s, offset, count, nullptr, &sent, 0));
#else
  sent = static_cast<off_t>(count);
  const int result = sys::outcome(::sendfile(file, s, offset, &sent, nullptr, 0));
#endif
  // These functions also fail after they have sent a part; the next call reports the reason again.
  // No failure comes after all was sent, but Apple's may leave there what it was asked for.
  if (result < 0 && (sent <= 0 || sent >= static_cast<off_t>(count))) return result;
  return static_cast<std::ptrdiff_t>(sent);
#endif
}

}  // namespace

std::ptrdiff_t sys::sendfile(native_handle_type s, native_handle_type file, std::uint64_t offset,
                             std::size_t count) noexcept {
  return send_piece(s, file, static_cast<off_t>(offset), std::min(count, feature::max_transfer));
}

int sys::block_sigpipe() noexcept {
  const sigset_t signals = only_sigpipe();
  sigset_t before;
  sigemptyset(&before);
  pthread_sigmask(SIG_BLOCK, &signals, &before);
  if (sigismember(&before, SIGPIPE) == 0) return 0;
  return was_blocked | (is_pending(SIGPIPE) ? was_pending : 0);
}

void sys::restore_sigpipe(int state, bool may_be_pending) noexcept {
  const sigset_t signals = only_sigpipe();
  if (may_be_pending && (state & was_pending) == 0) take_away(signals);
  if ((state & was_blocked) == 0) pthread_sigmask(SIG_UNBLOCK, &signals, nullptr);
}

bool sys::sendfile_unsupported(int error) noexcept {
  constexpr int reasons[] = {EINVAL, ENOSYS, ENOTSUP, EOPNOTSUPP, ESPIPE};
  return std::find(std::begin(reasons), std::end(reasons), error) != std::end(reasons);
}

native_handle_type sys::open_file(const char* path) noexcept {
  return outcome(::open(path, O_RDONLY | O_CLOEXEC));
}

int sys::close_file(native_handle_type file) noexcept { return outcome(::close(file)); }

std::int64_t sys::file_size(native_handle_type file) noexcept {
  struct stat status {};
  const int result = outcome(::fstat(file, &status));
  if (result < 0) return result;
  if (S_ISDIR(status.st_mode))
    return -EISDIR;  // open() accepts directories, Python's open does not
  return S_ISREG(status.st_mode) ? std::int64_t{status.st_size} : 0;
}

std::ptrdiff_t sys::read_file(native_handle_type file, void* data, std::size_t size,
                              std::uint64_t offset) noexcept {
  return outcome(
      ::pread(file, data, std::min(size, feature::max_transfer), static_cast<off_t>(offset)));
}

native_handle_type sys::file_handle(void* c_file) noexcept {
  return outcome(::fileno(static_cast<std::FILE*>(c_file)));
}

int sys::seek_file(void* c_file, std::int64_t offset) noexcept {
  return outcome(::fseeko(static_cast<std::FILE*>(c_file), static_cast<off_t>(offset), SEEK_SET));
}

}  // namespace detail
}  // namespace v1
}  // namespace pysock
