// SPDX-License-Identifier: MIT
/// \file
/// Socket addresses: AF_UNIX paths, AF_INET pairs, AF_INET6 quadruples, host names still to be
/// resolved, and any other family's bytes.
#pragma once

#include <climits>      // LLONG_MAX, LLONG_MIN
#include <cstddef>      // offsetof, size_t
#include <cstdint>      // uint32_t
#include <cstring>      // memcpy
#include <iosfwd>       // basic_ostream
#include <string>       // string
#include <string_view>  // string_view
#include <type_traits>  // enable_if_t
#include <utility>      // forward
#include <variant>      // variant

#include "bytes.hpp"
#include "detail/sockaddr.hpp"
#include "error.hpp"
#include "file_path.hpp"
#include "inet.hpp"

namespace pysock {
inline namespace v1 {
namespace detail {

// What makes a port_number: integers and unscoped enumerators, which are passed by value so that a
// local constant need not be captured to be used in a lambda, and objects that convert to one.
template <class T>
inline constexpr bool is_port_v = std::is_convertible_v<const T&, long long> &&
                                  !std::is_floating_point_v<T> && !std::is_same_v<T, bool>;
template <class T>
using if_port_value = std::enable_if_t<is_port_v<T> && !std::is_class_v<T>, int>;
template <class T>
using if_port_object = std::enable_if_t<is_port_v<T> && std::is_class_v<T>, int>;

// As a long long; its nearest end for a number beyond it.
template <class T>
constexpr long long saturated(T number) noexcept {
  const auto value = static_cast<long long>(number);
  if constexpr (std::is_arithmetic_v<T> && sizeof(T) >= sizeof value) {
    if (static_cast<T>(value) != number || (value < 0) != (number < T{}))
      return number < T{} ? LLONG_MIN : LLONG_MAX;
  }
  return value;
}

inline std::uint32_t checked_flowinfo(long long flowinfo) {
  if (flowinfo < 0 || flowinfo > 0xFFFFF) throw_error(bad_argument::flowinfo, "address");
  return static_cast<std::uint32_t>(flowinfo);
}
inline std::uint32_t checked_scope(long long scope_id) {
  if (scope_id < 0 || scope_id > 0xFFFFFFFFLL)
    throw_error(bad_argument::value_range, "address: scope_id");
  return static_cast<std::uint32_t>(scope_id);
}

// Unchecked: the port is in range.
inline void fill(sockaddr_in& out, const unsigned char (&packed)[4], int port) noexcept {
  out = sockaddr_in{};
  out.sin_family = AF_INET;
  out.sin_port = htons(static_cast<std::uint16_t>(port));
  std::memcpy(&out.sin_addr, packed, sizeof packed);
}
inline void fill(sockaddr_in6& out, const unsigned char (&packed)[16], int port,
                 std::uint32_t flowinfo, std::uint32_t scope_id) noexcept {
  out = sockaddr_in6{};
  out.sin6_family = AF_INET6;
  out.sin6_port = htons(static_cast<std::uint16_t>(port));
  out.sin6_flowinfo = htonl(flowinfo);
  std::memcpy(&out.sin6_addr, packed, sizeof packed);
  out.sin6_scope_id = scope_id;
}

// IPv6 text with an optional numeric scope ("fe80::1%2"); a scope by name needs the resolver and is
// not taken.
inline bool parse_scoped_ipv6(std::string_view host, unsigned char (&packed)[16],
                              std::uint32_t& scope_id) noexcept {
  if (parse_ipv6(host, packed)) return true;
  const std::size_t percent = host.find('%');
  if (percent == std::string_view::npos || !parse_ipv6(host.substr(0, percent), packed))
    return false;
  const std::string_view digits = host.substr(percent + 1);
  if (digits.empty() || digits.size() > 10) return false;
  std::uint64_t value = 0;
  for (const char c : digits) {
    if (c < '0' || c > '9') return false;
    value = value * 10 + static_cast<std::uint64_t>(c - '0');
  }
  if (value > 0xFFFFFFFFU) return false;
  scope_id = static_cast<std::uint32_t>(value);
  return true;
}

}  // namespace detail

/// A port number as a parameter, made from a number of any integer type, an unscoped enumerator
/// such as IPPORT_TELNET, or an object that converts to an integer. Neither bool nor floating-point
/// numbers make one. The number is kept as it was given, so that none becomes another port; where
/// it is used it is checked.
class port_number {
 public:
  /// That number.
  template <class T, detail::if_port_value<T> = 0>
  constexpr port_number(T number) noexcept : value_(detail::saturated(number)) {}
  /// \overload
  template <class T, detail::if_port_object<T> = 0>
  constexpr port_number(const T& number) : value_(static_cast<long long>(number)) {}

  /// The number as it was given; the nearest end of `long long` for one beyond it.
  [[nodiscard]] constexpr long long value() const noexcept { return value_; }
  /// Whether it is 0..65535.
  [[nodiscard]] constexpr bool is_valid() const noexcept { return value_ >= 0 && value_ <= 65535; }
  /// The number. \param operation what the exception names \throws std::out_of_range unless it is
  /// 0..65535
  [[nodiscard]] int checked(const char* operation) const {
    if (!is_valid()) detail::throw_error(bad_argument::port, operation);
    return static_cast<int>(value_);
  }

 private:
  long long value_;
};

/// The operating system's sockaddr, of any family, as it is. Trivially copyable; never resolved.
/// The way in and out for families that have no class here.
class endpoint {
 public:
  /// An empty address, to be filled by `recvfrom_into`.
  endpoint() noexcept : size_(0) {}

  /// A copy of `size` bytes; empty if `size` is 0, whatever `data` is. \throws std::out_of_range if
  /// they are more than a sockaddr can have, or too few for its family
  endpoint(const sockaddr* data, socklen_t size) : size_(size) {
    if (size == 0) return;
    if (!holds_family(size) || static_cast<std::size_t>(size) > sizeof storage_)
      detail::throw_error(bad_argument::value_range, "endpoint: size");
    std::memcpy(&storage_, data, static_cast<std::size_t>(size));
  }

  /// The address family; AF_UNSPEC when empty, or too short for one.
  [[nodiscard]] int family() const noexcept {
    return holds_family(size_) ? storage_.base.sa_family : AF_UNSPEC;
  }
  /// The bytes, in the layout of the family.
  [[nodiscard]] const sockaddr* data() const noexcept { return &storage_.base; }
  /// How many bytes count.
  [[nodiscard]] socklen_t size() const noexcept { return size_; }
  /// Whether there is no address; so after receiving from an unnamed or a connected peer.
  [[nodiscard]] bool empty() const noexcept { return size_ == 0; }

  /// The buffer for the system to write an address into: `capacity()` bytes, then `resize()` to
  /// what it wrote.
  [[nodiscard]] sockaddr* buffer() noexcept { return &storage_.base; }
  /// The size of that buffer in bytes.
  [[nodiscard]] static constexpr socklen_t capacity() noexcept {
    return sizeof(detail::sockaddr_any);
  }
  /// Sets how many bytes count, cut to the capacity. With too few for the family there is none.
  void resize(socklen_t size) noexcept {
    size_ = static_cast<std::size_t>(size) > sizeof storage_ ? capacity() : size;
  }

 private:
  static constexpr bool holds_family(socklen_t size) noexcept {
    return size >= static_cast<socklen_t>(offsetof(sockaddr, sa_data));
  }

  detail::sockaddr_any storage_;
  socklen_t size_;
};

/// An AF_UNIX address: a path, on Linux also an abstract name (first byte NUL), or unnamed (empty).
/// Lives inline.
class unix_address {
 public:
  /// The unnamed address; binding it lets Linux choose an abstract name.
  unix_address() noexcept { assign({}); }

  /// A path of at most 107 bytes on Linux, 103 on macOS, or an abstract name of at most 108.
  /// \throws error `errc::path_too_long` \throws std::invalid_argument for a NUL after the first
  /// byte of a path
  explicit unix_address(const file_path& path) {
    const std::string_view bytes = path.view();
    const bool abstract_name = !bytes.empty() && bytes.front() == '\0';
    if (!abstract_name && bytes.find('\0') != std::string_view::npos)
      detail::throw_error(bad_argument::embedded_null, "unix_address");
    if (bytes.size() > max_size - (abstract_name ? 0 : 1))
      detail::throw_error(errc::path_too_long, "unix_address");
    assign(bytes);
  }

  /// What the system returned. \pre `native` is an AF_UNIX address of `size` bytes
  unix_address(const sockaddr_un& native, socklen_t size) noexcept {
    const std::size_t used =
        static_cast<std::size_t>(size) <= offset ? 0 : static_cast<std::size_t>(size) - offset;
    const char* const path = reinterpret_cast<const char*>(&native) + offset;
    std::string_view bytes(path, used < max_size ? used : max_size);
    const bool whole = PYSOCK_ABSTRACT_NAMES != 0 && !bytes.empty() && bytes.front() == '\0';
    assign(whole ? bytes : bytes.substr(0, bytes.find('\0')));
  }

  /// The path, or the abstract name with its NULs; empty if unnamed.
  [[nodiscard]] std::string path() const { return std::string(view()); }
  /// Whether the socket has no name.
  [[nodiscard]] bool is_unnamed() const noexcept { return length_ == 0; }
  /// AF_UNIX.
  [[nodiscard]] static constexpr int family() noexcept { return AF_UNIX; }
  /// The system's form.
  [[nodiscard]] const sockaddr* data() const noexcept {
    return reinterpret_cast<const sockaddr*>(&native_);
  }
  /// Its size in bytes: the NUL of a path counts.
  [[nodiscard]] socklen_t size() const noexcept {
    const bool terminated = length_ != 0 && native_.sun_path[0] != '\0' && length_ < max_size;
    return static_cast<socklen_t>(offset + length_ + (terminated ? 1 : 0));
  }
  /// The bytes of the name, valid as long as this object.
  [[nodiscard]] std::string_view view() const noexcept { return {native_.sun_path, length_}; }

 private:
  static constexpr std::size_t offset = offsetof(detail::native_unix, sun_path);
  static constexpr std::size_t max_size = sizeof(detail::native_unix::sun_path);

  void assign(std::string_view bytes) noexcept {
    native_ = detail::native_unix{};
    native_.sun_family = AF_UNIX;
    length_ = bytes.size();
    if (!bytes.empty()) std::memcpy(native_.sun_path, bytes.data(), bytes.size());
  }

  detail::native_unix native_;
  std::size_t length_;
};

/// An AF_INET address: four bytes and a port.
class inet_address {
 public:
  /// 0.0.0.0, port 0.
  inet_address() noexcept : native_() { native_.sin_family = AF_INET; }

  /// \param host a dotted quad, `""` (INADDR_ANY) or `"<broadcast>"`; never looked up
  /// \param port 0..65535
  /// \throws error `errc::illegal_inet_pton` for other text \throws std::out_of_range for the port
  inet_address(text host, port_number port) {
    unsigned char packed[4] = {0, 0, 0, 0};
    if (host.view() == "<broadcast>")
      std::memset(packed, 0xFF, sizeof packed);
    else if (!host.view().empty() && !detail::parse_ipv4(host.view(), packed))
      detail::throw_error(errc::illegal_inet_pton, "inet_address");
    detail::fill(native_, packed, port.checked("address"));
  }

  /// What the system returned.
  explicit inet_address(const sockaddr_in& native) noexcept : native_(native) {}

  /// Dotted quad. (Python: address[0])
  [[nodiscard]] std::string host() const {
    char out[16];
    return std::string(out, detail::print_ipv4(bytes(), out));
  }
  /// 0..65535. (Python: address[1])
  [[nodiscard]] int port() const noexcept { return ntohs(native_.sin_port); }
  /// AF_INET.
  [[nodiscard]] static constexpr int family() noexcept { return AF_INET; }
  /// The system's form.
  [[nodiscard]] const sockaddr* data() const noexcept {
    return reinterpret_cast<const sockaddr*>(&native_);
  }
  /// Its size in bytes.
  [[nodiscard]] static constexpr socklen_t size() noexcept { return sizeof(sockaddr_in); }
  /// The four bytes of the host, in network order.
  [[nodiscard]] const unsigned char* bytes() const noexcept {
    return reinterpret_cast<const unsigned char*>(&native_.sin_addr);
  }

 private:
  sockaddr_in native_;
};

/// An AF_INET6 address: sixteen bytes, a port, a flow label and a scope.
class inet6_address {
 public:
  /// ::, port 0.
  inet6_address() noexcept : native_() { native_.sin6_family = AF_INET6; }

  /// \param host IPv6 text, with a numeric `%scope` if wanted, or `""` (the wildcard); never looked
  /// up \param port 0..65535 \param flowinfo 0..1048575 \param scope_id interface index; if not 0
  /// it wins over the host's \throws error `errc::illegal_inet_pton` for other text \throws
  /// std::out_of_range for the numbers
  inet6_address(text host, port_number port, long long flowinfo = 0, long long scope_id = 0) {
    unsigned char packed[16] = {};
    std::uint32_t scope = 0;
    if (!host.view().empty() && !detail::parse_scoped_ipv6(host.view(), packed, scope)) {
      detail::throw_error(errc::illegal_inet_pton, "inet6_address");
    }
    if (scope_id != 0) scope = detail::checked_scope(scope_id);
    detail::fill(native_, packed, port.checked("address"), detail::checked_flowinfo(flowinfo),
                 scope);
  }

  /// What the system returned.
  explicit inet6_address(const sockaddr_in6& native) noexcept : native_(native) {}

  /// IPv6 text, never with a scope. (Python: address[0])
  [[nodiscard]] std::string host() const {
    char out[46];
    return std::string(out, detail::print_ipv6(bytes(), out));
  }
  /// 0..65535. (Python: address[1])
  [[nodiscard]] int port() const noexcept { return ntohs(native_.sin6_port); }
  /// The flow label, in host order. (Python: address[2])
  [[nodiscard]] std::uint32_t flowinfo() const noexcept {
    return ntohl(static_cast<std::uint32_t>(native_.sin6_flowinfo));
  }
  /// The interface index, 0 for none. (Python: address[3])
  [[nodiscard]] std::uint32_t scope_id() const noexcept {
    return static_cast<std::uint32_t>(native_.sin6_scope_id);
  }
  /// AF_INET6.
  [[nodiscard]] static constexpr int family() noexcept { return AF_INET6; }
  /// The system's form.
  [[nodiscard]] const sockaddr* data() const noexcept {
    return reinterpret_cast<const sockaddr*>(&native_);
  }
  /// Its size in bytes.
  [[nodiscard]] static constexpr socklen_t size() noexcept { return sizeof(sockaddr_in6); }
  /// The sixteen bytes of the host, in network order.
  [[nodiscard]] const unsigned char* bytes() const noexcept {
    return reinterpret_cast<const unsigned char*>(&native_.sin6_addr);
  }

 private:
  sockaddr_in6 native_;
};

/// A host name, or one of the special hosts `""` and `"<broadcast>"`, with a port: which family it
/// is shows when a socket uses it.
struct host_address {
  std::string host;            ///< The name.
  int port = 0;                ///< 0..65535.
  std::uint32_t flowinfo = 0;  ///< 0..1048575; for AF_INET6.
  std::uint32_t scope_id = 0;  ///< For AF_INET6; if not 0 it wins over the host's.
  bool inet6_only = false;     ///< Made from three or four parts, which AF_INET does not have.
};

/// Where a socket is, or is to go: what Python writes as a string, a pair or a quadruple.
///
/// Implicitly made from a path, `{host, port}`, `{host, port, flowinfo, scope_id}` or an
/// `endpoint`: `s.connect({"www.python.org", 80})`, `s.bind("/tmp/sock")`. Literals are parsed when
/// it is made and kept binary; only a host name owns a string. A default-made address is Python's
/// None. Copying a resolved address never allocates. Equality, order and hash are of the canonical
/// form: `address("0:0::1", 80) == address("::1", 80)`.
class address {
 public:
  /// The kinds of address, the empty one first.
  using variant = std::variant<std::monostate, unix_address, inet_address, inet6_address, endpoint,
                               host_address>;

  /// No address. (Python: None)
  address() noexcept = default;

  /// An AF_UNIX path or abstract name. Throws as `unix_address`.
  template <class T, class = std::enable_if_t<std::is_convertible_v<T&&, file_path>>>
  address(T&& path) : value_(std::in_place_type<unix_address>, file_path(std::forward<T>(path))) {}

  /// \param host a literal of either family, a name, `""` for the wildcard or `"<broadcast>"`
  /// \param port 0..65535
  /// \throws std::out_of_range for the port \throws std::invalid_argument for a NUL in the host
  address(text host, port_number port) : address(host, port, 0, 0, false) {}

  /// An AF_INET6 address. \param host an IPv6 literal, a name, or `""` for the wildcard \param port
  /// 0..65535 \param flowinfo 0..1048575 \param scope_id interface index; 0 leaves a `%scope` in
  /// the host in force \throws std::out_of_range for the numbers \throws std::invalid_argument for
  /// a NUL in the host
  address(text host, port_number port, long long flowinfo, long long scope_id = 0)
      : address(host, port, detail::checked_flowinfo(flowinfo), detail::checked_scope(scope_id),
                true) {}

  address(const unix_address& value) noexcept : value_(value) {}   ///< That address.
  address(const inet_address& value) noexcept : value_(value) {}   ///< That address.
  address(const inet6_address& value) noexcept : value_(value) {}  ///< That address.

  /// The system's form; AF_UNIX, AF_INET and AF_INET6 become their own kinds, an empty endpoint no
  /// address.
  address(const endpoint& value) noexcept
      : address(detail::sockaddr_view{value.data(), value.size()}) {}

  /// What the system returned; no address if `size` is 0.
  PYSOCK_API explicit address(detail::sockaddr_view native) noexcept;

  /// Whether there is an address.
  explicit operator bool() const noexcept { return value_.index() != 0; }

  /// The family; AF_UNSPEC for no address and for a host still to be resolved.
  [[nodiscard]] PYSOCK_API int family() const noexcept;
  /// The host as text, without scope; empty where there is none. (Python: address[0])
  [[nodiscard]] PYSOCK_API std::string host() const;
  /// The AF_UNIX path or abstract name; empty where there is none.
  [[nodiscard]] PYSOCK_API std::string path() const;
  /// 0..65535; 0 where there is none. (Python: address[1])
  [[nodiscard]] PYSOCK_API int port() const noexcept;
  /// The AF_INET6 flow label; 0 where there is none. (Python: address[2])
  [[nodiscard]] PYSOCK_API std::uint32_t flowinfo() const noexcept;
  /// The AF_INET6 scope; 0 where there is none. (Python: address[3])
  [[nodiscard]] PYSOCK_API std::uint32_t scope_id() const noexcept;
  /// Whether this is the AF_UNIX address of a socket without a name.
  [[nodiscard]] bool is_unnamed() const noexcept {
    const auto* value = get_if<unix_address>();
    return value != nullptr && value->is_unnamed();
  }

  /// That kind of address, or null. \tparam T one of the variant's types
  template <class T>
  [[nodiscard]] const T* get_if() const noexcept {
    return std::get_if<T>(&value_);
  }
  /// Calls `f` with the kind of address this is; with std::monostate for none.
  template <class F>
  decltype(auto) visit(F&& f) const {
    return std::visit(std::forward<F>(f), value_);
  }

  /// The system's form: null and 0 for no address and for a host still to be resolved. Valid as
  /// long as this object.
  [[nodiscard]] detail::sockaddr_view native() const noexcept {
    if (const auto* in = get_if<inet_address>()) return {in->data(), in->size()};
    if (const auto* in6 = get_if<inet6_address>()) return {in6->data(), in6->size()};
    if (const auto* un = get_if<unix_address>()) return {un->data(), un->size()};
    if (const auto* raw = get_if<endpoint>()) return {raw->data(), raw->size()};
    return {};
  }

  /// As Python prints it: `('127.0.0.1', 80)`, `('::1', 80, 0, 0)`, `'/tmp/sock'`, `None`.
  [[nodiscard]] PYSOCK_API std::string to_string() const;

  /// A number that is equal for equal addresses.
  [[nodiscard]] PYSOCK_API std::size_t hash() const noexcept;

  friend bool operator==(const address& a, const address& b) noexcept {
    return compare(a, b) == 0;
  }  ///< By canonical form.
  friend bool operator!=(const address& a, const address& b) noexcept {
    return compare(a, b) != 0;
  }  ///< By canonical form.
  friend bool operator<(const address& a, const address& b) noexcept {
    return compare(a, b) < 0;
  }  ///< By kind, then by bytes.

  /// Prints `to_string()`.
  template <class Traits>
  friend std::basic_ostream<char, Traits>& operator<<(std::basic_ostream<char, Traits>& out,
                                                      const address& a) {
    return out << a.to_string();
  }

 private:
  address(text host, port_number number, std::uint32_t flowinfo, std::uint32_t scope_id,
          bool inet6_only) {
    const std::string_view name = host.view();
    const int port = number.checked("address");
    unsigned char v4[4];
    if (!inet6_only && detail::parse_ipv4(name, v4)) {
      sockaddr_in native;
      detail::fill(native, v4, port);
      value_.emplace<inet_address>(native);
      return;
    }
    parse_other(name, port, flowinfo, scope_id, inet6_only);
  }
  PYSOCK_API void parse_other(std::string_view name, int port, std::uint32_t flowinfo,
                              std::uint32_t scope_id, bool inet6_only);

  [[nodiscard]] PYSOCK_API static int compare(const address& a, const address& b) noexcept;

  variant value_;
};

namespace detail {

// The kinds of address that are classes of their own; families.hpp derives from endpoint.
template <class T>
inline constexpr bool is_address_kind_v =
    std::is_base_of_v<endpoint, T> || std::is_same_v<T, unix_address> ||
    std::is_same_v<T, inet_address> || std::is_same_v<T, inet6_address>;

template <class A, class B = A>
using if_address_kinds = std::enable_if_t<is_address_kind_v<A> && is_address_kind_v<B>, int>;

}  // namespace detail

/// Compares them as addresses: by canonical form.
template <class A, class B, detail::if_address_kinds<A, B> = 0>
[[nodiscard]] bool operator==(const A& a, const B& b) noexcept {
  return address(a) == address(b);
}
/// \overload
template <class A, class B, detail::if_address_kinds<A, B> = 0>
[[nodiscard]] bool operator!=(const A& a, const B& b) noexcept {
  return address(a) != address(b);
}

/// Prints `address(a).to_string()`.
template <class Traits, class A, detail::if_address_kinds<A> = 0>
std::basic_ostream<char, Traits>& operator<<(std::basic_ostream<char, Traits>& out, const A& a) {
  return out << address(a);
}

}  // namespace v1
}  // namespace pysock

/// Hash support for addresses as keys.
template <>
struct std::hash<pysock::address> {
  /// The address's own hash.
  std::size_t operator()(const pysock::address& a) const noexcept { return a.hash(); }
};
