// SPDX-License-Identifier: MIT
/// \file
/// The parameters and results of `sendmsg` and `recvmsg`: lists of buffers, and control messages
/// (ancillary data).
///
/// Control messages are written and read here without the system's macros: `{{SOL_SOCKET,
/// SCM_RIGHTS, {fd}}, {IPPROTO_IP, IP_TTL, 5}}` is a list to send, and `for (auto [level, type,
/// data] : ancdata)` goes through what arrived.
#pragma once

#include <cstddef>           // size_t, ptrdiff_t
#include <cstdint>           // uintptr_t
#include <cstring>           // memcpy
#include <initializer_list>  // initializer_list
#include <string>            // string
#include <type_traits>       // enable_if_t
#include <utility>           // tuple_size, tuple_element
#include <vector>            // vector, and data, size and input_iterator_tag of <iterator>

#include "bytes.hpp"
#include "detail/cmsg.hpp"
#include "error.hpp"

namespace pysock {
inline namespace v1 {
namespace detail {

// The maximum length of ancillary data; the systems' types for it are at least as wide as int.
inline constexpr std::size_t max_ancillary = 0x7FFFFFFF;

template <class R>
using range_element_t = std::remove_reference_t<decltype(*std::data(std::declval<R&>()))>;

// A contiguous range whose elements convert to `Bytes` without throwing, because noexcept calls
// convert them.
template <class R, class Bytes, class = void>
struct is_buffer_range : std::false_type {};
template <class R, class Bytes>
struct is_buffer_range<
    R, Bytes, std::enable_if_t<std::is_nothrow_constructible_v<Bytes, range_element_t<R>&>>>
    : std::true_type {};

// The type of a range passed as `R&&`; a temporary one is constant.
template <class R>
using lasting_t =
    std::conditional_t<std::is_lvalue_reference_v<R>, std::remove_reference_t<R>, const R>;

// C's structures and unions. std::optional, durations and the like can be copied as bytes too, but
// are no structures of the system; they have constructors.
template <class T>
inline constexpr bool is_c_structure_v =
    !std::is_array_v<T> && std::is_aggregate_v<T> && std::is_trivially_copyable_v<T>;

// Values whose bytes are passed: numbers and C structures.
template <class T>
inline constexpr bool is_plain_v =
    std::is_arithmetic_v<T> || std::is_enum_v<T> || is_c_structure_v<T>;

template <class T, class = void>
struct is_plain_range : std::false_type {};
template <class T>
struct is_plain_range<T,
                      std::enable_if_t<is_plain_v<std::remove_const_t<range_element_t<const T>>>>>
    : std::true_type {};

template <class T>
inline constexpr bool is_control_value_v = (is_plain_v<T> || is_plain_range<T>::value) &&
                                           !std::is_convertible_v<const T&, const_bytes>;

// For a range the bytes of its elements are passed, also for a view, which is trivially copyable
// itself.
template <class T>
const_bytes bytes_of(const T& value) noexcept {
  if constexpr (is_plain_range<T>::value) {
    return {std::data(value), std::size(value) * sizeof(*std::data(value))};
  } else {
    return {&value, sizeof value};
  }
}

template <class Integer>
std::size_t checked_control_length(Integer length, const char* function,
                                   std::size_t (*measure)(std::size_t) noexcept) {
  static_assert(std::is_integral_v<Integer>, "a length is a number of bytes");
  if (length >= 0 && static_cast<std::make_unsigned_t<Integer>>(length) <= max_ancillary) {
    const std::size_t result = measure(static_cast<std::size_t>(length));
    if (result <= max_ancillary) return result;
  }
  throw_error(bad_argument::value_range, function);
}

struct buffers_access;

}  // namespace detail

/// Buffers in several pieces, not owned: made from a list (`{header, body}`) or from a range of
/// values that convert to `Bytes`. Does not copy or allocate; the pieces must outlive the call.
/// \tparam Bytes `const_bytes` to send, `mutable_bytes` to receive
template <class Bytes>
class basic_buffers {
 public:
  /// No pieces.
  constexpr basic_buffers() noexcept = default;

  /// A list; it is valid only for the call in which it is written.
  basic_buffers(std::initializer_list<Bytes> list PYSOCK_LIFETIMEBOUND) noexcept
      : basic_buffers(list.begin(), list.size()) {}

  /// An array, vector or the like. A temporary range may not own buffers to fill, because the
  /// received data would be lost.
  template <class R, std::enable_if_t<detail::is_buffer_range<detail::lasting_t<R>, Bytes>::value &&
                                          detail::is_owner<std::remove_reference_t<R>>::value,
                                      int> = 0>
  basic_buffers(R&& range PYSOCK_LIFETIMEBOUND) noexcept
      : basic_buffers(std::data(range), static_cast<std::size_t>(std::size(range))) {}
  /// A span.
  template <class V, std::enable_if_t<detail::is_buffer_range<detail::lasting_t<V>, Bytes>::value &&
                                          !detail::is_owner<std::remove_reference_t<V>>::value,
                                      int> = 0>
  basic_buffers(V&& view) noexcept
      : basic_buffers(std::data(view), static_cast<std::size_t>(std::size(view))) {}

  /// The number of pieces.
  [[nodiscard]] constexpr std::size_t size() const noexcept { return size_; }
  /// Whether there are none.
  [[nodiscard]] constexpr bool empty() const noexcept { return size_ == 0; }
  /// One piece. \pre `index < size()`
  [[nodiscard]] Bytes operator[](std::size_t index) const noexcept {
    return access_ == nullptr ? static_cast<const Bytes*>(first_)[index]
                              : access_(first_, index, 1, nullptr);
  }

  /// The bytes of all pieces.
  [[nodiscard]] std::size_t total() const noexcept {
    std::size_t sum = 0;
    for (std::size_t i = 0; i < size_; ++i) sum += (*this)[i].size();
    return sum;
  }

 private:
  friend struct detail::buffers_access;

  template <class T>
  basic_buffers(T* first, std::size_t size) noexcept
      : first_(first), size_(size), access_(is_system_form<T> ? nullptr : &access<T>) {}

  template <class T>
  static constexpr bool is_system_form =
      detail::buffer_is_pointer_and_size&& std::is_same_v<std::remove_const_t<T>, Bytes>;

  // Writes the pieces in the system's form to `out`. Without `out`, returns the piece at `index`.
  template <class T>
  static Bytes access(const void* first, std::size_t index, std::size_t count,
                      detail::io_buffer* out) noexcept {
    T* const pieces = static_cast<T*>(const_cast<void*>(first)) + index;
    if (out == nullptr) return Bytes(*pieces);
    for (std::size_t i = 0; i < count; ++i) {
      const Bytes piece(pieces[i]);
      detail::set_buffer(out[i], const_cast<char*>(piece.data()), piece.size());
    }
    return {};
  }

  const void* first_ = nullptr;
  std::size_t size_ = 0;
  // Null where the pieces have the system's form already.
  Bytes (*access_)(const void* first, std::size_t index, std::size_t count,
                   detail::io_buffer* out) noexcept = nullptr;
};

namespace detail {

// The system's form of buffers.
struct buffers_access {
  // The pieces themselves if they have that form, else null. The system reads them; no code here
  // may, nor write them, as what they are not.
  template <class Bytes>
  static io_buffer* in_place(const basic_buffers<Bytes>& buffers) noexcept {
    static_assert(std::is_standard_layout_v<Bytes> &&
                  sizeof(Bytes) == sizeof(void*) + sizeof(std::size_t));
    return buffers.access_ != nullptr ? nullptr
                                      : static_cast<io_buffer*>(const_cast<void*>(buffers.first_));
  }
  // Writes them to `out`, in one call. \pre `in_place` is null, and there are pieces
  template <class Bytes>
  static void copy(const basic_buffers<Bytes>& buffers, io_buffer* out) noexcept {
    (void)buffers.access_(buffers.first_, 0, buffers.size_, out);
  }
};

}  // namespace detail

/// Bytes to send, in several pieces: `s.sendmsg({header, body})`. (Python: a sequence of bytes-like
/// objects)
using const_buffers = basic_buffers<const_bytes>;
/// Bytes to fill, in several pieces, one after the other. (Python: a sequence of writable buffers)
using mutable_buffers = basic_buffers<mutable_bytes>;

/// The length of a control message with `length` bytes of data, without padding after it: space for
/// exactly one such message. (Python: `socket.CMSG_LEN`) \throws std::out_of_range if `length` is
/// negative or the result exceeds 2^31-1
template <class Integer>
[[nodiscard]] std::size_t cmsg_len(Integer length) {
  return detail::checked_control_length(length, "cmsg_len", detail::cmsg::length);
}

/// The space that a control message with `length` bytes of data takes, with the padding after it.
/// For several messages add up their spaces, including those that the system adds because of
/// options, often before the others: SO_PASSCRED, SO_PASSSEC, SO_PASSPIDFD, SO_TIMESTAMP. The
/// padding of a last SCM_RIGHTS may hold another descriptor. (Python: `socket.CMSG_SPACE`) \throws
/// std::out_of_range if `length` is negative or the result exceeds 2^31-1 less a header
template <class Integer>
[[nodiscard]] std::size_t cmsg_space(Integer length) {
  // A little less than the maximum: Python's limit leaves space for one more header.
  const std::size_t limit = detail::max_ancillary - detail::cmsg::space(1);
  const bool beyond = length > 0 && static_cast<std::make_unsigned_t<Integer>>(length) > limit;
  if (beyond) detail::throw_error(bad_argument::value_range, "cmsg_space");
  return detail::checked_control_length(length, "cmsg_space", detail::cmsg::space);
}

/// One control message: an item of ancillary data. Numbers, C structures and ranges of them are
/// copied into it; bytes are not owned and must outlive it. `auto [level, type, data] = message`
/// works. (Python: `(cmsg_level, cmsg_type, cmsg_data)`)
struct control_message {
  int level = 0;     ///< The protocol it belongs to: SOL_SOCKET, IPPROTO_*.
  int type = 0;      ///< Its meaning there: SCM_RIGHTS, IP_TTL, ...
  const_bytes data;  ///< The bytes; not aligned, so read them with `as` and `as_array`.

  /// An empty message.
  control_message() noexcept = default;
  /// A message with these bytes, which are not copied.
  control_message(int its_level, int its_type, const_bytes its_data PYSOCK_LIFETIMEBOUND) noexcept
      : level(its_level), type(its_type), data(its_data) {}
  /// A message with a copy of a number or a C structure (`ucred`, `in_pktinfo`), or of an array,
  /// vector or the like of them. Small ones need no allocation.
  template <class T, std::enable_if_t<detail::is_control_value_v<T>, int> = 0>
  control_message(int its_level, int its_type, const T& value)
      : level(its_level), type(its_type), copy_(detail::bytes_of(value).view()) {
    data = const_bytes(copy_);
  }
  /// A message with a copy of some ints, such as descriptors: `{SOL_SOCKET, SCM_RIGHTS, {fd}}`.
  control_message(int its_level, int its_type, std::initializer_list<int> values)
      : level(its_level), type(its_type), copy_(detail::bytes_of(values).view()) {
    data = const_bytes(copy_);
  }
  /// Copies the values that the other one has copied, and refers to the same bytes otherwise.
  control_message(const control_message& other)
      : level(other.level), type(other.type), data(other.data), copy_(other.copy_) {
    follow(other);
  }
  /// \overload
  control_message& operator=(const control_message& other) {
    copy_ = other.copy_;
    level = other.level;
    type = other.type;
    data = other.data;
    follow(other);
    return *this;
  }

  /// The data as a number or a C structure. \tparam T trivially copyable
  /// \throws std::invalid_argument if there are fewer bytes than `T` has, as after MSG_CTRUNC
  template <class T>
  [[nodiscard]] T as() const {
    static_assert(detail::is_plain_v<T>, "a control message holds plain C values");
    if (data.size() < sizeof(T))
      detail::throw_error(bad_argument::buffer_too_small, "control_message");
    T value;
    std::memcpy(&value, data.data(), sizeof value);
    return value;
  }

  /// The data as an array of as many values as are complete: `as_array<int>()` of SCM_RIGHTS.
  /// \tparam T trivially copyable
  template <class T>
  [[nodiscard]] std::vector<T> as_array() const {
    static_assert(detail::is_plain_v<T>, "a control message holds plain C values");
    std::vector<T> values(data.size() / sizeof(T));
    if (!values.empty()) std::memcpy(values.data(), data.data(), values.size() * sizeof(T));
    return values;
  }

  /// Level, type and data by their index, for structured bindings.
  template <std::size_t Index>
  [[nodiscard]] auto& get() noexcept {
    return member<Index>(*this);
  }
  /// \overload
  template <std::size_t Index>
  [[nodiscard]] const auto& get() const noexcept {
    return member<Index>(*this);
  }

 private:
  template <std::size_t Index, class Self>
  static auto& member(Self& self) noexcept {
    static_assert(Index < 3, "a control message has a level, a type and data");
    if constexpr (Index == 0) {
      return self.level;
    } else if constexpr (Index == 1) {
      return self.type;
    } else {
      return self.data;
    }
  }

  // Data in the other's copy are at the same offset in this one's.
  void follow(const control_message& other) noexcept {
    const auto offset = reinterpret_cast<std::uintptr_t>(data.data()) -
                        reinterpret_cast<std::uintptr_t>(other.copy_.data());
    if (offset <= other.copy_.size()) data = const_bytes(copy_.data() + offset, data.size());
  }

  std::string copy_;  // the bytes of values, in place where they are few
};

/// Iterates over control messages in the system's form. Does not copy or own them. A malformed or
/// truncated buffer is safe: the part of the message that is in the buffer is returned, and the
/// iteration ends.
class ancillary_view {
 public:
  /// An iterator over the messages. Incrementing it changes the message that it refers to.
  class iterator {
   public:
    using iterator_category = std::input_iterator_tag;  ///< One pass.
    using value_type = control_message;                 ///< The element type.
    using difference_type = std::ptrdiff_t;             ///< Not used.
    using pointer = const control_message*;             ///< To the iterator's own copy.
    using reference = const control_message&;           ///< To the iterator's own copy.

    /// The end.
    iterator() noexcept = default;
    /// The first message of `raw`; the end if there is none.
    explicit iterator(const_bytes raw) noexcept { load(raw); }

    [[nodiscard]] reference operator*() const noexcept { return message_; }  ///< The message.
    [[nodiscard]] pointer operator->() const noexcept { return &message_; }  ///< The message.
    /// Moves to the next message.
    iterator& operator++() noexcept {
      load(rest_);
      return *this;
    }
    /// Moves to the next message and returns the previous position.
    iterator operator++(int) noexcept {
      iterator before = *this;
      load(rest_);
      return before;
    }
    friend bool operator==(const iterator& a, const iterator& b) noexcept {
      return a.at_ == b.at_;
    }  ///< At the same message.
    friend bool operator!=(const iterator& a, const iterator& b) noexcept {
      return a.at_ != b.at_;
    }  ///< At different ones.

   private:
    void load(const_bytes raw) noexcept {
      const_bytes rest;
      at_ = detail::cmsg::read(raw, message_.level, message_.type, message_.data, rest) ? raw.data()
                                                                                        : nullptr;
      rest_ = rest;
    }

    const char* at_ = nullptr;  // null at the end
    const_bytes rest_;
    control_message message_;
  };

  /// No messages.
  ancillary_view() noexcept = default;
  /// The contents of a control buffer of the system.
  explicit ancillary_view(const_bytes raw PYSOCK_LIFETIMEBOUND) noexcept : raw_(raw) {}

  [[nodiscard]] iterator begin() const noexcept { return iterator(raw_); }  ///< The first message.
  [[nodiscard]] iterator end() const noexcept { return {}; }                ///< After the last.
  [[nodiscard]] bool empty() const noexcept {
    return begin() == end();
  }                                                                ///< Whether there are none.
  [[nodiscard]] const_bytes raw() const noexcept { return raw_; }  ///< The bytes.

 private:
  const_bytes raw_;
};

/// Owned control messages, in the system's form: a parameter of `sendmsg` and a result of
/// `recvmsg`. Descriptors in it are numbers, which it does not own. (Python: a list of
/// `(cmsg_level, cmsg_type, cmsg_data)`)
class ancillary_data {
 public:
  /// A forward iterator over the messages.
  using iterator = ancillary_view::iterator;

  /// No messages.
  ancillary_data() noexcept = default;

  /// A list of messages; their data are copied.
  /// \throws error `errc::ancillary_too_large` if they exceed what one call can carry, 2^31-1 bytes
  ancillary_data(std::initializer_list<control_message> messages) { add_all(messages); }

  /// A copy of the messages in a control buffer of the system.
  explicit ancillary_data(ancillary_view received) { add_all(received); }

  /// Adds a message at the end; its data are copied and must not be this object's own. Invalidates
  /// iterators. \throws error `errc::ancillary_too_large` if all together exceed what one call can
  /// carry, 2^31-1 bytes
  void add(const control_message& message) {
    const std::size_t at = bytes_.size();
    bytes_.resize(grown(at, message));
    detail::cmsg::write(bytes_.data() + at, message.level, message.type, message.data);
  }

  /// The first message.
  [[nodiscard]] iterator begin() const noexcept PYSOCK_LIFETIMEBOUND { return view().begin(); }
  [[nodiscard]] iterator end() const noexcept { return {}; }            ///< After the last.
  [[nodiscard]] bool empty() const noexcept { return view().empty(); }  ///< Whether there are none.
  /// The number of messages, counted by iterating over them.
  [[nodiscard]] std::size_t size() const noexcept {
    std::size_t count = 0;
    for (iterator it = begin(); it != end(); ++it) ++count;
    return count;
  }
  /// A view of the messages, in the system's form.
  [[nodiscard]] ancillary_view view() const noexcept PYSOCK_LIFETIMEBOUND {
    return ancillary_view(const_bytes(bytes_));
  }

 private:
  // The size that `size` bytes have with one message more.
  static std::size_t grown(std::size_t size, const control_message& message) {
    const std::size_t left = detail::max_ancillary - size;
    if (message.data.size() > left || detail::cmsg::space(message.data.size()) > left) {
      detail::throw_error(errc::ancillary_too_large, "ancillary_data");
    }
    return size + detail::cmsg::space(message.data.size());
  }

  template <class Messages>
  void add_all(const Messages& messages) {
    std::size_t size = bytes_.size();
    for (const control_message& message : messages) size = grown(size, message);
    bytes_.reserve(size);
    for (const control_message& message : messages) add(message);
  }

  std::vector<char> bytes_;  // whole messages with their padding; not a string, whose memory may
                             // not be aligned for them
};

namespace detail {

// Calls `f(message, handle)` with every descriptor in received control messages. If there is no
// pidfd, Linux passes the reason as a negative number.
template <class F>
void for_each_received(ancillary_view received, const F& f) {
  for (const control_message& message : received) {
    if (!cmsg::carries_descriptors(message.level, message.type)) continue;
    for (const_bytes rest = message.data; rest.size() >= sizeof(native_handle_type);
         rest = rest.after(sizeof(native_handle_type))) {
      native_handle_type handle = invalid_handle;
      std::memcpy(&handle, rest.data(), sizeof handle);
      if (handle >= 0) f(message, handle);
    }
  }
}

// Closes the descriptors in received control messages, unless dismissed.
class received_guard {
 public:
  explicit received_guard(ancillary_view received) noexcept : received_(received) {}
  received_guard(const received_guard&) = delete;
  received_guard& operator=(const received_guard&) = delete;
  ~received_guard() {
    for_each_received(received_, [](const control_message& /*message*/, native_handle_type handle) {
      sys::close(handle);
    });
  }
  void dismiss() noexcept { received_ = ancillary_view(); }

 private:
  ancillary_view received_;
};

}  // namespace detail
}  // namespace v1
}  // namespace pysock

/// \cond what `auto [level, type, data] = message` needs
template <>
struct std::tuple_size<pysock::control_message> : std::integral_constant<std::size_t, 3> {};
template <std::size_t Index>
struct std::tuple_element<Index, pysock::control_message> {
  using type = std::remove_reference_t<
      decltype(std::declval<pysock::control_message&>().template get<Index>())>;
};
template <std::size_t Index>
struct std::tuple_element<Index, const pysock::control_message> {
  using type = std::add_const_t<typename std::tuple_element<Index, pysock::control_message>::type>;
};
/// \endcond
