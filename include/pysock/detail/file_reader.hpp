// SPDX-License-Identifier: MIT
// A file that sendfile reads.
#pragma once

#include <cstddef>       // size_t
#include <cstdint>       // int64_t, uint64_t
#include <cstdio>        // FILE
#include <optional>      // optional
#include <string>        // string
#include <system_error>  // error_code

#include "../file_source.hpp"
#include "operation.hpp"

namespace pysock {
inline namespace v1 {
namespace detail {

PYSOCK_EXPORTED_CLASSES_BEGIN
// A file while it is being sent from an absolute offset. Closes what it opened, and leaves the
// caller's streams where the sending ended.
class PYSOCK_API file_reader {
 public:
  file_reader(const file_source& source, std::int64_t start, const call_context& calling) noexcept;
  file_reader(const file_reader&) = delete;
  file_reader& operator=(const file_reader&) = delete;
  ~file_reader();

  // Called once, before anything else. False with the reason in `ec`.
  bool open(std::error_code& ec) noexcept;

  // The descriptor for the kernel to read.
  [[nodiscard]] native_handle_type handle() const noexcept { return handle_; }
  // The bytes in the file when it was opened; 0 where only reading can tell.
  [[nodiscard]] std::uint64_t size() const noexcept { return static_cast<std::uint64_t>(size_); }

  // Reads from `done` bytes after the start. 0 at the end, or with the reason in `ec`.
  std::size_t read(char* data, std::size_t size, std::size_t done, std::error_code& ec) noexcept;

  // Sets the positions for `sent` bytes gone; as if nothing had been touched if there were none.
  void leave(std::size_t sent) noexcept;

  // For messages.
  static std::string operation_name(const file_source& source);

 private:
  template <class Attempt>
  std::ptrdiff_t uninterrupted(const Attempt& attempt, std::error_code& ec) const noexcept;
  bool open_path(std::error_code& ec) noexcept;

  const call_context& calling_;
  std::int64_t start_;
  native_handle_type handle_ = invalid_handle;
  std::int64_t size_ = 0;
  std::FILE* c_file_ = nullptr;
  const file_path* path_ = nullptr;
  const stream_source* stream_ = nullptr;
  std::int64_t position_ = -1;  // where the stream stood; -1 if it cannot seek
};
PYSOCK_EXPORTED_CLASSES_END

// Whether `sendfile` can begin with these arguments; else the reason.
PYSOCK_API std::error_code check_sendfile(int type, std::int64_t offset,
                                          std::optional<std::int64_t> count) noexcept;

}  // namespace detail
}  // namespace v1
}  // namespace pysock
