// SPDX-License-Identifier: MIT
// One end of the interoperability run: the same program is built for two platforms, and the two
// builds exchange data.
//
//     interop_peer serve tcp|udp HOST          prints its port, receives, and prints the number of
//                                              bytes and their digest
//     interop_peer send tcp|udp HOST PORT MIB  sends that much, and prints the same
//
// UDP packets have 8 KiB. Each is acknowledged, and sent again after 0.2 s: even the loopback loses
// packets.
#include <cstdlib>
#include <iostream>
#include <pysock/create.hpp>
#include <string>

#include "support/sha256.hpp"

namespace sk = pysock;

namespace {

constexpr std::size_t piece = 8192;
constexpr int patience = 60;

int family_of(const std::string& host) {
  return host.find(':') != std::string::npos ? AF_INET6 : AF_INET;
}

struct tally {
  void add(const std::string& data) {
    hash.update(data.data(), data.size());
    total += data.size();
  }
  void say() { std::cout << total << " bytes, " << hash.hex() << std::endl; }
  test_support::sha256 hash;
  std::size_t total = 0;
};

// Data without repetitions.
std::string pattern(std::uint64_t& state, std::size_t size) {
  std::string data(size, '\0');
  for (char& c : data) {
    state = state * 6364136223846793005U + 1442695040888963407U;
    c = static_cast<char>(state >> 56U);
  }
  return data;
}

void serve_tcp(const std::string& host) {
  sk::socket server = sk::create_server({host, 0}, sk::server_options().family(family_of(host)));
  server.settimeout(patience);
  std::cout << server.getsockname().port() << std::endl;
  sk::socket conn = server.accept().conn;
  conn.settimeout(patience);
  tally seen;
  for (std::string data; !(data = conn.recv(65536)).empty();) seen.add(data);
  conn.sendall("done");
  seen.say();
}

void send_tcp(const std::string& host, int port, std::size_t size) {
  sk::socket s = sk::create_connection({host, port}, patience);
  tally sent;
  std::uint64_t state = 1;
  while (sent.total < size) {
    const std::string data = pattern(state, 1U << 20U);
    s.sendall(data);
    sent.add(data);
  }
  s.shutdown(SHUT_WR);
  if (s.recv(4) != "done") throw std::runtime_error("no answer");
  sent.say();
}

// A packet has its number in eight digits, then its data. A packet without data is the last.
void serve_udp(const std::string& host) {
  sk::socket s(family_of(host), SOCK_DGRAM);
  s.settimeout(patience);
  s.bind({host, 0});
  std::cout << s.getsockname().port() << std::endl;
  tally seen;
  for (std::size_t expected = 0;;) {
    const auto [data, from] = s.recvfrom(65536);
    const std::size_t number = std::stoul(data.substr(0, 8));
    (void)s.sendto(data.substr(0, 8), from);
    if (number != expected) continue;
    ++expected;
    if (data.size() == 8) break;
    seen.add(data.substr(8));
  }
  seen.say();
}

void send_udp(const std::string& host, int port, std::size_t size) {
  sk::socket s(family_of(host), SOCK_DGRAM);
  s.settimeout(0.2);
  s.connect({host, port});
  tally sent;
  std::uint64_t state = 1;
  for (std::size_t number = 0, losses = 0;; ++number) {
    const std::string data = sent.total < size ? pattern(state, piece) : "";
    std::string head = std::to_string(number);
    head.insert(0, 8 - head.size(), '0');
    for (bool heard = false; !heard;) {
      (void)s.send(head + data);
      try {
        while (s.recv(100) != head) {
        }
        heard = true;
      } catch (const sk::timeout&) {
        if (data.empty() || ++losses > 1000)
          break;  // the peer may have received the last packet and ended
      }
    }
    if (data.empty()) break;
    sent.add(data);
  }
  sent.say();
}

}  // namespace

int main(int argc, char** argv) try {
  const std::string what = argc > 3 ? std::string(argv[1]) + " " + argv[2] : "";
  const std::string host = argc > 3 ? argv[3] : "";
  const int port = argc > 5 ? std::atoi(argv[4]) : 0;
  const std::size_t size = argc > 5 ? std::strtoul(argv[5], nullptr, 10) << 20U : 0;
  if (what == "serve tcp") return serve_tcp(host), 0;
  if (what == "serve udp") return serve_udp(host), 0;
  if (what == "send tcp" && size != 0) return send_tcp(host, port, size), 0;
  if (what == "send udp" && size != 0) return send_udp(host, port, size), 0;
  std::cerr << "interop_peer serve|send tcp|udp HOST [PORT MIB]\n";
  return 2;
} catch (const std::exception& e) {
  std::cerr << e.what() << '\n';
  return 1;
}
