// SPDX-License-Identifier: MIT
// Which certificates of a keychain are trusted. The keychain is a fake, so that the test runs on
// every system.
#include "../../src/ssl/system_trust.hpp"

#include <Security/Security.h>
#include <openssl/rsa.h>

#include <algorithm>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "support/catch.hpp"

// An object of the fake. `copies` counts the references that have not been released.
struct fake_object {
  mutable int copies = 0;
};
struct fake_string : fake_object {
  std::string text;
};
struct fake_number : fake_object {
  std::optional<SInt32> value;  // none if the number does not fit
};
struct fake_data : fake_object {
  std::vector<unsigned char> bytes;
};
struct fake_dictionary : fake_object {
  std::map<std::string, const void*> values;
};
struct fake_array : fake_object {
  std::vector<const void*> values;
};
struct fake_policy : fake_object {
  fake_dictionary* properties = nullptr;
};
struct fake_certificate : fake_object {
  fake_data* der = nullptr;
  std::map<SecTrustSettingsDomain, fake_array*> settings;
};

namespace {

// All objects of a test. The destructor checks that all references have been released.
class keychain {
 public:
  keychain() { current = this; }
  keychain(const keychain&) = delete;
  keychain& operator=(const keychain&) = delete;
  ~keychain() {
    current = nullptr;
    CHECK(std::all_of(objects_.begin(), objects_.end(),
                      [](const auto& one) { return one->copies == 0; }));
  }

  template <class T>
  T* make(T value = T()) {
    auto owned = std::make_shared<T>(std::move(value));
    objects_.push_back(owned);
    return owned.get();
  }
  template <class T>
  static T* copied(T* object) {
    if (object != nullptr) ++object->copies;
    return object;
  }

  // A self-signed certificate of this name.
  fake_certificate* certificate(const std::string& name) {
    using namespace pysock::detail;
    if (!key_) key_.reset(EVP_RSA_gen(2048));
    const certificate_handle made(X509_new());
    X509_NAME* subject = X509_get_subject_name(made.get());
    X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_ASC,
                               reinterpret_cast<const unsigned char*>(name.c_str()), -1, -1, 0);
    X509_set_issuer_name(made.get(), subject);
    ASN1_INTEGER_set(X509_get_serialNumber(made.get()), 1);
    X509_gmtime_adj(X509_getm_notBefore(made.get()), 0);
    X509_gmtime_adj(X509_getm_notAfter(made.get()), 3600);
    X509_set_pubkey(made.get(), key_.get());
    REQUIRE(X509_sign(made.get(), key_.get(), EVP_sha256()) > 0);
    auto* result = make<fake_certificate>();
    result->der = make<fake_data>();
    result->der->bytes.resize(static_cast<std::size_t>(i2d_X509(made.get(), nullptr)));
    unsigned char* end = result->der->bytes.data();
    i2d_X509(made.get(), &end);
    return result;
  }

  // One setting: a result, and a policy if it applies to only one use.
  fake_dictionary* setting(std::optional<SInt32> result, const std::string& policy = {}) {
    auto* made = make<fake_dictionary>();
    if (result) made->values["result"] = make(fake_number{{}, result});
    if (!policy.empty()) {
      auto* use = make<fake_policy>();
      use->properties = make<fake_dictionary>();
      use->properties->values["oid"] = make(fake_string{{}, policy});
      made->values["policy"] = use;
    }
    return made;
  }

  void set(fake_certificate* certificate, SecTrustSettingsDomain domain,
           std::vector<const void*> settings) {
    certificate->settings[domain] = make(fake_array{{}, std::move(settings)});
    if (!listed[domain]) listed[domain] = make<fake_array>();
    listed[domain]->values.push_back(certificate);
  }
  void come_with_system(std::vector<const void*> certificates) {
    anchors = make(fake_array{{}, std::move(certificates)});
  }

  // The names of the trusted certificates, sorted.
  std::string trusted() {
    const std::unique_ptr<X509_STORE, pysock::detail::openssl_free<X509_STORE_free>> store(
        X509_STORE_new());
    pysock::detail::trust_system(store.get());
    std::vector<std::string> names;
    const STACK_OF(X509_OBJECT)* all = X509_STORE_get0_objects(store.get());
    for (int i = 0; i < sk_X509_OBJECT_num(all); ++i) {
      char name[100];
      const X509* one = X509_OBJECT_get0_X509(sk_X509_OBJECT_value(all, i));
      X509_NAME_get_text_by_NID(X509_get_subject_name(one), NID_commonName, name, sizeof name);
      names.emplace_back(name);
    }
    std::sort(names.begin(), names.end());
    std::string text;
    for (const std::string& name : names) text += (text.empty() ? "" : " ") + name;
    return text;
  }

  fake_array* anchors = nullptr;
  std::map<SecTrustSettingsDomain, fake_array*> listed;
  OSStatus result_without_list = errSecItemNotFound;
  static keychain* current;

 private:
  std::deque<std::shared_ptr<fake_object>> objects_;
  pysock::detail::key_handle key_;
};
keychain* keychain::current = nullptr;

const fake_string ssl_policy{{}, "ssl"}, oid_key{{}, "oid"}, application_key{{}, "application"},
    usage_key{{}, "usage"}, policy_key{{}, "policy"}, host_key{{}, "host"},
    result_key{{}, "result"};

OSStatus give(fake_array* found, CFArrayRef* where) {
  if (found == nullptr) return keychain::current->result_without_list;
  *where = keychain::copied(found);
  return errSecSuccess;
}

}  // namespace

extern "C" {
const CFStringRef kSecPolicyAppleSSL = &ssl_policy;
const CFStringRef kSecPolicyOid = &oid_key;
const CFStringRef kSecTrustSettingsApplication = &application_key;
const CFStringRef kSecTrustSettingsKeyUsage = &usage_key;
const CFStringRef kSecTrustSettingsPolicy = &policy_key;
const CFStringRef kSecTrustSettingsPolicyString = &host_key;
const CFStringRef kSecTrustSettingsResult = &result_key;

CFIndex CFArrayGetCount(CFArrayRef array) { return static_cast<CFIndex>(array->values.size()); }
const void* CFArrayGetValueAtIndex(CFArrayRef array, CFIndex index) {
  return array->values.at(static_cast<std::size_t>(index));
}
const unsigned char* CFDataGetBytePtr(CFDataRef data) { return data->bytes.data(); }
CFIndex CFDataGetLength(CFDataRef data) { return static_cast<CFIndex>(data->bytes.size()); }
const void* CFDictionaryGetValue(CFDictionaryRef dictionary, const void* key) {
  const auto found = dictionary->values.find(static_cast<CFStringRef>(key)->text);
  return found == dictionary->values.end() ? nullptr : found->second;
}
Boolean CFEqual(CFTypeRef left, CFTypeRef right) {
  return static_cast<CFStringRef>(left)->text == static_cast<CFStringRef>(right)->text;
}
Boolean CFNumberGetValue(CFNumberRef number, CFNumberType type, void* value) {
  if (type != kCFNumberSInt32Type || !number->value) return 0;
  *static_cast<SInt32*>(value) = *number->value;
  return 1;
}
void CFRelease(CFTypeRef object) { --static_cast<const fake_object*>(object)->copies; }

CFDataRef SecCertificateCopyData(SecCertificateRef certificate) {
  return keychain::copied(certificate->der);
}
CFDictionaryRef SecPolicyCopyProperties(SecPolicyRef policy) {
  return keychain::copied(policy->properties);
}
OSStatus SecTrustCopyAnchorCertificates(CFArrayRef* anchors) {
  return give(keychain::current->anchors, anchors);
}
OSStatus SecTrustSettingsCopyCertificates(SecTrustSettingsDomain domain, CFArrayRef* certificates) {
  return give(keychain::current->listed[domain], certificates);
}
OSStatus SecTrustSettingsCopyTrustSettings(SecCertificateRef certificate,
                                           SecTrustSettingsDomain domain, CFArrayRef* settings) {
  return give(certificate->settings[domain], settings);
}
}

namespace {
constexpr auto user = kSecTrustSettingsDomainUser;
constexpr auto administrator = kSecTrustSettingsDomainAdmin;
constexpr SInt32 trust = kSecTrustSettingsResultTrustRoot;
constexpr SInt32 trust_as_root = kSecTrustSettingsResultTrustAsRoot;
constexpr SInt32 deny = kSecTrustSettingsResultDeny;
constexpr SInt32 unspecified = kSecTrustSettingsResultUnspecified;
}  // namespace

TEST_CASE("macOS's own certificates are trusted unless a setting denies them", "[ssl][trust]") {
  keychain k;
  auto* a = k.certificate("a");
  auto* b = k.certificate("b");
  auto* c = k.certificate("c");
  k.come_with_system({a, b, c});
  CHECK(k.trusted() == "a b c");
  k.set(a, user, {k.setting(deny)});
  CHECK(k.trusted() == "b c");
  k.set(b, administrator, {k.setting(deny, "ssl")});
  CHECK(k.trusted() == "c");
  k.set(c, user, {k.setting(deny, "mail")});
  CHECK(k.trusted() == "c");
}

TEST_CASE("the user's settings override the administrator's", "[ssl][trust]") {
  keychain k;
  auto* a = k.certificate("a");
  auto* b = k.certificate("b");
  auto* c = k.certificate("c");
  k.set(a, administrator, {k.setting(trust)});
  k.set(a, user, {k.setting(deny)});
  k.set(b, administrator, {k.setting(deny)});
  k.set(b, user, {k.setting(trust)});
  k.set(c, administrator, {k.setting(trust)});
  k.set(c, user, {k.setting(unspecified)});
  CHECK(k.trusted() == "b c");
}

TEST_CASE("a certificate of the keychain is trusted if a setting trusts it for servers",
          "[ssl][trust]") {
  const auto domain = GENERATE(user, administrator);
  keychain k;
  auto* a = k.certificate("a");
  const auto with = [&k, a, domain](std::vector<const void*> settings) {
    k.listed.clear();
    k.set(a, domain, std::move(settings));
    return k.trusted();
  };
  CHECK(with({}) == "a");
  CHECK(with({k.setting(std::nullopt)}) == "a");
  CHECK(with({k.setting(trust)}) == "a");
  CHECK(with({k.setting(trust_as_root)}) == "a");
  CHECK(with({k.setting(trust, "ssl")}) == "a");
  CHECK(with({k.setting(trust, "mail"), k.setting(trust, "ssl")}) == "a");

  CHECK(with({k.setting(trust, "mail")}) == "");
  CHECK(with({k.setting(unspecified)}) == "");
  CHECK(with({k.setting(kSecTrustSettingsResultInvalid)}) == "");
  CHECK(with({k.setting(-1)}) == "");
  CHECK(with({k.setting(deny)}) == "");
  CHECK(with({k.setting(trust), k.setting(deny)}) == "");
  CHECK(with({k.setting(deny), k.setting(trust)}) == "");
}

TEST_CASE("a setting limited to a program, host or key usage does not make a trusted root",
          "[ssl][trust]") {
  const std::string limit = GENERATE("application", "host", "usage");
  keychain k;
  auto* a = k.certificate("a");
  auto* b = k.certificate("b");
  auto* trusting = k.setting(trust);
  trusting->values[limit] = k.make<fake_string>();
  k.set(a, user, {trusting});
  auto* denying = k.setting(deny);
  denying->values[limit] = k.make<fake_string>();
  k.set(b, user, {denying});
  k.come_with_system({b});
  CHECK(k.trusted() == "");
}

TEST_CASE("unreadable settings and certificates are not trusted", "[ssl][trust]") {
  keychain k;
  CHECK(k.trusted() == "");  // without any list
  auto* a = k.certificate("a");
  auto* large = k.setting(std::nullopt);
  large->values["result"] = k.make<fake_number>();
  k.set(a, user, {large});
  auto* b = k.certificate("b");
  auto* unknown = k.setting(trust);
  unknown->values["policy"] = k.make<fake_policy>();
  k.set(b, user, {unknown});
  auto* c = k.certificate("c");
  auto* kindless = k.setting(trust, "ssl");
  auto* policy = k.make<fake_policy>();
  policy->properties = k.make<fake_dictionary>();
  kindless->values["policy"] = policy;
  k.set(c, user, {kindless});
  auto* without_data = k.make<fake_certificate>();
  auto* damaged = k.certificate("damaged");
  damaged->der->bytes.resize(20);
  k.come_with_system({without_data, damaged, k.certificate("good")});
  CHECK(k.trusted() == "good");
}

TEST_CASE("a list that is missing although the call succeeds is an empty one", "[ssl][trust]") {
  keychain k;
  k.result_without_list = errSecSuccess;
  CHECK(k.trusted() == "");
  auto* a = k.certificate("a");
  k.come_with_system({a});  // without any setting
  CHECK(k.trusted() == "a");
}

TEST_CASE("a certificate in several lists is trusted once", "[ssl][trust]") {
  keychain k;
  auto* a = k.certificate("a");
  k.come_with_system({a, a});
  k.set(a, user, {});
  k.set(a, administrator, {});
  CHECK(k.trusted() == "a");
}
