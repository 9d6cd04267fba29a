// SPDX-License-Identifier: MIT
// Files to send, and their receivers.
#pragma once

#include <pysock/descriptor.hpp>
#include <pysock/socket.hpp>

#include <cstdint>
#include <cstring>
#include <fstream>
#include <string>
#include <utility>

#include "background.hpp"
#include "sockets.hpp"
#include "temporary_directory.hpp"

namespace test_support {

/// Data without repetitions, so that lost, doubled and exchanged pieces are found.
inline std::string pattern(std::size_t size) {
  std::string data(size, '\0');
  std::uint64_t state = 7;
  for (std::size_t i = 0; i + 8 <= size; i += 8) {
    state = state * 6364136223846793005U + 1442695040888963407U;
    const std::uint64_t word = state ^ state >> 29;
    std::memcpy(&data[i], &word, 8);
  }
  return data;
}

/// A file opened without the library.
class open_file {
 public:
  explicit open_file(const std::string& path)
      : handle_(pysock::detail::sys::open_file(path.c_str())) {}
  open_file(const open_file&) = delete;
  open_file& operator=(const open_file&) = delete;
  ~open_file() { pysock::detail::sys::close_file(handle_); }
  [[nodiscard]] pysock::native_handle_type get() const { return handle_; }

 private:
  pysock::native_handle_type handle_;
};

struct file_with {
  explicit file_with(const std::string& its_content) : content(its_content), path(folder / "file") {
    std::ofstream(path, std::ios::binary) << content;
  }
  [[nodiscard]] open_file open() const { return open_file(path); }
  temporary_directory folder;
  std::string content;
  std::string path;
};

inline std::string receive_all(pysock::socket& s) {
  std::string seen;
  for (;;) {
    const std::string piece = s.recv(1 << 20);
    if (piece.empty()) return seen;
    seen += piece;
  }
}

/// Runs `send` on one end of a connection and returns what arrives at the other.
template <class Send>
std::string arrives(std::pair<pysock::socket, pysock::socket> both, pysock::timeout_value mode,
                    const Send& send) {
  both.first.settimeout(mode);
  both.second.settimeout(patience);
  background<std::string> receiving([&both] { return receive_all(both.second); });
  send(both.first);
  both.first.close();
  return receiving.get();
}

}  // namespace test_support
