// SPDX-License-Identifier: MIT
#include <pysock/resolver.hpp>

#include <array>
#include <cerrno>
#include <functional>
#include <pysock/socket.hpp>

#include "support/catch.hpp"
#include "support/failure.hpp"
#include "support/fake_sys.hpp"
#include "support/native.hpp"

using fake::called;
using fake::fails;
using fake::lines;
using pysock::address;
using namespace std::string_literals;

using test_support::failure_of;
using test_support::gai_text;
using test_support::herror_text;

namespace {

std::string message_of(const std::function<void()>& call) {
  try {
    call();
  } catch (const std::exception& e) {
    return e.what();
  }
  return "nothing was thrown";
}

const std::string bad_family = "error: " + make_error_code(pysock::errc::bad_family).message();

}  // namespace

TEST_CASE("getaddrinfo returns results of five parts in the resolver's order") {
  const fake::session session;
  fake::on_getaddrinfo(
      {fake::resolves({fake::inet6({0x20, 1}, 0, 0, 3), fake::inet({10, 0, 0, 1}, 0)})
           .canonical("canon.example")});
  const auto list =
      pysock::getaddrinfo("host", 80, AF_UNSPEC, SOCK_STREAM, IPPROTO_TCP, AI_CANONNAME);
  CHECK(fake::log() == lines{called("getaddrinfo", "host", "80", AF_UNSPEC, SOCK_STREAM,
                                    int{IPPROTO_TCP}, AI_CANONNAME)});
  REQUIRE(list.size() == 2);
  CHECK(list[0].family == AF_INET6);
  CHECK(list[0].type == SOCK_STREAM);
  CHECK(list[0].canonname == "canon.example");
  CHECK(list[0].sockaddr == address("2001::", 80, 0, 3));
  CHECK(list[1].canonname.empty());
  CHECK(list[1].sockaddr == address("10.0.0.1", 80));
  CHECK(fake::problems() == lines{});
}

TEST_CASE("getaddrinfo returns the canonical name only with AI_CANONNAME, in the first result") {
  const fake::session session;
  const auto found = [](int flags) {
    fake::on_getaddrinfo(
        {fake::resolves({fake::inet({10, 0, 0, 1}, 0), fake::inet({10, 0, 0, 2}, 0)})
             .canonical("canon.example")});
    return pysock::getaddrinfo("host", 80, AF_INET, SOCK_STREAM, 0, flags);
  };
  const auto asked = found(AI_CANONNAME);
  REQUIRE(asked.size() == 2);
  CHECK(asked[0].canonname == "canon.example");
  CHECK(asked[1].canonname.empty());
  const auto unasked = found(0);
  REQUIRE(unasked.size() == 2);
  CHECK(unasked[0].canonname.empty());
  CHECK(unasked[1].canonname.empty());
  CHECK(fake::problems() == lines{});
}

TEST_CASE("a missing or empty host or port is passed as NULL") {
  const fake::session session;
  (void)pysock::getaddrinfo(std::nullopt, 80);
  (void)pysock::getaddrinfo("", "http");
  (void)pysock::getaddrinfo("host", std::nullopt);
  (void)pysock::getaddrinfo("host", "");
  CHECK(fake::log() == lines{called("getaddrinfo", "null", "80", 0, 0, 0, 0),
                             called("getaddrinfo", "null", "http", 0, 0, 0, 0),
                             called("getaddrinfo", "host", "null", 0, 0, 0, 0),
                             called("getaddrinfo", "host", "null", 0, 0, 0, 0)});
  CHECK(fake::addrinfo_count() == 0);
}

TEST_CASE("ports outside 0..65535 never reach the resolver, as numbers or digits") {
  const fake::session session;
  CHECK_THROWS_AS(pysock::getaddrinfo("host", 65536), std::out_of_range);
  CHECK_THROWS_AS(pysock::getaddrinfo("host", -1), std::out_of_range);
  CHECK_THROWS_AS(pysock::getaddrinfo("host", "65536"), pysock::gaierror);
  CHECK_THROWS_AS(pysock::getaddrinfo("host", "99999999999999999999"), pysock::gaierror);
  CHECK(message_of([] { (void)pysock::getaddrinfo("host", 70000); }) ==
        "getaddrinfo ('host', 70000): port must be 0-65535.");
  CHECK(fake::log().empty());
  (void)pysock::getaddrinfo("host", 65535);
  (void)pysock::getaddrinfo("host", "0000000080");
  (void)pysock::getaddrinfo("host", "000");
  CHECK(fake::log().size() == 3);
}

TEST_CASE("a number in a service name is never wrapped by strtoul", "[getaddrinfo]") {
  const auto number_of = [](const std::string& name) {
    try {
      return pysock::getaddrinfo("127.0.0.1", name, 0, SOCK_STREAM).at(0).sockaddr.port();
    } catch (const pysock::gaierror& e) {
      CHECK(e.errnum() == EAI_SERVICE);
      return -1;
    }
  };
  const fake::session session;
  for (const char* name : {"80", " 80", "+80", "\t\n\v\f\r +0080"}) {
    CAPTURE(name);
    CHECK(number_of(name) == 80);
  }
  CHECK(number_of("-0") == 0);
  CHECK(number_of("65535") == 65535);
  for (const char* name :
       {"65536", "+65616", " 70000", " +70000", "-1", "-4294967216", "-65456", "4294967376",
        "18446744073709551696", "-18446744073709551616", "99999999999999999999999999"}) {
    CAPTURE(name);
    CHECK(number_of(name) == -1);
    CHECK_THROWS_AS(pysock::getaddrinfo("host", name), pysock::gaierror);
  }
  CHECK(fake::log().empty());
  for (const char* name :
       {"+", "-", " ", "+ 80", "--80", "80 ", "0x50", "8 0", "http", "\b80", "\01680"}) {
    CAPTURE(name);
    fake::clear_log();
    (void)pysock::getaddrinfo("host", name);
    CHECK(fake::log() == lines{called("getaddrinfo", "host", name, 0, 0, 0, 0)});
  }
  fake::clear_log();
  (void)pysock::getaddrinfo("host", " +0080");
  CHECK(fake::log() == lines{called("getaddrinfo", "host", "80", 0, 0, 0, 0)});
}

TEST_CASE("a service is made from a number of any type, a name or nothing", "[service]") {
  const fake::session session;
  const auto refused = [](const auto& port) {
    CHECK_THROWS_AS(pysock::getaddrinfo("host", port), std::out_of_range);
    CHECK_THROWS_AS(pysock::getaddrinfo("127.0.0.1", port, 0, SOCK_STREAM), std::out_of_range);
    CHECK_THROWS_AS(pysock::getservbyport(port), std::out_of_range);
  };
  refused(4294967376L);
  refused(4294967376ULL);
  refused(-4294967216LL);
  refused(18446744073709551615ULL);
  refused(std::uint32_t{65536});
  refused(-1);
  CHECK(message_of([] { (void)pysock::getaddrinfo("host", 4294967376L); }) ==
        "getaddrinfo ('host', 4294967376): port must be 0-65535.");
  CHECK(message_of([] { (void)pysock::getservbyport(4294967376L); }) ==
        "getservbyport 4294967376: port must be 0-65535.");
  CHECK(fake::log().empty());

  CHECK(pysock::getaddrinfo("127.0.0.1", std::uint32_t{80}, 0, SOCK_STREAM).at(0).sockaddr.port() ==
        80);
  CHECK(pysock::getservbyport(std::uint64_t{80}) == "http");
  CHECK(pysock::service(std::uint32_t{80}).number() == 80);
  CHECK(pysock::service(80).has_value());
  CHECK(pysock::service("").has_value());
  CHECK_FALSE(pysock::service(std::nullopt).has_value());
  STATIC_REQUIRE_FALSE(std::is_constructible_v<pysock::service, bool>);
  STATIC_REQUIRE_FALSE(std::is_constructible_v<pysock::service, double>);
  STATIC_REQUIRE_FALSE(std::is_constructible_v<pysock::service, std::nullptr_t>);
}

TEST_CASE("an empty port without a host is port 0 of this machine", "[getaddrinfo]") {
  const fake::session session;
  CHECK(pysock::getaddrinfo(std::nullopt, "").at(0).sockaddr == address("127.0.0.1", 0));
  (void)pysock::getaddrinfo("", "");
  (void)pysock::getaddrinfo(std::nullopt, std::nullopt);  // real resolvers refuse it
  CHECK(fake::log() == lines{called("getaddrinfo", "null", "0", 0, 0, 0, 0),
                             called("getaddrinfo", "null", "0", 0, 0, 0, 0),
                             called("getaddrinfo", "null", "null", 0, 0, 0, 0)});
}

TEST_CASE("numeric hosts and ports do not reach the resolver") {
  const fake::session session;
  for (const int proto : {0, int{IPPROTO_TCP}}) {
    const auto list = pysock::getaddrinfo("10.1.2.3", "080", AF_UNSPEC, SOCK_STREAM, proto,
                                          AI_NUMERICHOST | AI_NUMERICSERV | AI_PASSIVE);
    REQUIRE(list.size() == 1);
    CHECK(list[0].family == AF_INET);
    CHECK(list[0].type == SOCK_STREAM);
    CHECK(list[0].proto == IPPROTO_TCP);
    CHECK(list[0].canonname.empty());
    CHECK(list[0].sockaddr == address("10.1.2.3", 80));
  }
  CHECK(pysock::getaddrinfo("2001:db8::1", 65535, AF_INET6, SOCK_DGRAM).at(0).sockaddr ==
        address("2001:db8::1", 65535));
  CHECK(pysock::getaddrinfo("::1", std::nullopt, 0, SOCK_DGRAM, IPPROTO_UDP).at(0).proto ==
        IPPROTO_UDP);
  CHECK(fake::log().empty());

  (void)pysock::getaddrinfo("10.1.2.3", 80);
  (void)pysock::getaddrinfo("10.1.2.3", "http", 0, SOCK_STREAM);
  (void)pysock::getaddrinfo("10.1.2.3", 80, AF_INET6, SOCK_STREAM);
  (void)pysock::getaddrinfo("::1", 80, AF_INET, SOCK_STREAM);
  (void)pysock::getaddrinfo("10.1.2.3", 80, 0, SOCK_STREAM, IPPROTO_UDP);
  (void)pysock::getaddrinfo("10.1.2.3", 80, 0, SOCK_STREAM, 0, AI_CANONNAME);
  (void)pysock::getaddrinfo("fe80::1%2", 80, 0, SOCK_STREAM);
  (void)pysock::getaddrinfo("127.1", 80, 0, SOCK_STREAM);
  CHECK(fake::log().size() == 8);
}

TEST_CASE("a NUL in a name is rejected") {
  const fake::session session;
  CHECK_THROWS_AS(pysock::getaddrinfo("127.0.0.1\0x"s, 80), std::invalid_argument);
  CHECK_THROWS_AS(pysock::getaddrinfo("127.0.0.1\0"s, 80, 0, SOCK_STREAM), std::invalid_argument);
  CHECK_THROWS_AS(pysock::getaddrinfo("127.0.0.1", "80\0"s, 0, SOCK_STREAM), std::invalid_argument);
  CHECK_THROWS_AS(pysock::getaddrinfo("host", "80\0x"s), std::invalid_argument);
  CHECK_THROWS_AS(pysock::gethostbyname("a\0b"), std::invalid_argument);
  CHECK_THROWS_AS(pysock::gethostbyname_ex("a\0b"), std::invalid_argument);
  CHECK_THROWS_AS(pysock::gethostbyaddr("a\0b"), std::invalid_argument);
  CHECK_THROWS_AS(pysock::getservbyname("a\0b"), std::invalid_argument);
  CHECK_THROWS_AS(pysock::getservbyname("http", "t\0cp"), std::invalid_argument);
  CHECK_THROWS_AS(pysock::getservbyport(80, "t\0cp"), std::invalid_argument);
  CHECK_THROWS_AS(pysock::getprotobyname("a\0b"), std::invalid_argument);
  CHECK_THROWS_AS(pysock::sethostname("a\0b"), std::invalid_argument);
  CHECK(fake::log().empty());
}

TEST_CASE("resolver failures are gaierror, except EAI_SYSTEM, which has errno") {
  const fake::session session;
  fake::on_getaddrinfo({fails(EAI_AGAIN)});
  try {
    (void)pysock::getaddrinfo("host", 80);
    FAIL("not thrown");
  } catch (const pysock::gaierror& e) {
    CHECK(e.errnum() == EAI_AGAIN);
    CHECK(e.strerror() == "Temporary failure in name resolution");
  }
  fake::on_getaddrinfo({fails(EAI_AGAIN).returning(EMFILE)});
  try {
    (void)pysock::getaddrinfo("host", 80);
    FAIL("not thrown");
  } catch (const pysock::error& e) {
    CHECK(e.errnum() == EMFILE);
    CHECK(dynamic_cast<const pysock::gaierror*>(&e) == nullptr);
  }
}

TEST_CASE("every name function reports the errno of a failure of the system", "[EMFILE]") {
  const std::vector<std::function<void()>> calls = {
      [] { (void)pysock::getaddrinfo("host", 80); },
      [] {
        (void)pysock::getnameinfo({"10.0.0.1", 80}, 0);
      },
      [] { (void)pysock::gethostbyname("host"); },
      [] { (void)pysock::gethostbyname_ex("host"); },
      [] { (void)pysock::gethostbyaddr("10.0.0.1"); },
      [] { (void)pysock::getservbyname("http"); },
      [] { (void)pysock::getservbyport(80); },
      [] { (void)pysock::getprotobyname("tcp"); },
      [] { (void)pysock::gethostname(); },
      [] { pysock::sethostname("this"); },
  };
  for (std::size_t i = 0; i < calls.size(); ++i) {
    CAPTURE(i);
    const int failed = fake::fail_each_call(EMFILE, [&calls, i] {
      try {
        calls[i]();
      } catch (const pysock::error& e) {
        CHECK(typeid(e) == typeid(pysock::error));
        CHECK(e.code() == std::errc::too_many_files_open);
      }
      CHECK(fake::problems() == lines{});
    });
    CHECK(failed >= 1);
  }
}

TEST_CASE("host lookups fail with the system's number or an h_errno number", "[gethostbyaddr]") {
  const fake::session session;
  fake::on_gethostbyaddr({fails(TRY_AGAIN), fails(TRY_AGAIN).returning(EMFILE)});
  CHECK_THROWS_AS(pysock::gethostbyaddr("10.0.0.1"), pysock::herror);
  try {
    (void)pysock::gethostbyaddr("10.0.0.1");
    FAIL("not thrown");
  } catch (const pysock::error& e) {
    CHECK(e.code() == std::errc::too_many_files_open);
  }
}

TEST_CASE("the C library encodes names beyond ASCII") {
  const fake::session session;
  (void)pysock::getaddrinfo(
      "b\xc3\xbc"
      "cher.example",
      80);
#ifdef AI_IDN
  CHECK(fake::log() == lines{called("getaddrinfo",
                                    "b\xc3\xbc"
                                    "cher.example",
                                    "80", 0, 0, 0, AI_IDN)});
#endif
}

TEST_CASE("gethostbyname of a numeric host does not call the resolver") {
  const fake::session session;
  CHECK(pysock::gethostbyname("") == "0.0.0.0");
  CHECK(pysock::gethostbyname("<broadcast>") == "255.255.255.255");
  CHECK(pysock::gethostbyname("10.1.2.3") == "10.1.2.3");
  CHECK(fake::log().empty());
  fake::on_getaddrinfo({fake::resolves({fake::inet({10, 9, 8, 7}, 0), fake::inet({1, 1, 1, 1}, 0)}),
                        fails(EAI_NONAME)});
  CHECK(pysock::gethostbyname("host") == "10.9.8.7");
  CHECK(fake::log() == lines{called("getaddrinfo", "host", "null", AF_INET, SOCK_DGRAM, 0, 0)});
  CHECK(message_of([] { (void)pysock::gethostbyname("nosuch"); }) ==
        "gethostbyname 'nosuch': " + gai_text(EAI_NONAME));
}

TEST_CASE("the broadcast host is an address, which is not looked up",
          "[gethostbyname_ex][gethostbyaddr]") {
  const fake::session session;
  fake::on_gethostbyname({fake::knows({"<broadcast>", {}, AF_INET, {std::string(4, '\xff')}})});
  CHECK(pysock::gethostbyname_ex("<broadcast>").ipaddrlist ==
        std::vector<std::string>{"255.255.255.255"});
  CHECK(fake::log() == lines{called("gethostbyname", "<broadcast>", AF_INET)});
  fake::clear_log();
  CHECK(pysock::gethostbyaddr("<broadcast>").hostname == "localhost");
  CHECK(fake::log() == lines{called("gethostbyaddr", 4, AF_INET)});
}

TEST_CASE("gethostbyname_ex fails with gaierror in the forward lookup, herror in the reverse one") {
  const fake::session session;
  fake::on_getaddrinfo({fails(EAI_NONAME), fake::resolves({fake::inet({10, 0, 0, 1}, 0)}),
                        fake::resolves({fake::inet({10, 0, 0, 1}, 0)})});
  CHECK_THROWS_AS(pysock::gethostbyname_ex("nosuch"), pysock::gaierror);
  CHECK(fake::count("gethostbyname") == 0);

  fake::on_gethostbyname(
      {fails(NO_RECOVERY),
       fake::knows({"primary", {"alias1", "alias2"}, AF_INET, {"\x0a\0\0\1"s, "\x0a\0\0\2"s}})});
  CHECK(message_of([] { (void)pysock::gethostbyname_ex("host"); }) ==
        "gethostbyname_ex 'host': " + herror_text(NO_RECOVERY));
  const pysock::host_info info = pysock::gethostbyname_ex("host");
  CHECK(info.hostname == "primary");
  CHECK(info.aliaslist == std::vector<std::string>{"alias1", "alias2"});
  CHECK(info.ipaddrlist == std::vector<std::string>{"10.0.0.1", "10.0.0.2"});
}

TEST_CASE("gethostbyaddr reverses both families and resolves names first") {
  const fake::session session;
  fake::on_gethostbyaddr({fake::knows({"four", {}, AF_INET, {"\x7f\0\0\1"s}}),
                          fake::knows({"six", {"s"}, AF_INET6, {std::string(15, '\0') + "\1"}}),
                          fails(HOST_NOT_FOUND)});
  CHECK(pysock::gethostbyaddr("127.0.0.1").hostname == "four");
  CHECK(fake::log() == lines{called("gethostbyaddr", 4, AF_INET)});
  fake::on_getaddrinfo(
      {fake::resolves({fake::inet6({0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1}, 0)})});
  const auto six = pysock::gethostbyaddr("::1");
  CHECK(six.ipaddrlist == std::vector<std::string>{"::1"});
  CHECK(fake::log().back() == called("gethostbyaddr", 16, AF_INET6));
  CHECK(message_of([] { (void)pysock::gethostbyaddr("10.0.0.1"); }) ==
        "gethostbyaddr '10.0.0.1': " + herror_text(HOST_NOT_FOUND));
  CHECK(message_of([] { (void)pysock::gethostbyaddr(""); }) ==
        "gethostbyaddr '': wildcard resolved to multiple address");
}

TEST_CASE("getfqdn takes the first name with a dot") {
  const fake::session session;
  const auto knows = [](const std::string& name, const std::vector<std::string>& aliases) {
    fake::on_gethostbyaddr({fake::knows({name, aliases, AF_INET, {"\x7f\0\0\1"s}})});
  };
  knows("host.example", {"other.example"});
  CHECK(pysock::getfqdn("127.0.0.1") == "host.example");
  knows("host", {"h", "host.example", "x.example"});
  CHECK(pysock::getfqdn("127.0.0.1") == "host.example");
  knows("host", {"h"});
  CHECK(pysock::getfqdn("127.0.0.1") == "host");
  fake::on_getaddrinfo({fails(EAI_NONAME)});
  CHECK(pysock::getfqdn("  nosuch \n") == "nosuch");
  fake::on_gethostbyaddr({fails(HOST_NOT_FOUND)});
  CHECK(pysock::getfqdn("10.0.0.1") == "10.0.0.1");
  for (const char* here : {"", " ", "0.0.0.0", "::"}) {
    CAPTURE(here);
    fake::on_gethostname({fake::gives("this")});
    fake::on_getaddrinfo({fails(EAI_NONAME)});
    CHECK(pysock::getfqdn(here) == "this");
    CHECK(fake::log("getaddrinfo").back() ==
          called("getaddrinfo", "this", "null", AF_UNSPEC, SOCK_DGRAM, 0, 0));
  }
}

TEST_CASE("an answer of the resolver that is no address of the requested family is an error",
          "[resolver]") {
  const fake::session session;
  const fake::socket_address answer =
      GENERATE(fake::unix_path("/tmp/s"), fake::socket_address{"\x02"},
               fake::socket_address{fake::inet({10, 0, 0, 1}, 0).bytes.substr(0, 7)},
               fake::socket_address{fake::inet6({}, 0).bytes.substr(0, 27)});
  CAPTURE(fake::to_string(answer), answer.bytes.size());
  const auto refused = [&](const auto& call) {
    fake::on_getaddrinfo({fake::resolves({answer})});
    return failure_of(call) == bad_family;
  };
  CHECK(refused([] { return pysock::gethostbyname("name"); }));
  CHECK(refused([] { return pysock::gethostbyname_ex("name"); }));
  CHECK(refused([] { return pysock::gethostbyaddr("name"); }));
  CHECK(refused([] { return pysock::getnameinfo({"127.1", 80}, 0); }));
  {
    pysock::socket s;
    CHECK(refused([&] { s.connect({"name", 80}); }));
  }
  // getaddrinfo returns every answer.
  fake::on_getaddrinfo({fake::resolves({answer})});
  CHECK(pysock::getaddrinfo("name", 80).size() == 1);
  CHECK(fake::problems() == lines{});
}

TEST_CASE("an empty answer of the resolver is errc::no_addresses", "[resolver]") {
  const fake::session session;
  const std::string none = "error: " + make_error_code(pysock::errc::no_addresses).message();
  fake::on_getaddrinfo({fake::resolves({}), fake::resolves({})});
  CHECK(failure_of([] { return pysock::gethostbyname("name"); }) == none);
  {
    pysock::socket s;
    CHECK(failure_of([&] { s.connect({"name", 80}); }) == none);
    CHECK(fake::count("connect") == 0);
  }
  CHECK(fake::problems() == lines{});
}

TEST_CASE("an answer of the other family is an error if one family was requested", "[resolver]") {
  const fake::session session;
  fake::on_getaddrinfo({fake::resolves({fake::inet6({}, 0)}), fake::resolves({fake::inet({}, 0)})});
  CHECK(failure_of([] { return pysock::gethostbyname("name"); }) == bad_family);
  pysock::socket s(AF_INET6);
  CHECK(failure_of([&] { s.connect({"name", 80}); }) == bad_family);
}

TEST_CASE("getnameinfo takes numeric hosts only") {
  const fake::session session;
  fake::on_getnameinfo({fake::names("host.example", "http")});
  const auto info = pysock::getnameinfo({"10.0.0.1", 80}, NI_NAMEREQD);
  CHECK(info.host == "host.example");
  CHECK(info.port == "http");
  CHECK(fake::log() == lines{called("getnameinfo", fake::inet({10, 0, 0, 1}, 80), NI_NAMEREQD)});

  CHECK_THROWS_AS(pysock::getnameinfo({"localhost", 80}, 0), pysock::gaierror);
  CHECK(fake::log().back() ==
        called("getaddrinfo", "localhost", "null", 0, SOCK_DGRAM, 0, AI_NUMERICHOST));
  CHECK_THROWS_AS(pysock::getnameinfo("/tmp/x", 0), std::invalid_argument);
  CHECK_THROWS_AS(pysock::getnameinfo(address(), 0), std::invalid_argument);
  fake::on_getaddrinfo({fake::resolves({fake::inet({127, 0, 0, 1}, 0)})});
  CHECK_THROWS_AS(pysock::getnameinfo({"127.0.0.1", 80, 0}, 0), std::invalid_argument);
  const auto passed = [](const address& where) {
    std::array<unsigned char, 16> local{0xFE, 0x80};
    local[15] = 1;
    fake::on_getaddrinfo({fake::resolves({fake::inet6(local, 0, 0, 2)})});
    (void)pysock::getnameinfo(where, 0);
    return fake::log().back();
  };
  CHECK(passed({"fe80::1%eth0", 80}) == called("getnameinfo", "[fe80:0:0:0:0:0:0:1]:80%2", 0));
  CHECK(passed({"fe80::1%eth0", 80, 0, 5}) ==
        called("getnameinfo", "[fe80:0:0:0:0:0:0:1]:80%5", 0));
  fake::on_getnameinfo({fails(EAI_NONAME)});
  CHECK(message_of([] {
          (void)pysock::getnameinfo({"10.0.0.1", 80}, 0);
        }).find("getnameinfo ('10.0.0.1', 80): " + gai_text(EAI_NONAME)) == 0);
}

TEST_CASE("services and protocols are found, or the error names the missing one") {
  const fake::session session;
  fake::on_getservbyname({fake::returns(80), fake::returns(-1)});
  CHECK(pysock::getservbyname("http", "tcp") == 80);
  CHECK(fake::log() == lines{called("getservbyname", "http", "tcp")});
  CHECK(message_of([] { (void)pysock::getservbyname("nosuch"); }) ==
        "getservbyname 'nosuch': service/proto not found");
  CHECK(fake::log().back() == called("getservbyname", "nosuch", "null"));
  fake::on_getservbyport({fake::gives("http"), fake::gives("")});
  CHECK(pysock::getservbyport(80) == "http");
  CHECK(message_of([] { (void)pysock::getservbyport(81); }) ==
        "getservbyport 81: port/proto not found");
  CHECK_THROWS_AS(pysock::getservbyport(-1), std::out_of_range);
  CHECK_THROWS_AS(pysock::getservbyport(65536), std::out_of_range);
  fake::on_getprotobyname({fake::returns(1), fake::returns(-1)});
  CHECK(pysock::getprotobyname("icmp") == 1);
  CHECK(message_of([] { (void)pysock::getprotobyname("nosuch"); }) ==
        "getprotobyname 'nosuch': protocol not found");
}

TEST_CASE("gethostname and sethostname read and set the host's name") {
  const fake::session session;
  fake::on_gethostname({fake::gives("this"), fails(EFAULT)});
  CHECK(pysock::gethostname() == "this");
  CHECK_THROWS_AS(pysock::gethostname(), pysock::error);
  pysock::sethostname("new");
  CHECK(fake::log("sethostname") == lines{called("sethostname", "new")});
  fake::on_sethostname({fails(EPERM)});
  CHECK_THROWS_AS(pysock::sethostname("new"), pysock::permission_error);
}
