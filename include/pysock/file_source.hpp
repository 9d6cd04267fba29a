// SPDX-License-Identifier: MIT
/// \file
/// What `sendfile` can send, as one parameter type.
#pragma once

#include <cstddef>      // size_t, ptrdiff_t
#include <cstdint>      // int64_t
#include <cstdio>       // FILE
#include <iosfwd>       // basic_istream
#include <type_traits>  // enable_if_t
#include <utility>      // forward

#include "detail/config.hpp"
#include "detail/raise.hpp"
#include "file_path.hpp"

namespace pysock {
inline namespace v1 {
namespace detail {

class file_reader;

// A stream, accessed through functions that are instantiated where its type is complete, so that
// this header does not need <istream>. They use the stream's buffer and ignore its state and its
// exception mask.
class stream_source {
 public:
  template <class Char>
  explicit stream_source(std::basic_istream<Char>& stream) noexcept
      : stream_(&stream), seek_(&seek_in<Char>), read_(&read_from<Char>) {}

  // The position of the stream; -1 if it cannot seek.
  [[nodiscard]] std::int64_t tell() const noexcept { return seek_(stream_, 0, true); }
  // False if there is nothing at `offset`.
  [[nodiscard]] bool seek(std::int64_t offset) const noexcept {
    return seek_(stream_, offset, false) == offset;
  }
  // Bytes read, 0 at the end, -1 if the stream failed.
  std::ptrdiff_t read(char* to, std::size_t size) const noexcept {
    return read_(stream_, to, static_cast<std::ptrdiff_t>(size));
  }

 private:
  template <class Char>
  static std::int64_t seek_in(void* stream, std::int64_t offset, bool from_here) noexcept {
    using ios = std::basic_ios<Char>;
    PYSOCK_TRY {
      auto* buffer = static_cast<std::basic_istream<Char>*>(stream)->rdbuf();
      if (buffer == nullptr) return -1;
      return static_cast<std::int64_t>(
          buffer->pubseekoff(offset, from_here ? ios::cur : ios::beg, ios::in));
    }
    PYSOCK_CATCH_ALL { return -1; }
  }

  template <class Char>
  static std::ptrdiff_t read_from(void* stream, char* to, std::ptrdiff_t size) noexcept {
    PYSOCK_TRY {
      auto* buffer = static_cast<std::basic_istream<Char>*>(stream)->rdbuf();
      return buffer == nullptr ? -1 : static_cast<std::ptrdiff_t>(buffer->sgetn(to, size));
    }
    PYSOCK_CATCH_ALL { return -1; }
  }

  void* stream_;
  std::int64_t (*seek_)(void* stream, std::int64_t offset, bool from_here) noexcept;
  std::ptrdiff_t (*read_)(void* stream, char* to, std::ptrdiff_t size) noexcept;
};

}  // namespace detail

/// A file to send, valid only for the call: an open descriptor, a `std::FILE*`, a path, or a
/// `std::istream`.
class file_source {
 public:
  file_source(std::nullptr_t) = delete;
  /// A number of another type than the system's handles is not a handle: on Windows an `int` is a
  /// file of the C runtime; `_get_osfhandle(number)` returns its handle.
  template <class T, std::enable_if_t<
                         std::is_integral_v<T> && !std::is_same_v<T, native_handle_type>, int> = 0>
  file_source(T number) = delete;

  /// An open file's descriptor; on Windows its HANDLE,
  /// `reinterpret_cast<pysock::native_handle_type>(handle)`. Its own position is neither used nor
  /// moved.
  file_source(native_handle_type handle) noexcept : handle_(handle), kind_(kind::handle) {}
  /// The descriptor of an open C stream, whose position is then the end of the data sent. Data in
  /// the stream's write buffer is not sent.
  file_source(std::FILE* file) noexcept : c_file_(file), kind_(kind::c_file) {}
  /// A path, opened and closed by the call.
  template <class T, std::enable_if_t<std::is_convertible_v<T&&, file_path> &&
                                          detail::is_owner<std::remove_reference_t<T>>::value,
                                      int> = 0>
  file_source(T&& path PYSOCK_LIFETIMEBOUND) : path_(std::forward<T>(path)), kind_(kind::path) {}
  /// \overload
  template <class V, std::enable_if_t<std::is_convertible_v<V&&, file_path> &&
                                          !detail::is_owner<std::remove_reference_t<V>>::value,
                                      int> = 0>
  file_source(V&& path) : path_(std::forward<V>(path)), kind_(kind::path) {}
  /// A binary stream such as `std::ifstream` or `std::istringstream`, read through its buffer; its
  /// position is then the end of the data sent. Its state flags are ignored. A stream that cannot
  /// seek is sent from its position.
  template <class Char, std::enable_if_t<std::is_same_v<Char, char>, int> = 0>
  file_source(std::basic_istream<Char>& stream PYSOCK_LIFETIMEBOUND) noexcept
      : stream_(stream), kind_(kind::stream) {}
  file_source(const file_source&) = delete;             ///< For one call.
  file_source& operator=(const file_source&) = delete;  ///< For one call.
  ~file_source() {
    if (kind_ == kind::path) path_.~file_path();
  }

 private:
  friend class detail::file_reader;

  enum class kind : unsigned char { handle, c_file, path, stream };

  union {
    native_handle_type handle_;
    std::FILE* c_file_;
    file_path path_;
    detail::stream_source stream_;
  };
  kind kind_;
};

}  // namespace v1
}  // namespace pysock
