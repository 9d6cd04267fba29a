// SPDX-License-Identifier: MIT
// OpenSSL's source of random numbers.
#include <openssl/rand.h>

#include <algorithm>
#include <climits>
#include <pysock/ssl_object.hpp>

namespace pysock {
inline namespace v1 {

bool RAND_status() noexcept { return ::RAND_status() == 1; }

void RAND_add(const_bytes bytes, double entropy) noexcept {
  const std::size_t size = (std::min)(bytes.size(), std::size_t{INT_MAX});
  ::RAND_add(bytes.data(), static_cast<int>(size), entropy);
}

}  // namespace v1
}  // namespace pysock
