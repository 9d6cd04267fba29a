// SPDX-License-Identifier: MIT
// The declarations of Apple's header that src/ssl/system_trust_macos.cpp uses.
#pragma once

#include <CoreFoundation/CoreFoundation.h>

using OSStatus = SInt32;
using SecCertificateRef = struct fake_certificate*;
using SecPolicyRef = struct fake_policy*;

enum : OSStatus { errSecSuccess = 0, errSecItemNotFound = -25300 };
enum SecTrustSettingsDomain : std::uint32_t {
  kSecTrustSettingsDomainUser,
  kSecTrustSettingsDomainAdmin,
  kSecTrustSettingsDomainSystem
};
enum SecTrustSettingsResult : std::uint32_t {
  kSecTrustSettingsResultInvalid,
  kSecTrustSettingsResultTrustRoot,
  kSecTrustSettingsResultTrustAsRoot,
  kSecTrustSettingsResultDeny,
  kSecTrustSettingsResultUnspecified
};

extern "C" {
extern const CFStringRef kSecPolicyAppleSSL;
extern const CFStringRef kSecPolicyOid;
extern const CFStringRef kSecTrustSettingsApplication;
extern const CFStringRef kSecTrustSettingsKeyUsage;
extern const CFStringRef kSecTrustSettingsPolicy;
extern const CFStringRef kSecTrustSettingsPolicyString;
extern const CFStringRef kSecTrustSettingsResult;

CFDataRef SecCertificateCopyData(SecCertificateRef certificate);
CFDictionaryRef SecPolicyCopyProperties(SecPolicyRef policy);
OSStatus SecTrustCopyAnchorCertificates(CFArrayRef* anchors);
OSStatus SecTrustSettingsCopyCertificates(SecTrustSettingsDomain domain, CFArrayRef* certificates);
OSStatus SecTrustSettingsCopyTrustSettings(SecCertificateRef certificate,
                                           SecTrustSettingsDomain domain, CFArrayRef* settings);
}
