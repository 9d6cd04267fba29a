// SPDX-License-Identifier: MIT
// The counts of a build that measures coverage.
#pragma once

#include <cstdlib>
#include <cstring>

#ifdef __ELF__
// Of clang's runtime library. Other builds do not have it.
extern "C" [[gnu::weak]] int __llvm_profile_write_file();
#endif

namespace test_support {

/// Writes what this process has counted, in a build that measures coverage. For processes that end
/// by _exit(), which does not write it. Does nothing unless the name of the file has a `%m`: the
/// counts would not be added to those of other processes, but appended to the file.
inline void write_coverage() noexcept {
#ifdef __ELF__
  const char* const file = std::getenv("LLVM_PROFILE_FILE");
  if (file == nullptr || std::strstr(file, "%m") == nullptr) return;
  if (__llvm_profile_write_file != nullptr) __llvm_profile_write_file();
#endif
}

}  // namespace test_support
