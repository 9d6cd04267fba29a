// SPDX-License-Identifier: MIT
#include <pysock/create.hpp>

#include <cerrno>
#include <type_traits>

#include "support/catch.hpp"
#include "support/failure.hpp"
#include "support/fake_sys.hpp"
#include "support/native.hpp"

using namespace std::chrono_literals;
using fake::called;
using fake::event;
using fake::fails;
using fake::lines;
using pysock::address;
using pysock::connection_options;
using pysock::connection_timeout;
using pysock::create_connection;
using pysock::create_server;
using pysock::host_port;
using pysock::server_options;
using pysock::use_default_timeout;

using test_support::errno_text;

namespace {

#ifdef SO_EXCLUSIVEADDRUSE
constexpr int restart_option = SO_EXCLUSIVEADDRUSE;
#else
constexpr int restart_option = SO_REUSEADDR;
#endif

const fake::socket_address one = fake::inet({10, 0, 0, 1}, 0);
const fake::socket_address two = fake::inet({10, 0, 0, 2}, 0);
const fake::socket_address six =
    fake::inet6({0xFE, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1}, 0, 0, 2);
constexpr int tcp = IPPROTO_TCP;

// The handles that a session returns, in order.
constexpr fake::handle first = 1000;
constexpr fake::handle second = 1001;

struct default_timeout {
  explicit default_timeout(pysock::timeout_value value) { pysock::setdefaulttimeout(value); }
  default_timeout(const default_timeout&) = delete;
  default_timeout& operator=(const default_timeout&) = delete;
  ~default_timeout() { pysock::setdefaulttimeout(std::nullopt); }
};

template <class Error, class Call>
Error thrown(const Call& call) {
  try {
    call();
  } catch (const Error& e) {
    return e;
  }
  FAIL("not thrown");
  throw std::logic_error("not reached");
}

int as_int(const std::string& option) {
  int value = -1;
  REQUIRE(option.size() == sizeof value);
  std::memcpy(&value, option.data(), sizeof value);
  return value;
}

}  // namespace

// ---- create_connection ----

TEST_CASE("a connection with a timeout to a port below 1024 makes five system calls") {
  const fake::session session;
  fake::on_getaddrinfo({fake::resolves({one})});
  fake::on_connect({fails(EINPROGRESS)});
  fake::on_poll({fake::ready_after(10)});
  {
    const pysock::socket s = create_connection({"h", 80}, 5);
    CHECK(s.fileno() == first);
    CHECK(s.gettimeout() == pysock::seconds(5));
    CHECK((s.family() == AF_INET && s.type() == SOCK_STREAM && s.proto() == tcp));
  }
  CHECK(fake::log() ==
        lines{called("getaddrinfo", "h", "80", AF_UNSPEC, SOCK_STREAM, 0, 0),
              called("socket", AF_INET, SOCK_STREAM, tcp, true),
              called("connect", first, "10.0.0.1:80"), called("poll", first, event::connect, 5000),
              called("getsockopt", first, SOL_SOCKET, SO_ERROR), called("close", first)});
  CHECK(fake::problems() == lines{});
}

TEST_CASE("each address is tried in turn, and the first connection is returned") {
  const fake::session session;
  fake::on_getaddrinfo({fake::resolves({six, one, two})});
  fake::on_connect({fails(ECONNREFUSED)});
  {
    const pysock::socket s = create_connection({"h", 80});
    CHECK(s.family() == AF_INET);
    CHECK(fake::closed() == std::vector<fake::handle>{first});
  }
  CHECK(fake::log("connect") == lines{called("connect", first, "[fe80:0:0:0:0:0:0:1]:80%2"),
                                      called("connect", second, "10.0.0.1:80")});
  CHECK(fake::problems() == lines{});
}

TEST_CASE("a family that the system lacks is skipped") {
  const fake::session session;
  fake::on_getaddrinfo({fake::resolves({six, one})});
  fake::on_socket({fails(EAFNOSUPPORT)});
  CHECK(create_connection({"h", 80}).family() == AF_INET);
}

TEST_CASE("if every address fails, the last error is thrown unchanged") {
  const fake::session session;
  fake::on_getaddrinfo({fake::resolves({one, two})});
  fake::on_connect({fails(ENETUNREACH), fails(ECONNREFUSED)});
  const auto e = thrown<pysock::connection_refused_error>([] {
    (void)create_connection({"h", 80});
  });
  CHECK(e.errnum() == ECONNREFUSED);
  CHECK(std::string(e.what()) ==
        "create_connection ('h', 80): connect ('10.0.0.2', 80): " + errno_text(ECONNREFUSED));
  CHECK(fake::problems() == lines{});
}

TEST_CASE("with all_errors every failure is reported, in order") {
  const fake::session session;
  fake::on_getaddrinfo({fake::resolves({one, two})});
  fake::on_connect({fails(ENETUNREACH), fails(ECONNREFUSED)});
  const auto e = thrown<pysock::error_group>([] {
    (void)create_connection({"h", 80}, use_default_timeout, connection_options().all_errors(true));
  });
  CHECK(e.code() == pysock::errc::several_failures);
  CHECK_FALSE(e.errnum());
  CHECK(std::string(e.what()) == "create_connection ('h', 80): every address failed");
  REQUIRE(e.exceptions().size() == 2);
  CHECK(e.exceptions()[0].code() == std::errc::network_unreachable);
  CHECK(e.exceptions()[1].errnum() == ECONNREFUSED);
  CHECK(std::string(e.exceptions()[1].what()) ==
        "connect ('10.0.0.2', 80): " + errno_text(ECONNREFUSED));

  STATIC_REQUIRE(std::is_base_of_v<pysock::error, pysock::error_group>);
  STATIC_REQUIRE(std::is_nothrow_copy_constructible_v<pysock::error_group>);
  auto source = e;
  const auto taken = std::move(source);
  CHECK(source.exceptions().size() == 2);  // a move copies, so that every exception has its list
  CHECK(taken.exceptions().size() == 2);
}

TEST_CASE("with all_errors one failure is an error_group as well") {
  const fake::session session;
  fake::on_connect({fails(ECONNREFUSED)});
  const auto e = thrown<pysock::error_group>([] {
    (void)create_connection({"127.0.0.1", 80}, use_default_timeout,
                            connection_options().all_errors(true));
  });
  CHECK(e.exceptions().size() == 1);
}

TEST_CASE("a host that cannot be looked up is a gaierror, with all_errors too") {
  for (const bool all : {false, true}) {
    const fake::session session;
    fake::on_getaddrinfo({fails(EAI_NONAME)});
    const auto e = thrown<pysock::gaierror>([all] {
      (void)create_connection({"nowhere", 80}, 1, connection_options().all_errors(all));
    });
    CHECK(e.errnum() == EAI_NONAME);
    CHECK(fake::count("socket") == 0);
  }
}

TEST_CASE("an empty result of the resolver is errc::no_addresses") {
  const fake::session session;
  for (const int interleave : {0, 1, 3}) {
    fake::on_getaddrinfo({fake::resolves({})});
    const auto options = connection_options().interleave(interleave);
    CHECK(thrown<pysock::error>([&options] {
            (void)create_connection({"h", 80}, std::nullopt, options);
          }).code() == pysock::errc::no_addresses);
  }
}

TEST_CASE("the timeout starts again for each address") {
  const fake::session session;
  fake::on_getaddrinfo({fake::resolves({one, two})});
  fake::on_connect({fails(EINPROGRESS).always()});
  fake::on_poll({fake::times_out(), fake::times_out()});
  CHECK_THROWS_AS(create_connection({"h", 80}, 200ms), pysock::timeout);
  CHECK(fake::log("poll") == lines{called("poll", first, event::connect, 200),
                                   called("poll", second, event::connect, 200)});
  CHECK(fake::elapsed() == 400ms);
}

TEST_CASE("an explicit timeout, None included, overrides the default") {
  const fake::session session;
  const default_timeout set(3);
  CHECK(create_connection({"127.0.0.1", 80}).gettimeout() == pysock::seconds(3));
  CHECK(create_connection({"127.0.0.1", 80}, use_default_timeout).gettimeout() ==
        pysock::seconds(3));
  CHECK(create_connection({"127.0.0.1", 80}, 0.5).gettimeout() == pysock::seconds(0.5));
  const pysock::socket blocking = create_connection({"127.0.0.1", 80}, std::nullopt);
  CHECK_FALSE(blocking.gettimeout());
  CHECK_FALSE(fake::is_nonblocking(blocking.fileno()));
  CHECK(fake::count("set_nonblocking") == 0);
}

TEST_CASE("a timeout of 0 does not wait") {
  const fake::session session;
  fake::on_connect({fails(EINPROGRESS)});
  CHECK(thrown<pysock::blocking_io_error>([] {
          (void)create_connection({"127.0.0.1", 80}, 0);
        }).errnum() == EINPROGRESS);
  CHECK(fake::count("poll") == 0);
}

TEST_CASE("invalid timeouts are rejected before any call") {
  const fake::session session;
  CHECK_THROWS_AS(create_connection({"127.0.0.1", 80}, -1), std::invalid_argument);
  CHECK_THROWS_AS(create_connection({"127.0.0.1", 80}, 1e300), std::out_of_range);
  CHECK(fake::log() == lines{});
  STATIC_REQUIRE_FALSE(std::is_default_constructible_v<connection_timeout>);
  STATIC_REQUIRE_FALSE(std::is_convertible_v<bool, connection_timeout>);
  STATIC_REQUIRE(std::is_convertible_v<pysock::timeout_value, connection_timeout>);
  STATIC_REQUIRE(std::is_convertible_v<std::optional<pysock::seconds>, connection_timeout>);
}

TEST_CASE("the source address is bound before connecting") {
  const fake::session session;
  fake::on_getaddrinfo({fake::resolves({one, two})});
  fake::on_connect({fails(ECONNREFUSED)});
  (void)create_connection({"h", 80}, use_default_timeout,
                          connection_options().source_address({"127.0.0.9", 0}));
  CHECK(fake::log("bind") ==
        lines{called("bind", first, "127.0.0.9:0"), called("bind", second, "127.0.0.9:0")});
  CHECK(fake::log("connect").front() == called("connect", first, "10.0.0.1:80"));
}

TEST_CASE("an unusable source address does not stop the attempts for other addresses") {
  const fake::session session;
  fake::on_getaddrinfo({fake::resolves({six, one, two})});
  fake::on_bind({fails(EADDRNOTAVAIL)});
  const auto options = connection_options().source_address({"127.0.0.9", 0});
  CHECK(create_connection({"h", 80}, 1, options).getpeername() ==
        address("10.0.0.2", 80));  // `six` has another family
  CHECK(fake::count("connect") == 1);
}

TEST_CASE("parallel attempts end if the system cannot wait for them", "[create_connection]") {
  const fake::session session;
  fake::on_getaddrinfo({fake::resolves({one, two})});
  fake::on_connect({fails(EINPROGRESS), fails(EINPROGRESS)});
  fake::on_change_poll_set({fails(EPERM), fails(EPERM)});
  const auto options = connection_options().happy_eyeballs_delay(0.25);
  CHECK(test_support::failure_of([&] {
          (void)create_connection({"h", 80}, std::nullopt, options);
        }) == test_support::failure("permission_error", EPERM));
  CHECK(fake::count("connect") == 2);
  CHECK(fake::count("close") == 2);
}

TEST_CASE("the port of a source address without one is chosen by connect", "[create_connection]") {
#ifdef IP_BIND_ADDRESS_NO_PORT
  const auto chosen_late = [](const address& source) {
    const fake::session session;
    fake::on_getaddrinfo({fake::resolves({one})});
    fake::on_setsockopt({fails(ENOPROTOOPT)});  // an older kernel lacks the option
    (void)create_connection({"h", 80}, 1, connection_options().source_address(source));
    CHECK(fake::count("bind") == 1);
    return fake::log("setsockopt") ==
           lines{called("setsockopt", first, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, sizeof(int))};
  };
  CHECK(chosen_late({"127.0.0.9", 0}));
  const fake::session session;
  fake::on_getaddrinfo({fake::resolves({one})});
  (void)create_connection({"h", 80}, 1, connection_options().source_address({"127.0.0.9", 7}));
  CHECK(fake::count("setsockopt") == 0);
#else
  SKIP_TEST("this system has no IP_BIND_ADDRESS_NO_PORT");
#endif
}

TEST_CASE("a socket connected to itself is reported as a refused connection",
          "[create_connection]") {
  const auto connect_to = [](int port, const fake::socket_address& own,
                             const address& source = address()) {
    const fake::session session;
    fake::on_getsockname({fake::gives(own)});
    try {
      (void)create_connection({"127.0.0.1", port}, 1, connection_options().source_address(source));
    } catch (const pysock::connection_refused_error& e) {
      const std::string where = "('127.0.0.1', " + std::to_string(port) + "): ";
      CHECK(std::string(e.what()) ==
            "create_connection " + where + "connect " + where + errno_text(ECONNREFUSED));
      CHECK(fake::open_count() == 0);
      return std::string("refused");
    }
    return std::to_string(fake::count("getsockname") + fake::count("getpeername")) + " asked";
  };
  const auto own = fake::inet({127, 0, 0, 1}, 40000);
  CHECK(connect_to(40000, own) == "refused");
  CHECK(connect_to(40000, own, {"127.0.0.1", 0}) == "refused");
  CHECK(connect_to(40000, own, {"127.0.0.1", 40000}) == "0 asked");  // the caller asked for it
  CHECK(connect_to(40000, fake::inet({127, 0, 0, 1}, 40001)) == "1 asked");
  CHECK(connect_to(40000, fake::inet({127, 0, 0, 2}, 40000)) == "2 asked");
  CHECK(connect_to(1023, own) == "0 asked");
}

TEST_CASE("a connection whose names cannot be read is returned", "[create_connection]") {
  const fake::session session;
  const auto own = fake::inet({127, 0, 0, 1}, 40000);
  fake::on_getsockname({fails(ENOTCONN), fake::gives(own)});
  fake::on_getpeername({fails(ENOTCONN)});
  CHECK(create_connection({"127.0.0.1", 40000}, 1));
  CHECK(fake::count("getpeername") == 0);
  CHECK(create_connection({"127.0.0.1", 40000}, 1));
  CHECK(fake::count("getpeername") == 1);
  CHECK(fake::problems() == lines{});
}

TEST_CASE("without a source address there is no bind") {
  const fake::session session;
  (void)create_connection({"127.0.0.1", 80}, 1, connection_options().source_address(address()));
  CHECK(fake::count("bind") == 0);
}

TEST_CASE("an argument that is wrong for every address ends the attempts") {
  const fake::session session;
  fake::on_getaddrinfo({fake::resolves({one, two})});
  CHECK_THROWS_AS(
      create_connection({"h", 80}, 1,
                        connection_options().source_address("/a/path").all_errors(true)),
      std::invalid_argument);
  CHECK(fake::count("socket") == 1);
  CHECK(fake::problems() == lines{});
}

TEST_CASE("an empty host is refused") {
  const fake::session session;
  for (const host_port& empty : {host_port("", 80), host_port(address("", 80))}) {
    const auto e = thrown<pysock::gaierror>([&empty] { (void)create_connection(empty); });
    CHECK(e.errnum() == EAI_NONAME);
    CHECK(std::string(e.what()).find("create_connection ('', 80): ") == 0);
  }
  CHECK(fake::log() == lines{});
}

TEST_CASE("host and port are passed to the resolver unchanged") {
  const fake::session session;
  const auto asked = [](const host_port& where) {
    fake::clear_log();
    (void)create_connection(where);
    return fake::log().front();
  };
  const auto expected = [](const char* host, const char* port) {
    return called("getaddrinfo", host, port, 0, SOCK_STREAM, 0, 0);
  };
  CHECK(asked({"h", "http"}) == expected("h", "http"));
  CHECK(asked({std::nullopt, 80}) == expected("null", "80"));
  CHECK(asked({std::string("h"), std::nullopt}) == expected("h", "null"));
  CHECK(asked({"h", std::uint32_t{80}}) == expected("h", "80"));
  CHECK(asked({std::nullopt, ""}) == expected("null", "0"));
  CHECK(asked(address("h", 80)) == expected("h", "80"));
  CHECK(asked(address("10.1.2.3", 80)) ==
        called("socket", AF_INET, SOCK_STREAM, IPPROTO_TCP, false));
  CHECK(asked(address("fe80::1%2", 80)) == expected("fe80::1%2", "80"));
  CHECK(asked(address("fe80::1", 80, 0, 3)) == expected("fe80::1%3", "80"));

  CHECK_THROWS_AS(create_connection({std::string("a\0b", 3), 80}), std::invalid_argument);
  CHECK_THROWS_AS(create_connection({"127.0.0.1", 65536}), std::out_of_range);
  CHECK_THROWS_AS(create_connection({"127.0.0.1", 4294967376UL}), std::out_of_range);
  CHECK_THROWS_AS(create_connection(address()), std::invalid_argument);
  CHECK_THROWS_AS(create_connection(address("::1", 80, 5)), std::invalid_argument);
  CHECK_THROWS_AS(create_connection(address("h", 80, 0, 1)), std::invalid_argument);
  sockaddr_storage other{};
  other.ss_family = 99;
  const address unknown(reinterpret_cast<const sockaddr*>(&other), 8);
  CHECK_THROWS_AS(create_connection(unknown), std::invalid_argument);
  STATIC_REQUIRE_FALSE(std::is_constructible_v<host_port, const char*, int, int, int>);
  STATIC_REQUIRE_FALSE(std::is_constructible_v<host_port, std::nullptr_t, int>);
}

TEST_CASE("create_connection leaves no descriptor open, whichever call fails") {
  const int calls = fake::fail_each_call(EMFILE, [] {
    fake::on_getaddrinfo({fake::resolves({one, two})});
    try {
      (void)create_connection(
          {"h", 80}, 1, connection_options().source_address({"127.0.0.9", 7}).all_errors(true));
    } catch (const pysock::error&) {
    }
    CHECK(fake::open_count() == 0);
    CHECK(fake::addrinfo_count() == 0);
    CHECK(fake::errors() == lines{});
  });
  CHECK(calls == 5);  // getaddrinfo, socket, bind, connect, close
}

// ---- create_server ----

TEST_CASE("create_server binds and listens") {
  const fake::session session;
  {
    const pysock::socket s = create_server({"127.0.0.1", 80});
    CHECK(as_int(fake::option(s.fileno(), SOL_SOCKET, restart_option)) == 1);
    CHECK((s.family() == AF_INET && s.type() == SOCK_STREAM && s.proto() == 0));
    CHECK_FALSE(s.gettimeout());
  }
  CHECK(fake::log() == lines{called("socket", AF_INET, SOCK_STREAM, 0, false),
                             called("setsockopt", first, SOL_SOCKET, restart_option, sizeof(int)),
                             called("bind", first, "127.0.0.1:80"), called("listen", first, 128),
                             called("close", first)});
  CHECK(fake::problems() == lines{});
}

TEST_CASE("an IPv6 server always sets IPV6_V6ONLY") {
  const fake::session session;
  const pysock::socket alone = create_server({"", 80}, server_options().family(AF_INET6));
  CHECK(as_int(fake::option(alone.fileno(), IPPROTO_IPV6, IPV6_V6ONLY)) == 1);
  const pysock::socket both =
      create_server({"", 80}, server_options().family(AF_INET6).dualstack_ipv6(true));
  CHECK(as_int(fake::option(both.fileno(), IPPROTO_IPV6, IPV6_V6ONLY)) == 0);
  CHECK(fake::log("bind").back() == called("bind", both.fileno(), "[0:0:0:0:0:0:0:0]:80"));
}

TEST_CASE("a server works without SO_REUSEADDR") {
  const fake::session session;
  fake::on_setsockopt({fails(ENOPROTOOPT)});
  CHECK(create_server({"", 80}));
}

TEST_CASE("a server uses its backlog and reuse_port options") {
  const fake::session session;
  const pysock::socket plain = create_server({"", 80});
  const pysock::socket s = create_server("/tmp/sock", server_options().family(AF_UNIX).backlog(7));
  CHECK(fake::log("bind").back() == called("bind", s.fileno(), "unix:/tmp/sock"));
  CHECK(fake::log("listen").back() == called("listen", s.fileno(), 7));
  (void)create_server({"", 80}, server_options().backlog(-1));
  CHECK(fake::log("listen").back() == called("listen", s.fileno() + 1, 0));
#ifdef SO_REUSEPORT
  CHECK(fake::option(plain.fileno(), SOL_SOCKET, SO_REUSEPORT).empty());
  const pysock::socket shared = create_server({"", 80}, server_options().reuse_port(true));
  CHECK(as_int(fake::option(shared.fileno(), SOL_SOCKET, SO_REUSEPORT)) == 1);
#endif
}

TEST_CASE("a server has the default timeout") {
  const fake::session session;
  const default_timeout set(3);
  CHECK(create_server({"", 80}).gettimeout() == pysock::seconds(3));
}

TEST_CASE("a system without dual-stack sockets is reported, whichever error it has",
          "[create_server]") {
  const fake::session session;
  const auto server = [] {
    (void)create_server({"", 80}, server_options().family(AF_INET6).dualstack_ipv6(true));
  };
  for (const int number :
       {EAFNOSUPPORT, EPROTONOSUPPORT, ENOPROTOOPT, EOPNOTSUPP, ENOTSUP, EINVAL}) {
    CAPTURE(number);
    fake::on_socket({fails(number)});
    CHECK_THROWS_AS(server(), std::invalid_argument);
    fake::on_setsockopt({fails(number)});
    CHECK_THROWS_AS(server(), std::invalid_argument);
  }
  fake::on_setsockopt({fails(EMFILE)});
  CHECK(thrown<pysock::error>(server).errnum() == EMFILE);
  CHECK(fake::count("bind") == 0);
  CHECK(fake::problems() == lines{});
}

TEST_CASE("options that the system or the family lacks are invalid arguments") {
  const fake::session session;
  const auto e = thrown<std::invalid_argument>([] {
    (void)create_server({"", 80}, server_options().dualstack_ipv6(true));
  });
  CHECK(std::string(e.what()).find("create_server: dualstack_ipv6 requires AF_INET6 family") == 0);
  fake::on_socket({fails(EAFNOSUPPORT)});
  const auto none = thrown<std::invalid_argument>([] {
    (void)create_server({"", 80}, server_options().family(AF_INET6).dualstack_ipv6(true));
  });
  CHECK(std::string(none.what())
            .find("create_server: dualstack_ipv6 not supported on this platform") == 0);
  CHECK(fake::count("bind") == 0);
#ifndef SO_REUSEPORT
  CHECK_THROWS_AS(create_server({"", 80}, server_options().reuse_port(true)),
                  std::invalid_argument);
#endif
}

TEST_CASE("a server that cannot be bound names the address and is closed") {
  const fake::session session;
  fake::on_bind({fails(EADDRINUSE)});
  const auto e = thrown<pysock::error>([] { (void)create_server({"127.0.0.1", 80}); });
  CHECK(e.errnum() == EADDRINUSE);
  CHECK(std::string(e.what()) == "bind ('127.0.0.1', 80): " + errno_text(EADDRINUSE));
  CHECK(fake::problems() == lines{});
}

TEST_CASE("a host of the other family is a gaierror") {
  const fake::session session;
  CHECK_THROWS_AS(create_server({"::1", 80}, server_options().family(AF_INET)), pysock::gaierror);
  CHECK_THROWS_AS(create_server("/tmp/sock", server_options().family(AF_INET)),
                  std::invalid_argument);
  CHECK(fake::problems() == lines{});
}

TEST_CASE("create_server leaves no descriptor open, whichever call fails") {
  const int calls = fake::fail_each_call(ENOBUFS, [] {
    try {
      (void)create_server({"", 80}, server_options().family(AF_INET6).dualstack_ipv6(true));
    } catch (const pysock::error& e) {  // not std::invalid_argument: dual-stack is possible
      CHECK(e.errnum() == ENOBUFS);
    }
    CHECK(fake::open_count() == 0);
    CHECK(fake::errors() == lines{});
  });
  CHECK(calls == 9);  // three of the probe, then socket, two options, bind, listen, close
}

TEST_CASE("has_dualstack_ipv6 sets IPV6_V6ONLY on a socket") {
  const fake::session session;
  CHECK(pysock::has_dualstack_ipv6());
  CHECK(fake::log() == lines{called("socket", AF_INET6, SOCK_STREAM, 0, false),
                             called("setsockopt", first, IPPROTO_IPV6, IPV6_V6ONLY, sizeof(int)),
                             called("close", first)});
  fake::on_socket({fails(EAFNOSUPPORT)});
  CHECK_FALSE(pysock::has_dualstack_ipv6());
  fake::on_setsockopt({fails(ENOPROTOOPT)});
  CHECK_FALSE(pysock::has_dualstack_ipv6());
  CHECK(fake::problems() == lines{});
  STATIC_REQUIRE(noexcept(pysock::has_dualstack_ipv6()));
}
