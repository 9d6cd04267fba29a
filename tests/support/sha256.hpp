// SPDX-License-Identifier: MIT
// SHA-256 (FIPS 180-4), for comparing with the data of a peer.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>

namespace test_support {

class sha256 {
 public:
  void update(const char* data, std::size_t size);
  /// The digest in hexadecimal digits. Nothing can be added afterwards.
  std::string hex();

 private:
  void flush();

  std::array<std::uint32_t, 8> state_ = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
                                         0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};
  std::uint64_t total_ = 0;
  std::size_t filled_ = 0;
  char block_[64];
};

}  // namespace test_support
