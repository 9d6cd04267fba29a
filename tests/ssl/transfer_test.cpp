// SPDX-License-Identifier: MIT
// Much data, compared by hash with what a peer saw.
#include <pysock/ssl.hpp>

#include "ssl/tls.hpp"
#include "support/catch.hpp"
#include "support/python_peer.hpp"
#include "support/sha256.hpp"

namespace sk = pysock;
using namespace test_support;

namespace {

constexpr std::chrono::seconds long_patience{300};  // for sanitizers on a busy machine

// Sends it in pieces of one size. Returns the hash of what it sent.
std::string send_pieces(sk::ssl_socket& s, std::size_t total, std::size_t piece) {
  std::string data(piece, '\0');
  sha256 hash;
  std::uint32_t state = 12345;
  for (char& c : data) c = static_cast<char>((state = state * 1664525 + 1013904223) >> 24);
  for (std::size_t sent = 0; sent < total; sent += piece) {
    data[0] = static_cast<char>(sent / piece);  // no two alike in a row
    s.sendall(data);
    hash.update(data.data(), data.size());
  }
  return hash.hex();
}

std::string hash_of(sk::ssl_socket& s, std::size_t total) {
  sha256 hash;
  std::string room(65536, '\0');
  while (total > 0) {
    const std::size_t count = s.recv_into(room, std::min(total, room.size()));
    if (count == 0) break;
    hash.update(room.data(), count);
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

TEST_CASE("large transfers both ways arrive as they were sent", "[ssl][transfer]") {
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
seen, left, room = hashlib.sha256(), total, bytearray(65536)
while left:
    n = conn.recv_into(room, min(left, len(room)))
    if n == 0: sys.exit('the end came early')
    seen.update(memoryview(room)[:n])
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

TEST_CASE("large transfers at the same time, both ways, through files", "[ssl][transfer]") {
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
