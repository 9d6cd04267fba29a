// SPDX-License-Identifier: MIT
// Ports that the system chooses from a small range.
#include <pysock/create.hpp>

#include "support/catch.hpp"
#include "support/failure.hpp"
#include "support/private_etc.hpp"

namespace sk = pysock;
using namespace test_support;

namespace {

bool is_refused(const std::string& text) { return text.find("not allowed: ") == 0; }

const auto loopbacks = {"127.0.0.1", "::1"};

#ifdef IP_BIND_ADDRESS_NO_PORT
sk::socket server_at(const char* host, int port) {
  const int family = std::string(host) == "::1" ? AF_INET6 : AF_INET;
  return sk::create_server({host, port}, sk::server_options().family(family));
}
#endif

}  // namespace

TEST_CASE("connections from one source address to several servers share its ports",
          "[create_connection]") {
#ifndef IP_BIND_ADDRESS_NO_PORT
  SKIP_TEST("this system has no IP_BIND_ADDRESS_NO_PORT");
#else
  const int on = 1;
  if (::setsockopt(sk::socket().fileno(), IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof on) < 0)
    SKIP_TEST("::setsockopt of IP_BIND_ADDRESS_NO_PORT fails with " + std::to_string(errno));
  constexpr int ports = 20;
  for (const char* host : loopbacks) {
    CAPTURE(host);
    const std::string outcome = in_private_network(40000, 40000 + ports - 1, [host] {
      std::vector<sk::socket> open;
      const std::string failed = failure_of([&] {
        for (const int port : {50001, 50002, 50003}) {
          open.push_back(server_at(host, port));
          for (int i = 0; i < ports; ++i) {
            open.push_back(sk::create_connection(
                {host, port}, 10, sk::connection_options().source_address({host, 0})));
          }
        }
      });
      return failed + ", sockets: " + std::to_string(open.size());
    });
    if (is_refused(outcome)) SKIP_TEST("a private network is " + outcome);
    CHECK(outcome == "none, sockets: 63");
  }
#endif
}

TEST_CASE("create_connection to a closed local port never connects to itself",
          "[create_connection]") {
  constexpr int port = 40000;
  for (const char* host : loopbacks) {
    CAPTURE(host);
    const std::string outcome = in_private_network(port, port, [host] {
      // The system can choose only the port that the socket connects to.
      sk::socket plain(std::string(host) == "::1" ? AF_INET6 : AF_INET);
      plain.connect({host, port});
      if (plain.getsockname() != plain.getpeername()) return std::string("no such system");
      plain.setsockopt(SOL_SOCKET, SO_LINGER, linger{1, 0});
      plain.close();

      std::string all;
      for (const sk::timeout_value& timeout :
           {sk::timeout_value(std::nullopt), sk::timeout_value(10)}) {
        all += failure_of([&] { return sk::create_connection({host, port}, timeout); }) + " ";
        all += failure_of([&] {
                 return sk::create_connection({host, port}, timeout,
                                              sk::connection_options().source_address({host, 0}));
               }) +
               " ";
      }
      // A program that gives the same port as source and destination gets that connection.
      all += failure_of([&] {
               return sk::create_connection({host, port}, 10,
                                            sk::connection_options().source_address({host, port}));
             }) +
             " ";
      return all;
    });
    if (is_refused(outcome)) SKIP_TEST("a private network is " + outcome);
    const std::string refused = failure("connection_refused_error", ECONNREFUSED) + " ";
    CHECK(outcome == refused + refused + refused + refused + "none ");
  }
}

TEST_CASE("a refused connection to itself leaves the port to a server", "[create_connection]") {
  constexpr int port = 40000;
  const std::string outcome = in_private_network(port, port, [] {
    std::string all = failure_of([] { return sk::create_connection({"127.0.0.1", port}, 10); });
    sk::socket server;  // without SO_REUSEADDR
    all += ", " + failure_of([&server] {
             server.bind({"127.0.0.1", port});
             return 0;
           });
    return all;
  });
  if (is_refused(outcome)) SKIP_TEST("a private network is " + outcome);
  CHECK(outcome == failure("connection_refused_error", ECONNREFUSED) + ", none");
}
