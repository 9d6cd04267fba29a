// SPDX-License-Identifier: MIT
#include <atomic>
#include <pysock/incomplete_read.hpp>
#include <utility>

namespace pysock {
inline namespace v1 {

struct incomplete_read_error::shared_bytes {
  std::string bytes;
  std::atomic<int> owners{1};
};

incomplete_read_error::incomplete_read_error(const std::string& operation, std::string_view partial,
                                             std::size_t expected)
    : error(errc::incomplete_read,
            operation + " (" + std::to_string(partial.size()) + " of " + std::to_string(expected) +
                " bytes)",
            partial.size()),
      bytes_(new shared_bytes{std::string(partial)}),
      expected_(expected) {}

incomplete_read_error::incomplete_read_error(const incomplete_read_error& other) noexcept
    : error(other), bytes_(other.bytes_), expected_(other.expected_) {
  bytes_->owners.fetch_add(1, std::memory_order_relaxed);
}

incomplete_read_error& incomplete_read_error::operator=(incomplete_read_error other) noexcept {
  error::operator=(other);
  std::swap(bytes_, other.bytes_);
  expected_ = other.expected_;
  return *this;
}

incomplete_read_error::~incomplete_read_error() {
  if (bytes_->owners.fetch_sub(1, std::memory_order_acq_rel) == 1) delete bytes_;
}

std::string_view incomplete_read_error::partial() const noexcept { return bytes_->bytes; }

}  // namespace v1
}  // namespace pysock
