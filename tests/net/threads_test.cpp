// SPDX-License-Identifier: MIT
// What several threads may do with one socket at the same time: all of it, and nothing more. To be
// run under TSan too.
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

// The bytes at these places of an endless stream in which every error of place shows.
std::string stream_piece(std::size_t begin, std::size_t size) {
  std::string piece(size, '\0');
  for (std::size_t i = 0; i < size; ++i) piece[i] = static_cast<char>((begin + i) % prime);
  return piece;
}

// Sends the stream until the connection ends, in whatever mode the socket is at the time. Returns
// how much went.
std::size_t send_stream(sk::socket& s) {
  std::size_t sent = 0;
  for (;;) {
    std::error_code ec;
    sent += s.sendall(stream_piece(sent, 1000), ec);
    if (!ec || ec == std::errc::resource_unavailable_try_again || ec == sk::errc::timed_out)
      continue;
    return sent;
  }
}

// Receives the stream until it ends. Returns how much came; throws if that was not the stream.
std::size_t receive_stream(sk::socket& s) {
  std::size_t seen = 0;
  char room[777];
  for (;;) {
    std::error_code ec;
    const std::size_t count = s.recv_into(room, ec);
    if (std::string(room, count) != stream_piece(seen, count))
      throw std::runtime_error("the stream is broken at " + std::to_string(seen));
    seen += count;
    if (count > 0 || ec == std::errc::resource_unavailable_try_again || ec == sk::errc::timed_out)
      continue;
    return seen;
  }
}

}  // namespace

TEST_CASE("one thread receives, another sends, a third does all that any thread may",
          "[threads][S119][S115][S124][S126][S131]") {
  auto [shared, peer] = connected();
  shared.settimeout(patience);
  background<std::size_t> receiving([&shared = shared] { return receive_stream(shared); });
  background<std::size_t> sending([&shared = shared] { return send_stream(shared); });
  background<std::size_t> peer_receiving([&peer = peer] { return receive_stream(peer); });
  background<std::size_t> peer_sending([&peer = peer] { return send_stream(peer); });

  const sk::address own = shared.getsockname();
  const sk::address other = shared.getpeername();
  const auto fd = shared.fileno();
  bool as_expected = true;
  for (int i = 0; i < 1000; ++i) {
    shared.settimeout(0.001);
    shared.settimeout(std::nullopt);
    shared.setblocking(false);
    shared.settimeout(patience);
    const auto limit = shared.gettimeout();
    shared.setsockopt(IPPROTO_TCP, TCP_NODELAY, i % 2);
    as_expected = as_expected && limit == sk::seconds(patience) && shared.fileno() == fd &&
                  shared.getsockname() == own && shared.getpeername() == other &&
                  shared.getsockopt(SOL_SOCKET, SO_TYPE) == SOCK_STREAM;
  }
  CHECK(as_expected);

  // The peer ends its sending first, so that all of it arrives.
  peer.shutdown(SHUT_WR);
  CHECK(receiving.get() == peer_sending.get());
  shared.shutdown(SHUT_RDWR);
  CHECK(sending.get() == peer_receiving.get());
  CHECK(failure_of([&shared = shared] { (void)shared.send("x"); }) ==
        failure("broken_pipe_error", EPIPE));
}

TEST_CASE("shutdown by a third thread ends the calls of the other two", "[threads][S139]") {
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

TEST_CASE("the default timeout may be set while sockets are made", "[threads][S92][S91]") {
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
