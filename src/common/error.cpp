// SPDX-License-Identifier: MIT
// The text of an exception, and the choice of its class.
#include <new>
#include <pysock/error.hpp>

namespace pysock {
inline namespace v1 {
namespace {

// A code that is equivalent only to throwing categories.
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

// Python's text, after the operation.
std::string describe(const std::error_code& code, std::string_view operation) {
  std::string out(operation);
  if (!out.empty()) out += ": ";
  if (is_errno(code)) {
    const bool system = code.category() == detail::sys::category();
    out += '[';
    out += system ? detail::sys::number_label() : "Errno";
    out += ' ';
    out += std::to_string(code.value());
    out += "] ";
  }
  return out += code.message();
}

// Throws one class. A function of its own for each, since unwinding reads the table of a function's
// calls from its start: with all of them in one function that took a third of the time.
using thrower = void (*)(std::error_code code, std::string_view operation, std::size_t transferred);

template <class Class>
void throw_as(std::error_code code, std::string_view operation, std::size_t transferred) {
  throw Class(code, operation, transferred);
}

template <class Class>
void throw_argument(std::error_code code, std::string_view operation, std::size_t /*transferred*/) {
  throw Class(describe(code, operation));
}

void throw_no_memory(std::error_code /*code*/, std::string_view /*operation*/,
                     std::size_t /*transferred*/) {
  throw std::bad_alloc();
}

void throw_by_category(std::error_code code, std::string_view operation, std::size_t transferred) {
  throwing(code)->raise(code, operation, transferred);
}

thrower class_of_argument(bad_argument argument) noexcept {
  switch (argument) {
    case bad_argument::port:
    case bad_argument::flowinfo:
    case bad_argument::value_range:
      return &throw_argument<std::out_of_range>;
    default:
      return &throw_argument<std::invalid_argument>;
  }
}

thrower class_of_condition(std::errc condition) noexcept {
  switch (condition) {
    case std::errc::resource_unavailable_try_again:
    case std::errc::connection_already_in_progress:
    case std::errc::operation_in_progress:
      return &throw_as<blocking_io_error>;
    case std::errc::interrupted:
      return &throw_as<interrupted_error>;
    case std::errc::permission_denied:
    case std::errc::operation_not_permitted:
      return &throw_as<permission_error>;
    case std::errc::no_such_file_or_directory:
      return &throw_as<file_not_found_error>;
    case std::errc::timed_out:
      return &throw_as<timeout>;
    case std::errc::broken_pipe:
      return &throw_as<broken_pipe_error>;
    case std::errc::connection_aborted:
      return &throw_as<connection_aborted_error>;
    case std::errc::connection_refused:
      return &throw_as<connection_refused_error>;
    case std::errc::connection_reset:
      return &throw_as<connection_reset_error>;
    default:
      return &throw_as<error>;
  }
}

// Not inlined into throw_class, which would then have to keep `code` in its frame.
PYSOCK_COLD thrower class_of(std::error_code code) noexcept {
  const std::error_category& category = code.category();
  if (category == argument_category())
    return class_of_argument(static_cast<bad_argument>(code.value()));
  if (category == gai_category()) return &throw_as<gaierror>;
  if (category == herror_category()) return &throw_as<herror>;
  if (code == errc::timed_out) return &throw_as<timeout>;
  // An allocation failed, of the library or of Windows' C library. A system call's ENOMEM has the
  // system's category.
  if (code == std::make_error_code(std::errc::not_enough_memory)) return &throw_no_memory;
  if (category == pysock_category()) return &throw_as<error>;
  if (throwing(code) != nullptr) return &throw_by_category;
  if (code.value() == detail::sys::numbers().shut_down)
    return &throw_as<broken_pipe_error>;  // std::errc has no ESHUTDOWN
  const std::error_condition condition = code.default_error_condition();
  if (condition.category() != std::generic_category()) return &throw_as<error>;
  return class_of_condition(static_cast<std::errc>(condition.value()));
}

}  // namespace

error::error(std::error_code code, std::string_view operation, std::size_t transferred)
    : std::system_error(code),
      text_(describe(code, operation)),
      operation_size_(operation.size()),
      transferred_(transferred) {}

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

void throw_class(std::error_code code, std::string_view operation, std::size_t transferred) {
  class_of(code)(code, operation, transferred);
}

}  // namespace detail
}  // namespace v1
}  // namespace pysock
