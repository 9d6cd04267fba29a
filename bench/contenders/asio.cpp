// SPDX-License-Identifier: MIT
// Standalone Asio, with synchronous calls. In timeout mode an asynchronous operation and `run_for`,
// as in its documentation.
#include <asio.hpp>
#include <deque>
#include <optional>

#include "../workloads.hpp"

namespace {

using asio::ip::tcp;
using asio::ip::udp;

// Made on first use, so after a fork.
asio::io_context& io() {
  static asio::io_context context(1);
  return context;
}

class blocking {
 public:
  blocking(int fd, int family) : socket_(io(), asio::generic::stream_protocol(family, 0), fd) {}

  std::size_t send(const char* data, std::size_t size) {
    return socket_.send(asio::buffer(data, size));
  }
  void sendall(const char* data, std::size_t size) {
    asio::write(socket_, asio::buffer(data, size));
  }
  std::size_t recv_into(char* data, std::size_t size) {
    asio::error_code ec;
    const std::size_t got = socket_.receive(asio::buffer(data, size), 0, ec);
    bench::check(!ec || ec == asio::error::eof, "receive");
    return got;
  }
  std::string recv(std::size_t size) {
    std::string data(size, '\0');
    data.resize(recv_into(data.data(), size));
    return data;
  }

 private:
  asio::generic::stream_protocol::socket socket_;
};

class timed {
 public:
  timed(int fd, int family) : socket_(io(), asio::generic::stream_protocol(family, 0), fd) {}

  std::size_t send(const char* data, std::size_t size) {
    return finish([&](auto done) { socket_.async_send(asio::buffer(data, size), done); });
  }
  std::size_t recv_into(char* data, std::size_t size) {
    return finish([&](auto done) { socket_.async_receive(asio::buffer(data, size), done); });
  }

 private:
  template <class Start>
  std::size_t finish(Start start) {
    std::optional<asio::error_code> outcome;
    std::size_t moved = 0;
    start([&](const asio::error_code& ec, std::size_t size) {
      outcome = ec;
      moved = size;
    });
    io().restart();
    io().run_for(std::chrono::seconds(10));
    bench::check(outcome && !*outcome, "operation");
    return moved;
  }

  asio::generic::stream_protocol::socket socket_;
};

// Asio waits for new readiness, so this loop works only with handlers that receive the data.
class event_loop {
 public:
  void add(const bench::event_handler& handler) {
    all_.push_back({asio::posix::stream_descriptor(context_, handler.ends.near), &handler});
    wait(all_.back());
  }
  void once() { context_.run_one(); }

 private:
  struct one {
    asio::posix::stream_descriptor descriptor;
    const bench::event_handler* handler;
  };

  void wait(one& which) {
    which.descriptor.async_wait(asio::posix::descriptor_base::wait_read,
                                [this, &which](const asio::error_code& ec) {
                                  if (ec) return;
                                  (*which.handler)();
                                  wait(which);
                                });
  }

  asio::io_context context_{1};
  std::deque<one> all_;
};

class listener {
 public:
  void cycle() {
    tcp::socket client(io());
    client.connect({asio::ip::make_address(bench::opaque("127.0.0.1")), port_});
    bench::keep(acceptor_.accept());
  }

 private:
  tcp::acceptor acceptor_{io(), {asio::ip::address_v4::loopback(), 0}};
  unsigned short port_ = acceptor_.local_endpoint().port();
};

class datagrams {
 protected:
  udp::socket out_{io(), {asio::ip::address_v4::loopback(), 0}};
  udp::socket in_{io(), {asio::ip::address_v4::loopback(), 0}};
  udp::endpoint to_ = in_.local_endpoint();
  char data_[bench::message_size] = {};
};

struct udp_endpoint : datagrams {
  void cycle() {
    bench::check(out_.send_to(asio::buffer(data_), to_) == sizeof data_, "send_to");
    udp::endpoint from;
    bench::check(in_.receive_from(asio::buffer(data_), from) == sizeof data_, "receive_from");
    bench::keep(from);
  }
};

struct udp_text : datagrams {
  void cycle() {
    const udp::endpoint to(asio::ip::make_address(bench::opaque("127.0.0.1")), to_.port());
    bench::check(out_.send_to(asio::buffer(data_), to) == sizeof data_, "send_to");
    udp::endpoint from;
    bench::check(in_.receive_from(asio::buffer(data_), from) == sizeof data_, "receive_from");
    const std::string host = from.address().to_string();
    bench::keep(host);
    bench::keep(from.port());
  }
};

void parse_ipv4(bench::meter& measure) {
  measure([] { bench::keep(asio::ip::make_address_v4(bench::opaque(bench::ipv4_text))); });
}
void parse_ipv6(bench::meter& measure) {
  measure([] { bench::keep(asio::ip::make_address_v6(bench::opaque(bench::ipv6_text))); });
}

template <class Address>
void print(bench::meter& measure, const Address& address) {
  measure([&] {
    const std::string host = bench::opaque(&address)->to_string();
    bench::keep(host);
  });
}
void print_ipv4(bench::meter& measure) {
  print(measure, asio::ip::make_address_v4(bench::ipv4_text));
}
void print_ipv6(bench::meter& measure) {
  print(measure, asio::ip::make_address_v6(bench::ipv6_text));
}

void resolve(bench::meter& measure) {
  tcp::resolver resolver(io());
  measure([&] { bench::keep(resolver.resolve(bench::opaque("127.0.0.1"), "80")); });
}

}  // namespace

std::vector<bench::workload> bench::workloads() {
  return {
      {"tcp_pingpong", pingpong<blocking, AF_INET>},
      {"unix_pingpong", pingpong<blocking, AF_UNIX>},
      {"tcp_pingpong_timeout", pingpong<timed, AF_INET>},
      {"unix_pingpong_timeout", pingpong<timed, AF_UNIX>},
      {"selector", selector<event_loop, true>},
      {"bulk", bulk<blocking>},
      {"sendrecv", sendrecv<blocking>},
      {"sendrecv_timeout", sendrecv<timed>},
      {"recv_4096", bench::recv<blocking, 4096>},
      {"recv_65536", bench::recv<blocking, 65536>},
      {"connect", bench::connect<listener>},
      {"udp_endpoint", bench::udp<udp_endpoint>},
      {"udp_text", bench::udp<udp_text>},
      {"parse_ipv4", parse_ipv4},
      {"parse_ipv6", parse_ipv6},
      {"print_ipv4", print_ipv4},
      {"print_ipv6", print_ipv6},
      {"getaddrinfo", resolve},
      {"idle", idle<blocking>},
      {"wait", pingpong<timed, AF_UNIX, bench::long_pause>},
  };
}
