// SPDX-License-Identifier: MIT
// Files, and sending them. A file is a HANDLE, not a number of the C library's.
#include "winsock.hpp"

#include <io.h>

#include <cstdio>

namespace pysock {
inline namespace v1 {
namespace detail {
namespace {

using sys::winsock::fail;
using sys::winsock::to_handle;

constexpr int path_room = 32768;  // in characters: no path is longer

// An operation at an offset, with an event of its own to wait for: others may go on with the same
// handle.
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

// Leaves the position of a file as it was: reading at an offset moves it all the same.
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

bool is_on_disk(HANDLE file) noexcept { return ::GetFileType(file) == FILE_TYPE_DISK; }

// Waits until all is sent, whatever the mode of the socket.
std::ptrdiff_t transmit(SOCKET s, HANDLE file, std::uint64_t offset, DWORD count) noexcept {
  operation_at operation(offset);
  if (operation.get() == nullptr) return -1;
  DWORD sent = 0;
  DWORD flags = 0;
  const bool begun = ::TransmitFile(s, file, count, 0, operation.get(), nullptr, 0) != 0 ||
                     ::WSAGetLastError() == WSA_IO_PENDING;
  const bool done = begun && ::WSAGetOverlappedResult(s, operation.get(), &sent, TRUE, &flags) != 0;
  return done ? static_cast<std::ptrdiff_t>(sent) : -1;
}

}  // namespace

// TransmitFile() ends when the peer has everything and cannot be undone half-way: it serves calls
// that may wait for ever.
std::ptrdiff_t sys::sendfile(native_handle_type s, native_handle_type file, std::uint64_t offset,
                             std::size_t count, bool may_wait) noexcept {
  if (!may_wait) return fail(WSAEOPNOTSUPP);
  const std::int64_t size = file_size(file);
  if (size < 0) return -1;
  if (offset >= static_cast<std::uint64_t>(size)) return 0;
  constexpr std::uint64_t most = INT_MAX - 1;  // TransmitFile()'s own limit
  const std::uint64_t rest = static_cast<std::uint64_t>(size) - offset;
  const std::uint64_t wanted =
      (std::min)((std::min)(rest, static_cast<std::uint64_t>(count)), most);
  if (wanted == 0) return 0;  // to it that means the whole file
  const position_keeper keeper(to_handle(file));
  return transmit(winsock::to_socket(s), to_handle(file), offset, static_cast<DWORD>(wanted));
}

bool sys::sendfile_unsupported(int error) noexcept {
  return error == WSAEOPNOTSUPP || error == WSAEINVAL || error == ERROR_NOT_SUPPORTED ||
         error == ERROR_INVALID_FUNCTION || error == ERROR_INVALID_PARAMETER ||
         error == ERROR_CALL_NOT_IMPLEMENTED;
}

native_handle_type sys::open_file(const char* path) noexcept {
  wchar_t wide[path_room];
  if (::MultiByteToWideChar(CP_UTF8, MB_ERR_INVALID_CHARS, path, -1, wide, path_room) == 0)
    return -1;
  return reinterpret_cast<native_handle_type>(::CreateFileW(
      wide, GENERIC_READ, FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE, nullptr,
      OPEN_EXISTING, FILE_ATTRIBUTE_NORMAL | FILE_FLAG_SEQUENTIAL_SCAN, nullptr));
}

int sys::close_file(native_handle_type file) noexcept {
  return ::CloseHandle(to_handle(file)) != 0 ? 0 : -1;
}

std::int64_t sys::file_size(native_handle_type file) noexcept {
  LARGE_INTEGER size{};
  if (::GetFileSizeEx(to_handle(file), &size) != 0 && is_on_disk(to_handle(file)))
    return size.QuadPart;
  const DWORD kind = ::GetFileType(to_handle(file));
  return kind == FILE_TYPE_PIPE || kind == FILE_TYPE_CHAR ? 0 : -1;
}

std::ptrdiff_t sys::read_file(native_handle_type file, void* data, std::size_t size,
                              std::uint64_t offset) noexcept {
  if (!is_on_disk(to_handle(file))) return fail(ERROR_SEEK);
  const position_keeper keeper(to_handle(file));
  operation_at operation(offset);
  if (operation.get() == nullptr) return -1;
  DWORD count = 0;
  bool done = ::ReadFile(to_handle(file), data, static_cast<DWORD>(winsock::cut(size)), &count,
                         operation.get()) != 0;
  if (!done &&
      ::GetLastError() == ERROR_IO_PENDING) {  // the file was opened to be read in the background
    done = ::GetOverlappedResult(to_handle(file), operation.get(), &count, TRUE) != 0;
  }
  if (done) return static_cast<std::ptrdiff_t>(count);
  return ::GetLastError() == ERROR_HANDLE_EOF ? 0 : -1;
}

native_handle_type sys::file_handle(void* c_file) noexcept {
  const int number = ::_fileno(static_cast<std::FILE*>(c_file));
  return number < 0 ? invalid_handle : static_cast<native_handle_type>(::_get_osfhandle(number));
}

int sys::seek_file(void* c_file, std::int64_t offset) noexcept {
  return ::_fseeki64(static_cast<std::FILE*>(c_file), offset, SEEK_SET);
}

}  // namespace detail
}  // namespace v1
}  // namespace pysock
