// SPDX-License-Identifier: MIT
#include "repr.hpp"

#include <pysock/error.hpp>
#include <utility>

namespace pysock {
inline namespace v1 {
namespace detail {

void append_repr(std::string& out, std::string_view value, bool bytes) {
  constexpr const char* digits = "0123456789abcdef";
  const bool double_quotes =
      value.find('\'') != std::string_view::npos && value.find('"') == std::string_view::npos;
  const char mark = double_quotes ? '"' : '\'';
  if (bytes) out += 'b';
  out += mark;
  for (const char c : value) {
    const auto byte = static_cast<unsigned char>(c);
    const char letter = c == '\n'                ? 'n'
                        : c == '\r'              ? 'r'
                        : c == '\t'              ? 't'
                        : c == mark || c == '\\' ? c
                                                 : '\0';
    if (letter != '\0') {
      out += '\\';
      out += letter;
    } else if (byte < 0x20 || byte == 0x7F || (bytes && byte > 0x7F)) {
      out += "\\x";
      out += digits[byte >> 4U];
      out += digits[byte & 0xFU];
    } else {
      out += c;
    }
  }
  out += mark;
}

tuple& tuple::word(std::string_view part) {
  next();
  out_ += part;
  return *this;
}

tuple& tuple::quoted(std::string_view part, bool bytes) {
  next();
  append_repr(out_, part, bytes);
  return *this;
}

std::string tuple::done() {
  out_ += count_ == 1 ? ",)" : ")";
  return std::move(out_);
}

std::string call_text(const char* function, std::string_view argument) {
  std::string out = std::string(function) + " ";
  append_repr(out, argument);
  return out;
}

std::string call_text(const char* function, long long argument) {
  return std::string(function) + " " + std::to_string(argument);
}

std::string c_name(const char* function, std::string_view name) {
  if (name.find('\0') != std::string_view::npos)
    throw_error(bad_argument::embedded_null, call_text(function, name));
  return std::string(name);
}

}  // namespace detail
}  // namespace v1
}  // namespace pysock
