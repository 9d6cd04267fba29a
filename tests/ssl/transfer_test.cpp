// SPDX-License-Identifier: MIT
// Large transfers, compared with the peer's by hash.
#include <openssl/ssl.h>

#include <memory>
#include <pysock/ssl.hpp>

#include "ssl/tls.hpp"
#include "support/catch.hpp"
#include "support/python_peer.hpp"
#include "support/sha256.hpp"

namespace sk = pysock;
using namespace test_support;

namespace {

constexpr std::chrono::seconds long_patience{300};  // for sanitizers on a busy machine

// Sends `total` bytes in pieces of one size. Returns their hash.
std::string send_pieces(sk::ssl_socket& s, std::size_t total, std::size_t piece) {
  std::string data(piece, '\0');
  sha256 hash;
  std::uint32_t state = 12345;
  for (char& c : data) c = static_cast<char>((state = state * 1664525 + 1013904223) >> 24);
  for (std::size_t sent = 0; sent < total; sent += piece) {
    data[0] = static_cast<char>(sent / piece);  // successive pieces differ
    s.sendall(data);
    hash.update(data.data(), data.size());
  }
  return hash.hex();
}

std::string hash_of(sk::ssl_socket& s, std::size_t total) {
  sha256 hash;
  std::string buffer(65536, '\0');
  while (total > 0) {
    const std::size_t count = s.recv_into(buffer, std::min(total, buffer.size()));
    if (count == 0) break;
    hash.update(buffer.data(), count);
    total -= count;
  }
  return hash.hex();
}

struct row {
  const char* what;
  std::size_t total;
  std::size_t piece;
};

constexpr std::size_t mebi = 1024 * 1024;

}  // namespace

TEST_CASE("large transfers in both directions arrive unchanged", "[ssl][transfer]") {
  const row now =
      GENERATE(row{"64 MiB by 16 KiB", 64 * mebi, 16384}, row{"64 MiB by 1 MiB", 64 * mebi, mebi},
               row{"256 KiB by bytes", mebi / 4, 1});
  INFO(now.what);
  python_peer peer(
      R"(
import ssl, threading
serving = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
serving.load_cert_chain(sys.argv[1])
total, piece = int(sys.argv[2]), int(sys.argv[3])
listener = socket.create_server(('127.0.0.1', 0))
say('port', listener.getsockname()[1])
conn = serving.wrap_socket(listener.accept()[0], server_side=True)
seen, left, buffer = hashlib.sha256(), total, bytearray(65536)
while left:
    n = conn.recv_into(buffer, min(left, len(buffer)))
    if n == 0: sys.exit('the end came early')
    seen.update(memoryview(buffer)[:n])
    left -= n
say('received', seen.hexdigest())
sent, data = hashlib.sha256(), bytearray(i * 37 % 251 for i in range(piece))
for i in range(total // piece):
    data[0] = i % 256
    conn.sendall(data)
    sent.update(data)
say('sent', sent.hexdigest())
sys.stdin.readline()
)",
      {certificate_file("server.both"), std::to_string(now.total), std::to_string(now.piece)});
  const sk::ssl_context context = client_context();
  sk::socket plain;
  plain.settimeout(long_patience);
  plain.connect({"127.0.0.1", peer.expect_number("port")});
  plain.setsockopt(IPPROTO_TCP, TCP_NODELAY, 1);
  sk::ssl_socket s = context.wrap_socket(std::move(plain), "localhost");
  const std::string sent = send_pieces(s, now.total, now.piece);
  CHECK(peer.expect("received") == sent);
  const std::string received = hash_of(s, now.total);
  CHECK(peer.expect("sent") == received);
  peer.go_on();
  peer.finish();
}

TEST_CASE("large transfers through files arrive unchanged in both directions at the same time",
          "[ssl][transfer]") {
  session_pair both = secured();
  constexpr std::size_t total = 8 * mebi;
  both.client.settimeout(long_patience);
  both.server.settimeout(long_patience);
  const auto copy = [](sk::ssl_socket& s) {
    sk::file f = s.makefile("w");
    for (std::size_t sent = 0; sent < total; sent += 1024)
      f.write(std::string(1024, static_cast<char>(sent / 1024)));
    f.flush();
    return 0;
  };
  background<int> up([&] { return copy(both.client); });
  background<int> down([&] { return copy(both.server); });
  background<std::string> at_server([&] { return hash_of(both.server, total); });
  const std::string at_client = hash_of(both.client, total);
  CHECK(at_client == at_server.get());
  up.get();
  down.get();
}

namespace {

// A server that uses OpenSSL directly, in one thread. It sends and receives at the same time, and
// sends a KeyUpdate with every tenth record. Returns the hashes of the data sent and received.
std::pair<std::string, std::string> run_busy_peer(sk::socket&& plain, std::size_t total) {
  const std::unique_ptr<SSL_CTX, void (*)(SSL_CTX*)> context(SSL_CTX_new(TLS_server_method()),
                                                             SSL_CTX_free);
  const std::string certificate = certificate_file("server.both");
  if (SSL_CTX_use_certificate_chain_file(context.get(), certificate.c_str()) != 1 ||
      SSL_CTX_use_PrivateKey_file(context.get(), certificate.c_str(), SSL_FILETYPE_PEM) != 1)
    throw std::runtime_error("no certificate");
  const std::unique_ptr<SSL, void (*)(SSL*)> ssl(SSL_new(context.get()), SSL_free);
  SSL_set_fd(ssl.get(), static_cast<int>(plain.fileno()));
  SSL_set_mode(ssl.get(), SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  plain.settimeout(std::nullopt);
  if (SSL_accept(ssl.get()) != 1) throw std::runtime_error("no handshake");
  plain.setblocking(false);
  sha256 sent_hash;
  sha256 received_hash;
  std::size_t sent = 0;
  std::size_t received = 0;
  std::string piece(16384, 'p');
  std::string buffer(16384, '\0');
  bool in_record = false;
  const auto must_wait = [&ssl](int result) {
    const int error = SSL_get_error(ssl.get(), result);
    if (error != SSL_ERROR_WANT_READ && error != SSL_ERROR_WANT_WRITE)
      throw std::runtime_error("the peer failed with " + std::to_string(error));
  };
  while (sent < total || received < total) {
    bool moved = false;
    std::size_t count = 0;
    if (sent < total) {
      if (!in_record) {
        piece[0] = static_cast<char>(sent / piece.size());
        const bool due = sent / piece.size() % 10 == 0;
        if (due && SSL_key_update(ssl.get(), SSL_KEY_UPDATE_REQUESTED) != 1)
          throw std::runtime_error("no key update");
      }
      const int result = SSL_write_ex(ssl.get(), piece.data(), piece.size(), &count);
      in_record = result <= 0;
      if (in_record) {
        must_wait(result);
      } else {
        sent_hash.update(piece.data(), count);
        sent += count;
        moved = true;
      }
    }
    if (received < total) {
      const int result = SSL_read_ex(ssl.get(), buffer.data(), buffer.size(), &count);
      if (result <= 0) {
        must_wait(result);
      } else {
        received_hash.update(buffer.data(), count);
        received += count;
        moved = true;
      }
    }
    if (!moved && !wait_for(plain.fileno(), sent < total ? POLLIN | POLLOUT : POLLIN))
      throw std::runtime_error("the peer hangs");
  }
  return {sent_hash.hex(), received_hash.hex()};
}

}  // namespace

TEST_CASE("transfers in both directions survive a KeyUpdate every ten records", "[ssl][transfer]") {
  constexpr std::size_t total = 16 * mebi;
  auto plain = connected();
  background<std::pair<std::string, std::string>> peer(
      [&] { return run_busy_peer(std::move(plain.second), total); });
  sk::ssl_context context = client_context();
  sk::ssl_socket client = context.wrap_socket(std::move(plain.first), "localhost");
  client.settimeout(long_patience);
  background<std::string> receiving([&] { return hash_of(client, total); });
  const std::string sent = send_pieces(client, total, 16384);
  const std::string received = receiving.get();
  const auto [peer_sent, peer_received] = peer.get();
  CHECK(peer_received == sent);
  CHECK(received == peer_sent);
}
