// SPDX-License-Identifier: MIT
// Questions that need no database: numeric hosts and services, special forms, and bad input.
#include <pysock/create.hpp>
#include <pysock/resolver.hpp>
#include <pysock/socket.hpp>
#include <string>
#include <vector>

#include "support/background.hpp"
#include "support/catch.hpp"
#include "support/failure.hpp"
#include "support/native.hpp"
#include "support/raw.hpp"
#include "support/sockets.hpp"

namespace sk = pysock;
using namespace test_support;

namespace {

std::string gai(int number) { return failure("gaierror", number); }

// The C library's own answer, as text.
std::string of_the_system(const char* host, const char* port, int family, int type, int flags,
                          int proto = 0) {
  addrinfo hints{};
  hints.ai_family = family;
  hints.ai_socktype = type;
  hints.ai_protocol = proto;
  hints.ai_flags = flags;
  addrinfo* first = nullptr;
  const int number = ::getaddrinfo(host, port, &hints, &first);
  if (number != 0) return gai(number);
  std::string out;
  for (const addrinfo* one = first; one != nullptr; one = one->ai_next) {
    const sk::address where(sk::endpoint(one->ai_addr, static_cast<socklen_t>(one->ai_addrlen)));
    out += sk::family_name(one->ai_family) + " " + sk::type_name(one->ai_socktype) + " " +
           std::to_string(one->ai_protocol) + " " + where.to_string() + "\n";
  }
  ::freeaddrinfo(first);
  return out;
}

std::string of_pysock(const std::optional<sk::text>& host, const sk::service& port, int family,
                      int type, int flags, int proto = 0) {
  std::string out;
  const std::string failed = failure_of([&] {
    for (const sk::address_info& one : sk::getaddrinfo(host, port, family, type, proto, flags)) {
      out += sk::family_name(one.family) + " " + sk::type_name(one.type) + " " +
             std::to_string(one.proto) + " " + one.sockaddr.to_string() + "\n";
    }
  });
  return out.empty() ? failed : out;
}

}  // namespace

TEST_CASE("getaddrinfo answers numeric questions as the C library does", "[resolver]") {
  for (const char* host :
       {"127.0.0.1", "255.255.255.255", "0.0.0.0", "127.1", "0x7f.1", "010.0.0.1", "1.2.3",
        "1.2.3.4.5", "256.1.1.1", "::", "::1", "2001:DB8::1:2", "::ffff:1.2.3.4", "::1.2.3.4",
        "fe80::1", "1::2::3", ":::", "1.2.3.4 "}) {
    for (const char* port : {"", "0", "80", "00080", "65535"}) {
      for (const int family : {AF_UNSPEC, AF_INET, AF_INET6}) {
        for (const int type : {SOCK_STREAM, SOCK_DGRAM}) {
          for (const int flags :
               {AI_NUMERICHOST, AI_NUMERICHOST | AI_PASSIVE, AI_NUMERICHOST | AI_NUMERICSERV}) {
            INFO(host << " port '" << port << "' family " << family << " type " << type << " flags "
                      << flags);
            CHECK(of_pysock(host, port, family, type, flags) ==
                  of_the_system(host, *port != '\0' ? port : nullptr, family, type, flags));
          }
        }
      }
    }
  }
}

TEST_CASE("a numeric host has one result per type, or only one", "[resolver]") {
  const auto all = sk::getaddrinfo("127.0.0.1", 80);
  CHECK(of_pysock("127.0.0.1", 80, 0, 0, 0) == of_the_system("127.0.0.1", "80", 0, 0, 0));
  if (all.size() > 1) {
    CHECK(all[0].type == SOCK_STREAM);
    CHECK(all[0].proto == IPPROTO_TCP);
    CHECK(all[1].type == SOCK_DGRAM);
    CHECK(all[1].proto == IPPROTO_UDP);
    if (all.size() > 2) CHECK(all[2].type == SOCK_RAW);  // some C libraries leave it out
  } else {
    CHECK(all.at(0).type == 0);  // as Winsock returns it
  }
  for (const sk::address_info& one : all) {
    CHECK(one.family == AF_INET);
    CHECK(one.canonname.empty());
    CHECK(one.sockaddr == sk::address("127.0.0.1", 80));
  }
  const auto six = sk::getaddrinfo("::1", 80, AF_INET6, SOCK_DGRAM, IPPROTO_UDP, AI_NUMERICHOST);
  REQUIRE(six.size() == 1);
  CHECK(six[0].family == AF_INET6);
  CHECK(six[0].type == SOCK_DGRAM);
  CHECK(six[0].proto == IPPROTO_UDP);
  CHECK(six[0].sockaddr == sk::address("::1", 80));
}

TEST_CASE("a result of getaddrinfo can be used to make a socket", "[resolver]") {
  sk::socket listener = listening();
  for (const sk::address_info& one :
       sk::getaddrinfo("127.0.0.1", listener.getsockname().port(), 0, SOCK_STREAM)) {
    sk::socket s(one.family, one.type, one.proto);
    s.settimeout(patience);
    s.connect(one.sockaddr);
    CHECK(listener.accept().address == s.getsockname());
  }
}

TEST_CASE("no host means the loopback, or with AI_PASSIVE the wildcard", "[resolver]") {
  for (const std::optional<sk::text>& host :
       {std::optional<sk::text>(), std::optional<sk::text>("")}) {
    CHECK(sk::getaddrinfo(host, 80, AF_INET, SOCK_STREAM).at(0).sockaddr ==
          sk::address("127.0.0.1", 80));
    CHECK(sk::getaddrinfo(host, 80, AF_INET, SOCK_STREAM, 0, AI_PASSIVE).at(0).sockaddr ==
          sk::address("0.0.0.0", 80));
    CHECK(sk::getaddrinfo(host, 80, AF_INET6, SOCK_STREAM).at(0).sockaddr ==
          sk::address("::1", 80));
    CHECK(sk::getaddrinfo(host, 80, AF_INET6, SOCK_STREAM, 0, AI_PASSIVE).at(0).sockaddr ==
          sk::address("::", 80));
    CHECK(failure_of([&] { return sk::getaddrinfo(host, std::nullopt); }) == gai(EAI_NONAME));
  }
}

TEST_CASE("ports are numbers, digits, or none", "[resolver]") {
  const auto port_of = [](const sk::service& port) {
    return sk::getaddrinfo("127.0.0.1", port, 0, SOCK_STREAM).at(0).sockaddr.port();
  };
  CHECK(port_of(0) == 0);
  CHECK(port_of(65535) == 65535);
  CHECK(port_of("80") == 80);
  CHECK(port_of("00080") == 80);
  CHECK(port_of(std::nullopt) == 0);
  CHECK(port_of("") == 0);
  for (const int bad : {-1, 65536, 70000})
    CHECK(failure_of([&] { return port_of(bad); }) == "out_of_range");
  CHECK(port_of(" 80") == 80);
  CHECK(port_of("+80") == 80);
  for (const char* bad : {"-1", "65536", "99999999999999999999", "0x50", "80 ", "+65616", " 70000",
                          "-4294967216", "18446744073709551696"}) {
    CAPTURE(bad);
    CHECK(failure_of([&] { return port_of(bad); }) == gai(EAI_SERVICE));
    CHECK(failure_of([&] { return sk::getaddrinfo("localhost", bad); }) == gai(EAI_SERVICE));
    CHECK(failure_of([&] {
            return sk::create_connection({"127.0.0.1", bad});
          }) == gai(EAI_SERVICE));
  }
}

TEST_CASE("an empty port without a host is port 0 of the loopback", "[resolver][getaddrinfo]") {
  const std::string loopback = of_pysock(std::nullopt, 0, AF_INET, SOCK_STREAM, 0);
  CHECK(loopback.find("('127.0.0.1', 0)") != std::string::npos);
  CHECK(of_pysock(std::nullopt, "", AF_INET, SOCK_STREAM, 0) == loopback);
  CHECK(of_pysock("", "", AF_INET, SOCK_STREAM, 0) == loopback);
  CHECK(of_pysock(std::nullopt, "", 0, 0, 0) == of_pysock(std::nullopt, 0, 0, 0, 0));
}

TEST_CASE("the canonical name of a numeric host is its text", "[resolver]") {
  const auto name = [](const char* host) {
    const auto all = sk::getaddrinfo(host, 80, 0, 0, 0, AI_CANONNAME);
    CHECK(all.at(1).canonname.empty());  // only the first has one
    return all.at(0).canonname;
  };
  CHECK(name("127.0.0.1") == "127.0.0.1");
  CHECK(name("127.1") == "127.1");
  CHECK(name("0:0::1") == "0:0::1");
}

TEST_CASE("contradictory arguments are passed to the C library", "[resolver]") {
  CHECK(failure_of([] { return sk::getaddrinfo("127.0.0.1", 80, 12345); }) == gai(EAI_FAMILY));
  CHECK(of_pysock("127.0.0.1", 80, 0, 12345, 0) == of_the_system("127.0.0.1", "80", 0, 12345, 0));
  CHECK(of_pysock("127.0.0.1", 80, 0, SOCK_STREAM, 0, IPPROTO_UDP) ==
        of_the_system("127.0.0.1", "80", 0, SOCK_STREAM, 0, IPPROTO_UDP));
  CHECK(of_pysock("127.0.0.1", 80, 0, 0, 0, 12345) ==
        of_the_system("127.0.0.1", "80", 0, 0, 0, 12345));
  CHECK(of_pysock("127.0.0.1", 80, 0, 0, 1 << 30) ==
        of_the_system("127.0.0.1", "80", 0, 0, 1 << 30));
  CHECK(of_pysock(std::nullopt, 80, 0, 0, AI_CANONNAME) ==
        of_the_system(nullptr, "80", 0, 0, AI_CANONNAME));
  CHECK(failure_of([] { return sk::getaddrinfo("localhost", 80, 0, 0, 0, AI_NUMERICHOST); }) ==
        gai(EAI_NONAME));
  CHECK(failure_of([] { return sk::getaddrinfo("127.0.0.1", "http", 0, 0, 0, AI_NUMERICSERV); }) ==
        gai(EAI_NONAME));
  CHECK(failure_of([] { return sk::getaddrinfo("127.0.0.1", 80, AF_INET6); }) ==
        gai(wrong_family_of_resolver(AF_INET6)));
  CHECK(failure_of([] { return sk::getaddrinfo("::1", 80, AF_INET); }) ==
        gai(wrong_family_of_resolver(AF_INET)));
  CHECK(failure_of([] { return sk::getaddrinfo("<broadcast>", 80, 0, 0, 0, AI_NUMERICHOST); }) ==
        gai(EAI_NONAME));
#ifdef AI_V4MAPPED
  CHECK(sk::getaddrinfo("127.0.0.1", 80, AF_INET6, SOCK_STREAM, 0, AI_V4MAPPED).at(0).sockaddr ==
        sk::address("::ffff:127.0.0.1", 80));
#endif
}

TEST_CASE("a gaierror has the resolver's number and text", "[resolver]") {
  try {
    (void)sk::getaddrinfo("no number", 80, 0, 0, 0, AI_NUMERICHOST);
    FAIL("not thrown");
  } catch (const sk::gaierror& e) {
    CHECK(e.errnum() == EAI_NONAME);
    CHECK(std::string(e.what()) == "getaddrinfo ('no number', 80): " + gai_text(EAI_NONAME));
    CHECK(e.strerror() == std::error_code(EAI_NONAME, sk::gai_category()).message());
    const sk::error* base = &e;
    CHECK(base->code().category() == sk::gai_category());
  }
}

TEST_CASE("names that contain a NUL are rejected", "[resolver]") {
  CHECK(failure_of([] { return sk::getaddrinfo("127.0.0.1\0x", 80); }) == "invalid_argument");
  CHECK(failure_of([] { return sk::getaddrinfo("127.0.0.1", "80\0x"); }) == "invalid_argument");
  CHECK(failure_of([] { return sk::gethostbyname("127.0.0.1\0x"); }) == "invalid_argument");
  CHECK(failure_of([] { return sk::gethostbyname_ex("127.0.0.1\0x"); }) == "invalid_argument");
  CHECK(failure_of([] { return sk::gethostbyaddr("127.0.0.1\0x"); }) == "invalid_argument");
  CHECK(failure_of([] { return sk::getservbyname("http\0x"); }) == "invalid_argument");
  CHECK(failure_of([] { return sk::getservbyname("http", "tcp\0x"); }) == "invalid_argument");
  CHECK(failure_of([] { return sk::getservbyport(80, "tcp\0x"); }) == "invalid_argument");
  CHECK(failure_of([] { return sk::getprotobyname("tcp\0x"); }) == "invalid_argument");
}

TEST_CASE("gethostbyname returns IPv4 text", "[resolver]") {
  CHECK(sk::gethostbyname("") == "0.0.0.0");
  CHECK(sk::gethostbyname("<broadcast>") == "255.255.255.255");
  CHECK(sk::gethostbyname("192.0.2.7") == "192.0.2.7");
  CHECK(sk::gethostbyname("127.1") == "127.0.0.1");
  CHECK(sk::gethostbyname("1") == "0.0.0.1");
  CHECK(failure_of([] { return sk::gethostbyname("::1"); }) ==
        gai(wrong_family_of_resolver(AF_INET)));
  CHECK(failure_of([] { return sk::gethostbyname(" 127.0.0.1"); }) == gai(EAI_NONAME));
}

TEST_CASE("gethostbyname_ex of an address makes no lookup", "[resolver]") {
  for (const char* host : {"192.0.2.7", "127.1"}) {
    const sk::host_info info = sk::gethostbyname_ex(host);
    CHECK(info.hostname == host);
    CHECK(info.aliaslist.empty());
    CHECK(info.ipaddrlist == std::vector<std::string>{sk::gethostbyname(host)});
  }
  CHECK(failure_of([] { return sk::gethostbyname_ex("::1"); }) ==
        gai(wrong_family_of_resolver(AF_INET)));
}

TEST_CASE("gethostbyaddr of the wildcard is an error", "[resolver]") {
  CHECK(failure_of([] { return sk::gethostbyaddr(""); }) ==
        "error: wildcard resolved to multiple address");
}

TEST_CASE("getnameinfo of numeric addresses", "[resolver]") {
  constexpr int numeric = NI_NUMERICHOST | NI_NUMERICSERV;
  const auto text = [](const sk::address& where, int flags) {
    const sk::name_info found = sk::getnameinfo(where, flags);
    return found.host + " " + found.port;
  };
  CHECK(text({"192.0.2.7", 80}, numeric) == "192.0.2.7 80");
  CHECK(text({"2001:DB8::0:7", 80}, numeric) == "2001:db8::7 80");
  CHECK(text({"fe80::1", 80, 0, 4000000}, numeric) == "fe80::1%4000000 80");
  CHECK(text({"127.1", 80}, numeric) == "127.0.0.1 80");
  CHECK(failure_of([] {
          return sk::getnameinfo({"localhost", 80}, NI_NUMERICHOST);
        }) == gai(EAI_NONAME));
  CHECK(failure_of([] { return sk::getnameinfo({"", 80}, NI_NUMERICHOST); }) == gai(EAI_NONAME));
  const sk::inet_address own("127.0.0.1", 80);
  char host[100];
  const int odd_flags =
      ::getnameinfo(own.data(), own.size(), host, sizeof host, nullptr, 0, 1 << 30);
  CHECK(failure_of([&] { return sk::getnameinfo(own, 1 << 30); }) ==
        (odd_flags == 0 ? "none" : gai(odd_flags)));
  CHECK(failure_of([] { return sk::getnameinfo("/a/path", 0); }) == "invalid_argument");
  CHECK(failure_of([] { return sk::getnameinfo(sk::address(), 0); }) == "invalid_argument");
}

TEST_CASE("unknown services and protocols are errors", "[resolver]") {
  for (const char* name : {"no such service", "", "80"})
    CHECK(failure_of([&] { return sk::getservbyname(name); }) == "error: service/proto not found");
  CHECK(failure_of([] { return sk::getservbyname("http", "no such protocol"); }) ==
        "error: service/proto not found");
  CHECK(failure_of([] { return sk::getservbyport(65535, "tcp"); }) ==
        "error: port/proto not found");
  CHECK(failure_of([] { return sk::getservbyport(-1); }) == "out_of_range");
  CHECK(failure_of([] { return sk::getservbyport(65536); }) == "out_of_range");
  CHECK(failure_of([] { return sk::getprotobyname("no such protocol"); }) ==
        "error: protocol not found");
}

TEST_CASE("several threads may call the resolver at the same time", "[resolver]") {
  const auto ask = [] {
    std::string answers;
    for (int i = 0; i < 50; ++i) {
      answers += sk::gethostbyname_ex("192.0.2." + std::to_string(i)).ipaddrlist.at(0) + " ";
      answers += failure_of([] { return sk::getservbyname("domain", "udp"); }) +
                 failure_of([] { return sk::getprotobyname("icmp"); });
      answers += sk::getaddrinfo("192.0.2." + std::to_string(i), 80).at(0).sockaddr.to_string();
    }
    return answers;
  };
  const std::string expected = ask();
  background<std::string> one(ask);
  background<std::string> two(ask);
  background<std::string> three(ask);
  CHECK(one.get() == expected);
  CHECK(two.get() == expected);
  CHECK(three.get() == expected);
}

TEST_CASE("the system encodes names beyond ASCII", "[resolver]") {
#if defined(AI_IDN) || __has_include(<winnls.h>)
  const char* const host =
      "\xEF\xBC\x91\xEF\xBC\x92\xEF\xBC\x97\xE3\x80\x82"
      "0.0.1";  // a full-width 127 and an ideographic full stop
  const std::string outcome = failure_of(
      [&] { return sk::getaddrinfo(host, 80, AF_INET, SOCK_STREAM, 0, AI_NUMERICHOST); });
  constexpr int no_encoder =
      -105;  // EAI_IDN_ENCODE: the encoder is a separate library that may be missing
  if (outcome == gai(no_encoder))
    SKIP_TEST("this C library has no encoder for international names");
  CHECK(outcome == "none");
  CHECK(sk::getaddrinfo(host, 80, AF_INET).at(0).sockaddr == sk::address("127.0.0.1", 80));
  CHECK(sk::gethostbyname(host) == "127.0.0.1");
  sk::socket s;
  s.bind({host, 0});
  CHECK(s.getsockname().host() == "127.0.0.1");
  CHECK(failure_of([] { return sk::getaddrinfo("\xFF", 80); }) != "none");  // not UTF-8
#else
  SKIP_TEST("this C library does not know international names");
#endif
}

TEST_CASE("a lookup with a timeout returns the same as one without", "[getaddrinfo]") {
  const auto expected = sk::getaddrinfo("localhost", 80, AF_INET, SOCK_STREAM);
  const auto result = sk::getaddrinfo("localhost", 80, AF_INET, SOCK_STREAM, 0, 0, 60);
  REQUIRE(result.size() == expected.size());
  REQUIRE(!result.empty());
  CHECK(result.front().sockaddr == expected.front().sockaddr);
}
