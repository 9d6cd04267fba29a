// SPDX-License-Identifier: MIT
// How a call failed, as text that a test can compare and print: the class of the exception and its
// error number.
#pragma once

#include <cerrno>
#include <pysock/error.hpp>
#include <stdexcept>
#include <string>
#include <typeinfo>

namespace test_support {

inline std::string class_of(const std::exception& e) {
  const std::type_info& type = typeid(e);
  if (type == typeid(pysock::error)) return "error";
  if (type == typeid(pysock::herror)) return "herror";
  if (type == typeid(pysock::gaierror)) return "gaierror";
  if (type == typeid(pysock::timeout)) return "timeout";
  if (type == typeid(pysock::blocking_io_error)) return "blocking_io_error";
  if (type == typeid(pysock::interrupted_error)) return "interrupted_error";
  if (type == typeid(pysock::permission_error)) return "permission_error";
  if (type == typeid(pysock::file_not_found_error)) return "file_not_found_error";
  if (type == typeid(pysock::broken_pipe_error)) return "broken_pipe_error";
  if (type == typeid(pysock::connection_aborted_error)) return "connection_aborted_error";
  if (type == typeid(pysock::connection_refused_error)) return "connection_refused_error";
  if (type == typeid(pysock::connection_reset_error)) return "connection_reset_error";
  if (type == typeid(std::invalid_argument)) return "invalid_argument";
  if (type == typeid(std::out_of_range)) return "out_of_range";
  return std::string("another exception: ") + e.what();
}

/// The failure for a numeric address of another family.
#ifdef EAI_ADDRFAMILY
inline constexpr int eai_wrong_family = EAI_ADDRFAMILY;
#else
inline constexpr int eai_wrong_family = EAI_FAMILY;
#endif

/// The result of `failure_of`: `connection_refused_error 111`. The number is that of errno, also on
/// systems with other numbers.
inline std::string failure(const std::string& name, int number) {
  return name + " " + std::to_string(number);
}

inline int portable_number(const pysock::error& e) {
  if (e.code() == std::errc::bad_file_descriptor)
    return EBADF;  // one number of the system may correspond to several of errno
  const std::error_condition condition = e.code().default_error_condition();
  return condition.category() == std::generic_category() ? condition.value()
                                                         : e.errnum().value_or(0);
}

/// `timeout`, `error: AF_UNIX path too long` and the like if there is no number; `none` if `f`
/// succeeded.
template <class F>
std::string failure_of(const F& f) {
  try {
    (void)f();
  } catch (const pysock::error& e) {
    if (e.errnum()) return failure(class_of(e), portable_number(e));
    const std::string name = class_of(e);
    return name == "timeout" ? name : name + ": " + e.strerror();
  } catch (const std::exception& e) {
    return class_of(e);
  }
  return "none";
}

}  // namespace test_support
