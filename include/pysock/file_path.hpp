// SPDX-License-Identifier: MIT
/// \file
/// The path of a file or of an AF_UNIX socket, as one parameter type.
#pragma once

#include <string>       // string
#include <string_view>  // string_view
#include <type_traits>  // enable_if_t, void_t
#include <utility>      // forward

#include "bytes.hpp"

namespace pysock {
inline namespace v1 {
namespace detail {

// Recognises a path by its members, so that <filesystem>, which takes long to compile, need not be
// included. Strings have no preferred separator.
template <class T>
using if_path_members = std::void_t<typename T::string_type, decltype(T::preferred_separator),
                                    decltype(std::declval<const T&>().native())>;

template <class T, class = void>
struct is_path_object : std::false_type {};
template <class T>
struct is_path_object<T, if_path_members<T>>
    : std::bool_constant<!std::is_convertible_v<const T&, text>> {};

// The bytes of a path if the system's paths are bytes; otherwise its UTF-8.
template <class Path>
std::string bytes_of_path(const Path& path) {
  if constexpr (std::is_same_v<typename Path::string_type, std::string>) {
    return path.native();
  } else {
    const auto utf8 = path.u8string();  // of char, or since C++20 of char8_t
    return {reinterpret_cast<const char*>(utf8.data()), utf8.size()};
  }
}

}  // namespace detail

/// A path as a parameter: anything that converts to `text`, which is not owned and must outlive the
/// call, or a `std::filesystem::path` or an object like it, which is copied. On Windows paths are
/// UTF-8.
class file_path {
 public:
  /// From anything that converts to `text`.
  template <class T, std::enable_if_t<std::is_convertible_v<T&&, text>, int> = 0>
  file_path(T&& path) : view_(text(std::forward<T>(path)).view()) {}
  /// From a `std::filesystem::path`.
  template <class T, std::enable_if_t<detail::is_path_object<T>::value, int> = 0>
  file_path(const T& path) : owned_(detail::bytes_of_path(path)) {}

  /// The bytes, valid as long as this object and what it was made from.
  [[nodiscard]] std::string_view view() const noexcept { return owned_.empty() ? view_ : owned_; }
  /// An owned copy.
  [[nodiscard]] std::string str() const { return std::string(view()); }

 private:
  std::string owned_;
  std::string_view view_;
};

}  // namespace v1
}  // namespace pysock
