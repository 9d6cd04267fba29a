// SPDX-License-Identifier: MIT
// A folder for one test. The destructor removes it. Its path is short enough for AF_UNIX.
#pragma once

#include <filesystem>
#include <random>
#include <string>

namespace test_support {

class temporary_directory {
 public:
  temporary_directory() {
    std::random_device random;
    do
      path_ =
          std::filesystem::temp_directory_path() / ("pysock-" + std::to_string(random() % 1000000));
    while (!std::filesystem::create_directory(path_));
  }
  temporary_directory(const temporary_directory&) = delete;
  temporary_directory& operator=(const temporary_directory&) = delete;
  ~temporary_directory() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }

  /// The path of a file in it.
  [[nodiscard]] std::string operator/(const std::string& name) const {
    return (path_ / name).string();
  }

 private:
  std::filesystem::path path_;
};

}  // namespace test_support
