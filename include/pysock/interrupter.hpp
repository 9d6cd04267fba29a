// SPDX-License-Identifier: MIT
/// \file
/// Ends waiting calls from another thread or a signal handler.
#pragma once

#include <atomic>   // atomic
#include <utility>  // exchange

#include "detail/config.hpp"

namespace pysock {
inline namespace v1 {

class interrupter;

namespace detail {

// The state that an interrupter shares with the sockets that use it. The last owner closes it.
//
// Whether the descriptor is readable decides whether calls end; the count avoids the system call
// that asks for it. They may differ after fork(), which shares the descriptor but not the count.
class interrupt_source {
 public:
  // Throws error.
  PYSOCK_API static interrupt_source* open();
  interrupt_source(const interrupt_source&) = delete;
  interrupt_source& operator=(const interrupt_source&) = delete;

  void retain() noexcept { owners_.fetch_add(1, std::memory_order_relaxed); }
  PYSOCK_API void release() noexcept;

  // Async-signal-safe; keeps the error number.
  PYSOCK_API void interrupt() noexcept;
  PYSOCK_API void reset() noexcept;
  // Whether the descriptor is readable.
  [[nodiscard]] PYSOCK_API bool is_readable() const noexcept;
  // False if a call that starts must ask the system.
  [[nodiscard]] bool is_quiet() const noexcept {
    return raised_.load(std::memory_order_acquire) == 0;
  }
  // For a call that starts.
  [[nodiscard]] bool ends_calls() noexcept { return !is_quiet() && confirm(); }
  // After a poll that found the descriptor readable.
  void note() noexcept {
    unsigned none = 0;
    raised_.compare_exchange_strong(none, 1);
  }

  [[nodiscard]] native_handle_type handle() const noexcept { return reader_; }

 private:
  interrupt_source(native_handle_type reader, native_handle_type writer) noexcept
      : reader_(reader), writer_(writer) {}
  ~interrupt_source() = default;
  PYSOCK_API bool confirm() noexcept;

  native_handle_type reader_;
  native_handle_type writer_;  // may be the same
  std::atomic<unsigned> raised_{0};
  std::atomic<unsigned> owners_{1};
};

// An owner of an interrupt_source, or of none.
class interrupt_link {
 public:
  interrupt_link() noexcept = default;
  // Adopts one reference.
  explicit interrupt_link(interrupt_source* source) noexcept : source_(source) {}
  interrupt_link(const interrupt_link& other) noexcept : source_(other.source_) {
    if (source_ != nullptr) source_->retain();
  }
  interrupt_link(interrupt_link&& other) noexcept
      : source_(std::exchange(other.source_, nullptr)) {}
  interrupt_link& operator=(interrupt_link other) noexcept {
    std::swap(source_, other.source_);
    return *this;
  }
  ~interrupt_link() {
    if (source_ != nullptr) source_->release();
  }

  [[nodiscard]] interrupt_source* get() const noexcept { return source_; }
  explicit operator bool() const noexcept { return source_ != nullptr; }

 private:
  interrupt_source* source_ = nullptr;
};

// Access for other parts of the library.
struct interrupter_access {
  static const interrupt_link& link(const interrupter& stop) noexcept;
};

}  // namespace detail

PYSOCK_EXPORTED_CLASSES_BEGIN

/// Ends every call that waits on a socket that uses it: `s.set_interrupter(stop)` once, then
/// `stop.interrupt()` from another thread, a signal handler or a console handler of Windows.
///
/// From `interrupt()` until `reset()` each call that waits, or starts, on such a socket ends with
/// `interrupted_error` (`std::errc::interrupted` in the overloads with an error code). The bytes
/// transferred until then are reported as for any failure. Any number of sockets, files, TLS
/// sessions and selectors may use one interrupter; accepted and duplicated sockets inherit it. It
/// has one descriptor, two on systems without eventfd.
///
/// Either side may be destroyed first. After fork() parent and child share an interrupter, as they
/// share descriptors: `interrupt()` in one of them ends the calls that wait in both. In the other
/// process, calls that need not wait are ended only after one has waited.
///
/// **Threads.** Every member may be called by any thread at any time, except `reset()` while a call
/// waits: a waiting call that has not noticed `interrupt()` yet may then go on waiting.
class PYSOCK_API interrupter {
 public:
  /// Opens the descriptor. \throws error EMFILE, ENFILE
  interrupter();
  interrupter(const interrupter&) = delete;
  interrupter& operator=(const interrupter&) = delete;
  /// Sockets that use it still work, and are no longer interrupted.
  ~interrupter() = default;

  /// Ends the calls, those that wait and those that start later. Async-signal-safe, and does not
  /// change errno (on Windows WSAGetLastError()). Never blocks.
  void interrupt() noexcept { link_.get()->interrupt(); }

  /// Lets later calls wait again.
  void reset() noexcept { link_.get()->reset(); }

  /// Whether calls end.
  [[nodiscard]] bool is_interrupted() const noexcept { return link_.get()->is_readable(); }

  /// The descriptor, for a program's own poll loop: readable from `interrupt()` to `reset()`. Do
  /// not read from it.
  [[nodiscard]] native_handle_type fileno() const noexcept { return link_.get()->handle(); }

 private:
  friend struct detail::interrupter_access;

  detail::interrupt_link link_;
};

PYSOCK_EXPORTED_CLASSES_END

namespace detail {
inline const interrupt_link& interrupter_access::link(const interrupter& stop) noexcept {
  return stop.link_;
}
}  // namespace detail

}  // namespace v1
}  // namespace pysock
