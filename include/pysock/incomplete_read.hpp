// SPDX-License-Identifier: MIT
/// \file
/// The exception of `recv_exactly` if the stream ends too early.
#pragma once

#include <cstddef>      // size_t
#include <string>       // string
#include <string_view>  // string_view

#include "error.hpp"

namespace pysock {
inline namespace v1 {

PYSOCK_EXPORTED_CLASSES_BEGIN

/// The stream ended before all the requested bytes arrived: `errc::incomplete_read`. (Python:
/// `asyncio.IncompleteReadError`) Copying never throws.
class PYSOCK_API incomplete_read_error : public error {
 public:
  /// \param operation the call \param partial the bytes that arrived \param expected the number
  /// requested
  incomplete_read_error(const std::string& operation, std::string_view partial,
                        std::size_t expected);
  incomplete_read_error(const incomplete_read_error& other) noexcept;      ///< Shares the bytes.
  incomplete_read_error& operator=(incomplete_read_error other) noexcept;  ///< Shares the bytes.
  ~incomplete_read_error() override;

  /// The number of bytes requested.
  [[nodiscard]] std::size_t expected() const noexcept { return expected_; }
  /// The bytes that arrived before the end; valid as long as this object or a copy of it.
  [[nodiscard]] std::string_view partial() const noexcept;

 private:
  struct shared_bytes;

  shared_bytes* bytes_;
  std::size_t expected_;
};

PYSOCK_EXPORTED_CLASSES_END

}  // namespace v1
}  // namespace pysock
