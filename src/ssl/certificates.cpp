// SPDX-License-Identifier: MIT
// Names, times and numbers of certificates.
#include "certificates.hpp"

#include <openssl/asn1.h>
#include <openssl/bn.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>

#include <cstdio>
#include <ctime>
#include <pysock/inet.hpp>

#include "errors.hpp"
#include "handles.hpp"

namespace pysock {
inline namespace v1 {
namespace detail {
namespace {

// Text that OpenSSL has allocated.
struct openssl_text {
  openssl_text() = default;
  openssl_text(const openssl_text&) = delete;
  openssl_text& operator=(const openssl_text&) = delete;
  ~openssl_text() {
    CRYPTO_free(data, nullptr, 0);
  }  // the macro would put this file's path into the library
  char* data = nullptr;
};

std::string raw(const ASN1_STRING* string) {
  return {reinterpret_cast<const char*>(ASN1_STRING_get0_data(string)),
          static_cast<std::size_t>(ASN1_STRING_length(string))};
}

std::string utf8(const ASN1_STRING* string) {
  // The value of a uniqueIdentifier is not text. Python returns its bytes, too.
  if (ASN1_STRING_type(string) == V_ASN1_BIT_STRING) return raw(string);
  unsigned char* out = nullptr;
  const int size = ASN1_STRING_to_UTF8(&out, string);
  if (size < 0) throw_openssl_error("getpeercert");
  openssl_text owner;
  owner.data = reinterpret_cast<char*>(out);
  return {owner.data, static_cast<std::size_t>(size)};
}

std::string object_name(const ASN1_OBJECT* object) {
  const int id = OBJ_obj2nid(object);
  if (id != NID_undef) return OBJ_nid2ln(id);
  char dotted[128] = {};
  OBJ_obj2txt(dotted, sizeof dotted, object, 1);
  return dotted;
}

distinguished_name names_of(const X509_NAME* name) {
  distinguished_name made;
  for (int i = 0; i < X509_NAME_entry_count(name); ++i) {
    const X509_NAME_ENTRY* entry = X509_NAME_get_entry(name, i);
    made.push_back(
        {object_name(X509_NAME_ENTRY_get_object(entry)), utf8(X509_NAME_ENTRY_get_data(entry))});
  }
  return made;
}

std::string address_text(const std::string& packed) {
  if (packed.size() == 4) return inet_ntop(AF_INET, packed);
  if (packed.size() == 16) return inet_ntop(AF_INET6, packed);
  return "<invalid>";
}

certificate_name alternative_name(const GENERAL_NAME* name) {
  switch (name->type) {
    case GEN_DNS:
      return {"DNS", raw(name->d.dNSName)};
    case GEN_EMAIL:
      return {"email", raw(name->d.rfc822Name)};
    case GEN_URI:
      return {"URI", raw(name->d.uniformResourceIdentifier)};
    case GEN_IPADD:
      return {"IP Address", address_text(raw(name->d.iPAddress))};
    case GEN_DIRNAME:
      return {"DirName", one_line(name->d.directoryName)};
    case GEN_RID:
      return {"Registered ID", object_name(name->d.registeredID)};
    default:
      return {"othername", "<unsupported>"};
  }
}

// Names that are not well-formed count as none, and leave nothing in the queue of errors.
std::vector<certificate_name> alternative_names(const X509* x) {
  std::vector<certificate_name> made;
  ERR_set_mark();
  const names_handle names(
      static_cast<GENERAL_NAMES*>(X509_get_ext_d2i(x, NID_subject_alt_name, nullptr, nullptr)));
  ERR_pop_to_mark();
  const int count = sk_GENERAL_NAME_num(names.get());  // -1 if there are none
  made.reserve(static_cast<std::size_t>(count > 0 ? count : 0));
  for (int i = 0; i < count; ++i)
    made.push_back(alternative_name(sk_GENERAL_NAME_value(names.get(), i)));
  return made;
}

// Days from 1970-01-01 to the first of March of a year, where years begin that end with the leap
// day; then to the day.
std::int64_t days_to(int year, int month, int day) noexcept {
  const std::int64_t y = month <= 2 ? year - 1 : year;
  const std::int64_t months_since_march = (month + 9) % 12;
  return y * 365 + y / 4 - y / 100 + y / 400 + (months_since_march * 153 + 2) / 5 + day - 1 -
         719468;
}

certificate_time time_of(const ASN1_TIME* time) {
  std::tm parts{};
  if (ASN1_TIME_to_tm(time, &parts) != 1) throw_openssl_error("getpeercert");
  const std::int64_t days = days_to(parts.tm_year + 1900, parts.tm_mon + 1, parts.tm_mday);
  return certificate_time(
      std::chrono::seconds(((days * 24 + parts.tm_hour) * 60 + parts.tm_min) * 60 + parts.tm_sec));
}

std::string serial_of(const X509* x) {
  BIGNUM* number = made(ASN1_INTEGER_to_BN(X509_get0_serialNumber(x), nullptr));
  openssl_text digits;
  digits.data = BN_bn2hex(number);
  BN_free(number);
  return made(digits.data);
}

}  // namespace

certificate describe_certificate(const X509* x) {
  certificate result;
  result.subject = names_of(X509_get_subject_name(x));
  result.issuer = names_of(X509_get_issuer_name(x));
  result.version = static_cast<int>(X509_get_version(x)) + 1;
  result.serialNumber = serial_of(x);
  result.notBefore = time_of(X509_get0_notBefore(x));
  result.notAfter = time_of(X509_get0_notAfter(x));
  result.subjectAltName = alternative_names(x);
  return result;
}

std::string der(const X509* x) {
  unsigned char* out = nullptr;
  const int size = i2d_X509(x, &out);
  if (size < 0) throw_openssl_error("getpeercert_der");
  openssl_text owner;
  owner.data = reinterpret_cast<char*>(out);
  return {owner.data, static_cast<std::size_t>(size)};
}

std::string one_line(const X509_NAME* name) {
  openssl_text line;
  line.data = X509_NAME_oneline(name, nullptr, 0);
  return made(line.data);
}

}  // namespace detail

// Civil dates from days: years begin in March here, so that leap days come last.
std::string to_string(certificate_time time) {
  constexpr const char* months[] = {"Mar", "Apr", "May", "Jun", "Jul", "Aug",
                                    "Sep", "Oct", "Nov", "Dec", "Jan", "Feb"};
  constexpr std::int64_t day_length = 86400;
  constexpr std::int64_t era_length = 146097;  // days of 400 years
  const std::int64_t count = time.time_since_epoch().count();
  const std::int64_t of_day = (count % day_length + day_length) % day_length;
  const std::int64_t days = (count - of_day) / day_length + 719468;  // since 0000-03-01
  const std::int64_t of_era = (days % era_length + era_length) % era_length;
  const std::int64_t era = (days - of_era) / era_length;
  const std::int64_t year_of_era =
      (of_era - of_era / 1460 + of_era / 36524 - of_era / (era_length - 1)) / 365;
  const std::int64_t of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
  const std::int64_t month = (5 * of_year + 2) / 153;
  const std::int64_t year = era * 400 + year_of_era + (month >= 10 ? 1 : 0);
  char text[64];
  std::snprintf(text, sizeof text, "%s %2d %02d:%02d:%02d %lld GMT", months[month],
                static_cast<int>(of_year - (153 * month + 2) / 5 + 1),
                static_cast<int>(of_day / 3600), static_cast<int>(of_day / 60 % 60),
                static_cast<int>(of_day % 60), static_cast<long long>(year));
  return text;
}
}  // namespace v1
}  // namespace pysock
