// SPDX-License-Identifier: MIT
#include <pysock/detail/sys.hpp>
#include <pysock/error.hpp>
#include <pysock/interrupter.hpp>

namespace pysock {
inline namespace v1 {
namespace detail {

interrupt_source* interrupt_source::open() {
  native_handle_type ends[2];
  const int result = sys::open_wake(ends);
  if (result < 0) throw_result(result, "interrupter");
  try {
    return new interrupt_source(ends[0], ends[1]);
  } catch (...) {
    sys::close_wake(ends);
    throw;
  }
}

void interrupt_source::release() noexcept {
  if (owners_.fetch_sub(1, std::memory_order_acq_rel) != 1) return;
  const native_handle_type ends[2] = {reader_, writer_};
  delete this;
  sys::close_wake(ends);
}

// Makes the descriptor readable first, so the count is never set before it is.
void interrupt_source::interrupt() noexcept {
  sys::wake(writer_);
  raised_.fetch_add(1, std::memory_order_release);
}

// Resets the count first: an interrupt() at the same time then either sets both again, or `confirm`
// corrects the count.
void interrupt_source::reset() noexcept {
  raised_.store(0);
  sys::clear_wake(reader_);
}

bool interrupt_source::is_readable() const noexcept {
  return sys::poll(reader_, sys::event::read, 0) > 0;
}

// If another process has reset the descriptor, the count is wrong.
bool interrupt_source::confirm() noexcept {
  unsigned seen = raised_.load(std::memory_order_acquire);
  if (is_readable()) return true;
  raised_.compare_exchange_strong(seen, 0);
  return false;
}

}  // namespace detail

interrupter::interrupter() : link_(detail::interrupt_source::open()) {}

}  // namespace v1
}  // namespace pysock
