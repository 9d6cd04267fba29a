// SPDX-License-Identifier: MIT
// A folder of a test's own, gone with it. Its path is short: AF_UNIX paths are.
#pragma once

#include <cstdlib>
#include <filesystem>
#include <stdexcept>
#include <string>

namespace test_support {

class temporary_directory {
 public:
  temporary_directory() {
    if (::mkdtemp(path_) == nullptr) throw std::runtime_error("no folder below /tmp");
  }
  temporary_directory(const temporary_directory&) = delete;
  temporary_directory& operator=(const temporary_directory&) = delete;
  ~temporary_directory() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }

  /// A name in it.
  [[nodiscard]] std::string operator/(const std::string& name) const { return std::string(path_) + "/" + name; }

 private:
  char path_[24] = "/tmp/pysock-test-XXXXXX";
};

}  // namespace test_support
