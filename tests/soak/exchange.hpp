// SPDX-License-Identifier: MIT
// One exchange of the soak test, over a socket or a TLS session. The client sends an order and the
// number of bytes in it. The server answers with their SHA-256 and sends the number of bytes that
// the order asks for. Each side computes the expected bytes and compares them as they arrive.
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

// Counts events, and compares the bytes that both ends of a connection saw. Thread-safe.
class ledger {
 public:
  void count(const std::string& what, std::uint64_t times = 1) {
    const std::lock_guard<std::mutex> lock(mutex_);
    counts_[what] += times;
    steps_ += times;
  }
  // Records an event that must not happen.
  void failed(const std::string& what) {
    const std::lock_guard<std::mutex> lock(mutex_);
    if (failures_.size() < 20) failures_.push_back(what);
    ++counts_["FAILURES"];
  }
  // The end of a connection as the client and the server saw it. The server must not have received
  // more bytes than the client sent.
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

// The order that a client sends.
struct order {
  std::uint64_t id;
  std::uint64_t seed;
  std::uint64_t upload;
  std::uint64_t download;
};
inline constexpr std::uint64_t most_bytes = 1 << 21;
inline constexpr std::size_t digest_size = 64;

// The bytes of a seed. The period is a prime, so that lost and doubled pieces are detected.
inline std::string bytes_of(std::uint64_t seed, std::uint64_t count) {
  static const std::string all = [] {
    std::string made(65521, '\0');
    std::uint32_t state = 1;
    for (char& byte : made)
      byte = static_cast<char>((state = state * 1664525U + 1013904223U) >> 24);
    return made;
  }();
  const auto size = static_cast<std::size_t>(count);
  std::string result;
  result.reserve(size);
  while (result.size() < size)
    result.append(all, static_cast<std::size_t>((seed + result.size()) % all.size()),
                  size - result.size());
  return result;
}

inline std::string digest_of(const std::string& data) {
  test_support::sha256 hash;
  hash.update(data.data(), data.size());
  return hash.hex();
}

// The peer sent other bytes than expected.
struct wrong_bytes {
  std::string what;
};

// One end of a connection. With `stop`, calls continue after an interruption. A stream is a
// `socket` or an `ssl_socket`.
template <class Stream>
class end {
 public:
  // `stop` is reset after each interruption. If it is null, an interruption ends the exchange.
  end(Stream& s, sk::interrupter* stop, test_support::dice& random, ledger& book)
      : s_(s), stop_(stop), random_(random), book_(book) {}

  static constexpr bool is_tls = std::is_same_v<Stream, sk::ssl_socket>;

  // Sends all data by a randomly chosen call. Adds the bytes sent to `sent`, also on failure.
  void send(const std::string& data, std::uint64_t& sent) {
    const std::uint64_t before = sent;
    const auto so_far = [&] { return static_cast<std::size_t>(sent - before); };
    const auto rest = [&] { return sk::const_bytes(data).after(so_far()); };
    const auto done = [&] { return so_far() == data.size(); };
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

  // Receives the expected bytes and counts them. Throws `wrong_bytes` if others arrive.
  void receive(const std::string& expected, std::uint64_t& received) {
    std::string buffer(16384, '\0');
    const std::uint64_t before = received;
    const auto so_far = [&] { return static_cast<std::size_t>(received - before); };
    const auto left = [&] { return expected.size() - so_far(); };
    const auto done = [&] { return left() == 0; };
    const auto take = [&](const char* data, std::size_t size) {
      if (expected.compare(so_far(), size, data, size) != 0)
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

  // Receives the next `size` bytes, whose values are not known.
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
  // With an unbuffered file for TLS, and recv_exactly_into for a socket.
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

  // The bytes that a throwing call has transferred, with its error in `ec`.
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

// The client's side. Returns true if the exchange was completed.
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

// The server's side, up to its last byte. Adds the bytes of the upload to `received`.
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
