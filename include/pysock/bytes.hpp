// SPDX-License-Identifier: MIT
/// \file
/// Bytes and text as parameters: non-owning views of strings, arrays, containers and pointers.
#pragma once

#include <cstddef>      // size_t, byte
#include <string>       // string
#include <string_view>  // string_view
#include <type_traits>  // enable_if_t, ...

#include "detail/config.hpp"
#include "detail/raise.hpp"

namespace pysock {
inline namespace v1 {
namespace detail {

template <class T>
inline constexpr bool is_byte_v = std::is_same_v<std::remove_cv_t<T>, char> ||
                                  std::is_same_v<std::remove_cv_t<T>, unsigned char> ||
                                  std::is_same_v<std::remove_cv_t<T>, signed char> ||
                                  std::is_same_v<std::remove_cv_t<T>, std::byte>;

template <class T>
using data_element_t = std::remove_pointer_t<decltype(std::declval<T&>().data())>;

template <class T, class = void>
struct is_byte_range : std::false_type {};
template <class T>
struct is_byte_range<
    T, std::enable_if_t<is_byte_v<data_element_t<T>> &&
                        std::is_convertible_v<decltype(std::declval<T&>().size()), std::size_t>>>
    : std::true_type {};

template <class T, class = void>
struct is_writable_range : std::false_type {};
template <class T>
struct is_writable_range<
    T, std::enable_if_t<is_byte_range<T>::value && !std::is_const_v<data_element_t<T>>>>
    : std::true_type {};

// Whether a range owns its elements, as a string, vector or array does and a view does not. The
// elements of such a range are constant if the range is, and are destroyed with it.
template <class R, class = void>
struct is_owner : std::false_type {};
template <class R>
struct is_owner<R, std::void_t<decltype(std::data(std::declval<const R&>()))>>
    : std::bool_constant<!std::is_same_v<decltype(std::data(std::declval<R&>())),
                                         decltype(std::data(std::declval<const R&>()))>> {};

template <class P>
inline constexpr bool is_c_string_v = std::is_same_v<P, const char*> || std::is_same_v<P, char*>;

inline std::string_view checked_c_string(const char* s) {
  if (s == nullptr) throw_invalid_argument("a null pointer where text was expected");
  return s;
}

// A literal's array ends with a NUL that is not part of the bytes; NULs before it are.
constexpr std::size_t literal_length(const char* s, std::size_t extent) noexcept {
  return s[extent - 1] == '\0' ? extent - 1 : extent;
}

}  // namespace detail

/// Bytes to send: a pointer and a length, not owned. (Python's bytes-like object.)
///
/// Made from a string literal (without its terminator, inner NULs kept), any other array of
/// byte-sized elements (whole), a `const char*` (up to its NUL), a pointer and a length, or
/// any object with `data()` and `size()` over `char`, `unsigned char`, `signed char` or
/// `std::byte`. `nullptr` does not compile. The bytes must outlive the view.
///
/// Every array of `const char` is treated as a literal: one final zero byte is left out. `whole`
/// keeps it: `static const char greeting[] = {5, 1, 0}; s.sendall(whole(greeting));`
class const_bytes {
 public:
  /// No bytes.
  constexpr const_bytes() noexcept = default;
  const_bytes(std::nullptr_t) = delete;

  /// `size` bytes from `data`; `data` may be null when `size` is 0.
  const_bytes(const void* data PYSOCK_LIFETIMEBOUND, std::size_t size) noexcept
      : data_(static_cast<const char*>(data)), size_(size) {}

  /// An array: one of `const char` without a final NUL, any other whole.
  template <class T, std::size_t N, class = std::enable_if_t<detail::is_byte_v<T>>>
  constexpr const_bytes(T (&array PYSOCK_LIFETIMEBOUND)[N]) noexcept
      : const_bytes(from_array(array, N)) {}

  /// A C string, up to its NUL. \throws std::invalid_argument if it is null.
  template <class P, std::enable_if_t<detail::is_c_string_v<P>, int> = 0>
  const_bytes(const P& c_string) : const_bytes(detail::checked_c_string(c_string)) {}

  /// A string, vector or array of bytes.
  template <class R,
            std::enable_if_t<detail::is_byte_range<const R>::value && detail::is_owner<R>::value,
                             int> = 0>
  const_bytes(const R& range PYSOCK_LIFETIMEBOUND) noexcept
      : const_bytes(static_cast<const void*>(range.data()),
                    static_cast<std::size_t>(range.size())) {}
  /// A string_view or span of bytes.
  template <class V,
            std::enable_if_t<detail::is_byte_range<const V>::value && !detail::is_owner<V>::value,
                             int> = 0>
  const_bytes(const V& view) noexcept
      : const_bytes(static_cast<const void*>(view.data()), static_cast<std::size_t>(view.size())) {}

  /// The first byte; may be null when empty.
  [[nodiscard]] constexpr const char* data() const noexcept { return data_; }
  /// The number of bytes.
  [[nodiscard]] constexpr std::size_t size() const noexcept { return size_; }
  /// True if there are none.
  [[nodiscard]] constexpr bool empty() const noexcept { return size_ == 0; }
  /// The same bytes as text.
  [[nodiscard]] constexpr std::string_view view() const noexcept { return {data_, size_}; }
  /// What is left after the first `count` bytes. \pre `count <= size()`
  [[nodiscard]] constexpr const_bytes after(std::size_t count) const noexcept {
    const_bytes rest;
    rest.data_ = data_ + count;
    rest.size_ = size_ - count;
    return rest;
  }

 private:
  template <class T, std::size_t N>
  friend constexpr std::enable_if_t<detail::is_byte_v<T>, const_bytes> whole(
      T (&array)[N]) noexcept;

  template <class T>
  static constexpr const_bytes from_array(T* array, std::size_t extent) noexcept {
    const_bytes made;
    if constexpr (std::is_same_v<T, const char>) {
      made.data_ = array;
      made.size_ = detail::literal_length(array, extent);
    } else {
      made.data_ = static_cast<const char*>(static_cast<const void*>(array));
      made.size_ = extent;
    }
    return made;
  }

  const char* data_ = nullptr;
  std::size_t size_ = 0;
};

/// All bytes of an array, a final zero byte included. \param array any array of byte-sized elements
/// \returns a view of `sizeof array` bytes; the array must outlive it
template <class T, std::size_t N>
[[nodiscard]] constexpr std::enable_if_t<detail::is_byte_v<T>, const_bytes> whole(
    T (&array PYSOCK_LIFETIMEBOUND)[N]) noexcept {
  const_bytes result(array);
  result.size_ = N;
  return result;
}

/// Bytes to fill: as `const_bytes`, without literals, constant data and owning temporaries.
/// (Python's writable buffer.)
class mutable_bytes {
 public:
  /// An empty buffer.
  constexpr mutable_bytes() noexcept = default;
  mutable_bytes(std::nullptr_t) = delete;

  /// `size` bytes at `data`; `data` may be null when `size` is 0.
  mutable_bytes(void* data PYSOCK_LIFETIMEBOUND, std::size_t size) noexcept
      : data_(static_cast<char*>(data)), size_(size) {}

  /// A whole array of byte-sized elements.
  template <class T, std::size_t N,
            class = std::enable_if_t<detail::is_byte_v<T> && !std::is_const_v<T>>>
  mutable_bytes(T (&array PYSOCK_LIFETIMEBOUND)[N]) noexcept
      : mutable_bytes(static_cast<void*>(array), N) {}

  /// A string, vector or array of bytes, filled up to its present size.
  template <
      class R,
      std::enable_if_t<detail::is_writable_range<R>::value && detail::is_owner<R>::value, int> = 0>
  mutable_bytes(R& range PYSOCK_LIFETIMEBOUND) noexcept
      : mutable_bytes(static_cast<void*>(range.data()), static_cast<std::size_t>(range.size())) {}
  /// A span of bytes.
  template <
      class V,
      std::enable_if_t<detail::is_writable_range<V>::value && !detail::is_owner<V>::value, int> = 0>
  mutable_bytes(V& view) noexcept
      : mutable_bytes(static_cast<void*>(view.data()), static_cast<std::size_t>(view.size())) {}

  /// The first byte; may be null when empty.
  [[nodiscard]] constexpr char* data() const noexcept { return data_; }
  /// The size of the buffer in bytes.
  [[nodiscard]] constexpr std::size_t size() const noexcept { return size_; }
  /// True if the size is 0.
  [[nodiscard]] constexpr bool empty() const noexcept { return size_ == 0; }

 private:
  char* data_ = nullptr;
  std::size_t size_ = 0;
};

/// A host, path, service or interface name as a parameter. Keeps a literal's inner NULs (`"\0name"`
/// has 5 bytes) and leaves out those at its end, as the fixed arrays of C structures have them
/// (`ifr_name`, `sun_path`); a name that ends with a NUL is given as a `std::string_view`.
/// `nullptr` and integers do not compile. Does not own the characters: they must outlive the call.
class text {
 public:
  text(std::nullptr_t) = delete;

  /// An array of `const char`, such as a literal, without the NULs at its end, or one of `char` up
  /// to its first NUL.
  template <class T, std::size_t N,
            class = std::enable_if_t<std::is_same_v<std::remove_const_t<T>, char>>>
  constexpr text(T (&array PYSOCK_LIFETIMEBOUND)[N]) noexcept : view_(from_array(array, N)) {}

  /// A C string. \throws std::invalid_argument if it is null.
  template <class P, std::enable_if_t<detail::is_c_string_v<P>, int> = 0>
  text(const P& c_string) : view_(detail::checked_c_string(c_string)) {}

  /// A string_view, NULs included.
  constexpr text(std::string_view view) noexcept : view_(view) {}
  /// A string, NULs included.
  text(const std::string& string PYSOCK_LIFETIMEBOUND) noexcept : view_(string) {}

  /// The characters.
  [[nodiscard]] constexpr std::string_view view() const noexcept { return view_; }
  /// An owned copy.
  [[nodiscard]] std::string str() const { return std::string(view_); }

 private:
  template <class T>
  static constexpr std::string_view from_array(T* array, std::size_t extent) noexcept {
    const std::string_view all(array, extent);
    if constexpr (std::is_const_v<T>)
      return all.substr(0, all.find_last_not_of('\0') + 1);
    else
      return all.substr(0, all.find('\0'));
  }

  std::string_view view_;
};

}  // namespace v1
}  // namespace pysock
