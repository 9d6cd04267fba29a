// SPDX-License-Identifier: MIT
/// \file
/// Socket addresses: AF_UNIX paths, AF_INET pairs, AF_INET6 quadruples, host names still to be
/// resolved, and any other family's bytes.
#pragma once

#include <climits>      // LLONG_MAX, LLONG_MIN
#include <cstddef>      // offsetof, size_t
#include <cstdint>      // uint32_t
#include <iosfwd>       // basic_ostream
#include <new>          // placement new
#include <string>       // string
#include <string_view>  // string_view
#include <type_traits>  // enable_if_t
#include <utility>      // forward, move

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
  if constexpr (sizeof(T) >= sizeof value) {
    if (static_cast<T>(value) != number || (value < 0) != (number < T{}))
      return number < T{} ? LLONG_MIN : LLONG_MAX;
  }
  return value;
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

  /// The number; for one beyond `long long` its nearest limit.
  [[nodiscard]] constexpr long long value() const noexcept { return value_; }
  /// Whether it is 0..65535.
  [[nodiscard]] constexpr bool is_valid() const noexcept { return value_ >= 0 && value_ <= 65535; }
  /// The number. \param operation for the text of the exception \throws std::out_of_range unless it
  /// is 0..65535
  [[nodiscard]] PYSOCK_API int checked(const char* operation) const;

 private:
  long long value_;
};

/// The operating system's sockaddr, of any family. Trivially copyable; never resolved. For families
/// that have no class here.
class endpoint {
 public:
  /// An empty address, which `recvfrom_into` fills.
  endpoint() noexcept : size_(0) {}

  /// A copy of `size` bytes; empty if `size` is 0, whatever `data` is. \throws std::out_of_range if
  /// they are more than a sockaddr can have, or too few for its family
  PYSOCK_API endpoint(const sockaddr* data, socklen_t size);

  /// The address family; AF_UNSPEC when empty, or too short for one.
  [[nodiscard]] int family() const noexcept {
    return holds_family(size_) ? storage_.base.sa_family : AF_UNSPEC;
  }
  /// The bytes, in the layout of the family.
  [[nodiscard]] const sockaddr* data() const noexcept { return &storage_.base; }
  /// The size of the address in bytes.
  [[nodiscard]] socklen_t size() const noexcept { return size_; }
  /// True if there is no address, as after receiving from an unnamed or a connected peer.
  [[nodiscard]] bool empty() const noexcept { return size_ == 0; }

  /// The buffer for the system to write an address into: `capacity()` bytes, then `resize()` to
  /// what it wrote.
  [[nodiscard]] sockaddr* buffer() noexcept { return &storage_.base; }
  /// The size of that buffer in bytes.
  [[nodiscard]] static constexpr socklen_t capacity() noexcept {
    return sizeof(detail::sockaddr_any);
  }
  /// Sets the size, at most the capacity. With too few bytes for the family there is no address.
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
/// Stored inline.
class unix_address {
 public:
  /// The unnamed address; binding it lets Linux choose an abstract name.
  unix_address() noexcept : native_() { native_.sun_family = AF_UNIX; }

  /// A path of at most 107 bytes on Linux, 103 on macOS, or an abstract name of at most 108.
  /// \throws error `errc::path_too_long` \throws std::invalid_argument for a NUL after the first
  /// byte of a path
  PYSOCK_API explicit unix_address(const file_path& path);

  /// What the system returned. \pre `native` is an AF_UNIX address of `size` bytes
  PYSOCK_API unix_address(const sockaddr_un& native, socklen_t size) noexcept;

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

  void assign(std::string_view bytes) noexcept;

  detail::native_unix native_;
  std::size_t length_ = 0;
};

/// An AF_INET address: four bytes and a port.
class inet_address {
 public:
  /// 0.0.0.0, port 0.
  inet_address() noexcept : native_() { native_.sin_family = AF_INET; }

  /// \param host a dotted quad, `""` (INADDR_ANY) or `"<broadcast>"`; never looked up
  /// \param port 0..65535
  /// \throws error `errc::illegal_inet_pton` for other text \throws std::out_of_range for the port
  PYSOCK_API inet_address(text host, port_number port);

  /// What the system returned.
  explicit inet_address(const sockaddr_in& native) noexcept : native_(native) {}

  /// Dotted quad. (Python: address[0])
  [[nodiscard]] PYSOCK_API std::string host() const;
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
  /// it takes precedence over the host's \throws error `errc::illegal_inet_pton` for other text
  /// \throws std::out_of_range for the numbers
  PYSOCK_API inet6_address(text host, port_number port, long long flowinfo = 0,
                           long long scope_id = 0);

  /// What the system returned.
  explicit inet6_address(const sockaddr_in6& native) noexcept : native_(native) {}

  /// IPv6 text, never with a scope. (Python: address[0])
  [[nodiscard]] PYSOCK_API std::string host() const;
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

/// A host name, or one of the special hosts `""` and `"<broadcast>"`, with a port: the family is
/// determined when a socket uses it.
struct host_address {
  std::string host;            ///< The name.
  int port = 0;                ///< 0..65535.
  std::uint32_t flowinfo = 0;  ///< 0..1048575; for AF_INET6.
  std::uint32_t scope_id = 0;  ///< For AF_INET6; if not 0 it takes precedence over the host's.
  bool inet6_only = false;     ///< Made from three or four parts, so not for AF_INET.
};

/// The argument of `address::visit` for no address.
struct no_address {};

/// The address of a socket: in Python a string, a pair or a 4-tuple.
///
/// Implicitly made from a path, `{host, port}`, `{host, port, flowinfo, scope_id}` or an
/// `endpoint`: `s.connect({"www.python.org", 80})`, `s.bind("/tmp/sock")`. Numeric hosts are parsed
/// at once and stored in binary form; only a host name allocates a string. A default-constructed
/// address is Python's None. Copying a resolved address never allocates. Equality, order and hash
/// use the canonical form: `address("0:0::1", 80) == address("::1", 80)`.
class address {
 public:
  /// \name Making
  /// @{

  /// No address. (Python: None)
  address() noexcept : none_(), kind_(kind::none) {}

  /// An AF_UNIX path or abstract name. Throws as `unix_address`.
  template <class T, class = std::enable_if_t<std::is_convertible_v<T&&, file_path>>>
  address(T&& path) : unix_(file_path(std::forward<T>(path))), kind_(kind::unix_path) {}

  /// \param host a literal of either family, a name, `""` for the wildcard or `"<broadcast>"`
  /// \param port 0..65535
  /// \throws std::out_of_range for the port \throws std::invalid_argument for a NUL in the host
  PYSOCK_API address(text host, port_number port);

  /// An AF_INET6 address. \param host an IPv6 literal, a name, or `""` for the wildcard \param port
  /// 0..65535 \param flowinfo 0..1048575 \param scope_id interface index; 0 uses a `%scope` in the
  /// host \throws std::out_of_range for the numbers \throws std::invalid_argument for a NUL in the
  /// host
  PYSOCK_API address(text host, port_number port, long long flowinfo, long long scope_id = 0);

  address(const unix_address& value) noexcept
      : unix_(value), kind_(kind::unix_path) {}  ///< That address.
  address(const inet_address& value) noexcept
      : inet_(value), kind_(kind::inet) {}  ///< That address.
  address(const inet6_address& value) noexcept
      : inet6_(value), kind_(kind::inet6) {}  ///< That address.

  /// The system's form; AF_UNIX, AF_INET and AF_INET6 become their own kinds, an empty endpoint no
  /// address.
  address(const endpoint& value) noexcept : address(value.data(), value.size()) {}

  /// What the system returned: `size` bytes; no address if they are too few for a family. Bytes
  /// beyond the maximum size of a sockaddr are ignored.
  PYSOCK_API address(const sockaddr* data, socklen_t size) noexcept;

  PYSOCK_API address(const address& other);                 ///< A copy.
  PYSOCK_API address(address&& other) noexcept;             ///< Leaves `other` with an empty host.
  PYSOCK_API address& operator=(const address& other);      ///< A copy.
  PYSOCK_API address& operator=(address&& other) noexcept;  ///< Leaves `other` with an empty host.
  /// Frees the host's name.
  ~address() {
    if (kind_ == kind::host) host_.~host_address();
  }

  /// @}

  /// \name Parts
  /// @{

  /// Whether there is an address.
  explicit operator bool() const noexcept { return kind_ != kind::none; }

  /// The family; AF_UNSPEC for no address and for a host that is not resolved.
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
    return kind_ == kind::unix_path && unix_.is_unnamed();
  }

  /// That kind of address, or null. \tparam T `unix_address`, `inet_address`, `inet6_address`,
  /// `endpoint` or `host_address`
  template <class T>
  [[nodiscard]] const T* get_if() const noexcept {
    if constexpr (std::is_same_v<T, unix_address>)
      return kind_ == kind::unix_path ? &unix_ : nullptr;
    else if constexpr (std::is_same_v<T, inet_address>)
      return kind_ == kind::inet ? &inet_ : nullptr;
    else if constexpr (std::is_same_v<T, inet6_address>)
      return kind_ == kind::inet6 ? &inet6_ : nullptr;
    else if constexpr (std::is_same_v<T, endpoint>)
      return kind_ == kind::other ? &other_ : nullptr;
    else {
      static_assert(std::is_same_v<T, host_address>, "an address has no such kind");
      return kind_ == kind::host ? &host_ : nullptr;
    }
  }
  /// Calls `f` with the kind of address this is; with `no_address` for none. \returns what `f`
  /// returns, which is of the same type for every kind
  template <class F>
  decltype(auto) visit(F&& f) const {
    switch (kind_) {
      case kind::unix_path:
        return std::forward<F>(f)(unix_);
      case kind::inet:
        return std::forward<F>(f)(inet_);
      case kind::inet6:
        return std::forward<F>(f)(inet6_);
      case kind::other:
        return std::forward<F>(f)(other_);
      case kind::host:
        return std::forward<F>(f)(host_);
      case kind::none:
        break;
    }
    return std::forward<F>(f)(none_);
  }

  /// @}

  /// \name The system's form
  /// @{

  /// The system's form; null for no address and for a host that is not resolved. Valid as long as
  /// this object.
  [[nodiscard]] const sockaddr* data() const noexcept {
    if (kind_ == kind::none || kind_ == kind::host) return nullptr;
    return reinterpret_cast<const sockaddr*>(this);  // each of the others starts with its sockaddr
  }
  /// Its size in bytes; 0 for no address and for a host that is not resolved.
  [[nodiscard]] socklen_t size() const noexcept {
    switch (kind_) {
      case kind::unix_path:
        return unix_.size();
      case kind::inet:
        return inet_address::size();
      case kind::inet6:
        return inet6_address::size();
      case kind::other:
        return other_.size();
      case kind::none:
      case kind::host:
        break;
    }
    return 0;
  }

  /// @}

  /// \name Text and hash
  /// @{

  /// As Python prints it: ``('127.0.0.1', 80)``, ``('::1', 80, 0, 0)``, ``'/tmp/sock'``, `None`.
  [[nodiscard]] PYSOCK_API std::string to_string() const;

  /// A number that is equal for equal addresses.
  [[nodiscard]] PYSOCK_API std::size_t hash() const noexcept;

  /// @}

  friend bool operator==(const address& a, const address& b) noexcept {
    return equal(a, b);
  }  ///< By canonical form.
  friend bool operator!=(const address& a, const address& b) noexcept {
    return !equal(a, b);
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
  enum class kind : unsigned char { none, unix_path, inet, inet6, other, host };

  // The parts are in range.
  void parse(std::string_view host, int port, std::uint32_t flowinfo, std::uint32_t scope_id,
             bool inet6_only);
  // For an object without a kind of its own yet.
  void take(const address& other);
  void take(address&& other) noexcept;
  void take_resolved(const address& other) noexcept;

  [[nodiscard]] PYSOCK_API static bool equal(const address& a, const address& b) noexcept;
  [[nodiscard]] PYSOCK_API static int compare(const address& a, const address& b) noexcept;

  union {
    no_address none_;
    unix_address unix_;
    inet_address inet_;
    inet6_address inet6_;
    endpoint other_;
    host_address host_;
  };
  kind kind_;
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
