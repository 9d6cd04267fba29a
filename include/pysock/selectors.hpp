// SPDX-License-Identifier: MIT
/// \file
/// Waiting for several sockets at once: Python's `selectors`.
#pragma once

#include <atomic>        // atomic
#include <cstddef>       // size_t, ptrdiff_t, nullptr_t
#include <cstdint>       // uint32_t
#include <iterator>      // input_iterator_tag
#include <memory>        // unique_ptr
#include <system_error>  // error_code
#include <type_traits>   // enable_if_t
#include <utility>       // move

#include "detail/operation.hpp"
#include "interrupter.hpp"
#include "timeout.hpp"

namespace pysock {
inline namespace v1 {

/// Data can be received, a connection can be accepted, or there is the end of the stream or a
/// failure. (Python: `selectors.EVENT_READ`)
inline constexpr int EVENT_READ = 1;
/// Data can be sent, a connect has ended, or there is a failure. (Python:
/// `selectors.EVENT_WRITE`)
inline constexpr int EVENT_WRITE = 2;

namespace detail {

// The state of a registered descriptor; the base class of its key.
struct selector_entry {
  native_handle_type fd = invalid_handle;
  std::atomic<int> events{0};
  std::uint32_t generation = 0;  // differs from that of earlier descriptors with this number
  std::size_t place = 0;         // among all
  std::size_t ready_place = 0;   // among those that are ready
  selector_entry* next_retired = nullptr;
};

struct ready_entry {
  selector_entry* key;
  int events;
};

PYSOCK_EXPORTED_CLASSES_BEGIN

// A selector without its types. It owns the entries.
class PYSOCK_API selector_core {
 public:
  using destroyer = void (*)(selector_entry*);

  explicit selector_core(destroyer destroy);
  selector_core(const selector_core&) = delete;
  selector_core& operator=(const selector_core&) = delete;
  ~selector_core();

  // Takes ownership of `entry` unless it throws.
  void add(selector_entry* entry, int events);
  // Takes ownership of `entry`, which replaces the one of its descriptor, unless it throws.
  void replace(selector_entry* entry, int events);
  void set_events(native_handle_type fd, int events);
  selector_entry& remove(native_handle_type fd);
  [[nodiscard]] selector_entry* find(native_handle_type fd) const noexcept;
  void select(timeout_value timeout, std::error_code& ec) noexcept;
  void close() noexcept;

  [[nodiscard]] native_handle_type fileno() const noexcept;
  void set_link(interrupt_link link);
  void set_hook(interrupt_hook hook, void* data) noexcept;

  [[nodiscard]] const ready_entry* ready() const noexcept;
  [[nodiscard]] std::size_t ready_count() const noexcept;
  [[nodiscard]] selector_entry* const* all() const noexcept;
  [[nodiscard]] std::size_t count() const noexcept;

 private:
  struct state;
  state* state_;
};

PYSOCK_EXPORTED_CLASSES_END

[[noreturn]] PYSOCK_API void throw_not_registered(native_handle_type fd);

// The descriptor of what is registered.
template <class T, std::enable_if_t<std::is_integral_v<T>, int> = 0>
native_handle_type descriptor_of(T fd) noexcept {
  return static_cast<native_handle_type>(fd);
}
template <class T, std::enable_if_t<!std::is_integral_v<T>, int> = 0>
auto descriptor_of(const T& object) noexcept
    -> decltype(static_cast<native_handle_type>(object.fileno())) {
  return static_cast<native_handle_type>(object.fileno());
}

}  // namespace detail

template <class Data>
class selector;

/// A registered descriptor. (Python: `selectors.SelectorKey`)
template <class Data>
class selector_key : private detail::selector_entry {
 public:
  /// The descriptor.
  [[nodiscard]] native_handle_type fd() const noexcept { return selector_entry::fd; }
  /// The events to wait for: EVENT_READ, EVENT_WRITE or both.
  [[nodiscard]] int events() const noexcept {
    return selector_entry::events.load(std::memory_order_relaxed);
  }
  /// The data registered with it; the thread that calls `select` may change it.
  [[nodiscard]] Data& data() const noexcept { return data_; }

 private:
  friend class selector<Data>;
  template <class>
  friend class selector_events;
  template <class>
  friend class selector_map;

  explicit selector_key(Data&& data) : data_(std::move(data)) {}

  mutable Data data_;
};

/// One descriptor that is ready. (Python: `(key, events)`)
template <class Data>
struct selector_event {
  const selector_key<Data>& key;  ///< Valid until the next `select` or `close`.
  int events;  ///< EVENT_READ, EVENT_WRITE or both; only events that were asked for.
};

/// The descriptors that are ready, a range of `selector_event`. Valid until the next `select` or
/// `close`.
template <class Data>
class selector_events {
 public:
  /// An input iterator that returns events by value.
  class iterator {
   public:
    using iterator_category = std::input_iterator_tag;  ///< The values are temporary.
    using value_type = selector_event<Data>;            ///< The element type.
    using difference_type = std::ptrdiff_t;             ///< Required of iterators.
    using pointer = void;                               ///< There is none.
    using reference = selector_event<Data>;             ///< A value.

    /// The event.
    [[nodiscard]] reference operator*() const noexcept {
      return {static_cast<const selector_key<Data>&>(*at_->key), at_->events};
    }
    /// The next one.
    iterator& operator++() noexcept { return ++at_, *this; }
    /// \overload
    iterator operator++(int) noexcept { return iterator(at_++); }
    /// Whether both are at the same element.
    [[nodiscard]] friend bool operator==(iterator a, iterator b) noexcept { return a.at_ == b.at_; }
    /// The opposite.
    [[nodiscard]] friend bool operator!=(iterator a, iterator b) noexcept { return !(a == b); }

   private:
    friend class selector_events;
    explicit iterator(const detail::ready_entry* at) noexcept : at_(at) {}

    const detail::ready_entry* at_;
  };

  /// The first event.
  [[nodiscard]] iterator begin() const noexcept { return iterator(first_); }
  /// Behind the last one.
  [[nodiscard]] iterator end() const noexcept { return iterator(first_ + size_); }
  /// How many are ready.
  [[nodiscard]] std::size_t size() const noexcept { return size_; }
  /// True if nothing was ready before the timeout.
  [[nodiscard]] bool empty() const noexcept { return size_ == 0; }

 private:
  friend class selector<Data>;
  selector_events(const detail::ready_entry* first, std::size_t size) noexcept
      : first_(first), size_(size) {}

  const detail::ready_entry* first_;
  std::size_t size_;
};

/// A read-only view of all registered descriptors. (Python: the result of `get_map`) Valid until a
/// thread registers or unregisters a descriptor.
template <class Data>
class selector_map {
 public:
  /// A forward iterator over the keys.
  class iterator {
   public:
    using iterator_category = std::forward_iterator_tag;  ///< Several passes.
    using value_type = selector_key<Data>;                ///< The element type.
    using difference_type = std::ptrdiff_t;               ///< Required of iterators.
    using pointer = const selector_key<Data>*;            ///< What `->` gives.
    using reference = const selector_key<Data>&;          ///< What `*` gives.

    /// The key.
    [[nodiscard]] reference operator*() const noexcept {
      return static_cast<const selector_key<Data>&>(**at_);
    }
    /// The same.
    [[nodiscard]] pointer operator->() const noexcept { return &**this; }
    /// The next one.
    iterator& operator++() noexcept { return ++at_, *this; }
    /// \overload
    iterator operator++(int) noexcept { return iterator(at_++); }
    /// Whether both are at the same element.
    [[nodiscard]] friend bool operator==(iterator a, iterator b) noexcept { return a.at_ == b.at_; }
    /// The opposite.
    [[nodiscard]] friend bool operator!=(iterator a, iterator b) noexcept { return !(a == b); }

   private:
    friend class selector_map;
    explicit iterator(detail::selector_entry* const* at) noexcept : at_(at) {}

    detail::selector_entry* const* at_;
  };

  /// How many there are.
  [[nodiscard]] std::size_t size() const noexcept { return core_.count(); }
  /// The key of a descriptor; the end if it is not registered.
  [[nodiscard]] iterator find(native_handle_type fd) const noexcept {
    const detail::selector_entry* entry = core_.find(fd);
    return entry == nullptr ? end() : iterator(core_.all() + entry->place);
  }
  /// The first key, in no particular order.
  [[nodiscard]] iterator begin() const noexcept { return iterator(core_.all()); }
  /// Behind the last one.
  [[nodiscard]] iterator end() const noexcept { return iterator(core_.all() + core_.count()); }

 private:
  friend class selector<Data>;
  explicit selector_map(const detail::selector_core& core) noexcept : core_(core) {}

  const detail::selector_core& core_;
};

/// Waits for any number of descriptors. (Python: `selectors.DefaultSelector`) It uses epoll on
/// Linux, kqueue on macOS and the BSDs, poll elsewhere, and select without its limit of sockets on
/// Windows.
///
/// **What is registered**: a native handle, or any object with `fileno()`: sockets, files, TLS
/// sessions, interrupters. The selector stores only the number. Unregister before closing: a closed
/// descriptor is not reported, but its number stays registered until `unregister(number)`. epoll
/// rejects a regular file with EPERM; with the others it is always ready. After fork() the child
/// must make its own selector.
///
/// **Readiness** is that of the descriptor, and is reported as long as it lasts (level-triggered).
/// Buffered data of a file or a TLS session is not reported: call `ssl_socket::pending` and read
/// it.
///
/// **Keys** have stable addresses. One that is unregistered or replaced stays valid until the next
/// `select` or `close`, so a handler may unregister any other descriptor.
///
/// **Threads.** One thread calls `select` and uses the keys; any thread may register, modify and
/// unregister at the same time, also while `select` waits. `close`, `set_interrupter` and
/// `set_interrupt_hook` must not run at the same time as another call.
///
/// \tparam Data the data kept with each descriptor; need not be copyable
template <class Data = std::nullptr_t>
class selector {
 public:
  /// \name Opening and closing
  /// @{

  /// An empty selector. \throws error EMFILE, ENFILE
  selector() : core_(&destroy) {}
  selector(const selector&) = delete;
  selector& operator=(const selector&) = delete;
  /// Closes.
  ~selector() = default;

  /// Removes all keys with their data; the descriptors stay open. Does nothing if closed.
  void close() noexcept { core_.close(); }

  /// @}

  /// \name Registering
  /// @{

  /// Registers `object`. (Python: `register`, a keyword of C++) \param object a native
  /// handle, or an object with `fileno()` \param events EVENT_READ, EVENT_WRITE or both \param data
  /// the data of the key \returns the key \throws std::invalid_argument for other events, a
  /// negative descriptor and one that is registered already (Python: KeyError) \throws error EPERM
  /// for a regular file, EBADF
  template <class Object>
  const selector_key<Data>& register_(const Object& object, int events, Data data = Data()) {
    auto key = make_key(detail::descriptor_of(object), std::move(data));
    core_.add(key.get(), events);
    return *key.release();
  }

  /// Changes the events, and keeps the data. (Python's `modify` replaces it by None.)
  /// \throws std::out_of_range if it is not registered (Python: KeyError) \throws
  /// std::invalid_argument for other events \throws error EBADF if it was closed
  template <class Object>
  void modify(const Object& object, int events) {
    core_.set_events(detail::descriptor_of(object), events);
  }
  /// Changes the events and the data by replacing the key; the old key stays valid until the next
  /// `select`. \returns the new key \throws as above
  template <class Object>
  const selector_key<Data>& modify(const Object& object, int events, Data data) {
    auto key = make_key(detail::descriptor_of(object), std::move(data));
    core_.replace(key.get(), events);
    return *key.release();
  }

  /// Unregisters `object`, or the descriptor with that number, which may be closed already.
  /// \returns its key, valid until the next `select` or `close` \throws std::out_of_range if it is
  /// not registered (Python: KeyError)
  template <class Object>
  const selector_key<Data>& unregister(const Object& object) {
    return static_cast<const selector_key<Data>&>(core_.remove(detail::descriptor_of(object)));
  }

  /// The key of a registered descriptor. \throws std::out_of_range if it is not registered (Python:
  /// KeyError)
  template <class Object>
  [[nodiscard]] const selector_key<Data>& get_key(const Object& object) const {
    const native_handle_type fd = detail::descriptor_of(object);
    const detail::selector_entry* entry = core_.find(fd);
    if (entry == nullptr) detail::throw_not_registered(fd);
    return static_cast<const selector_key<Data>&>(*entry);
  }

  /// All keys.
  [[nodiscard]] selector_map<Data> get_map() const noexcept { return selector_map<Data>(core_); }

  /// @}

  /// \name Waiting
  /// @{

  /// Waits until a descriptor is ready, and returns all that are ready. A call that a signal
  /// interrupts goes on, unless the hook ends it. \param timeout for this call; 0 does not wait,
  /// `std::nullopt` waits without limit. A negative one is std::invalid_argument (Python: 0)
  /// \returns what is ready, nothing after the timeout \throws interrupted_error if the interrupter
  /// or the hook ended the wait \throws error EBADF after `close`
  selector_events<Data> select(timeout_value timeout = std::nullopt) {
    std::error_code ec;
    const selector_events<Data> ready = select(timeout, ec);
    if (ec) detail::throw_error(ec, "select");
    return ready;
  }
  /// \overload
  selector_events<Data> select(timeout_value timeout, std::error_code& ec) noexcept {
    core_.select(timeout, ec);
    return {core_.ready(), core_.ready_count()};
  }

  /// The descriptor of the system's own set, for another poll loop; -1 if it has none (poll,
  /// Windows), and after `close`.
  [[nodiscard]] native_handle_type fileno() const noexcept { return core_.fileno(); }

  /// Lets `stop.interrupt()` end `select`. The interrupter must not be registered in this selector
  /// as well. \throws error; then the selector keeps the one that it had
  void set_interrupter(const interrupter& stop) {
    core_.set_link(detail::interrupter_access::link(stop));
  }
  /// Takes the interrupter away.
  void set_interrupter(std::nullptr_t) { core_.set_link({}); }
  /// As `socket::set_interrupt_hook`.
  void set_interrupt_hook(interrupt_hook hook, void* data) noexcept { core_.set_hook(hook, data); }

  /// @}

 private:
  using key_pointer = std::unique_ptr<selector_key<Data>>;

  static key_pointer make_key(native_handle_type fd, Data&& data) {
    key_pointer key(new selector_key<Data>(std::move(data)));
    static_cast<detail::selector_entry&>(*key).fd = fd;
    return key;
  }
  static void destroy(detail::selector_entry* entry) {
    delete static_cast<selector_key<Data>*>(entry);
  }

  detail::selector_core core_;
};

}  // namespace v1
}  // namespace pysock
