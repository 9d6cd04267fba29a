// SPDX-License-Identifier: MIT
// The system's authorities that are not in OpenSSL's default file and folder.
#pragma once

#include "handles.hpp"

namespace pysock {
inline namespace v1 {
namespace detail {

// Adds them to the store; certificates that cannot be read are left out.
void trust_system(X509_STORE* store) noexcept;

}  // namespace detail
}  // namespace v1
}  // namespace pysock
