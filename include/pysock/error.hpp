// SPDX-License-Identifier: MIT
/// \file
/// The exceptions and error codes of the library.
///
/// Every failure has a `std::error_code`, which alone determines the class of the exception.
/// Invalid arguments are `std::invalid_argument` and `std::out_of_range`, which are not derived
/// from `error`, as Python's ValueError and OverflowError are not derived from `socket.error`.
#pragma once

#include <cstddef>       // size_t
#include <cstdint>       // int64_t
#include <exception>     // terminate
#include <optional>      // optional
#include <stdexcept>     // runtime_error
#include <string>        // string
#include <string_view>   // string_view
#include <system_error>  // system_error, error_code
#include <type_traits>   // true_type

#include "detail/sys.hpp"

namespace pysock {
inline namespace v1 {

/// Conditions without an errno: Python's message-only socket errors and the expired timeout.
enum class errc {
  timed_out = 1,          ///< A timeout set with `settimeout` expired.
  path_too_long,          ///< An AF_UNIX path or abstract name that is too long for the system.
  family_mismatch,        ///< The broadcast address on a socket that is not AF_INET.
  bad_family,             ///< An address of a kind that the socket's family does not have.
  wildcard_ambiguous,     ///< `gethostbyaddr("")`: the wildcard is more than one address.
  illegal_inet_aton,      ///< Text that `inet_aton` does not accept.
  illegal_inet_pton,      ///< Text that `inet_pton` does not accept.
  packed_wrong_length,    ///< `inet_ntoa` of anything but 4 bytes.
  buflen_out_of_range,    ///< A `getsockopt` buffer outside 1..1024 bytes.
  service_not_found,      ///< `getservbyname` knows no such service.
  port_not_found,         ///< `getservbyport` knows no such port.
  protocol_not_found,     ///< `getprotobyname` knows no such protocol.
  no_addresses,           ///< The resolver returned an empty list.
  ancillary_too_large,    ///< Control messages beyond what one call can carry.
  unsupported_operation,  ///< Reading a write-only file, or writing a read-only one.
  several_failures,       ///< Every address of a `create_connection` failed; see `error_group`.
  incomplete_read,        ///< The stream ended early; see `incomplete_read_error`.
};

/// Bad arguments, thrown as `std::invalid_argument` or, where it says so, `std::out_of_range`. An
/// overload with an `error_code` reports those that it checks itself. It cannot report errors of an
/// argument that is constructed before the call, such as an address with an invalid port or path;
/// the constructor throws.
enum class bad_argument {
  port = 1,             ///< A port outside 0..65535 (std::out_of_range).
  flowinfo,             ///< A flow label outside 0..1048575 (std::out_of_range).
  value_range,          ///< A number that does not fit the system's type (std::out_of_range).
  embedded_null,        ///< A NUL inside a name or path.
  negative_size,        ///< A negative buffer size.
  buffer_too_small,     ///< More bytes asked for than the buffer holds.
  address_form,         ///< An address whose form does not fit the socket's family.
  address_missing,      ///< An empty address where a destination is needed.
  packed_length,        ///< `inet_ntop` with the wrong number of bytes for the family.
  negative_descriptor,  ///< A negative descriptor.
  file_mode,            ///< A mode with anything but r, w and b.
  file_count,           ///< `sendfile` with a count that is not positive.
  file_offset,          ///< A negative offset.
  not_stream,           ///< `sendfile` over a socket that is not SOCK_STREAM.
  not_blocking,         ///< `sendfile` over a non-blocking socket.
  ancillary_length,     ///< An ancillary buffer length that is negative or too large.
  option,               ///< Options that contradict each other or that the platform lacks.
  share_length,         ///< `fromshare` with bytes that `share` has not returned.
};

/// The category of `errc`: messages are Python's. Thread-safe.
[[nodiscard]] PYSOCK_API const std::error_category& pysock_category() noexcept;
/// The category of `bad_argument`. Thread-safe.
[[nodiscard]] PYSOCK_API const std::error_category& argument_category() noexcept;
/// The category of EAI_* numbers, with the resolver's own messages. Thread-safe.
[[nodiscard]] PYSOCK_API const std::error_category& gai_category() noexcept;
/// The category of h_errno numbers (HOST_NOT_FOUND is 1). Thread-safe.
[[nodiscard]] PYSOCK_API const std::error_category& herror_category() noexcept;

/// For `std::error_code ec = errc::timed_out`.
[[nodiscard]] inline std::error_code make_error_code(errc e) noexcept {
  return {static_cast<int>(e), pysock_category()};
}
/// For `std::error_code ec = bad_argument::port`.
[[nodiscard]] inline std::error_code make_error_code(bad_argument e) noexcept {
  return {static_cast<int>(e), argument_category()};
}

PYSOCK_EXPORTED_CLASSES_BEGIN

/// Any failure of a socket operation. (Python: `socket.error`, which is OSError since 3.3.)
///
/// `what()` names the operation, the address where there is one, and what Python prints:
/// ``connect ('127.0.0.1', 9): [Errno 111] Connection refused``. Copying never throws.
class PYSOCK_API error : public std::system_error {
 public:
  /// \param code the failure
  /// \param operation the call, and the address where there is one; may be empty
  /// \param transferred bytes transferred before the failure
  explicit error(std::error_code code, std::string_view operation = {},
                 std::size_t transferred = 0);

  /// The operation, the address and Python's text.
  [[nodiscard]] const char* what() const noexcept override;

  /// The call that failed, with its address or name if it has one:
  /// ``connect ('127.0.0.1', 9)``. Valid as long as this object.
  [[nodiscard]] std::string_view operation() const noexcept {
    return {text_.what(), operation_size_};
  }

  /// The error number (errno, EAI_*, h_errno); empty for conditions that have none, an expired
  /// timeout among them. (Python: `e.errno`, None where args has one value.)
  [[nodiscard]] std::optional<int> errnum() const noexcept;

  /// Python's text alone: `Connection refused`, `timed out`. (Python: `e.strerror`)
  [[nodiscard]] std::string strerror() const;

  /// Bytes transferred before the failure; 0 for calls that transfer none.
  [[nodiscard]] std::size_t transferred() const noexcept { return transferred_; }

 private:
  std::runtime_error text_;     // not a string: its copies never throw
  std::size_t operation_size_;  // of the text's beginning
  std::size_t transferred_;
};

/// A failure of `gethostbyname_ex` or `gethostbyaddr`, with an h_errno number. (Python:
/// `socket.herror`)
class PYSOCK_API herror : public error {
  using error::error;
};

/// A failure of name resolution, with an EAI_* number. (Python: `socket.gaierror`)
class PYSOCK_API gaierror : public error {
  using error::error;
};

/// An expired timeout (no errno), or the kernel's ETIMEDOUT (with it). (Python: `socket.timeout`)
class PYSOCK_API timeout : public error {
  using error::error;
};

/// EAGAIN, EWOULDBLOCK, EALREADY, EINPROGRESS. (Python: BlockingIOError)
class PYSOCK_API blocking_io_error : public error {
  using error::error;
};

/// EINTR, where an interrupt hook ended the call. (Python: InterruptedError)
class PYSOCK_API interrupted_error : public error {
  using error::error;
};

/// EACCES, EPERM. (Python: PermissionError)
class PYSOCK_API permission_error : public error {
  using error::error;
};

/// ENOENT. (Python: FileNotFoundError)
class PYSOCK_API file_not_found_error : public error {
  using error::error;
};

/// The parent of the four ways a connection fails. (Python: ConnectionError)
class PYSOCK_API connection_error : public error {
  using error::error;
};

/// EPIPE, ESHUTDOWN. Never accompanied by SIGPIPE. (Python: BrokenPipeError)
class PYSOCK_API broken_pipe_error : public connection_error {
  using connection_error::connection_error;
};

/// ECONNABORTED. (Python: ConnectionAbortedError)
class PYSOCK_API connection_aborted_error : public connection_error {
  using connection_error::connection_error;
};

/// ECONNREFUSED. (Python: ConnectionRefusedError)
class PYSOCK_API connection_refused_error : public connection_error {
  using connection_error::connection_error;
};

/// ECONNRESET. (Python: ConnectionResetError)
class PYSOCK_API connection_reset_error : public connection_error {
  using connection_error::connection_error;
};

namespace detail {

// A category that has exception classes of its own. The core throws them through this interface, so
// that the error code alone determines the class also for the codes and classes of a component.
class PYSOCK_API throwing_category : public std::error_category {
 public:
  ~throwing_category() override;  // out of line: one type_info per process

  // Also answers whether this category is one of these, without RTTI.
  using std::error_category::equivalent;
  bool equivalent(const std::error_code& code, int condition) const noexcept override;
  // Python's `errno`; empty where Python has None.
  [[nodiscard]] virtual std::optional<int> number(int value) const noexcept = 0;
  // Throws the class that belongs to `code`, which is of this category.
  [[noreturn]] virtual void raise(std::error_code code, std::string_view operation,
                                  std::size_t transferred) const = 0;
};

PYSOCK_EXPORTED_CLASSES_END

// Throws the class that belongs to `code`. Not [[noreturn]], so that compilers end it with a jump:
// unwinding one more frame costs as much as ten allocations.
PYSOCK_API void throw_class(std::error_code code, std::string_view operation,
                            std::size_t transferred);

[[noreturn]] inline void throw_error(std::error_code code, std::string_view operation,
                                     std::size_t transferred = 0) {
  throw_class(code, operation, transferred);
  std::terminate();  // not reached
}

inline std::error_code system_code(int number) noexcept { return {number, sys::category()}; }

// The reason in a negative result of the seam: the error number, negated.
inline std::error_code failure_code(std::int64_t result) noexcept {
  return system_code(static_cast<int>(-result));
}

// Throws for a call of the seam that failed. `result` is the value that it returned; computing
// `operation` cannot change it, unlike errno.
[[noreturn]] inline void throw_result(std::int64_t result, std::string_view operation) {
  throw_error(failure_code(result), operation);
}

}  // namespace detail
}  // namespace v1
}  // namespace pysock

/// Lets `errc` values be compared with error codes.
template <>
struct std::is_error_code_enum<pysock::errc> : std::true_type {};
/// Lets `bad_argument` values be compared with error codes.
template <>
struct std::is_error_code_enum<pysock::bad_argument> : std::true_type {};
