// SPDX-License-Identifier: MIT
// Sets or removes an environment variable for the lifetime of an object.
#pragma once

#include <cstdlib>
#include <optional>
#include <string>

namespace test_support {

class environment_variable {
 public:
  /// \param value std::nullopt to remove the variable
  environment_variable(const char* name, const std::optional<std::string>& value) : name_(name) {
    if (const char* before = std::getenv(name)) before_ = before;
    assign(value);
  }
  environment_variable(const environment_variable&) = delete;
  environment_variable& operator=(const environment_variable&) = delete;
  ~environment_variable() { assign(before_); }

 private:
  void assign(const std::optional<std::string>& value) const {
    if (value)
      set(*value);
    else
      remove();
  }
#ifdef _WIN32
  void set(const std::string& value) const { ::_putenv_s(name_, value.c_str()); }
  void remove() const { ::_putenv_s(name_, ""); }
#else
  void set(const std::string& value) const { ::setenv(name_, value.c_str(), 1); }
  void remove() const { ::unsetenv(name_); }
#endif

  const char* name_;
  std::optional<std::string> before_;
};

}  // namespace test_support
