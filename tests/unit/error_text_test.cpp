// SPDX-License-Identifier: MIT
// The text of errors: the operation, its arguments as Python prints them, the reason.
#include <pysock/pysock.hpp>

#include "support/catch.hpp"
#include "support/fake_sys.hpp"

namespace sk = pysock;

namespace {

// Calls `f`, which must throw, and returns the text of the exception.
template <class F>
std::string text_of(const F& f) {
  try {
    f();
  } catch (const std::exception& e) {
    return e.what();
  }
  return "nothing was thrown";
}

}  // namespace

TEST_CASE("error texts escape control characters in names that the caller passed", "[error]") {
  const fake::session session;
  const std::string name = "a\nb\x1B[31m'";
  sk::socket s;
  const auto unknown = [](const auto& f) {
    fake::on_getaddrinfo({fake::fails(EAI_NONAME)});
    return text_of(f);
  };
  const std::string texts[] = {
      unknown([&] { (void)sk::getaddrinfo(name, 80); }),
      unknown([&] { (void)sk::gethostbyname(name); }),
      unknown([&] { (void)sk::gethostbyname_ex(name); }),
      unknown([&] { (void)sk::gethostbyaddr(name); }),
      unknown([&] {
        (void)sk::create_connection({name, 80});
      }),
      unknown([&] {
        s.connect({name, 80});
      }),
      unknown([&] {
        s.bind({name, 80});
      }),
      text_of([&] { (void)sk::getaddrinfo(name + '\0', 80); }),
      text_of([&] { (void)sk::getservbyname(name); }),
      text_of([&] { (void)sk::getservbyname(name + '\0'); }),
      text_of([&] { (void)sk::getprotobyname(name); }),
      text_of([&] { (void)sk::if_nametoindex(name); }),
      text_of([&] { (void)sk::if_nametoindex(name + '\0'); }),
      text_of([&] { s.sendfile(name); }),
      text_of([&] { (void)sk::inet_address(name, 80); }),
      text_of([&] { (void)sk::inet6_address(name, 80); }),
      text_of([&] { (void)sk::address(name + '\0', 80); }),
      text_of([&] { (void)sk::unix_address(name + '\0'); }),
      text_of([&] { (void)sk::unix_address(name + std::string(200, 'x')); }),
  };
  for (const std::string& text : texts) {
    CAPTURE(text);
    CHECK(text.find("a\\nb\\x1b[31m'") != std::string::npos);
    for (const char c : text) CHECK(static_cast<unsigned char>(c) >= 0x20);
  }
}

TEST_CASE("an error names its operation once", "[error]") {
  CHECK(text_of([] { (void)sk::inet_pton(AF_INET, "x"); }) ==
        "illegal IP address string passed to inet_pton");
  CHECK(text_of([] { (void)sk::inet_aton("x"); }) ==
        "illegal IP address string passed to inet_aton");
  CHECK(text_of([] { (void)sk::inet_ntoa("x"); }) == "packed IP wrong length for inet_ntoa");
  CHECK(text_of([] { (void)sk::inet_address("x", 80); }) ==
        "inet_address 'x': illegal IP address string passed to inet_pton");
  const fake::session session;
  const sk::socket s;
  CHECK(text_of([&] { (void)s.getsockopt(SOL_SOCKET, SO_LINGER, 0); }) ==
        "getsockopt buflen out of range");
}

TEST_CASE("errors of options name level and option", "[setsockopt][getsockopt]") {
  const fake::session session;
  sk::socket s;
  const auto refused = [](const auto& f) {
    fake::on_setsockopt({fake::fails(EINVAL)});
    fake::on_getsockopt({fake::fails(EINVAL)});
    const std::string text = text_of(f);
    fake::on_setsockopt({});
    fake::on_getsockopt({});
    return text.substr(0, text.find(": "));
  };
  CHECK(refused([&] { s.setsockopt(SOL_SOCKET, SO_RCVBUF, 1); }) ==
        "setsockopt (SOL_SOCKET, SO_RCVBUF)");
  CHECK(refused([&] { s.setsockopt(IPPROTO_TCP, TCP_NODELAY, "x"); }) ==
        "setsockopt (IPPROTO_TCP, TCP_NODELAY)");
  CHECK(refused([&] { s.setsockopt(IPPROTO_IPV6, IPV6_V6ONLY, nullptr, 4); }) ==
        "setsockopt (IPPROTO_IPV6, IPV6_V6ONLY)");
  CHECK(refused([&] { s.setsockopt(12345, 54321, 1); }) == "setsockopt (12345, 54321)");
  CHECK(refused([&] { (void)s.getsockopt(SOL_SOCKET, SO_TYPE); }) ==
        "getsockopt (SOL_SOCKET, SO_TYPE)");
  CHECK(refused([&] { (void)s.getsockopt(IPPROTO_IP, IP_TTL, 4); }) ==
        "getsockopt (IPPROTO_IP, IP_TTL)");
}
