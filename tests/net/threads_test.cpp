// SPDX-License-Identifier: MIT
// The calls of one socket that several threads may make at the same time. Also run under TSan.
#include <pysock/socket.hpp>

#include "support/background.hpp"
#include "support/catch.hpp"
#include "support/failure.hpp"
#include "support/raw.hpp"
#include "support/sockets.hpp"

namespace sk = pysock;
using namespace test_support;

namespace {

constexpr unsigned prime = 251;

// The bytes [begin, begin + size) of an endless stream in which no piece can be mistaken for
// another.
std::string stream_piece(std::size_t begin, std::size_t size) {
  std::string piece(size, '\0');
  for (std::size_t i = 0; i < size; ++i) piece[i] = static_cast<char>((begin + i) % prime);
  return piece;
}

// Whether a call on a stream may be repeated: after success, a timeout, and for a non-blocking
// socket would-block.
bool goes_on(const std::error_code& ec, bool nonblocking) {
  return !ec || ec == sk::errc::timed_out ||
         (nonblocking && ec == std::errc::resource_unavailable_try_again);
}

// Sends the stream until the connection ends. Returns the number of bytes sent.
std::size_t send_stream(sk::socket& s, bool nonblocking) {
  std::size_t sent = 0;
  std::error_code ec;
  do sent += s.sendall(stream_piece(sent, 1000), ec);
  while (goes_on(ec, nonblocking));
  if (ec == std::errc::resource_unavailable_try_again) throw std::system_error(ec, "sendall");
  return sent;
}

// Receives the stream until it ends. Returns the number of bytes received; throws if they differ.
std::size_t receive_stream(sk::socket& s, bool nonblocking) {
  std::size_t seen = 0;
  char buffer[777];
  std::error_code ec;
  for (;;) {
    const std::size_t count = s.recv_into(buffer, ec);
    if (std::string(buffer, count) != stream_piece(seen, count))
      throw std::runtime_error("the stream is broken at " + std::to_string(seen));
    seen += count;
    if (count == 0 && (!ec || !goes_on(ec, nonblocking))) break;
  }
  if (ec == std::errc::resource_unavailable_try_again) throw std::system_error(ec, "recv_into");
  return seen;
}

}  // namespace

TEST_CASE("one thread receives, another sends, a third makes the other thread-safe calls",
          "[threads][settimeout]") {
  struct modes {
    const char* name;
    std::vector<sk::timeout_value> values;  // the third thread sets them in turn
  };
  const auto [name, values] = GENERATE(
      modes{"blocking", {std::nullopt}}, modes{"timeout", {0.001, patience}},
      modes{"non-blocking", {0}}, modes{"blocking and timeout", {std::nullopt, 0.001, patience}});
  CAPTURE(name);
  const bool nonblocking = pysock::detail::timeout_word(values.front()) == 0;
  auto [shared, peer] = connected();
  shared.settimeout(values.front());
  background<std::size_t> receiving(
      [&shared = shared, nonblocking] { return receive_stream(shared, nonblocking); });
  background<std::size_t> sending(
      [&shared = shared, nonblocking] { return send_stream(shared, nonblocking); });
  background<std::size_t> peer_receiving([&peer = peer] { return receive_stream(peer, false); });
  background<std::size_t> peer_sending([&peer = peer] { return send_stream(peer, false); });

  const sk::address own = shared.getsockname();
  const sk::address other = shared.getpeername();
  const auto fd = shared.fileno();
  bool as_expected = true;
  for (int i = 0; i < 1000; ++i) {
    for (const sk::timeout_value& value : values) shared.settimeout(value);
    const auto limit = shared.gettimeout();
    shared.setsockopt(IPPROTO_TCP, TCP_NODELAY, i % 2);
    as_expected =
        as_expected && limit.has_value() == (pysock::detail::timeout_word(values.back()) >= 0) &&
        shared.fileno() == fd && shared.getsockname() == own && shared.getpeername() == other &&
        shared.getsockopt(SOL_SOCKET, SO_TYPE) == SOCK_STREAM;
  }
  CHECK(as_expected);

  // The peer stops sending first, so that all its data arrive.
  peer.shutdown(SHUT_WR);
  CHECK(receiving.get() == peer_sending.get());
  shared.shutdown(SHUT_RDWR);
  CHECK(sending.get() == peer_receiving.get());
  CHECK(failure_of([&shared = shared] { (void)shared.send("x"); }) ==
        failure("broken_pipe_error", EPIPE));
}

TEST_CASE("shutdown by a third thread ends the calls of the other two", "[threads]") {
  const std::string missing = why_shutdown_wakes_nobody();
  if (!missing.empty()) SKIP_TEST(missing);
  for (const sk::timeout_value& mode :
       {sk::timeout_value(patience), sk::timeout_value(std::nullopt)}) {
    full_connection full;
    sk::socket& s = full.client;
    s.settimeout(mode);
    background<std::string> receiving([&] { return s.recv(10); });
    background<std::string> sending([&] { return failure_of([&] { return s.send("x"); }); });
    receiving.wait_until_asleep();
    sending.wait_until_asleep();
    s.shutdown(SHUT_RDWR);
    CHECK(receiving.get().empty());
    CHECK(sending.get() == failure("broken_pipe_error", EPIPE));
  }
}

TEST_CASE("the default timeout may be set while sockets are made", "[threads]") {
  background<int> making([] {
    int odd = 0;
    for (int i = 0; i < 1000; ++i) {
      const auto limit = sk::socket().gettimeout();
      if (limit && limit != sk::seconds(5)) ++odd;
    }
    return odd;
  });
  for (int i = 0; i < 1000; ++i) {
    const default_timeout_scope five(5);
    (void)sk::getdefaulttimeout();
  }
  CHECK(making.get() == 0);
}
