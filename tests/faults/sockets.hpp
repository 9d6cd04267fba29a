// SPDX-License-Identifier: MIT
// What the scenarios of the fault tests share.
#pragma once

#include <fstream>
#include <string>

#include "harness.hpp"

namespace faults {

namespace sk = pysock;

constexpr int patience = 10;  // seconds

// More than a short string holds.
inline const std::string& greeting() {
  static const std::string text = "hello, and more than a string holds without memory of its own";
  return text;
}

// More than the socket buffers below hold.
inline const std::string& payload() {
  static const std::string bytes = [] {
    std::string made;
    for (int i = 0; made.size() < 20000; ++i) made += std::to_string(i) + "\n";
    return made;
  }();
  return bytes;
}

struct two {
  sk::socket first;   // in the mode of the run
  sk::socket second;  // the peer
};

inline two pair_of(trial& t, int type = SOCK_STREAM) {
  auto both = sk::socketpair(sk::detail::pair_family, type);
  t.tune(both.first);
  both.second.settimeout(patience);
  return {std::move(both.first), std::move(both.second)};
}

// With small buffers, so that what is sent does not fit; not where nobody receives meanwhile.
inline two narrow_pair(trial& t) {
  two both = pair_of(t);
  if (t.how() != mode::blocking && t.how() != mode::nonblocking)
    both.first.setsockopt(SOL_SOCKET, SO_SNDBUF, 4096);
  return both;
}

// What has come, and no more.
inline std::string rest_of(sk::socket& s) {
  std::string all;
  char buffer[4096];
  std::error_code ec;
  s.settimeout(0);
  while (const std::size_t count = s.recv_into(buffer, ec)) all.append(buffer, count);
  return all;
}

// Whether bytes pass both ways.
inline bool works(sk::socket& a, sk::socket& b) {
  a.settimeout(patience);
  b.settimeout(patience);
  a.sendall("ping");
  if (b.recv_exactly(4) != "ping") return false;
  b.sendall("pong");
  return a.recv_exactly(4) == "pong";
}

inline sk::socket listener_of(trial& t) {
  sk::socket s = sk::create_server({"127.0.0.1", 0});
  t.tune(s);
  return s;
}

// A file with the payload.
inline const std::string& payload_file() {
  static const std::string path = [] {
    const char* const folder = std::getenv("TMPDIR");
    std::string name = std::string(folder != nullptr ? folder : "/tmp") + "/pysock-faults-XXXXXX";
    const sk::descriptor file(::mkstemp(name.data()));
    std::ofstream(name) << payload();
    return name;
  }();
  return path;
}

}  // namespace faults
