// SPDX-License-Identifier: MIT
// The system's stores ROOT and CA.
#include "system_trust.hpp"

// After OpenSSL's headers, which remove macros that these define.
#include <windows.h>

#include <wincrypt.h>

#include <algorithm>
#include <memory>
#include <string_view>
#include <vector>

namespace pysock {
inline namespace v1 {
namespace detail {
namespace {

struct store_close {
  void operator()(void* store) const noexcept { ::CertCloseStore(store, 0); }
};

// Whether the system trusts the certificate for servers.
bool is_for_servers(const CERT_CONTEXT* found) {
  DWORD size = 0;
  if (!::CertGetEnhancedKeyUsage(found, 0, nullptr, &size))
    return ::GetLastError() == static_cast<DWORD>(CRYPT_E_NOT_FOUND);
  std::vector<unsigned char> memory(size);
  auto* usage = reinterpret_cast<CERT_ENHKEY_USAGE*>(memory.data());
  if (!::CertGetEnhancedKeyUsage(found, 0, usage, &size)) return false;
  // An empty list of usages means any or none; the error number distinguishes them.
  if (usage->cUsageIdentifier == 0)
    return ::GetLastError() == static_cast<DWORD>(CRYPT_E_NOT_FOUND);
  const std::string_view server = szOID_PKIX_KP_SERVER_AUTH;
  return std::any_of(usage->rgpszUsageIdentifier,
                     usage->rgpszUsageIdentifier + usage->cUsageIdentifier,
                     [server](const char* one) { return server == one; });
}

void trust_store(X509_STORE* store, const wchar_t* name) {
  const std::unique_ptr<void, store_close> system(::CertOpenSystemStoreW(0, name));
  if (!system) return;
  const CERT_CONTEXT* found = nullptr;
  while ((found = ::CertEnumCertificatesInStore(system.get(), found)) != nullptr) {
    if ((found->dwCertEncodingType & X509_ASN_ENCODING) == 0 || !is_for_servers(found)) continue;
    const unsigned char* begin = found->pbCertEncoded;
    const certificate_handle one(
        d2i_X509(nullptr, &begin, static_cast<long>(found->cbCertEncoded)));
    if (one) X509_STORE_add_cert(store, one.get());
  }
}

}  // namespace

void trust_system(X509_STORE* store) noexcept {
  try {
    trust_store(store, L"ROOT");
    trust_store(store, L"CA");
  } catch (const std::bad_alloc&) {
  }
}

}  // namespace detail
}  // namespace v1
}  // namespace pysock
