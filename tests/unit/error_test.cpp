// SPDX-License-Identifier: MIT
#include <pysock/error.hpp>

#include <cerrno>
#include <string>
#include <type_traits>

#include "support/catch.hpp"
#include "support/native.hpp"

using pysock::detail::throw_error;
using test_support::native_number;
using test_support::number_text;

namespace {

std::error_code system_code(int number) { return {number, pysock::detail::sys::category()}; }

// The dynamic class of what throw_error throws.
std::string thrown_class(std::error_code code) {
  try {
    throw_error(code, "op");
  } catch (const pysock::blocking_io_error&) {
    return "blocking_io_error";
  } catch (const pysock::interrupted_error&) {
    return "interrupted_error";
  } catch (const pysock::permission_error&) {
    return "permission_error";
  } catch (const pysock::file_not_found_error&) {
    return "file_not_found_error";
  } catch (const pysock::broken_pipe_error&) {
    return "broken_pipe_error";
  } catch (const pysock::connection_aborted_error&) {
    return "connection_aborted_error";
  } catch (const pysock::connection_refused_error&) {
    return "connection_refused_error";
  } catch (const pysock::connection_reset_error&) {
    return "connection_reset_error";
  } catch (const pysock::timeout&) {
    return "timeout";
  } catch (const pysock::gaierror&) {
    return "gaierror";
  } catch (const pysock::herror&) {
    return "herror";
  } catch (const pysock::error&) {
    return "error";
  } catch (const std::out_of_range&) {
    return "out_of_range";
  } catch (const std::invalid_argument&) {
    return "invalid_argument";
  }
}

}  // namespace

TEST_CASE("the class of an exception follows from its error number") {
  const struct {
    int number;
    const char* name;
  } rows[] = {
      {EAGAIN, "blocking_io_error"},
      {EWOULDBLOCK, "blocking_io_error"},
      {EALREADY, "blocking_io_error"},
      {EINPROGRESS, "blocking_io_error"},
      {EINTR, "interrupted_error"},
      {EACCES, "permission_error"},
      {EPERM, "permission_error"},
      {ENOENT, "file_not_found_error"},
      {EPIPE, "broken_pipe_error"},
      {ECONNABORTED, "connection_aborted_error"},
      {ECONNREFUSED, "connection_refused_error"},
      {ECONNRESET, "connection_reset_error"},
      {ETIMEDOUT, "timeout"},
      {EBADF, "error"},
      {EINVAL, "error"},
      {EMFILE, "error"},
      {ENOTCONN, "error"},
      {EADDRINUSE, "error"},
      {EADDRNOTAVAIL, "error"},
      {ENETUNREACH, "error"},
      {EHOSTUNREACH, "error"},
      {ENOTSOCK, "error"},
      {EMSGSIZE, "error"},
      {EOPNOTSUPP, "error"},
      {ENOPROTOOPT, "error"},
      {EAFNOSUPPORT, "error"},
      {EISCONN, "error"},
      {EDESTADDRREQ, "error"},
  };
  for (const auto& row : rows) {
    const int number = native_number(static_cast<std::errc>(row.number));
    if (number == 0) continue;  // the system has no such failure
    CAPTURE(row.number, number);
    CHECK(thrown_class(system_code(number)) == row.name);
  }
  CHECK(thrown_class(system_code(pysock::detail::sys::numbers().shut_down)) == "broken_pipe_error");
  CHECK(thrown_class(system_code(12345)) == "error");
}

TEST_CASE("every errno keeps its number and its text") {
  for (int number = 1; number < 134; ++number) {
    CAPTURE(number);
    try {
      throw_error(system_code(number), "op");
    } catch (const pysock::error& e) {
      CHECK(e.errnum() == number);
      CHECK(e.strerror() == pysock::detail::sys::category().message(number));
      CHECK(std::string(e.what()) == "op: " + number_text(number) + e.strerror());
    }
  }
}

TEST_CASE("codes of other categories have their own classes") {
  CHECK(thrown_class({-2, pysock::gai_category()}) == "gaierror");
  CHECK(thrown_class({1, pysock::herror_category()}) == "herror");
  CHECK(thrown_class(pysock::errc::timed_out) == "timeout");
  CHECK(thrown_class(pysock::errc::path_too_long) == "error");
}

TEST_CASE("a gaierror never becomes another class by its number") {
  CHECK(thrown_class({ECONNREFUSED, pysock::gai_category()}) == "gaierror");
  CHECK(thrown_class({EINTR, pysock::herror_category()}) == "herror");
}

TEST_CASE("invalid arguments are not socket errors") {
  using pysock::bad_argument;
  for (int value = 1; value <= static_cast<int>(bad_argument::share_length); ++value) {
    CAPTURE(value);
    const auto argument = static_cast<bad_argument>(value);
    const bool range = argument == bad_argument::port || argument == bad_argument::flowinfo ||
                       argument == bad_argument::value_range;
    CHECK(thrown_class(argument) == (range ? "out_of_range" : "invalid_argument"));
    CHECK(make_error_code(argument).message().find("unknown") == std::string::npos);
  }
}

TEST_CASE("what() is the operation, the address and Python's text") {
  const int number = native_number(std::errc::connection_refused);
  const pysock::error refused(system_code(number), "connect ('127.0.0.1', 9)");
  CHECK(std::string(refused.what()) ==
        "connect ('127.0.0.1', 9): " + number_text(number) + "Connection refused");
  CHECK(refused.strerror() == "Connection refused");

  const pysock::timeout expired(pysock::errc::timed_out, "recv");
  CHECK(std::string(expired.what()) == "recv: timed out");
  CHECK(expired.strerror() == "timed out");

  CHECK(std::string(pysock::error(pysock::errc::path_too_long).what()) == "AF_UNIX path too long");
}

TEST_CASE("an expired timeout has no errno, and the kernel's ETIMEDOUT has one") {
  CHECK_FALSE(pysock::timeout(pysock::errc::timed_out).errnum().has_value());
  const int number = native_number(std::errc::timed_out);
  CHECK(pysock::timeout(system_code(number)).errnum() == number);
  CHECK(pysock::timeout(pysock::errc::timed_out).code() == std::errc::timed_out);
  CHECK(pysock::timeout(system_code(number)).code() == std::errc::timed_out);
}

TEST_CASE("message-only errors have no errno") {
  for (int value = 1; value <= static_cast<int>(pysock::errc::incomplete_read); ++value) {
    CAPTURE(value);
    const std::error_code code = static_cast<pysock::errc>(value);
    CHECK_FALSE(pysock::error(code).errnum().has_value());
    CHECK_FALSE(code.message().empty());
    CHECK(code.default_error_condition().category() == std::generic_category());
  }
  CHECK(std::error_code(999, pysock::pysock_category()).message() == "unknown error 999");
}

TEST_CASE("error texts are Python's") {
  using pysock::errc;
  CHECK(make_error_code(errc::path_too_long).message() == "AF_UNIX path too long");
  CHECK(make_error_code(errc::family_mismatch).message() == "address family mismatched");
  CHECK(make_error_code(errc::illegal_inet_aton).message() ==
        "illegal IP address string passed to inet_aton");
  CHECK(make_error_code(errc::illegal_inet_pton).message() ==
        "illegal IP address string passed to inet_pton");
  CHECK(make_error_code(errc::packed_wrong_length).message() ==
        "packed IP wrong length for inet_ntoa");
  CHECK(make_error_code(errc::buflen_out_of_range).message() == "getsockopt buflen out of range");
  CHECK(make_error_code(errc::service_not_found).message() == "service/proto not found");
  CHECK(make_error_code(errc::port_not_found).message() == "port/proto not found");
  CHECK(make_error_code(errc::protocol_not_found).message() == "protocol not found");
  CHECK(make_error_code(errc::wildcard_ambiguous).message() ==
        "wildcard resolved to multiple address");
}

TEST_CASE("codes compare portably") {
  CHECK(system_code(native_number(std::errc::connection_refused)) == std::errc::connection_refused);
  CHECK(make_error_code(pysock::errc::path_too_long) == std::errc::filename_too_long);
  CHECK(make_error_code(pysock::bad_argument::embedded_null) == std::errc::invalid_argument);
}

TEST_CASE("the class hierarchy is Python's") {
  STATIC_REQUIRE(std::is_base_of_v<std::system_error, pysock::error>);
  STATIC_REQUIRE(std::is_base_of_v<pysock::error, pysock::herror>);
  STATIC_REQUIRE(std::is_base_of_v<pysock::error, pysock::gaierror>);
  STATIC_REQUIRE(std::is_base_of_v<pysock::error, pysock::timeout>);
  STATIC_REQUIRE(std::is_base_of_v<pysock::error, pysock::connection_error>);
  STATIC_REQUIRE(std::is_base_of_v<pysock::connection_error, pysock::broken_pipe_error>);
  STATIC_REQUIRE(std::is_base_of_v<pysock::connection_error, pysock::connection_aborted_error>);
  STATIC_REQUIRE(std::is_base_of_v<pysock::connection_error, pysock::connection_refused_error>);
  STATIC_REQUIRE(std::is_base_of_v<pysock::connection_error, pysock::connection_reset_error>);
  STATIC_REQUIRE_FALSE(std::is_base_of_v<pysock::gaierror, pysock::herror>);
  STATIC_REQUIRE_FALSE(std::is_base_of_v<pysock::herror, pysock::gaierror>);
}

TEST_CASE("copying an exception never throws and keeps everything") {
  STATIC_REQUIRE(std::is_nothrow_copy_constructible_v<pysock::error>);
  STATIC_REQUIRE(std::is_nothrow_copy_constructible_v<pysock::gaierror>);
  STATIC_REQUIRE(std::is_nothrow_copy_constructible_v<pysock::timeout>);
  STATIC_REQUIRE(std::is_nothrow_copy_constructible_v<pysock::connection_refused_error>);
  const pysock::error original(system_code(native_number(std::errc::broken_pipe)), "sendall", 42);
  const pysock::error copy =
      original;  // NOLINT(performance-unnecessary-copy-initialization): the copy is the test
  CHECK(copy.transferred() == 42);
  CHECK(std::string(copy.what()) ==
        "sendall: " + number_text(original.code().value()) + original.code().message());
  CHECK(copy.code() == original.code());
}

namespace {

class strange_error : public pysock::error {
  using error::error;
};

class strange_category final : public pysock::detail::throwing_category {
 public:
  const char* name() const noexcept override { return "strange"; }
  std::string message(int value) const override { return "strange thing " + std::to_string(value); }
  std::optional<int> number(int value) const noexcept override {
    if (value > 9) return std::nullopt;
    return value;
  }
  [[noreturn]] void raise(std::error_code code, std::string_view operation,
                          std::size_t transferred) const override {
    throw strange_error(code, operation, transferred);
  }
};

}  // namespace

TEST_CASE("a category can throw its own exceptions, and its numbers are not errno") {
  const strange_category category;
  try {
    throw_error({3, category}, "op", 7);
  } catch (const strange_error& e) {
    CHECK(std::string(e.what()) == "op: strange thing 3");
    CHECK(e.errnum() == 3);
    CHECK(e.transferred() == 7);
  }
  CHECK(pysock::error({10, category}).errnum() == std::nullopt);
  CHECK_THROWS_AS(throw_error({3, category}, "op"), strange_error);
}

TEST_CASE("a code of a throwing category equals only its own condition", "[error]") {
  const strange_category category;
  const std::error_condition condition(3, category);
  CHECK(std::error_code(3, category) == condition);
  CHECK(std::error_code(4, category) != condition);
  CHECK(std::error_code(3, pysock::pysock_category()) != condition);
  CHECK(category.equivalent(std::error_code(3, category), 3));
  CHECK_FALSE(category.equivalent(std::error_code(3, category), 4));
}

TEST_CASE("a number that is no error of the library has a text and is its own condition",
          "[error]") {
  for (const std::error_category* category :
       {&pysock::pysock_category(), &pysock::argument_category()}) {
    for (const int number : {-1, 0, 99}) {
      CAPTURE(category->name(), number);
      const std::error_code code(number, *category);
      CHECK(code.message() == "unknown error " + std::to_string(number));
      CHECK(code.default_error_condition() == std::error_condition(number, *category));
    }
  }
}

TEST_CASE("operation() is the call and its address, without the reason", "[error]") {
  const std::error_code code = system_code(native_number(std::errc::connection_refused));
  const pysock::error full(code, "connect ('127.0.0.1', 9)", 3);
  CHECK(full.operation() == "connect ('127.0.0.1', 9)");
  CHECK(pysock::error(full).operation() == full.operation());
  CHECK(pysock::error(code).operation().empty());
}
