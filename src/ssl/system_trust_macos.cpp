// SPDX-License-Identifier: MIT
// The authorities that come with macOS, and those that the user or the administrator trusts for TLS
// servers. What one of them distrusts is left out.
#include "system_trust.hpp"

#include <CoreFoundation/CoreFoundation.h>
#include <Security/Security.h>

#include <initializer_list>
#include <memory>
#include <type_traits>

namespace pysock {
inline namespace v1 {
namespace detail {
namespace {

struct cf_release {
  void operator()(const void* object) const noexcept { ::CFRelease(object); }
};
template <class Ref>
using cf_handle = std::unique_ptr<std::remove_pointer_t<Ref>, cf_release>;

enum class opinion { none, trusts, distrusts };

template <class Ref>
Ref value_of(CFDictionaryRef dictionary, CFStringRef key) {
  return static_cast<Ref>(const_cast<void*>(::CFDictionaryGetValue(dictionary, key)));
}

bool is_for_servers(CFDictionaryRef setting) {
  auto* policy = value_of<SecPolicyRef>(setting, kSecTrustSettingsPolicy);
  if (policy == nullptr) return true;  // for every use
  const cf_handle<CFDictionaryRef> properties(::SecPolicyCopyProperties(policy));
  if (!properties) return false;
  const auto* kind = value_of<CFTypeRef>(properties.get(), kSecPolicyOid);
  return kind != nullptr && ::CFEqual(kind, kSecPolicyAppleSSL);
}

// Whether it is for one program, one host or some uses of the key alone.
bool is_limited(CFDictionaryRef setting) {
  return value_of<CFTypeRef>(setting, kSecTrustSettingsApplication) != nullptr ||
         value_of<CFTypeRef>(setting, kSecTrustSettingsPolicyString) != nullptr ||
         value_of<CFTypeRef>(setting, kSecTrustSettingsKeyUsage) != nullptr;
}

opinion opinion_of(CFDictionaryRef setting) {
  if (!is_for_servers(setting)) return opinion::none;
  SecTrustSettingsResult result =
      kSecTrustSettingsResultTrustRoot;  // of a setting without a result
  if (const auto* number = value_of<CFNumberRef>(setting, kSecTrustSettingsResult)) {
    SInt32 value = 0;
    if (!::CFNumberGetValue(number, kCFNumberSInt32Type, &value)) return opinion::none;
    result = static_cast<SecTrustSettingsResult>(value);
  }
  if (result == kSecTrustSettingsResultDeny) return opinion::distrusts;
  const bool trusted =
      result == kSecTrustSettingsResultTrustRoot || result == kSecTrustSettingsResultTrustAsRoot;
  return trusted && !is_limited(setting) ? opinion::trusts : opinion::none;
}

// What the settings of the user, or of the administrator, say about a certificate.
opinion opinion_of(SecTrustSettingsDomain whose, SecCertificateRef certificate) {
  CFArrayRef found = nullptr;
  if (::SecTrustSettingsCopyTrustSettings(certificate, whose, &found) != errSecSuccess ||
      found == nullptr)
    return opinion::none;
  const cf_handle<CFArrayRef> settings(found);
  const CFIndex count = ::CFArrayGetCount(found);
  if (count == 0) return opinion::trusts;  // an empty list means: for every use
  opinion all = opinion::none;
  for (CFIndex i = 0; i < count; ++i) {
    const auto one = opinion_of(static_cast<CFDictionaryRef>(::CFArrayGetValueAtIndex(found, i)));
    if (one == opinion::distrusts) return one;
    if (one == opinion::trusts) all = one;
  }
  return all;
}

bool is_trusted(SecCertificateRef certificate, bool by_system) {
  for (const auto whose : {kSecTrustSettingsDomainUser, kSecTrustSettingsDomainAdmin}) {
    const opinion found = opinion_of(whose, certificate);
    if (found != opinion::none) return found == opinion::trusts;
  }
  return by_system;
}

void trust_list(X509_STORE* store, CFArrayRef list, bool by_system) {
  const cf_handle<CFArrayRef> certificates(list);
  for (CFIndex i = 0; i < ::CFArrayGetCount(list); ++i) {
    auto* found =
        static_cast<SecCertificateRef>(const_cast<void*>(::CFArrayGetValueAtIndex(list, i)));
    if (!is_trusted(found, by_system)) continue;
    const cf_handle<CFDataRef> der(::SecCertificateCopyData(found));
    if (!der) continue;
    const unsigned char* begin = ::CFDataGetBytePtr(der.get());
    const certificate_handle one(
        d2i_X509(nullptr, &begin, static_cast<long>(::CFDataGetLength(der.get()))));
    if (one) X509_STORE_add_cert(store, one.get());
  }
}

}  // namespace

void trust_system(X509_STORE* store) noexcept {
  CFArrayRef list = nullptr;
  if (::SecTrustCopyAnchorCertificates(&list) == errSecSuccess && list != nullptr)
    trust_list(store, list, true);
  for (const auto whose : {kSecTrustSettingsDomainUser, kSecTrustSettingsDomainAdmin}) {
    list = nullptr;
    if (::SecTrustSettingsCopyCertificates(whose, &list) == errSecSuccess && list != nullptr)
      trust_list(store, list, false);
  }
}

}  // namespace detail
}  // namespace v1
}  // namespace pysock
