// SPDX-License-Identifier: MIT
// Arbitrary certificates in DER, compared with OpenSSL's output.
#include <openssl/bn.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>

#include <memory>
#include <sstream>

#include "fuzz.hpp"
#include "src/ssl/certificates.hpp"

namespace sk = pysock;

namespace {

template <class T, void (*release)(T*)>
struct releaser {
  void operator()(T* object) const { release(object); }
};
using x509 = std::unique_ptr<X509, releaser<X509, X509_free>>;
using bio = std::unique_ptr<BIO, releaser<BIO, BIO_free_all>>;
using names = std::unique_ptr<GENERAL_NAMES, releaser<GENERAL_NAMES, GENERAL_NAMES_free>>;

x509 parse(const std::string& der) {
  const auto* at = reinterpret_cast<const unsigned char*>(der.data());
  return x509(d2i_X509(nullptr, &at, static_cast<long>(der.size())));
}

std::string content(const bio& from) {
  char* data = nullptr;
  const long size = BIO_get_mem_data(from.get(), &data);
  return {data, static_cast<std::size_t>(size)};
}

// "Jan  1 00:00:00 2020 GMT". OpenSSL also prints fractions of a second, and omits the zone if it
// is not Z.
void check_time(sk::certificate_time time, const ASN1_TIME* expected) {
  const bio text(BIO_new(BIO_s_mem()));
  if (ASN1_TIME_print(text.get(), expected) != 1) return;
  std::string line = content(text);
  if (line.find('.') != std::string::npos) return;
  if (line.find(" GMT") == std::string::npos) line += " GMT";
  FUZZ_CHECK(sk::to_string(time) == line);
}

void check_serial(const std::string& digits, const X509* x) {
  BIGNUM* number = nullptr;
  FUZZ_CHECK(BN_hex2bn(&number, digits.c_str()) == static_cast<int>(digits.size()));
  BIGNUM* expected = ASN1_INTEGER_to_BN(X509_get0_serialNumber(x), nullptr);
  FUZZ_CHECK(expected != nullptr && BN_cmp(number, expected) == 0);
  BN_free(expected);
  BN_free(number);
}

void check_names(const sk::distinguished_name& found, const X509_NAME* expected) {
  FUZZ_CHECK(static_cast<int>(found.size()) == X509_NAME_entry_count(expected));
  for (const sk::certificate_name& name : found) FUZZ_CHECK(!name.type.empty());
}

void check_alternatives(const std::vector<sk::certificate_name>& found, const X509* x) {
  const names expected(
      static_cast<GENERAL_NAMES*>(X509_get_ext_d2i(x, NID_subject_alt_name, nullptr, nullptr)));
  ERR_clear_error();
  const int count = sk_GENERAL_NAME_num(expected.get());
  FUZZ_CHECK(static_cast<int>(found.size()) == std::max(count, 0));
  for (int i = 0; i < count; ++i) {
    const GENERAL_NAME* name = sk_GENERAL_NAME_value(expected.get(), i);
    if (name->type != GEN_DNS) continue;
    const sk::certificate_name& one = found[static_cast<std::size_t>(i)];
    const ASN1_STRING* raw = name->d.dNSName;
    FUZZ_CHECK(one.type == "DNS");
    FUZZ_CHECK(one.value == std::string(reinterpret_cast<const char*>(ASN1_STRING_get0_data(raw)),
                                        static_cast<std::size_t>(ASN1_STRING_length(raw))));
  }
}

std::string print(const sk::certificate& c) {
  std::ostringstream out;
  out << c.subject << '|' << c.issuer << '|' << c.version << '|' << c.serialNumber << '|'
      << sk::to_string(c.notBefore) << '|' << sk::to_string(c.notAfter);
  for (const sk::certificate_name& name : c.subjectAltName) out << '|' << name;
  return out.str();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const x509 x = parse(fuzz::input(data, size).rest());
  ERR_clear_error();
  if (!x) return 0;
  try {
    const sk::certificate found = sk::detail::describe_certificate(x.get());
    FUZZ_CHECK(ERR_peek_error() == 0);
    FUZZ_CHECK(found.version == X509_get_version(x.get()) + 1);
    check_names(found.subject, X509_get_subject_name(x.get()));
    check_names(found.issuer, X509_get_issuer_name(x.get()));
    check_serial(found.serialNumber, x.get());
    check_time(found.notBefore, X509_get0_notBefore(x.get()));
    check_time(found.notAfter, X509_get0_notAfter(x.get()));
    check_alternatives(found.subjectAltName, x.get());
    ERR_clear_error();
    FUZZ_CHECK(sk::detail::one_line(X509_get_subject_name(x.get())).find('\n') ==
               std::string::npos);
    const x509 again = parse(sk::detail::der(x.get()));
    FUZZ_CHECK(again != nullptr);
    FUZZ_CHECK(print(sk::detail::describe_certificate(again.get())) == print(found));
  } catch (const sk::sslerror& e) {
    FUZZ_CHECK(e.what()[0] != '\0');
  }
  FUZZ_CHECK(ERR_peek_error() == 0);
  return 0;
}
