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

// A path is known by its members, so that <filesystem>, which takes long to compile, need not be
// included. No string has a preferred separator.
template <class T>
using if_path_members = std::void_t<typename T::string_type, decltype(T::preferred_separator),
                                    decltype(std::declval<const T&>().native())>;

template <class T, class = void>
struct is_path_object : std::false_type {};
template <class T>
struct is_path_object<T, if_path_members<T>>
    : std::bool_constant<!std::is_convertible_v<const T&, text>> {};

// The bytes of a path that the system has as bytes; of any other its UTF-8.
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

/// A path as a parameter: whatever makes a `text`, which is not owned and must outlive the call, or
/// a `std::filesystem::path` or an object like it, of which this keeps a copy. On Windows paths are
/// UTF-8.
class file_path {
 public:
  /// Of what makes a `text`.
  template <class T, std::enable_if_t<std::is_convertible_v<T&&, text>, int> = 0>
  file_path(T&& path) : view_(text(std::forward<T>(path)).view()) {}
  /// Of a `std::filesystem::path`.
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
