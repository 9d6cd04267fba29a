// SPDX-License-Identifier: MIT
// Sessions in a process and its children.
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <unistd.h>

#include <pysock/ssl.hpp>

#include "ssl/tls.hpp"
#include "support/catch.hpp"

namespace sk = pysock;
namespace sys = pysock::detail::sys;
using namespace test_support;

TEST_CASE("a child of fork does not end the parent's session", "[ssl][fork]") {
  session_pair both = secured();
  both.server.sendall("unread");
  REQUIRE(wait_for(both.client.fileno(), POLLIN));
  CHECK(in_child([&] {
          const sk::ssl_socket gone = std::move(both.client);
          both.server.close();
          return 0;
        }) == 0);
  CHECK(both.client.recv(10) == "unread");
  both.client.sendall("from the parent");
  CHECK(both.server.recv(100) == "from the parent");
  both.client.close();
  CHECK(both.server.recv(1).empty());
}

TEST_CASE("a parent that detaches leaves its session to a child", "[ssl][fork]") {
  session_pair both = secured();
  int go[2];
  REQUIRE(::pipe(go) == 0);
  const sk::descriptor waits(go[0]);
  sk::descriptor tells(go[1]);
  background<int> child([&] {
    return in_child([&] {
      tells = sk::descriptor();
      char end;
      while (::read(waits.get(), &end, 1) > 0) continue;  // until the parent has detached
      both.client.sendall("from the child");
      both.client.shutdown(SHUT_WR);
      return both.client.recv(100) == "to the child" ? 0 : 1;
    });
  });
  child.wait_until_asleep();
  sys::close(both.client.detach());
  CHECK_FALSE(both.client);
  CHECK(both.client.detach() == sk::invalid_handle);
  tells = sk::descriptor();
  CHECK(receive(both.server, 14) == "from the child");
  CHECK(both.server.recv(1).empty());
  both.server.sendall("to the child");
  CHECK(child.get() == 0);
}

TEST_CASE("an error of OpenSSL has a number instead of a text after OpenSSL's end", "[ssl][fork]") {
  const auto value = static_cast<int>(ERR_PACK(ERR_LIB_SSL, 0, SSL_R_WRONG_VERSION_NUMBER));
  const std::error_code code(value, sk::openssl_category());
  const std::string number = std::to_string(value);
  CHECK(code.message() == "[SSL: WRONG_VERSION_NUMBER] wrong version number");
  CHECK(text_from_child([&] {
          OPENSSL_cleanup();
          return code.message();
        }) == "[SSL: UNKNOWN_ERROR_" + number + "] unknown error " + number);
}
