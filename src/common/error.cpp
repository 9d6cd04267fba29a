// SPDX-License-Identifier: MIT
// The text of an exception, and the one place that picks its class.
#include <pysock/error.hpp>

namespace pysock {
inline namespace v1 {
namespace {

// A code that is equivalent to nothing but the throwing categories.
std::error_code probe() noexcept { return {-1, argument_category()}; }

// The category of a code if it is a throwing one. Not by dynamic_cast: programs may build the
// library without RTTI.
const detail::throwing_category* throwing(const std::error_code& code) noexcept {
  const std::error_category& category = code.category();
  return category.equivalent(probe(), 0) ? static_cast<const detail::throwing_category*>(&category)
                                         : nullptr;
}

bool is_errno(const std::error_code& code) noexcept {
  return code.category() != pysock_category() && code.category() != argument_category() &&
         throwing(code) == nullptr;
}

PYSOCK_COLD std::string describe(const std::error_code& code, const std::string& operation) {
  std::string out = operation;
  if (!out.empty()) out += ": ";
  if (is_errno(code)) {
    const bool system = code.category() == detail::sys::category();
    out += std::string("[") + (system ? detail::sys::number_label() : "Errno") + " " +
           std::to_string(code.value()) + "] ";
  }
  return out + code.message();
}

[[noreturn]] void throw_bad_argument(const std::error_code& code, const std::string& operation) {
  const std::string text = describe(code, operation);
  switch (static_cast<bad_argument>(code.value())) {
    case bad_argument::port:
    case bad_argument::flowinfo:
    case bad_argument::timeout_range:
    case bad_argument::value_range:
      throw std::out_of_range(text);
    default:
      throw std::invalid_argument(text);
  }
}

}  // namespace

error::error(std::error_code code, const std::string& operation, std::size_t transferred)
    : std::system_error(code), text_(describe(code, operation)), transferred_(transferred) {}

const char* error::what() const noexcept { return text_.what(); }

std::optional<int> error::errnum() const noexcept {
  if (const detail::throwing_category* own = throwing(code())) return own->number(code().value());
  if (!is_errno(code())) return std::nullopt;
  return code().value();
}

std::string error::strerror() const { return code().message(); }

namespace detail {

throwing_category::~throwing_category() = default;

bool throwing_category::equivalent(const std::error_code& code, int condition) const noexcept {
  return code == probe() || std::error_category::equivalent(code, condition);
}

void throw_error(std::error_code code, const std::string& operation, std::size_t transferred) {
  const std::error_category& category = code.category();
  if (category == argument_category()) throw_bad_argument(code, operation);
  if (category == gai_category()) throw gaierror(code, operation, transferred);
  if (category == herror_category()) throw herror(code, operation, transferred);
  if (code == errc::timed_out) throw timeout(code, operation, transferred);
  if (category == pysock_category()) throw error(code, operation, transferred);
  if (const throwing_category* own = throwing(code)) own->raise(code, operation, transferred);

  if (code.value() == sys::numbers().shut_down)
    throw broken_pipe_error(code, operation, transferred);  // std::errc has no ESHUTDOWN
  const std::error_condition condition = code.default_error_condition();
  if (condition.category() != std::generic_category()) throw error(code, operation, transferred);
  switch (static_cast<std::errc>(condition.value())) {
    case std::errc::resource_unavailable_try_again:
    case std::errc::connection_already_in_progress:
    case std::errc::operation_in_progress:
      throw blocking_io_error(code, operation, transferred);
    case std::errc::interrupted:
      throw interrupted_error(code, operation, transferred);
    case std::errc::permission_denied:
    case std::errc::operation_not_permitted:
      throw permission_error(code, operation, transferred);
    case std::errc::no_such_file_or_directory:
      throw file_not_found_error(code, operation, transferred);
    case std::errc::timed_out:
      throw timeout(code, operation, transferred);
    case std::errc::broken_pipe:
      throw broken_pipe_error(code, operation, transferred);
    case std::errc::connection_aborted:
      throw connection_aborted_error(code, operation, transferred);
    case std::errc::connection_refused:
      throw connection_refused_error(code, operation, transferred);
    case std::errc::connection_reset:
      throw connection_reset_error(code, operation, transferred);
    default:
      throw error(code, operation, transferred);
  }
}

}  // namespace detail
}  // namespace v1
}  // namespace pysock
