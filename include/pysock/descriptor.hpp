// SPDX-License-Identifier: MIT
/// \file
/// An owned native handle, and the module's `dup` and `close`.
#pragma once

#include <utility>  // exchange

#include "detail/sys.hpp"
#include "error.hpp"

namespace pysock {
inline namespace v1 {

/// Owns a native handle and closes it. Move-only. What `recv_fds` returns.
class descriptor {
 public:
  /// Nothing.
  descriptor() noexcept = default;
  /// Takes ownership of `handle`.
  explicit descriptor(native_handle_type handle) noexcept : handle_(handle) {}
  /// Leaves `other` empty.
  descriptor(descriptor&& other) noexcept : handle_(other.release()) {}
  /// Closes the handle that this owns, then takes that of `other`, which becomes empty.
  descriptor& operator=(descriptor&& other) noexcept {
    if (this != &other) reset(other.release());
    return *this;
  }
  ~descriptor() { reset(); }

  /// The handle, still owned; -1 if none.
  [[nodiscard]] native_handle_type get() const noexcept { return handle_; }
  /// The handle, no longer owned; -1 if none.
  [[nodiscard]] native_handle_type release() noexcept {
    return std::exchange(handle_, invalid_handle);
  }
  /// Closes the handle that this owns, if any, and takes ownership of `handle`. Ignores errors of
  /// the close.
  void reset(native_handle_type handle = invalid_handle) noexcept {
    const native_handle_type old = std::exchange(handle_, handle);
    if (old >= 0) detail::sys::close(old);
  }
  /// Whether there is a handle.
  explicit operator bool() const noexcept { return handle_ >= 0; }

 private:
  native_handle_type handle_ = invalid_handle;
};

/// Duplicates a native handle; the copy is not inheritable. (Python: `socket.dup`) \throws error
/// EBADF, EMFILE
[[nodiscard]] inline descriptor dup(native_handle_type handle) {
  const native_handle_type copy = detail::sys::duplicate(handle);
  if (copy < 0) detail::throw_result(copy, "dup");
  return descriptor(copy);
}

/// Closes a native handle; a connection reset during the close is not an error. Never repeated.
/// (Python: `socket.close`) \throws error EBADF
inline void close(native_handle_type handle) {
  const int result = detail::sys::close(handle);
  if (result < 0) detail::throw_result(result, "close");
}

}  // namespace v1
}  // namespace pysock
