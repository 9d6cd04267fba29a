// SPDX-License-Identifier: MIT
// Temporary memory of a call.
#pragma once

#include <cstddef>  // size_t, max_align_t
#include <cstdint>  // PTRDIFF_MAX
#include <memory>   // unique_ptr

namespace pysock {
inline namespace v1 {
namespace detail {

// More bytes than any call can transfer.
inline constexpr std::size_t max_transfer = PTRDIFF_MAX;

// Uninitialised memory for received data; the result is a copy of the part that was filled. On the
// stack there are at most 4 KiB of it: callers may run on small stacks.
class scratch {
 public:
  explicit scratch(std::size_t size) : heap_(size <= sizeof stack_ ? nullptr : new char[size]) {}
  scratch(const scratch&) = delete;
  scratch& operator=(const scratch&) = delete;
  ~scratch() = default;

  [[nodiscard]] char* data() noexcept { return heap_ != nullptr ? heap_.get() : stack_; }

 private:
  alignas(std::max_align_t) char stack_[4096];
  std::unique_ptr<char[]> heap_;
};

}  // namespace detail
}  // namespace v1
}  // namespace pysock
