// SPDX-License-Identifier: MIT
// On POSIX the system's authorities are in OpenSSL's default file and folder.
#include "system_trust.hpp"

namespace pysock {
inline namespace v1 {
namespace detail {

void trust_system(X509_STORE*) noexcept {}

}  // namespace detail
}  // namespace v1
}  // namespace pysock
