// SPDX-License-Identifier: MIT
// Which certificates and chains pass for which names. For each row the test makes a certificate,
// does a handshake and checks the verdict.
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <memory>
#include <optional>
#include <pysock/ssl.hpp>
#include <string_view>

#include "ssl/tls.hpp"
#include "support/catch.hpp"

namespace sk = pysock;
using namespace test_support;

namespace {

template <class T, void (*free_function)(T*)>
struct freeing {
  void operator()(T* object) const { free_function(object); }
};
using key_pointer = std::shared_ptr<EVP_PKEY>;
using certificate_pointer = std::shared_ptr<X509>;

struct identity {
  key_pointer key;
  certificate_pointer certificate;
};

// The fields of a certificate. With the defaults it is a valid server certificate.
struct request {
  std::string common_name = "a server";
  std::vector<std::string> dns;
  std::vector<std::string> addresses;  // packed
  std::string basic_constraints = "critical,CA:FALSE";
  std::string key_usage = "critical,digitalSignature";
  std::string extended_key_usage = "serverAuth";
  std::string name_constraints;
  long starts = -86400;  // seconds from now
  long ends = 86400;
  std::string end_text;           // instead of `ends`
  int name_type = MBSTRING_UTF8;  // of the common name
};

request authority(const std::string& name, const std::string& constraints = "critical,CA:TRUE") {
  request made;
  made.common_name = name;
  made.basic_constraints = constraints;
  made.key_usage = "critical,keyCertSign,cRLSign";
  made.extended_key_usage.clear();
  return made;
}

void extend(X509* certificate, X509* issuer, int what, const std::string& value) {
  if (value.empty()) return;
  X509V3_CTX context;
  X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
  const std::unique_ptr<X509_EXTENSION, freeing<X509_EXTENSION, X509_EXTENSION_free>> extension(
      X509V3_EXT_conf_nid(nullptr, &context, what, value.c_str()));
  if (!extension || X509_add_ext(certificate, extension.get(), -1) != 1)
    throw std::runtime_error("cannot make the extension " + value);
}

void add_name(GENERAL_NAMES* names, int type, const std::string& value) {
  ASN1_STRING* text =
      ASN1_STRING_type_new(type == GEN_DNS ? V_ASN1_IA5STRING : V_ASN1_OCTET_STRING);
  ASN1_STRING_set(text, value.data(), static_cast<int>(value.size()));
  GENERAL_NAME* name = GENERAL_NAME_new();
  GENERAL_NAME_set0_value(name, type, text);
  sk_GENERAL_NAME_push(names, name);
}

// Issues a certificate signed by `by`, or self-signed.
identity issue(const request& wanted, const identity* by = nullptr) {
  static long serial = 1000;
  identity made{key_pointer(EVP_EC_gen("P-256"), EVP_PKEY_free),
                certificate_pointer(X509_new(), X509_free)};
  X509* certificate = made.certificate.get();
  X509* issuer = by != nullptr ? by->certificate.get() : certificate;
  X509_set_version(certificate, 2);
  ASN1_INTEGER_set(X509_get_serialNumber(certificate), ++serial);
  X509_gmtime_adj(X509_getm_notBefore(certificate), wanted.starts);
  X509_gmtime_adj(X509_getm_notAfter(certificate), wanted.ends);
  if (!wanted.end_text.empty())
    ASN1_STRING_set(X509_getm_notAfter(certificate), wanted.end_text.data(),
                    static_cast<int>(wanted.end_text.size()));
  X509_NAME_add_entry_by_txt(X509_get_subject_name(certificate), "CN", wanted.name_type,
                             reinterpret_cast<const unsigned char*>(wanted.common_name.c_str()), -1,
                             -1, 0);
  X509_set_issuer_name(certificate, X509_get_subject_name(issuer));
  X509_set_pubkey(certificate, made.key.get());
  extend(certificate, issuer, NID_basic_constraints, wanted.basic_constraints);
  extend(certificate, issuer, NID_key_usage, wanted.key_usage);
  extend(certificate, issuer, NID_ext_key_usage, wanted.extended_key_usage);
  extend(certificate, issuer, NID_name_constraints, wanted.name_constraints);
  extend(certificate, issuer, NID_subject_key_identifier, "hash");
  extend(certificate, issuer, NID_authority_key_identifier, "keyid:always");
  if (!wanted.dns.empty() || !wanted.addresses.empty()) {
    GENERAL_NAMES* names = GENERAL_NAMES_new();
    for (const std::string& name : wanted.dns) add_name(names, GEN_DNS, name);
    for (const std::string& address : wanted.addresses) add_name(names, GEN_IPADD, address);
    X509_add1_ext_i2d(certificate, NID_subject_alt_name, names, 0, 0);
    GENERAL_NAMES_free(names);
  }
  if (X509_sign(certificate, (by != nullptr ? *by : made).key.get(), EVP_sha256()) == 0)
    throw std::runtime_error("cannot sign");
  return made;
}

template <class Write>
std::string pem(const Write& write) {
  const std::unique_ptr<BIO, freeing<BIO, BIO_free_all>> bio(BIO_new(BIO_s_mem()));
  write(bio.get());
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio.get(), &data);
  return {data, static_cast<std::size_t>(size)};
}

std::string pem(const identity& one) {
  return pem([&](BIO* bio) { PEM_write_bio_X509(bio, one.certificate.get()); });
}

constexpr int passes = X509_V_OK;

// The verification result of a client that trusts `root`, for a server that sends `chain`, its own
// certificate first.
int verdict(const identity& root, const std::vector<identity>& chain, const std::string& name) {
  std::string certificates;
  for (const identity& one : chain) certificates += pem(one);
  sk::ssl_context server(sk::PROTOCOL_TLS_SERVER);
  server.load_cert_chain_data(certificates, pem([&](BIO* bio) {
                                PEM_write_bio_PrivateKey(bio, chain[0].key.get(), nullptr, nullptr,
                                                         0, nullptr, nullptr);
                              }));
  // As create_default_context, except the authorities.
  sk::ssl_context client(sk::PROTOCOL_TLS_CLIENT);
  client.verify_flags(sk::VERIFY_X509_STRICT | sk::VERIFY_X509_PARTIAL_CHAIN |
                      sk::VERIFY_X509_TRUSTED_FIRST);
  client.load_verify_locations(std::nullopt, std::nullopt, pem(root));
  auto plain = connected();
  background<std::string> accepting(
      [&] { return tls_failure_of([&] { return server.wrap_server(std::move(plain.second)); }); });
  int found = passes;
  try {
    client.wrap_socket(std::move(plain.first), name).close();
  } catch (const sk::ssl_cert_verification_error& e) {
    found = e.verify_code();
  }
  (void)accepting.get();
  return found;
}

const identity& root() {
  static const identity made = issue(authority("the root"));
  return made;
}

}  // namespace

TEST_CASE("names that match a certificate, and names that do not", "[ssl][verdicts]") {
  constexpr int other_name = X509_V_ERR_HOSTNAME_MISMATCH;
  constexpr int other_address = X509_V_ERR_IP_ADDRESS_MISMATCH;
  const std::string nul("www.example.test\0.evil.test", 27);
  const struct {
    std::string in_certificate;
    const char* asked;
    int expected;
  } names[] = {
      {"www.example.test", "www.example.test", passes},
      {"www.example.test", "WWW.Example.TEST", passes},
      {"WWW.EXAMPLE.TEST", "www.example.test", passes},
      {"www.example.test", "www.example.test.", passes},
      {"www.example.test.", "www.example.test", other_name},
      {"www.example.test", "example.test", other_name},
      {"example.test", "www.example.test", other_name},
      {".example.test", "www.example.test", other_name},
      {"www.example.test", "www.example.test.evil.test", other_name},
      {nul, "www.example.test", other_name},
      {"*.example.test", "www.example.test", passes},
      {"*.example.test", "WWW.EXAMPLE.TEST", passes},
      {"*.example.test", "example.test", other_name},
      {"*.example.test", "a.b.example.test", other_name},
      {"*.example.test", "xn--bcher-kva.example.test", passes},
      {"*.*.example.test", "a.b.example.test", other_name},
      {"a.*.example.test", "a.b.example.test", other_name},
      {"w*.example.test", "www.example.test", other_name},
      {"*w.example.test", "www.example.test", other_name},
      {"w*w.example.test", "www.example.test", other_name},
      {"xn--*.example.test", "xn--bcher-kva.example.test", other_name},
      {"*.test", "example.test", other_name},
      {"*", "localhost", other_name},
      {"*.", "localhost", other_name},
      {"xn--bcher-kva.test", "xn--bcher-kva.test", passes},
      {"xn--bcher-kva.test", "XN--BCHER-KVA.test", passes},
      {"b\xC3\xBC"
       "cher.test",
       "xn--bcher-kva.test", other_name},
      {"under_score.test", "under_score.test", passes},
      {"127.0.0.1", "127.0.0.1", other_address},  // an address in a dNSName is ignored
      {"::1", "::1", other_address},
      {"*.0.0.1", "127.0.0.1", other_address},
      {"", "localhost", other_name},
  };
  for (const auto& row : names) {
    CAPTURE(row.in_certificate, row.asked);
    request wanted;
    wanted.dns = {row.in_certificate};
    CHECK(verdict(root(), {issue(wanted, &root())}, row.asked) == row.expected);
  }
  const std::string v4{127, 0, 0, 1};
  const std::string v6 = std::string(15, '\0') + '\1';
  const std::string mapped = std::string(10, '\0') + "\xff\xff" + v4;
  const struct {
    std::string in_certificate;
    const char* asked;
    int expected;
  } addresses[] = {
      {v4, "127.0.0.1", passes},
      {v4, "127.0.0.2", other_address},
      {v4, "localhost", other_name},
      {v6, "::1", passes},
      {v6, "0:0:0:0:0:0:0:1", passes},
      {v6, "::2", other_address},
      {mapped, "127.0.0.1", other_address},
      {mapped, "::ffff:127.0.0.1", passes},
      {v4, "::ffff:127.0.0.1", other_address},
  };
  for (const auto& row : addresses) {
    CAPTURE(row.asked);
    request wanted;
    wanted.addresses = {row.in_certificate};
    CHECK(verdict(root(), {issue(wanted, &root())}, row.asked) == row.expected);
  }
  SECTION("several names") {
    request wanted;
    wanted.dns = {"one.test", "two.test"};
    wanted.addresses = {v4};
    const identity server = issue(wanted, &root());
    CHECK(verdict(root(), {server}, "one.test") == passes);
    CHECK(verdict(root(), {server}, "two.test") == passes);
    CHECK(verdict(root(), {server}, "127.0.0.1") == passes);
    CHECK(verdict(root(), {server}, "three.test") == other_name);
  }
  SECTION("the common name is ignored") {
    request wanted;
    wanted.common_name = "www.example.test";
    CHECK(verdict(root(), {issue(wanted, &root())}, "www.example.test") == other_name);
  }
}

TEST_CASE("chains that are accepted, and chains that are rejected", "[ssl][verdicts]") {
  request server;
  server.dns = {"localhost"};
  const auto judge = [](const std::vector<identity>& chain) {
    return verdict(root(), chain, "localhost");
  };
  const identity middle = issue(authority("the middle"), &root());

  CHECK(judge({issue(server, &root())}) == passes);
  CHECK(judge({issue(server, &middle), middle}) == passes);
  CHECK(judge({issue(server, &middle), middle, root()}) == passes);
  CHECK(judge({issue(server, &middle)}) == X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY);
  const identity own = issue(server);
  CHECK(judge({own}) == X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT);
  CHECK(verdict(own, {own}, "localhost") == passes);  // a trusted server certificate
  CHECK(verdict(middle, {issue(server, &middle)}, "localhost") == passes);
  const identity stranger = issue(authority("the root"));  // the same name, another key
  CHECK(judge({issue(server, &stranger)}) != passes);
  CHECK(judge({issue(server, &stranger), stranger}) != passes);

  SECTION("validity") {
    request late = server;
    late.ends = -10;
    CHECK(judge({issue(late, &root())}) == X509_V_ERR_CERT_HAS_EXPIRED);
    request early = server;
    early.starts = 3600;
    CHECK(judge({issue(early, &root())}) == X509_V_ERR_CERT_NOT_YET_VALID);
    request old = authority("an old one");
    old.ends = -10;
    const identity expired = issue(old, &root());
    CHECK(judge({issue(server, &expired), expired}) == X509_V_ERR_CERT_HAS_EXPIRED);
  }
  SECTION("issuers that are no authorities") {
    const identity leaf = issue(server, &root());
    CHECK(judge({issue(server, &leaf), leaf}) == X509_V_ERR_INVALID_CA);
    request mute = authority("may not sign");
    mute.key_usage = "critical,digitalSignature";
    const identity not_signing = issue(mute, &root());
    CHECK(judge({issue(server, &not_signing), not_signing}) != passes);
    const identity last = issue(authority("the last", "critical,CA:TRUE,pathlen:0"), &root());
    CHECK(judge({issue(server, &last), last}) == passes);
    const identity beyond = issue(authority("one more"), &last);
    CHECK(judge({issue(server, &beyond), beyond, last}) == X509_V_ERR_PATH_LENGTH_EXCEEDED);
  }
  SECTION("purposes") {
    request client = server;
    client.extended_key_usage = "clientAuth";
    CHECK(judge({issue(client, &root())}) == X509_V_ERR_INVALID_PURPOSE);
    request both = server;
    both.extended_key_usage = "clientAuth,serverAuth";
    CHECK(judge({issue(both, &root())}) == passes);
    request none = server;
    none.extended_key_usage.clear();
    CHECK(judge({issue(none, &root())}) == passes);
    request narrow = authority("for clients alone");
    narrow.extended_key_usage = "clientAuth";
    const identity for_clients = issue(narrow, &root());
    CHECK(judge({issue(server, &for_clients), for_clients}) == X509_V_ERR_INVALID_PURPOSE);
  }
  SECTION("name constraints") {
    request wanted = authority("permitted");
    wanted.name_constraints = "critical,permitted;DNS:example.test";
    const identity permitted = issue(wanted, &root());
    CHECK(judge({issue(server, &permitted), permitted}) == X509_V_ERR_PERMITTED_VIOLATION);
    request inside = server;
    inside.dns = {"www.example.test"};
    CHECK(verdict(root(), {issue(inside, &permitted), permitted}, "www.example.test") == passes);
    wanted.name_constraints = "critical,excluded;DNS:localhost";
    const identity excluded = issue(wanted, &root());
    CHECK(judge({issue(server, &excluded), excluded}) == X509_V_ERR_EXCLUDED_VIOLATION);
  }
}

namespace {

// How getpeercert fails after a handshake with a server that has this certificate, and what it
// returns.
struct described {
  std::string failure;
  sk::certificate certificate;
};

described describe(const identity& server_identity) {
  sk::ssl_context server(sk::PROTOCOL_TLS_SERVER);
  server.load_cert_chain_data(pem(server_identity), pem([&](BIO* bio) {
                                PEM_write_bio_PrivateKey(bio, server_identity.key.get(), nullptr,
                                                         nullptr, 0, nullptr, nullptr);
                              }));
  sk::ssl_context client(sk::PROTOCOL_TLS_CLIENT);
  client.verify_flags(sk::VERIFY_X509_PARTIAL_CHAIN | X509_V_FLAG_NO_CHECK_TIME);
  client.load_verify_locations(std::nullopt, std::nullopt, pem(server_identity));
  const session_pair both = secured(client, server);
  described result;
  result.failure = tls_failure_of([&] { result.certificate = both.client.getpeercert().value(); });
  CHECK_FALSE(both.client.getpeercert_der().empty());
  return result;
}

}  // namespace

TEST_CASE("getpeercert throws for a field that has no text, except a bit string", "[ssl]") {
  request wanted;
  wanted.dns = {"localhost"};
  SECTION("a bit string, as in a uniqueIdentifier") {
    wanted.common_name = "\xff bits";
    wanted.name_type = V_ASN1_BIT_STRING;
    const described found = describe(issue(wanted));
    CHECK(found.failure == "none");
    CHECK(found.certificate.subject["commonName"] == "\xff bits");
  }
  SECTION("a sequence as a name") {
    wanted.common_name = std::string("\x30\x03\x02\x01\x05", 5);
    wanted.name_type = V_ASN1_SEQUENCE;
    CHECK_THAT(describe(issue(wanted)).failure, Catch::Matchers::StartsWith("sslerror: "));
  }
  SECTION("a time in a thirteenth month") {  // OpenSSL 3.5 itself refuses a time that is too short
    wanted.end_text = "991301000000Z";
    CHECK_THAT(describe(issue(wanted)).failure, Catch::Matchers::StartsWith("sslerror: "));
  }
}
