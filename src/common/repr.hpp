// SPDX-License-Identifier: MIT
// Values as Python's repr() prints them: in the text of addresses and of errors.
#pragma once

#include <string>
#include <string_view>

namespace pysock {
inline namespace v1 {
namespace detail {

// Appends text in quotes, with escapes for what cannot be printed, or `bytes` with b before it.
void append_repr(std::string& out, std::string_view value, bool bytes = false);

// A tuple, part by part: "('127.0.0.1', 80)".
class tuple {
 public:
  tuple& text(std::string_view part) { return quoted(part, false); }
  tuple& bytes(std::string_view part) { return quoted(part, true); }
  tuple& number(long long part) { return word(std::to_string(part)); }
  // A part without quotes: None, or the name of a constant.
  tuple& word(std::string_view part);
  std::string done();

 private:
  tuple& quoted(std::string_view part, bool bytes);
  void next() { out_ += count_++ == 0 ? "(" : ", "; }

  std::string out_;
  int count_ = 0;
};

// The call of `function` with one argument: "gethostbyname 'localhost'".
std::string call_text(const char* function, std::string_view argument);
// The same with a number.
std::string call_text(const char* function, long long argument);

// A name for a function of C, for which a NUL would be its end. Throws
// `bad_argument::embedded_null`, with `function` as the operation.
std::string c_name(const char* function, std::string_view name);

}  // namespace detail
}  // namespace v1
}  // namespace pysock
