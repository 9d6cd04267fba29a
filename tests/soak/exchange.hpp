// SPDX-License-Identifier: MIT
// One exchange of the soak, over a socket or a TLS session: the client sends an order and as many
// bytes as the order says, the server answers with their SHA-256 and sends as many bytes back. Each
// side makes the bytes by itself, and compares them as they come.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <map>
#include <mutex>
#include <pysock/file.hpp>
#include <pysock/ssl.hpp>
#include <sstream>
#include <string>
#include <type_traits>
#include <vector>

#include "support/dice.hpp"
#include "support/sha256.hpp"

namespace soak {

namespace sk = pysock;

// What happened, and how often; thread-safe. And the bytes of the connections, both of whose ends
// are in this process.
class ledger {
 public:
  void count(const std::string& what, std::uint64_t times = 1) {
    const std::lock_guard<std::mutex> lock(mutex_);
    counts_[what] += times;
    steps_ += times;
  }
  // What must not happen.
  void failed(const std::string& what) {
    const std::lock_guard<std::mutex> lock(mutex_);
    if (failures_.size() < 20) failures_.push_back(what);
    ++counts_["FAILURES"];
  }
  // The end of a connection as its client and its server saw it. The server has no more bytes than
  // the client gave.
  void sent(std::uint64_t id, std::uint64_t bytes, bool whole) { settle(id, {true, bytes, whole}); }
  void received(std::uint64_t id, std::uint64_t bytes, bool whole) {
    settle(id, {false, bytes, whole});
  }

  [[nodiscard]] std::uint64_t steps() const {
    const std::lock_guard<std::mutex> lock(mutex_);
    return steps_;
  }
  [[nodiscard]] std::map<std::string, std::uint64_t> counts() const {
    const std::lock_guard<std::mutex> lock(mutex_);
    return counts_;
  }
  [[nodiscard]] std::vector<std::string> failures() const {
    const std::lock_guard<std::mutex> lock(mutex_);
    return failures_;
  }

 private:
  struct entry {
    bool by_client;
    std::uint64_t bytes;
    bool whole;
  };

  void settle(std::uint64_t id, const entry& now) {
    const std::lock_guard<std::mutex> lock(mutex_);
    const auto found = open_.find(id);
    if (found == open_.end() || found->second.by_client == now.by_client) {
      open_[id] = now;
      return;
    }
    const entry& client = now.by_client ? now : found->second;
    const entry& server = now.by_client ? found->second : now;
    const bool lost = client.whole && !server.whole;
    if (server.bytes > client.bytes || lost) {
      failures_.push_back("connection " + std::to_string(id) + ": " + std::to_string(client.bytes) +
                          " bytes sent, " + std::to_string(server.bytes) + " received");
    }
    open_.erase(found);
  }

  mutable std::mutex mutex_;
  std::map<std::string, std::uint64_t> counts_;
  std::map<std::uint64_t, entry> open_;
  std::vector<std::string> failures_;
  std::uint64_t steps_ = 0;
};

// What a client asks for, as it is sent.
struct order {
  std::uint64_t id;
  std::uint64_t seed;
  std::uint64_t upload;
  std::uint64_t download;
};
inline constexpr std::uint64_t most_bytes = 1 << 21;
inline constexpr std::size_t digest_size = 64;

// The bytes that belong to a seed. The period is a prime, so that lost and doubled pieces show.
inline std::string bytes_of(std::uint64_t seed, std::uint64_t size) {
  static const std::string all = [] {
    std::string made(65521, '\0');
    std::uint32_t state = 1;
    for (char& byte : made)
      byte = static_cast<char>((state = state * 1664525U + 1013904223U) >> 24);
    return made;
  }();
  std::string result;
  result.reserve(size);
  while (result.size() < size)
    result.append(all, (seed + result.size()) % all.size(), size - result.size());
  return result;
}

inline std::string digest_of(const std::string& data) {
  test_support::sha256 hash;
  hash.update(data.data(), data.size());
  return hash.hex();
}

// The peer did not keep to the protocol: it said other bytes than it was to say.
struct wrong_bytes {
  std::string what;
};

// One end of a connection, whose calls go on after an interruption where that is wanted. A stream
// is a `socket` or an `ssl_socket`.
template <class Stream>
class end {
 public:
  // `stop` is reset after each interruption; null where an interruption ends the exchange.
  end(Stream& s, sk::interrupter* stop, test_support::dice& random, ledger& book)
      : s_(s), stop_(stop), random_(random), book_(book) {}

  static constexpr bool is_tls = std::is_same_v<Stream, sk::ssl_socket>;

  // Sends all of it, in one of the ways there are. `sent` counts what has gone, also on failure.
  void send(const std::string& data, std::uint64_t& sent) {
    const std::uint64_t before = sent;
    const auto rest = [&] { return sk::const_bytes(data).after(sent - before); };
    const auto done = [&] { return sent - before == data.size(); };
    switch (random_.below(4)) {
      case 0:
        repeat(done, "sendall", [&](std::error_code& ec) { sent += s_.sendall(rest(), ec); });
        break;
      case 1:
        repeat(done, "send", [&](std::error_code& ec) { sent += s_.send(rest(), ec); });
        break;
      case 2: {
        std::istringstream source(data);
        repeat(done, "sendfile", [&](std::error_code& ec) {
          const auto offset = static_cast<std::int64_t>(sent - before);
          sent += s_.sendfile(source, offset, std::nullopt, ec);
        });
        break;
      }
      default: {
        sk::file out = s_.makefile("w", random_.chance(50) ? 0 : 1000);
        repeat(done, "write", [&](std::error_code& ec) {
          sent += transferred([&] { return out.write(rest()); }, ec);
        });
        bool flushed = data.empty();
        repeat([&] { return flushed; }, "flush",
               [&](std::error_code& ec) {
                 transferred([&] { return out.flush(), 0U; }, ec);
                 flushed = !ec;
               });
      }
    }
  }

  // Receives exactly what is expected, and counts it. Throws `wrong_bytes` at the first other byte.
  void receive(const std::string& expected, std::uint64_t& received) {
    std::string buffer(16384, '\0');
    const std::uint64_t before = received;
    const auto left = [&] { return expected.size() - (received - before); };
    const auto done = [&] { return left() == 0; };
    const auto take = [&](const char* data, std::size_t size) {
      if (expected.compare(received - before, size, data, size) != 0)
        throw wrong_bytes{"other bytes than were sent, after " + std::to_string(received)};
      received += size;
    };
    const auto some = [&] {
      return std::min(left(), random_.chance(80) ? buffer.size() : random_.size(buffer.size()));
    };
    switch (random_.below(3)) {
      case 0:
        repeat(done, "recv_into", [&](std::error_code& ec) {
          const std::size_t count = s_.recv_into({buffer.data(), some()}, ec);
          if (count == 0 && !ec) ec = sk::errc::incomplete_read;
          take(buffer.data(), count);
        });
        break;
      case 1:
        repeat(done, "recv", [&](std::error_code& ec) {
          std::string data;
          transferred([&] { return (data = s_.recv(some())).size(); }, ec);
          if (data.empty() && !ec) ec = sk::errc::incomplete_read;
          take(data.data(), data.size());
        });
        break;
      default:
        receive_otherwise(done, left, some, take, buffer);
    }
  }

  // What comes next, as a number of bytes that are not known.
  std::string receive_unknown(std::size_t size) {
    std::string result(size, '\0');
    std::size_t got = 0;
    repeat([&] { return got == size; }, "recv_into",
           [&](std::error_code& ec) {
             const std::size_t count = s_.recv_into({result.data() + got, size - got}, ec);
             if (count == 0 && !ec) ec = sk::errc::incomplete_read;
             got += count;
           });
    return result;
  }

 private:
  // A file would read ahead; a TLS session has no recv_exactly.
  template <class Done, class Left, class Some, class Take>
  void receive_otherwise(const Done& done, const Left& left, const Some& some, const Take& take,
                         std::string& buffer) {
    if constexpr (is_tls) {
      sk::file in = s_.makefile("r", 0);
      repeat(done, "read", [&](std::error_code& ec) {
        std::string data;
        const auto size = static_cast<std::ptrdiff_t>(some());
        transferred([&] { return (data = in.read(size)).size(); }, ec);
        if (data.empty() && !ec) ec = sk::errc::incomplete_read;
        take(data.data(), data.size());
      });
      (void)left;
    } else {
      repeat(done, "recv_exactly_into", [&](std::error_code& ec) {
        const std::size_t size = std::min(left(), buffer.size());
        take(buffer.data(), s_.recv_exactly_into({buffer.data(), size}, ec));
      });
    }
  }

  // What a call that throws moved, with the reason in `ec`.
  template <class Call>
  static std::size_t transferred(const Call& call, std::error_code& ec) {
    try {
      return call();
    } catch (const sk::error& e) {
      ec = e.code();
      return e.transferred();
    }
  }

  template <class Done, class Step>
  void repeat(const Done& done, const char* name, const Step& step) {
    while (!done()) {
      std::error_code ec;
      step(ec);
      book_.count(std::string("calls of ") + name);
      if (ec == std::errc::interrupted && stop_ != nullptr) {
        stop_->reset();
        book_.count("calls interrupted, and made again");
      } else if (ec) {
        throw sk::error(ec, name);
      }
    }
  }

  Stream& s_;
  sk::interrupter* stop_;
  test_support::dice& random_;
  ledger& book_;
};

// What a client does to its connection when half of the upload is sent.
enum class mishap { none, stall, reset, close };

inline void reset_when_closed(sk::socket& s) { s.setsockopt(SOL_SOCKET, SO_LINGER, linger{1, 0}); }
inline void reset_when_closed(sk::ssl_socket& s) {
  const linger at_once{1, 0};
  ::setsockopt(s.fileno(), SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
}

// The client's side. True if all of it was done.
template <class Stream, class Stall>
bool be_client(Stream& s, const order& o, mishap what, sk::interrupter* stop,
               test_support::dice& random, ledger& book, std::uint64_t& sent, const Stall& stall) {
  end<Stream> here(s, stop, random, book);
  const std::string upload = bytes_of(o.seed, o.upload);
  std::uint64_t order_sent = 0;
  here.send(std::string(reinterpret_cast<const char*>(&o), sizeof o), order_sent);
  if (what == mishap::none) {
    here.send(upload, sent);
  } else {
    here.send(upload.substr(0, upload.size() / 2), sent);
    if (what == mishap::reset) reset_when_closed(s);
    if (what == mishap::reset || what == mishap::close) {
      std::error_code ignored;
      s.close(ignored);
      return false;
    }
    stall();
    here.send(upload.substr(upload.size() / 2), sent);
  }
  if constexpr (!end<Stream>::is_tls) {
    if (random.chance(50)) {
      book.count("half-closed connections");
      s.shutdown(SHUT_WR);
    }
  }
  std::uint64_t received = 0;
  here.receive(digest_of(upload), received);
  received = 0;
  here.receive(bytes_of(o.seed + 1, o.download), received);
  book.count("bytes up", sent);
  book.count("bytes down", received);
  return true;
}

// The server's side, up to the last byte that it sends. `received` counts the upload.
template <class Stream>
order be_server(Stream& s, test_support::dice& random, ledger& book, std::uint64_t& received,
                order& o) {
  end<Stream> here(s, nullptr, random, book);
  const std::string head = here.receive_unknown(sizeof o);
  std::memcpy(&o, head.data(), sizeof o);
  if (o.upload > most_bytes || o.download > most_bytes)
    throw wrong_bytes{"an order of other bytes"};
  const std::string upload = bytes_of(o.seed, o.upload);
  here.receive(upload, received);
  std::uint64_t sent = 0;
  here.send(digest_of(upload), sent);
  here.send(bytes_of(o.seed + 1, o.download), sent);
  return o;
}

}  // namespace soak
