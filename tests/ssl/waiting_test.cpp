// SPDX-License-Identifier: MIT
// How sessions wait: deadlines, would-block, threads.
#include <openssl/ssl.h>
#if __has_include(<sys/ioctl.h>)
#include <sys/ioctl.h>
#endif

#include <atomic>
#include <pysock/file.hpp>
#include <pysock/incomplete_read.hpp>
#include <pysock/selectors.hpp>
#include <pysock/ssl.hpp>
#include <sstream>

#include "ssl/tls.hpp"
#include "support/catch.hpp"
#include "support/raw.hpp"
#include "support/transferred.hpp"

namespace sk = pysock;
using namespace test_support;

namespace {

constexpr double short_time = 0.2;

// Sends a byte from time to time until it is destroyed.
class dripping {
 public:
  explicit dripping(sk::native_handle_type descriptor)
      : thread_([this, descriptor] {
          while (!stop_) {
            (void)send_raw(descriptor, "x");
            std::this_thread::sleep_for(std::chrono::milliseconds(10));
          }
        }) {}
  dripping(const dripping&) = delete;
  dripping& operator=(const dripping&) = delete;
  ~dripping() {
    stop_ = true;
    thread_.join();
  }

 private:
  std::atomic<bool> stop_{false};
  std::thread thread_;
};

// Waits for the event that the session needs.
void wait_as_told(const sk::ssl_socket& s, const std::error_code& ec) {
  REQUIRE((ec == sk::ssl_errc::want_read || ec == sk::ssl_errc::want_write));
  REQUIRE(wait_for(s.fileno(), ec == sk::ssl_errc::want_read ? POLLIN : POLLOUT));
}

}  // namespace

TEST_CASE("a handshake times out if the peer stops", "[ssl]") {
  const std::string begun = GENERATE(as<std::string>(), "", std::string("\x16\x03\x03", 3),
                                     std::string("\x16\x03\x03\x00\x7a\x02\x00", 7));
  const sk::ssl_context client = client_context();
  const sk::ssl_context server = server_context();
  auto both = connected();
  if (!begun.empty()) both.second.sendall(begun);
  both.first.settimeout(short_time);
  const stopwatch watch;
  CHECK(tls_failure_of([&] { return client.wrap_socket(std::move(both.first), "localhost"); }) ==
        "timeout");
  CHECK(watch.seconds() >= short_time);

  both = connected();
  if (!begun.empty()) both.first.sendall(begun);
  both.second.settimeout(short_time);
  CHECK(tls_failure_of([&] { return server.wrap_server(std::move(both.second)); }) == "timeout");
}

TEST_CASE("bytes that arrive slowly do not extend a deadline", "[ssl]") {
  const sk::ssl_context client = client_context();
  auto plain = connected();
  plain.second.sendall(std::string("\x16\x03\x03\x3f\xff", 5));
  plain.first.settimeout(short_time);
  {
    const dripping peer(plain.second.fileno());
    CHECK(tls_failure_of([&] { return client.wrap_socket(std::move(plain.first), "localhost"); }) ==
          "timeout");
  }
  session_pair both = secured();
  REQUIRE(send_raw(both.server.fileno(), std::string("\x17\x03\x03\x3f\xff", 5)));
  both.client.settimeout(short_time);
  const dripping peer(both.server.fileno());
  const stopwatch watch;
  CHECK(tls_failure_of([&] { return both.client.recv(1); }) == "timeout");
  CHECK(watch.seconds() >= short_time);
  CHECK(tls_failure_of([&] { return both.client.unwrap(); }) == "timeout");
}

TEST_CASE("a read times out if the peer sends a part of a record or nothing", "[ssl]") {
  session_pair both = secured();
  both.client.settimeout(short_time);
  CHECK(message_of([&] { return both.client.recv(1); }) == "recv: timed out");
  both.server.sendall("late, but whole");
  CHECK(both.client.recv(100) == "late, but whole");  // the session still works
  REQUIRE(send_raw(both.server.fileno(), std::string("\x17\x03\x03\x00\x50 beginning", 15)));
  const stopwatch watch;
  std::error_code ec;
  char buffer[10];
  CHECK(both.client.recv_into(buffer, ec) == 0);
  CHECK(ec == sk::errc::timed_out);
  CHECK(watch.seconds() >= short_time);
}

TEST_CASE("a file over a non-blocking session continues after a part of a record",
          "[makefile][ssl]") {
  session_pair both = secured();
  both.server.settimeout(10);
  std::string data;  // more than the buffers of the system hold
  for (int i = 0; data.size() < 16'000'000; ++i) data += std::to_string(i) + "\n";
  sk::file f = both.client.makefile("w");
  f.settimeout(0);
  std::size_t written = 0;
  const auto finish = [&] {
    try {
      written += f.write(sk::const_bytes(data).after(written));
      f.flush();
      return true;
    } catch (const sk::ssl_want_write_error& e) {
      if (written < data.size()) written += e.transferred();
      return false;
    }
  };
  REQUIRE_FALSE(finish());
  background<std::string> receiving([&] { return receive(both.server, data.size()); });
  while (!finish()) REQUIRE(wait_for(both.client.fileno(), POLLOUT));
  CHECK((receiving.get() == data));
}

TEST_CASE("flush of a file sends the rest of a record that a write left unsent",
          "[makefile][ssl]") {
  session_pair both = secured();
  sk::file f = both.client.makefile("w", 0);
  const std::string piece(16384, 'x');
  f.flush();  // nothing is left
  std::size_t sent = 0;
  const auto fill = [&] {
    f.settimeout(0);
    for (bool full = false; !full;) {
      std::size_t count = piece.size();
      full = tls_failure_of([&] {
               try {
                 f.write(piece);
               } catch (const sk::error& e) {
                 count = e.transferred();
                 throw;
               }
             }) == "want_write";
      sent += count;
    }
  };
  // Repeated, because the system's buffer may grow after it was full.
  const auto failure_of_flush = [&](const sk::timeout_value& limit) {
    std::string failed;
    do {
      fill();
      f.settimeout(limit);
      failed = tls_failure_of([&] { f.flush(); });
    } while (failed == "none");
    return failed;
  };
  CHECK(failure_of_flush(0) == "want_write");
  CHECK(sent % piece.size() == 0);  // the last record counts as a whole
  SECTION("in non-blocking mode") {
    background<std::size_t> receiving([&] { return receive(both.server, sent).size(); });
    for (std::error_code ec = sk::ssl_errc::want_write; ec;) {
      REQUIRE(wait_for(f.fileno(), POLLOUT));
      ec.clear();
      try {
        f.flush();
      } catch (const sk::ssl_want_write_error& e) {
        ec = e.code();
      }
    }
    CHECK(receiving.get() == sent);
  }
  SECTION("within the timeout") {
    CHECK(failure_of_flush(short_time) == "timeout");
    f.settimeout(patience);
    background<std::size_t> receiving([&] { return receive(both.server, sent).size(); });
    f.flush();
    CHECK(receiving.get() == sent);
  }
}

TEST_CASE("unwrap times out if the peer sends a part of the closing alert or nothing", "[ssl]") {
  const auto version = GENERATE(sk::TLSVersion::TLSv1_2, sk::TLSVersion::TLSv1_3);
  sk::ssl_context context = client_context();
  only(context, version);
  session_pair both = secured(context, server_context());
  both.client.settimeout(short_time);
  CHECK(tls_failure_of([&] { return both.client.unwrap(); }) == "timeout");
  const bool disguised = version == sk::TLSVersion::TLSv1_3;
  REQUIRE(send_raw(both.server.fileno(), disguised ? std::string("\x17\x03\x03\x00\x13 al", 8)
                                                   : std::string("\x15\x03\x03\x00\x1a al", 8)));
  CHECK(tls_failure_of([&] { return both.client.unwrap(); }) == "timeout");
  CHECK(both.client.fileno() >= 0);
}

TEST_CASE("an unwrap that timed out can be repeated", "[ssl]") {
  session_pair both = secured();
  both.client.settimeout(short_time);
  CHECK(tls_failure_of([&] { return both.client.unwrap(); }) == "timeout");
  CHECK(both.server.recv(1).empty());
  both.server.close();
  both.client.settimeout(patience);
  CHECK(both.client.unwrap().recv(1).empty());
}

TEST_CASE("after a write that times out the program can continue at transferred()", "[ssl]") {
  session_pair both = secured();
  std::string data(8000000, '\0');
  for (std::size_t i = 0; i < data.size(); ++i) data[i] = static_cast<char>(i * 2654435761U >> 13);
  both.client.settimeout(short_time);
  std::size_t gone = 0;
  for (std::size_t moved = 1; moved > 0;
       gone += moved) {  // on a slow machine one timeout may end before the connection is full
    const stopwatch watch;
    moved = transferred([&] { return both.client.sendall(sk::const_bytes(data).after(gone)); });
    CHECK(watch.seconds() >= short_time);
  }
  REQUIRE(gone > 0);
  // The rest of the last record must be sent first. Where the system's buffer has grown meanwhile,
  // more can be sent.
  std::error_code ec;
  while (!ec) gone += both.client.send(sk::const_bytes(data).after(gone), ec);
  CHECK(ec == sk::errc::timed_out);
  REQUIRE(gone < data.size());
  background<std::string> receiving([&] { return receive(both.server, data.size()); });
  both.client.settimeout(patience);
  CHECK(both.client.sendall(sk::const_bytes(data).after(gone)) == data.size() - gone);
  CHECK((receiving.get() == data));
}

TEST_CASE("a deadline that has passed ends sendfile after one record", "[ssl]") {
  session_pair both = secured();
  const std::string data(100000, 'x');
  std::istringstream in(data);
  both.client.settimeout(std::chrono::steady_clock::now() - std::chrono::seconds(1));
  std::error_code ec;
  const std::size_t sent = both.client.sendfile(in, 0, std::nullopt, ec);
  CHECK(sent == 16384);
  CHECK(ec == sk::errc::timed_out);
  both.client.settimeout(patience);
  CHECK(both.client.sendfile(in, 16384) == data.size() - sent);
  CHECK((receive(both.server, data.size()) == data));
}

TEST_CASE("after a deadline that has passed recv_exactly takes one record", "[ssl][recv_exactly]") {
  session_pair both = secured();
  both.server.sendall("first ");
  both.server.sendall("second");
  const auto passed = std::chrono::steady_clock::now() - std::chrono::seconds(1);
  CHECK(both.client.wait_readable(patience));
  both.client.settimeout(passed);
  char buffer[12] = {};
  std::error_code ec;
  CHECK(both.client.recv_exactly_into(buffer, ec) == 6);
  CHECK(ec == sk::errc::timed_out);
  CHECK(std::string(buffer, 6) == "first ");
  both.client.settimeout(patience);
  CHECK(both.client.wait_readable(patience));
  both.client.settimeout(passed);
  CHECK(both.client.recv_exactly_into(sk::mutable_bytes(buffer, 6), ec) == 6);
  CHECK_FALSE(ec);
  CHECK(std::string(buffer, 6) == "second");
}

TEST_CASE("closing waits until the alert is written, within the timeout", "[ssl]") {
  // TCP would accept more later, because the receiving side compacts its queue.
  session_pair both = secured_over(sk::socketpair(), client_context(), server_context());
  // On Windows the pair is TCP, and the system would enlarge its buffers.
  both.client.setsockopt(SOL_SOCKET, SO_SNDBUF, 65536);
  both.server.setsockopt(SOL_SOCKET, SO_RCVBUF, 65536);
  both.client.setblocking(false);
  const std::string piece(16000, 'x');
  sk::selector<> writable;
  writable.register_(both.client, sk::EVENT_WRITE);
  while (!writable.select(0.2).empty()) {
    std::error_code ec;
    while (!ec) (void)both.client.send(piece, ec);
  }
  const sk::native_handle_type descriptor = both.client.fileno();
  both.client.settimeout(short_time);
  const stopwatch watch;
  CHECK(tls_failure_of([&] { both.client.close(); }) == "timeout");
  CHECK(watch.seconds() >= short_time);
  CHECK_FALSE(is_open(descriptor));
  std::size_t total = 0;
  CHECK(tls_failure_of([&] {
          char buffer[16384];
          while (const std::size_t count = both.server.recv_into(buffer)) total += count;
        }) != "none");  // the stream was cut off
}

TEST_CASE("the closing alert reaches a peer that reads late", "[ssl]") {
  session_pair both = secured();
  const std::string data(4000000, 'x');
  background<int> sending([&] {
    both.client.sendall(data);
    both.client.close();
    return 0;
  });
  sending.wait_until_asleep();
  CHECK(receive(both.server, data.size() + 1).size() == data.size());
  sending.get();
}

TEST_CASE("a non-blocking session reports which event it needs", "[ssl]") {
  const sk::ssl_context client = client_context();
  const sk::ssl_context server = server_context();
  auto plain = connected();
  plain.first.setblocking(false);
  plain.second.setblocking(false);
  const auto later = sk::wrap_options().do_handshake_on_connect(false);
  sk::ssl_socket c = client.wrap_socket(std::move(plain.first), "localhost", later);
  sk::ssl_socket s = server.wrap_server(std::move(plain.second), later);
  CHECK(tls_failure_of([&] { c.do_handshake(); }) == "want_read");
  int rounds = 0;
  for (bool done = false; !done; ++rounds) {
    std::error_code at_client;
    std::error_code at_server;
    s.do_handshake(at_server);
    c.do_handshake(at_client);
    done = !at_client && !at_server;
    if (at_client) CHECK(at_client == std::errc::resource_unavailable_try_again);
    if (at_server && at_client) wait_as_told(s, at_server);
    REQUIRE(rounds < 100);
  }
  CHECK(rounds >= 2);
  char buffer[10];
  std::error_code ec;
  do s.recv_into(buffer, ec);  // handshake messages may be left, but no data
  while (!ec);
  CHECK(ec == sk::ssl_errc::want_read);
  CHECK(tls_failure_of([&] { return c.recv(1); }) == "want_read");
  try {
    (void)c.recv(1);
  } catch (const sk::sslerror& e) {
    CHECK(e.errnum() == SSL_ERROR_WANT_READ);
    CHECK(std::string(e.what()) == "recv: The operation did not complete (read)");
  }
  CHECK(c.send("hello") == 5);
  REQUIRE(wait_for(s.fileno(), POLLIN));
  CHECK(s.recv(10) == "hello");
  const std::string piece(16384, 'x');
  c.setsockopt(SOL_SOCKET, SO_SNDBUF, 65536);  // the system does not enlarge it then
  for (ec.clear(); !ec;) (void)c.send(piece, ec);
  CHECK(ec == sk::ssl_errc::want_write);
  CHECK(tls_failure_of([&] { return c.send(piece); }) == "want_write");
  CHECK(tls_failure_of([&] { return c.sendall(piece); }) == "want_write");
}

TEST_CASE("recv_exactly takes as many records as it needs, within one timeout",
          "[ssl][recv_exactly]") {
  session_pair both = secured();
  std::string data(200000, '\0');
  for (std::size_t i = 0; i < data.size(); ++i) data[i] = static_cast<char>(i * 2654435761U >> 13);
  background<int> sending([&] { return both.server.sendall(data), 0; });
  CHECK(both.client.recv_exactly(10) == data.substr(0, 10));
  CHECK(both.client.recv_exactly(0).empty());
  std::string rest(data.size() - 10, '\0');
  CHECK(both.client.recv_exactly_into(rest) == rest.size());
  CHECK(rest == data.substr(10));
  sending.get();

  both.client.settimeout(short_time);
  char buffer[10] = {};
  {
    // Each byte arrives within the timeout, all of them do not.
    std::atomic<bool> stop{false};
    background<int> dripping_records([&] {
      while (!stop) {
        both.server.sendall("x");
        std::this_thread::sleep_for(std::chrono::milliseconds(static_cast<int>(short_time * 500)));
      }
      return 0;
    });
    std::error_code ec;
    const std::size_t done = both.client.recv_exactly_into(buffer, ec);
    stop = true;
    dripping_records.get();
    CHECK(ec == sk::errc::timed_out);
    CHECK(done >= 1);
    CHECK(std::string(buffer, done) == std::string(done, 'x'));
  }
  while (both.client.wait_readable(short_time)) (void)both.client.recv();
  CHECK(transferred([&] { both.client.recv_exactly_into(buffer); }) == 0);
  both.client.setblocking(false);
  CHECK(tls_failure_of([&] { return both.client.recv_exactly(1); }) == "want_read");
  CHECK_THROWS_AS(both.client.recv_exactly(static_cast<std::size_t>(-1)), std::invalid_argument);
  both.client.close();
  CHECK(tls_failure_of([&] { return both.client.recv_exactly(1); }) == failure("error", EBADF));
  CHECK(tls_failure_of([&] { return both.client.recv_exactly_into(buffer); }) ==
        failure("error", EBADF));
}

TEST_CASE("recv_exactly reports the received bytes if the session ends", "[ssl][recv_exactly]") {
  const bool closed_properly = GENERATE(true, false);
  session_pair both = secured();
  both.server.sendall("some");
  if (closed_properly)
    both.server.close();
  else
    sk::fromfd(both.server.fileno(), AF_INET, SOCK_STREAM).shutdown(SHUT_WR);
  char buffer[10] = {};
  if (closed_properly) {
    try {
      (void)both.client.recv_exactly(10);
      FAIL("not thrown");
    } catch (const sk::incomplete_read_error& e) {
      CHECK(e.partial() == "some");
      CHECK(e.expected() == 10);
      CHECK(e.transferred() == 4);
    }
    CHECK_THROWS_AS(both.client.recv_exactly_into(buffer), sk::incomplete_read_error);
  } else {
    std::error_code ec;
    CHECK(both.client.recv_exactly_into(buffer, ec) == 4);
    CHECK(std::string(buffer, 4) == "some");
    CHECK(ec == sk::ssl_errc::eof);
  }
}

TEST_CASE("wait_readable finds pending data, which do not make the descriptor readable",
          "[ssl][wait_readable][selectors]") {
  session_pair both = secured();
  sk::selector<> selecting;
  selecting.register_(both.client, sk::EVENT_READ);
  both.server.sendall("0123456789");
  CHECK(selecting.select(patience).size() == 1);
  CHECK(both.client.wait_readable(0));
  CHECK(both.client.pending() == 10);
  CHECK(selecting.select(0).empty());  // the session has read the whole record
  CHECK(both.client.recv(4) == "0123");
  CHECK(both.client.pending() == 6);
  CHECK(selecting.select(0).empty());
  CHECK(both.client.wait_readable(0));
  CHECK(both.client.recv(100) == "456789");
  const stopwatch watch;
  CHECK_FALSE(both.client.wait_readable(short_time));
  CHECK(watch.seconds() >= short_time);
  background<bool> waiting([&] { return both.client.wait_readable(std::nullopt); });
  waiting.wait_until_asleep();
  both.server.sendall("x");
  CHECK(waiting.get());
}

// In separate sends, the data would wait until the peer acknowledges the tickets.
TEST_CASE("a server's tickets and its first data are sent at once", "[ssl][send]") {
  const bool resumed = GENERATE(false, true);
  const sk::ssl_context client = client_context();
  const sk::ssl_context server = server_context();
  session_pair both = secured(client, server);
  both.server.sendall("first");
  CHECK(both.client.recv() == "first");
  if (resumed) {
    both = secured(client, server, sk::wrap_options().session(both.client.session()));
    CHECK(both.client.session_reused());
    both.server.sendall("first");
    CHECK(both.client.wait_readable(0));
    CHECK(both.client.recv() == "first");
  }
  both.server.sendall("second");
  CHECK(both.client.recv() == "second");
  session_pair other = secured(client, server);
  other.server.sendall("x");
  std::string records(65536, '\0');
  const std::size_t size =
      sk::fromfd(other.client.fileno(), AF_INET, SOCK_STREAM).recv_into(records, 0, MSG_PEEK);
  std::size_t count = 0;
  for (std::size_t at = 0; at + 5 <= size; ++count)
    at += 5 + static_cast<unsigned char>(records[at + 3]) * 256U +
          static_cast<unsigned char>(records[at + 4]);
  CHECK(count == 3);
  CHECK(other.client.wait_readable(0));
  CHECK(other.client.recv() == "x");
}

#ifdef TIOCOUTQ
// Otherwise a client's first data would wait for the delayed acknowledgement.
TEST_CASE("a server acknowledges the end of a handshake at once", "[ssl][do_handshake]") {
#ifdef TCP_QUICKACK
  session_pair both = secured();
  int unacknowledged = -1;
  REQUIRE(::ioctl(both.client.fileno(), TIOCOUTQ, &unacknowledged) == 0);
  CHECK(unacknowledged == 0);
#else
  SKIP_TEST("this system has no TCP_QUICKACK");
#endif
}
#endif

TEST_CASE("a record without data does not make a session readable", "[ssl][wait_readable]") {
  session_pair both = secured();
  REQUIRE(SSL_key_update(static_cast<SSL*>(both.server.native_handle()),
                         SSL_KEY_UPDATE_NOT_REQUESTED) == 1);
  REQUIRE(SSL_do_handshake(static_cast<SSL*>(both.server.native_handle())) == 1);
  REQUIRE(wait_for(both.client.fileno(), POLLIN));
  CHECK_FALSE(both.client.wait_readable(0));
  REQUIRE(send_raw(both.server.fileno(), std::string("\x17\x03\x03\x00\x50 part", 10)));
  CHECK_FALSE(both.client.wait_readable(short_time));
}

TEST_CASE("the end and a failure make a session readable", "[ssl][wait_readable]") {
  session_pair both = secured();
  SECTION("a closing alert") {
    both.server.close();
    CHECK(both.client.wait_readable(patience));
    CHECK(both.client.wait_readable(patience));
    CHECK(both.client.recv().empty());
  }
  SECTION("an end without a closing alert") {
    sk::fromfd(both.server.fileno(), AF_INET, SOCK_STREAM).shutdown(SHUT_WR);
    CHECK(both.client.wait_readable(patience));
    CHECK(tls_failure_of([&] { return both.client.recv(); }) == "eof");
  }
  SECTION("a damaged record") {
    REQUIRE(send_raw(both.server.fileno(), std::string("\x17\x03\x03\x00\x05 none", 10)));
    CHECK(both.client.wait_readable(patience));
    CHECK(tls_failure_of([&] { return both.client.recv(); }) != "none");
    CHECK(both.client.wait_writable(patience));  // the session's failure makes it writable, too
  }
  SECTION("a connection that takes no more data") {
    REQUIRE(sk::detail::sys::shutdown(both.client.fileno(), SHUT_WR) == 0);
    const std::string broken = failure("broken_pipe_error", EPIPE);
    CHECK(tls_failure_of([&] { return both.client.send("x"); }) == broken);
    CHECK(both.client.wait_writable(patience));
    CHECK(tls_failure_of([&] { return both.client.send("x"); }) == broken);
  }
  SECTION("after close") {
    both.client.close();
    std::error_code ec;
    CHECK_FALSE(both.client.wait_readable(1, ec));
    CHECK(ec == std::errc::bad_file_descriptor);
    CHECK(tls_failure_of([&] { return both.client.wait_readable(1); }) == failure("error", EBADF));
    CHECK(tls_failure_of([&] { return both.client.wait_writable(1); }) == failure("error", EBADF));
  }
}

TEST_CASE("a session is writable when the rest of its last record has been sent",
          "[ssl][wait_writable]") {
  session_pair both = secured();
  CHECK(both.client.wait_writable(0));
  const std::string piece(16384, 'x');
  both.client.setsockopt(SOL_SOCKET, SO_SNDBUF, 65536);
  both.client.setblocking(false);
  std::size_t sent = 0;
  while (both.client.wait_writable(short_time)) {
    std::error_code ec;
    while (!ec) sent += both.client.send(piece, ec);
    CHECK(ec == sk::ssl_errc::want_write);
  }
  const stopwatch watch;
  CHECK_FALSE(both.client.wait_writable(short_time));
  CHECK(watch.seconds() >= short_time);
  background<bool> waiting([&] { return both.client.wait_writable(std::nullopt); });
  waiting.wait_until_asleep();
  background<std::size_t> receiving([&] { return receive(both.server, sent + 16384).size(); });
  CHECK(waiting.get());
  CHECK(both.client.send(piece) == piece.size());  // it was sent before and is counted now
  CHECK(receiving.get() == sent + 16384);
}

TEST_CASE("before the handshake wait_readable and wait_writable wait for the socket",
          "[ssl][wait_readable]") {
  const sk::ssl_context client = client_context();
  auto plain = connected();
  sk::ssl_socket s = client.wrap_socket(std::move(plain.first), "localhost",
                                        sk::wrap_options().do_handshake_on_connect(false));
  CHECK_FALSE(s.wait_readable(0));
  CHECK(s.wait_writable(0));
  plain.second.sendall("x");
  CHECK(s.wait_readable(patience));
}

TEST_CASE("one thread receives while another sends, at both ends", "[ssl][threads]") {
  session_pair both = secured();
  constexpr std::size_t size = 4000000;
  const auto send_all = [](sk::ssl_socket& s, char what) {
    const std::string piece(50000, what);
    for (std::size_t sent = 0; sent < size; sent += piece.size()) s.sendall(piece);
    return 0;
  };
  background<int> up([&] { return send_all(both.client, 'u'); });
  background<int> down([&] { return send_all(both.server, 'd'); });
  background<std::string> at_server([&] { return receive(both.server, size); });
  background<std::size_t> asking([&] {
    std::size_t seen = 0;
    for (int i = 0; i < 1000; ++i)
      seen += both.client.pending() + (both.client.version() ? 1 : 0) +
              (both.client.gettimeout() ? 1 : 0);
    return seen;
  });
  CHECK(receive(both.client, size) == std::string(size, 'd'));
  CHECK(at_server.get() == std::string(size, 'u'));
  up.get();
  down.get();
  CHECK(asking.get() >= 2000);
}

TEST_CASE("shutdown wakes a thread that waits", "[ssl][threads]") {
  const std::string reason = why_shutdown_wakes_nobody();
  if (!reason.empty()) SKIP_TEST(reason);
  session_pair both = secured();
  both.client.setblocking(true);
  background<std::string> receiving(
      [&] { return tls_failure_of([&] { return both.client.recv(10); }); });
  receiving.wait_until_asleep();
  both.client.shutdown(SHUT_RDWR);
  CHECK(receiving.get() == "none");    // the end of the stream, as on a plain socket
  CHECK(both.server.recv(1).empty());  // the server received the closing alert

  session_pair full = secured();
  full.client.setblocking(true);
  background<std::string> sending([&] {
    return tls_failure_of([&] { return full.client.sendall(std::string(20000000, 'x')); });
  });
  sending.wait_until_asleep();
  full.client.shutdown(SHUT_RDWR);
  CHECK(sending.get() == failure("broken_pipe_error", EPIPE));
}
