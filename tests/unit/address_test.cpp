// SPDX-License-Identifier: MIT
#include <cstring>
#include <pysock/address.hpp>

#include <atomic>
#include <cstdint>
#include <filesystem>
#include <limits>
#include <sstream>
#include <string>
#include <type_traits>
#include <unordered_set>
#include <vector>

#include "support/catch.hpp"
#if __has_include(<sys/un.h>)
#include <sys/un.h>  // sockaddr_un
#endif

using pysock::address;
using pysock::endpoint;
using pysock::host_address;
using pysock::inet6_address;
using pysock::inet_address;
using pysock::unix_address;
using namespace std::string_literals;

namespace {

// Has wide characters, as std::filesystem::path on Windows.
struct wide_path {
  using string_type = std::wstring;
  static constexpr wchar_t preferred_separator = L'\\';
  [[nodiscard]] const string_type& native() const noexcept { return wide; }
  [[nodiscard]] std::string u8string() const { return "caf\xc3\xa9"; }
  std::wstring wide = L"caf\u00e9";
};

}  // namespace

TEST_CASE("a numeric host is converted to binary at once") {
  const address a("127.0.0.1", 80);
  REQUIRE(a.get_if<inet_address>() != nullptr);
  CHECK(a.family() == AF_INET);
  CHECK(a.host() == "127.0.0.1");
  CHECK(a.port() == 80);
  CHECK(a.to_string() == "('127.0.0.1', 80)");
  const auto* native = reinterpret_cast<const sockaddr_in*>(a.data());
  CHECK(a.size() == sizeof(sockaddr_in));
  CHECK(native->sin_family == AF_INET);
  CHECK(std::memcmp(&native->sin_port, "\x00\x50", 2) == 0);
  CHECK(std::memcmp(&native->sin_addr, "\x7f\x00\x00\x01", 4) == 0);
}

TEST_CASE("two, three and four parts make an IPv6 address") {
  const address two("::1", 80);
  const address three("::1", 80, 5);
  const address four("::1", 80, 5, 7);
  CHECK(two.get_if<inet6_address>() != nullptr);
  CHECK(two.to_string() == "('::1', 80, 0, 0)");
  CHECK(three.to_string() == "('::1', 80, 5, 0)");
  CHECK(four.to_string() == "('::1', 80, 5, 7)");
  CHECK(four.flowinfo() == 5);
  CHECK(four.scope_id() == 7);
  const auto* native = reinterpret_cast<const sockaddr_in6*>(four.data());
  CHECK(std::memcmp(&native->sin6_flowinfo, "\x00\x00\x00\x05", 4) == 0);
  CHECK(native->sin6_scope_id == 7);
}

TEST_CASE("ports are checked when the address is constructed") {
  CHECK_THROWS_AS(address("127.0.0.1", -1), std::out_of_range);
  CHECK_THROWS_AS(address("127.0.0.1", 65536), std::out_of_range);
  CHECK_THROWS_AS(address("name", 65536), std::out_of_range);
  CHECK_THROWS_AS(address("::1", 65536), std::out_of_range);
  CHECK_THROWS_WITH(address("127.0.0.1", 65536), "address: port must be 0-65535.");
  CHECK(address("127.0.0.1", 0).port() == 0);
  CHECK(address("127.0.0.1", 65535).port() == 65535);
}

TEST_CASE("a port of any integer type is checked and never wraps into another", "[address]") {
  const auto refused = [](const auto& port) {
    CHECK_THROWS_AS(address("127.0.0.1", port), std::out_of_range);
    CHECK_THROWS_AS(address("name", port), std::out_of_range);
    CHECK_THROWS_AS(address("::1", port, 0, 0), std::out_of_range);
    CHECK_THROWS_AS(inet_address("127.0.0.1", port), std::out_of_range);
    CHECK_THROWS_AS(inet6_address("::1", port), std::out_of_range);
    CHECK_FALSE(pysock::port_number(port).is_valid());
  };
  refused(4294967376L);  // converted to int it would be 80
  refused(4294967376ULL);
  refused(-4294967216LL);
  refused(18446744073709551615ULL);
  refused(std::numeric_limits<long long>::min());
  refused(static_cast<signed char>(-1));
  refused(std::uint32_t{65536});
  refused(std::atomic<int>{70000});
  enum large : unsigned long long { largest = 18446744073709551615ULL };
  refused(largest);
  CHECK(pysock::port_number(largest).value() == std::numeric_limits<long long>::max());

  const auto taken = [](const auto& port) {
    CHECK(address("127.0.0.1", port).port() == 80);
    CHECK(address("name", port).port() == 80);
    CHECK(address("::1", port, 0, 0).port() == 80);
    CHECK(inet_address("127.0.0.1", port).port() == 80);
    CHECK(inet6_address("::1", port).port() == 80);
  };
  enum { http = 80 };
  taken(80);
  taken(std::uint16_t{80});
  taken(std::uint32_t{80});
  taken(std::size_t{80});
  taken(std::int64_t{80});
  taken('P');
  taken(http);
  taken(std::atomic<unsigned short>{80});
  CHECK(pysock::port_number(18446744073709551615ULL).value() ==
        std::numeric_limits<long long>::max());

  constexpr int known = 80;
  CHECK([] { return address("127.0.0.1", known); }().port() == 80);

  enum class scoped { http = 80 };
  STATIC_REQUIRE_FALSE(std::is_constructible_v<address, const char*, double>);
  STATIC_REQUIRE_FALSE(std::is_constructible_v<address, const char*, bool>);
  STATIC_REQUIRE_FALSE(std::is_constructible_v<address, const char*, scoped>);
  STATIC_REQUIRE_FALSE(std::is_constructible_v<address, const char*, const char*>);
  STATIC_REQUIRE_FALSE(std::is_constructible_v<address, const char*, std::nullptr_t>);
}

TEST_CASE("a port of more than 64 bits is checked and never wraps into another", "[address]") {
#ifdef __SIZEOF_INT128__
  __extension__ using wide = __int128;
  const wide beyond = wide{1} << 64;
  CHECK(pysock::port_number(beyond + 80).value() == std::numeric_limits<long long>::max());
  CHECK(pysock::port_number(-beyond - 80).value() == std::numeric_limits<long long>::min());
  CHECK(pysock::port_number(wide{-1}).value() == -1);
  CHECK(pysock::port_number(wide{80}).value() == 80);
  CHECK_THROWS_AS(address("127.0.0.1", beyond + 80), std::out_of_range);
  CHECK(address("127.0.0.1", wide{80}).port() == 80);
#else
  SKIP_TEST("this compiler has no integer of more than 64 bits");
#endif
}

TEST_CASE("flow labels and scopes are checked") {
  CHECK_THROWS_AS(address("::1", 80, -1), std::out_of_range);
  CHECK_THROWS_AS(address("::1", 80, 0x100000), std::out_of_range);
  CHECK_THROWS_AS(address("::1", 80, 4294967296LL), std::out_of_range);
  CHECK_THROWS_WITH(address("::1", 80, 0x100000), "address: flowinfo must be 0-1048575.");
  CHECK(address("::1", 80, 0xFFFFF).flowinfo() == 0xFFFFF);
  CHECK_THROWS_AS(address("::1", 80, 0, -1), std::out_of_range);
  CHECK_THROWS_AS(address("::1", 80, 0, 4294967296LL), std::out_of_range);
  CHECK(address("::1", 80, 0, 4294967295LL).scope_id() == 4294967295U);
}

TEST_CASE("the scope in the text is kept, unless the fourth part is not zero") {
  CHECK(address("fe80::1%3", 80).scope_id() == 3);
  CHECK(address("fe80::1%3", 80).host() == "fe80::1");
  CHECK(address("fe80::1%3", 80, 0, 0).scope_id() == 3);
  CHECK(address("fe80::1%3", 80, 0, 5).scope_id() == 5);
  // Only the system knows a scope's name, so the host stays text until a socket uses it.
  CHECK(address("fe80::1%eth0", 80).get_if<host_address>() != nullptr);
  CHECK(address("fe80::1%", 80).get_if<host_address>() != nullptr);
  CHECK(address("fe80::1%4294967296", 80).get_if<host_address>() != nullptr);
  CHECK(address("fe80::1%00000000003", 80).get_if<host_address>() != nullptr);
  CHECK(address("name%3", 80).get_if<host_address>() != nullptr);
  CHECK_THROWS_AS(inet6_address("name%3", 80), pysock::error);
}

TEST_CASE("names stay names until a socket resolves them") {
  for (const char* name : {"localhost", "", "<broadcast>", "1", "127.1", "0x7f.1", " 127.0.0.1",
                           "127.0.0.256", "[::1]", "127.0.0.01"}) {
    CAPTURE(name);
    const address a(name, 80);
    REQUIRE(a.get_if<host_address>() != nullptr);
    CHECK(a.family() == AF_UNSPEC);
    CHECK(a.host() == name);
    CHECK(a.port() == 80);
    CHECK(a.size() == 0);
  }
  CHECK(address("www.python.org", 80).to_string() == "('www.python.org', 80)");
  CHECK(address("www.python.org", 80, 1, 2).to_string() == "('www.python.org', 80, 1, 2)");
}

TEST_CASE("a NUL in a host is refused") {
  CHECK_THROWS_AS(address("127.0.0.1\0x"s, 80), std::invalid_argument);
  CHECK_THROWS_AS(address("\0"s, 80), std::invalid_argument);
  CHECK_THROWS_AS(address("::1\0"s, 80), std::invalid_argument);
  CHECK_THROWS_AS(address("a\0b"s, 80, 0, 0), std::invalid_argument);
}

TEST_CASE("a path makes an AF_UNIX address, whose size counts the NUL") {
  const address a("/tmp/sock");
  REQUIRE(a.get_if<unix_address>() != nullptr);
  CHECK(a.path() == "/tmp/sock");
  CHECK(a.to_string() == "'/tmp/sock'");
  CHECK(static_cast<std::size_t>(a.size()) == offsetof(sockaddr_un, sun_path) + 10);
  const std::string owned = "/tmp/sock";
  CHECK(address(owned) == a);
  CHECK(address(std::string_view(owned)) == a);
  CHECK(address(owned.c_str()) == a);
  char buffer[64] = "/tmp/sock";
  CHECK(address(buffer) == a);
}

TEST_CASE("a std::filesystem::path makes an AF_UNIX address", "[unix_address][file_path]") {
  namespace fs = std::filesystem;
  const fs::path folder("/tmp");
  CHECK(address(folder / "sock") == address((folder / "sock").string()));
  CHECK(unix_address(folder / "sock").path() == (folder / "sock").string());
  CHECK(unix_address(folder / "sock").data()->sa_family == AF_UNIX);
  const fs::path long_path("/tmp/" + std::string(1000, 'x'));
  CHECK_THROWS_WITH(address(long_path),
                    "unix_address '" + long_path.string() + "': AF_UNIX path too long");
  const auto path_of = [](const address& a) { return a.path(); };  // converts implicitly
  CHECK(path_of(folder) == "/tmp");
  CHECK(path_of(fs::path()).empty());
  STATIC_REQUIRE_FALSE(std::is_convertible_v<fs::path, pysock::text>);  // not a host name
}

TEST_CASE("a file_path is text, or a copy of a path object's bytes or UTF-8", "[file_path]") {
  const std::string text = "/tmp/a";
  CHECK(pysock::file_path(text).view().data() == text.data());
  CHECK(pysock::file_path("\0name").view() == "\0name"s);
  pysock::file_path copied = std::filesystem::path(text);
  const pysock::file_path moved = std::move(copied);
  CHECK(moved.view() == text);
  CHECK(moved.str() == text);
  CHECK(pysock::file_path(wide_path()).str() == "caf\xc3\xa9");
  CHECK(address(wide_path()).path() == "caf\xc3\xa9");
  STATIC_REQUIRE_FALSE(std::is_constructible_v<pysock::file_path, std::nullptr_t>);
  STATIC_REQUIRE_FALSE(std::is_constructible_v<pysock::file_path, int>);
  STATIC_REQUIRE_FALSE(std::is_constructible_v<pysock::file_path, std::wstring>);
}

TEST_CASE("paths and abstract names have a maximum length") {
  constexpr std::size_t buffer = sizeof(sockaddr_un::sun_path);
  CHECK(address(std::string(buffer - 1, 'x')).path().size() == buffer - 1);
  CHECK_THROWS_WITH(address(std::string(buffer, 'x')),
                    "unix_address '" + std::string(buffer, 'x') + "': AF_UNIX path too long");
  CHECK_THROWS_AS(address(std::string(buffer, 'x')), pysock::error);
  CHECK_THROWS_AS(address("a\0b"), std::invalid_argument);
  CHECK_THROWS_AS(address("/a\0"s), std::invalid_argument);

  const address abstract_name("\0name");
  CHECK(abstract_name.path() == "\0name"s);
  CHECK(static_cast<std::size_t>(abstract_name.size()) == offsetof(sockaddr_un, sun_path) + 5);
  CHECK(abstract_name.to_string() == "b'\\x00name'");
  const std::string full = "\0"s + std::string(buffer - 1, 'x');
  CHECK(address(full).path() == full);
  CHECK_THROWS_AS(address(full + "x"), pysock::error);
  CHECK(address("\0a\0\0"s).path() == "\0a\0\0"s);
}

TEST_CASE("the unnamed address is empty, and still an address") {
  const address unnamed("");
  CHECK(unnamed);
  CHECK(unnamed.is_unnamed());
  CHECK(static_cast<std::size_t>(unnamed.size()) == offsetof(sockaddr_un, sun_path));
  CHECK(unnamed.to_string() == "''");
  CHECK_FALSE(address("/x").is_unnamed());
  CHECK_FALSE(address("127.0.0.1", 1).is_unnamed());
}

TEST_CASE("AF_UNIX addresses are read from the system") {
  constexpr std::size_t offset = offsetof(sockaddr_un, sun_path);
  sockaddr_un native{};
  native.sun_family = AF_UNIX;
  std::memcpy(native.sun_path, "/tmp/x", 7);
  CHECK(unix_address(native, offset + 7).path() == "/tmp/x");
  CHECK(unix_address(native, offset + 6).path() == "/tmp/x");  // some systems do not count the NUL
  CHECK(unix_address(native, offset).is_unnamed());
  CHECK(unix_address(native, 0).is_unnamed());
  std::memset(native.sun_path, 'y',
              sizeof native.sun_path);  // a path that fills the field has no NUL
  CHECK(unix_address(native, offset + sizeof native.sun_path).path() ==
        std::string(sizeof native.sun_path, 'y'));
}

TEST_CASE("no address is false, and prints as None") {
  const address none;
  CHECK_FALSE(none);
  CHECK(none.to_string() == "None");
  CHECK(none.family() == AF_UNSPEC);
  CHECK(none.size() == 0);
  CHECK(none == address(endpoint()));
  CHECK(address("127.0.0.1", 0));
}

TEST_CASE("an endpoint of a known family becomes that kind") {
  const address in("10.1.2.3", 4);
  const address in6("fe80::2", 5, 6, 7);
  const address un("/tmp/e");
  for (const address& a : {in, in6, un}) {
    const endpoint raw(a.data(), a.size());
    CHECK(raw.family() == a.family());
    CHECK(address(raw) == a);
  }
  sockaddr_storage other{};
  other.ss_family = 99;
  const address unknown(endpoint(reinterpret_cast<const sockaddr*>(&other), 8));
  CHECK(unknown.get_if<endpoint>() != nullptr);
  CHECK(unknown.family() == 99);
  CHECK(unknown.to_string() == "(99, b'\\x00\\x00\\x00\\x00\\x00\\x00')");
  CHECK_THROWS_AS(endpoint(reinterpret_cast<const sockaddr*>(&other), 100000), std::out_of_range);
  STATIC_REQUIRE(std::is_trivially_copyable_v<endpoint>);
}

TEST_CASE("an endpoint of no bytes is empty, and one without its family is refused", "[endpoint]") {
  const endpoint none(nullptr, 0);
  CHECK(none.empty());
  CHECK(none.family() == AF_UNSPEC);
  CHECK(address(none) == address());
  CHECK_FALSE(address(none));

  constexpr auto least = static_cast<socklen_t>(offsetof(sockaddr, sa_data));
  sockaddr_storage native{};
  native.ss_family = 99;
  const auto* data = reinterpret_cast<const sockaddr*>(&native);
  for (socklen_t size = 1; size < least; ++size)
    CHECK_THROWS_AS(endpoint(data, size), std::out_of_range);
  CHECK_THROWS_AS(endpoint(data, static_cast<socklen_t>(-1)), std::out_of_range);
  CHECK(endpoint(data, least).family() == 99);

  endpoint filled(data, sizeof native);
  filled.resize(least - 1);
  CHECK(filled.family() == AF_UNSPEC);
  CHECK(address(filled) == address());
  filled.resize(endpoint::capacity());
  CHECK(filled.family() == 99);
  filled.resize(static_cast<socklen_t>(-1));
  CHECK(filled.size() <= endpoint::capacity());
  CHECK(address(data, 1) == address());
}

TEST_CASE("equality, order and hash are of the canonical form") {
  CHECK(address("0:0::1", 80) == address("::1", 80));
  CHECK(address("::FFFF:1.2.3.4", 80) == address("::ffff:102:304", 80));
  CHECK(address("::1", 80) != address("::2", 80));
  CHECK(address("::1", 80) != address("::1", 81));
  CHECK(address("::1", 80) != address("::1", 80, 1));
  CHECK(address("::1", 80) != address("::1", 80, 0, 1));
  CHECK(address("127.0.0.1", 80) != address("::ffff:127.0.0.1", 80));
  CHECK(address("a", 80) != address("b", 80));
  CHECK(address("a", 80) != address("a", 80, 0, 0));
  CHECK(address("1.2.3.4", 80) < address("1.2.3.5", 1));
  CHECK(address("1.2.3.4", 1) < address("1.2.3.4", 2));
  const std::unordered_set<address> set{{"0:0::1", 80}, {"::1", 80},    {"/tmp/a"},
                                        {"/tmp/a"},     {"1.2.3.4", 5}, address()};
  CHECK(set.size() == 4);
}

TEST_CASE("addresses of every kind are copied, moved and assigned", "[address]") {
  sockaddr_storage other{};
  other.ss_family = 99;
  const std::string long_name(100, 'n');
  for (const address& original :
       {address(), address("/tmp/a"), address("127.0.0.1", 80), address("::1", 80, 5, 7),
        address(endpoint(reinterpret_cast<const sockaddr*>(&other), 8)),
        address(long_name, 80, 5, 7)}) {
    CAPTURE(original);
    address copy(original);
    CHECK(copy == original);
    const address moved(std::move(copy));
    CHECK(moved == original);
    address assigned("another name", 1);
    assigned = original;
    CHECK(assigned == original);
    const address& same = assigned;
    assigned = same;
    CHECK(assigned == original);
    address& itself = assigned;
    assigned = std::move(itself);
    CHECK(assigned == original);
    address target("another name", 1);
    target = std::move(assigned);
    CHECK(target == original);
  }
  address source(long_name, 80);
  const address target(std::move(source));
  CHECK(target.host() == long_name);
  CHECK(source.host().empty());  // NOLINT(bugprone-use-after-move): documented
}

TEST_CASE("typed addresses accept only numeric hosts") {
  CHECK(inet_address("1.2.3.4", 5).host() == "1.2.3.4");
  CHECK(inet_address("", 5).host() == "0.0.0.0");
  CHECK(inet_address("<broadcast>", 5).host() == "255.255.255.255");
  CHECK(inet_address().port() == 0);
  CHECK_THROWS_AS(inet_address("localhost", 5), pysock::error);
  CHECK_THROWS_AS(inet_address("1.2.3.4", 70000), std::out_of_range);
  CHECK(inet6_address("", 5).host() == "::");
  CHECK(address(inet6_address()) == address(inet6_address("::", 0)));
  CHECK(address(inet6_address("::1", 1)) < address(inet6_address("::1", 2)));
  CHECK(inet6_address("::1%4", 5).scope_id() == 4);
  CHECK_THROWS_AS(inet6_address("localhost", 5), pysock::error);
  CHECK_THROWS_AS(inet6_address("1.2.3.4", 5), pysock::error);
  CHECK(address(inet_address("1.2.3.4", 5)) == address("1.2.3.4", 5));
}

TEST_CASE("typed addresses know their family", "[address]") {
  const auto family_of = [](const auto& typed) { return typed.family(); };
  CHECK(family_of(unix_address("/tmp/a")) == AF_UNIX);
  CHECK(family_of(inet_address("1.2.3.4", 5)) == AF_INET);
  CHECK(family_of(inet6_address("::1", 5)) == AF_INET6);
}

TEST_CASE("visit is called with the kind of the address, which prints as in Python") {
  std::ostringstream out;
  out << address("127.0.0.1", 80) << ' ' << address("/tmp/it's") << ' ' << address();
  CHECK(out.str() == "('127.0.0.1', 80) \"/tmp/it's\" None");
  const int family = address("::1", 1).visit([](const auto& value) {
    if constexpr (std::is_same_v<std::decay_t<decltype(value)>, inet6_address>)
      return value.family();
    else
      return -1;
  });
  CHECK(family == AF_INET6);
}

TEST_CASE("each kind of address can be compared and printed",
          "[inet_address][inet6_address][unix_address][endpoint]") {
  const inet_address in("127.0.0.1", 80);
  CHECK(in == inet_address("127.0.0.1", 80));
  CHECK(in != inet_address("127.0.0.1", 81));
  CHECK_FALSE(in == inet_address("127.0.0.2", 80));
  const inet6_address in6("0:0::1", 80, 0, 3);
  CHECK(in6 == inet6_address("::1", 80, 0, 3));
  CHECK(in6 != inet6_address("::1", 80));
  const unix_address un("/tmp/a");
  CHECK(un == unix_address("/tmp/a"));
  CHECK(un != unix_address("/tmp/b"));
  CHECK(unix_address("") == unix_address());

  // Two that mean the same are equal also where their bytes differ.
  sockaddr_in native = *reinterpret_cast<const sockaddr_in*>(in.data());
  const endpoint raw(reinterpret_cast<const sockaddr*>(&native), sizeof native);
  std::memset(native.sin_zero, 'x', sizeof native.sin_zero);
  const endpoint padded(reinterpret_cast<const sockaddr*>(&native), sizeof native);
  CHECK(raw == padded);
  CHECK(raw != endpoint());
  CHECK(endpoint() == endpoint());
  sockaddr_storage other{};
  other.ss_family = 99;
  const endpoint unknown(reinterpret_cast<const sockaddr*>(&other), 8);
  CHECK(unknown == endpoint(reinterpret_cast<const sockaddr*>(&other), 8));
  CHECK(unknown != endpoint(reinterpret_cast<const sockaddr*>(&other), 9));

  CHECK(in == raw);
  CHECK(raw == in);
  CHECK(in != in6);
  CHECK(in == address("127.0.0.1", 80));
  CHECK(address("/tmp/a") == un);
  CHECK(address(raw) == raw);

  std::ostringstream out;
  out << in << ' ' << in6 << ' ' << un << ' ' << raw << ' ' << unknown << ' ' << endpoint();
  CHECK(out.str() ==
        "('127.0.0.1', 80) ('::1', 80, 0, 3) '/tmp/a' ('127.0.0.1', 80) "
        "(99, b'\\x00\\x00\\x00\\x00\\x00\\x00') None");
}

TEST_CASE("host, port and the other parts are defined for every kind of address") {
  CHECK(address("/x").host().empty());
  CHECK(address("/x").port() == 0);
  CHECK(address("1.2.3.4", 5).path().empty());
  CHECK(address("1.2.3.4", 5).scope_id() == 0);
  CHECK(address("name", 5, 6, 7).flowinfo() == 6);
  CHECK(address("name", 5, 6, 7).scope_id() == 7);
}
