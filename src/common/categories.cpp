// SPDX-License-Identifier: MIT
// The error categories: one of each per process, which exists until it ends.
#include <cstddef>
#include <pysock/detail/immortal.hpp>
#include <pysock/error.hpp>

namespace pysock {
inline namespace v1 {
namespace {

struct row {
  const char* message;
  std::errc condition;
};

// In the order of `errc`.
constexpr row errc_rows[] = {
    {"timed out", std::errc::timed_out},
    {"AF_UNIX path too long", std::errc::filename_too_long},
    {"address family mismatched", std::errc::address_family_not_supported},
    {"bad family", std::errc::address_family_not_supported},
    {"wildcard resolved to multiple address", std::errc::invalid_argument},
    {"illegal IP address string passed to inet_aton", std::errc::invalid_argument},
    {"illegal IP address string passed to inet_pton", std::errc::invalid_argument},
    {"packed IP wrong length for inet_ntoa", std::errc::invalid_argument},
    {"getsockopt buflen out of range", std::errc::invalid_argument},
    {"service/proto not found", std::errc::no_such_file_or_directory},
    {"port/proto not found", std::errc::no_such_file_or_directory},
    {"protocol not found", std::errc::no_such_file_or_directory},
    {"getaddrinfo returns an empty list", std::errc::address_not_available},
    {"ancillary data item too large", std::errc::message_size},
    {"not readable or not writable in this mode", std::errc::not_supported},
    {"every address failed", std::errc::not_connected},
    {"the stream ended before all the bytes had come", std::errc::io_error},
};

// In the order of `bad_argument`.
constexpr row argument_rows[] = {
    {"port must be 0-65535.", std::errc::result_out_of_range},
    {"flowinfo must be 0-1048575.", std::errc::result_out_of_range},
    {"value out of range", std::errc::result_out_of_range},
    {"embedded null character", std::errc::invalid_argument},
    {"negative buffersize", std::errc::invalid_argument},
    {"buffer too small for requested bytes", std::errc::invalid_argument},
    {"the form of the address does not fit the family of the socket", std::errc::invalid_argument},
    {"an address is needed", std::errc::destination_address_required},
    {"invalid length of packed IP address string", std::errc::invalid_argument},
    {"negative file descriptor", std::errc::invalid_argument},
    {"invalid mode (only r, w, b allowed)", std::errc::invalid_argument},
    {"count must be a positive integer", std::errc::invalid_argument},
    {"offset must not be negative", std::errc::invalid_argument},
    {"only SOCK_STREAM type sockets are supported", std::errc::invalid_argument},
    {"non-blocking sockets are not supported", std::errc::invalid_argument},
    {"invalid ancillary data buffer length", std::errc::invalid_argument},
    {"options contradict each other or are not supported on this platform",
     std::errc::invalid_argument},
    {"socket descriptor string has wrong size", std::errc::invalid_argument},
};

template <std::size_t N>
const row* find(const row (&rows)[N], int value) noexcept {
  return value >= 1 && static_cast<std::size_t>(value) <= N ? &rows[value - 1] : nullptr;
}

template <const auto& rows>
class table_category : public std::error_category {
 public:
  explicit constexpr table_category(const char* name) noexcept : name_(name) {}
  const char* name() const noexcept override { return name_; }
  std::string message(int value) const override {
    const row* r = find(rows, value);
    return r != nullptr ? r->message : "unknown error " + std::to_string(value);
  }
  std::error_condition default_error_condition(int value) const noexcept override {
    const row* r = find(rows, value);
    return r != nullptr ? std::make_error_condition(r->condition)
                        : std::error_condition(value, *this);
  }

 private:
  const char* name_;
};

using message_function = std::string (*)(int);

template <message_function text>
class message_category : public std::error_category {
 public:
  explicit constexpr message_category(const char* name) noexcept : name_(name) {}
  const char* name() const noexcept override { return name_; }
  std::string message(int value) const override { return text(value); }

 private:
  const char* name_;
};

// Values are stable: the last row of each table belongs to the last enumerator.
static_assert(std::size(errc_rows) == static_cast<std::size_t>(errc::incomplete_read));
static_assert(std::size(argument_rows) == static_cast<std::size_t>(bad_argument::share_length));

}  // namespace

const std::error_category& pysock_category() noexcept {
  static detail::immortal<table_category<errc_rows>> category("pysock");
  return category.get();
}

const std::error_category& argument_category() noexcept {
  static detail::immortal<table_category<argument_rows>> category("pysock.argument");
  return category.get();
}

const std::error_category& gai_category() noexcept {
  static detail::immortal<message_category<detail::sys::gai_message>> category("pysock.gai");
  return category.get();
}

const std::error_category& herror_category() noexcept {
  static detail::immortal<message_category<detail::sys::herror_message>> category("pysock.herror");
  return category.get();
}

}  // namespace v1
}  // namespace pysock
