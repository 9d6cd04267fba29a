// SPDX-License-Identifier: MIT
// Files, and sending them. A file is a HANDLE, not a number of the C library's.
#include "winsock.hpp"

#include <io.h>

#include <cstdio>
#include <new>
#include <string_view>

namespace pysock {
inline namespace v1 {
namespace detail {
namespace {

using sys::winsock::outcome;
using sys::winsock::to_handle;

// An operation at an offset, with its own event, because other threads may use the same handle.
class operation_at {
 public:
  explicit operation_at(std::uint64_t offset) noexcept {
    state_.Offset = static_cast<DWORD>(offset & 0xFFFFFFFFU);
    state_.OffsetHigh = static_cast<DWORD>(offset >> 32U);
    state_.hEvent = ::CreateEventW(nullptr, TRUE, FALSE, nullptr);
  }
  operation_at(const operation_at&) = delete;
  operation_at& operator=(const operation_at&) = delete;
  ~operation_at() {
    const DWORD reason = ::GetLastError();
    if (state_.hEvent != nullptr) ::CloseHandle(state_.hEvent);
    ::SetLastError(reason);
  }
  [[nodiscard]] OVERLAPPED* get() noexcept { return state_.hEvent != nullptr ? &state_ : nullptr; }

 private:
  OVERLAPPED state_{};
};

// Restores the position of a file, which a read at an offset changes.
class position_keeper {
 public:
  explicit position_keeper(HANDLE file) noexcept
      : file_(file), known_(::SetFilePointerEx(file, LARGE_INTEGER{}, &before_, FILE_CURRENT)) {}
  position_keeper(const position_keeper&) = delete;
  position_keeper& operator=(const position_keeper&) = delete;
  ~position_keeper() {
    const DWORD reason = ::GetLastError();
    if (known_) ::SetFilePointerEx(file_, before_, nullptr, FILE_BEGIN);
    ::SetLastError(reason);
  }

 private:
  HANDLE file_;
  LARGE_INTEGER before_{};
  BOOL known_;
};

// Paths of MAX_PATH characters and more need a prefix, after which the system uses them unchanged:
// absolute, without slashes and dots ("Maximum Path Length Limitation"). False on failure.
bool make_long(std::wstring& path) {
  const auto starts_with = [](const std::wstring& text, std::wstring_view start) {
    return text.compare(0, start.size(), start) == 0;
  };
  if (path.size() < MAX_PATH || starts_with(path, LR"(\\?\)")) return true;
  std::wstring full(path.size() + MAX_PATH, L'\0');
  DWORD size = 0;
  while ((size = ::GetFullPathNameW(path.c_str(), static_cast<DWORD>(full.size()), full.data(),
                                    nullptr)) >= full.size())
    full.resize(size);
  if (size == 0) return false;
  full.resize(size);
  if (starts_with(full, LR"(\\.\)") || starts_with(full, LR"(\\?\)"))
    path = full;
  else if (starts_with(full, LR"(\\)"))
    path = LR"(\\?\UNC)" + full.substr(1);
  else
    path = LR"(\\?\)" + full;
  return true;
}

bool is_on_disk(HANDLE file) noexcept { return ::GetFileType(file) == FILE_TYPE_DISK; }

}  // namespace

// Files are read and sent. TransmitFile() does not tell how much it sent before it failed, cannot
// be interrupted, and a client's Windows runs two of them at a time ("TransmitFile function").
std::ptrdiff_t sys::sendfile(native_handle_type /*s*/, native_handle_type /*file*/,
                             std::uint64_t /*offset*/, std::size_t /*count*/) noexcept {
  return -WSAEOPNOTSUPP;
}

bool sys::sendfile_unsupported(int error) noexcept { return error == WSAEOPNOTSUPP; }

// There is no such signal here.
int sys::block_sigpipe() noexcept { return 0; }
void sys::restore_sigpipe(int /*state*/, bool /*may_be_pending*/) noexcept {}

native_handle_type sys::open_file(const char* path) noexcept {
  std::wstring wide;
  try {
    if (!winsock::widen(path, wide) || !make_long(wide)) return outcome(invalid_handle);
  } catch (const std::bad_alloc&) {
    return -ERROR_NOT_ENOUGH_MEMORY;
  }
  return outcome(reinterpret_cast<native_handle_type>(::CreateFileW(
      wide.c_str(), GENERIC_READ, FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE, nullptr,
      OPEN_EXISTING, FILE_ATTRIBUTE_NORMAL | FILE_FLAG_SEQUENTIAL_SCAN, nullptr)));
}

int sys::close_file(native_handle_type file) noexcept {
  return outcome(::CloseHandle(to_handle(file)) != 0 ? 0 : -1);
}

std::int64_t sys::file_size(native_handle_type file) noexcept {
  LARGE_INTEGER size{};
  if (::GetFileSizeEx(to_handle(file), &size) != 0 && is_on_disk(to_handle(file)))
    return size.QuadPart;
  const DWORD kind = ::GetFileType(to_handle(file));
  return kind == FILE_TYPE_PIPE || kind == FILE_TYPE_CHAR ? 0 : -std::int64_t{ERROR_INVALID_HANDLE};
}

std::ptrdiff_t sys::read_file(native_handle_type file, void* data, std::size_t size,
                              std::uint64_t offset) noexcept {
  if (!is_on_disk(to_handle(file))) return -ERROR_SEEK;
  const position_keeper keeper(to_handle(file));
  operation_at operation(offset);
  if (operation.get() == nullptr) return outcome(std::ptrdiff_t{-1});
  DWORD count = 0;
  bool done = ::ReadFile(to_handle(file), data, static_cast<DWORD>(winsock::cut(size)), &count,
                         operation.get()) != 0;
  if (!done && ::GetLastError() == ERROR_IO_PENDING) {  // the file was opened for overlapped reads
    done = ::GetOverlappedResult(to_handle(file), operation.get(), &count, TRUE) != 0;
  }
  if (done) return static_cast<std::ptrdiff_t>(count);
  return ::GetLastError() == ERROR_HANDLE_EOF ? 0 : outcome(std::ptrdiff_t{-1});
}

native_handle_type sys::file_handle(void* c_file) noexcept {
  const int number = ::_fileno(static_cast<std::FILE*>(c_file));
  const native_handle_type handle = number < 0 ? invalid_handle : ::_get_osfhandle(number);
  return handle < 0 ? -ERROR_INVALID_HANDLE : handle;
}

int sys::seek_file(void* c_file, std::int64_t offset) noexcept {
  const int result = ::_fseeki64(static_cast<std::FILE*>(c_file), offset, SEEK_SET);
  return result == 0 ? 0 : -ERROR_SEEK;
}

}  // namespace detail
}  // namespace v1
}  // namespace pysock
