// SPDX-License-Identifier: MIT
// Poco. In timeout mode it uses SO_RCVTIMEO and SO_SNDTIMEO, the only timeouts that it has.
#include <Poco/Net/DNS.h>
#include <Poco/Net/DatagramSocket.h>
#include <Poco/Net/ServerSocket.h>
#include <Poco/Net/StreamSocket.h>
#include <Poco/Net/StreamSocketImpl.h>

#include "../workloads.hpp"

namespace {

namespace net = Poco::Net;

class blocking {
 public:
  blocking(int fd, int /*family*/) : socket_(new net::StreamSocketImpl(fd)) {}

  std::size_t send(const char* data, std::size_t size) {
    return static_cast<std::size_t>(socket_.sendBytes(data, static_cast<int>(size), MSG_NOSIGNAL));
  }
  void sendall(const char* data, std::size_t size) {
    for (std::size_t sent = 0; sent < size;) sent += send(data + sent, size - sent);
  }
  std::size_t recv_into(char* data, std::size_t size) {
    return static_cast<std::size_t>(socket_.receiveBytes(data, static_cast<int>(size)));
  }
  std::string recv(std::size_t size) {
    std::string data(size, '\0');
    data.resize(recv_into(data.data(), size));
    return data;
  }

 protected:
  net::StreamSocket socket_;
};

struct timed : blocking {
  timed(int fd, int family) : blocking(fd, family) {
    socket_.setReceiveTimeout(Poco::Timespan(10, 0));
    socket_.setSendTimeout(Poco::Timespan(10, 0));
  }
};

class listener {
 public:
  void cycle() {
    net::StreamSocket client(net::SocketAddress(bench::opaque("127.0.0.1"), port_));
    bench::keep(listening_.acceptConnection());
  }

 private:
  net::ServerSocket listening_{net::SocketAddress("127.0.0.1", 0)};
  Poco::UInt16 port_ = listening_.address().port();
};

class datagrams {
 protected:
  net::DatagramSocket out_{net::SocketAddress("127.0.0.1", 0)};
  net::DatagramSocket in_{net::SocketAddress("127.0.0.1", 0)};
  net::SocketAddress to_ = in_.address();
  char data_[bench::message_size] = {};
};

struct udp_endpoint : datagrams {
  void cycle() {
    bench::check(out_.sendTo(data_, sizeof data_, to_) == sizeof data_, "sendTo");
    net::SocketAddress from;
    bench::check(in_.receiveFrom(data_, sizeof data_, from) == sizeof data_, "receiveFrom");
    bench::keep(from);
  }
};

struct udp_text : datagrams {
  void cycle() {
    const net::SocketAddress to(bench::opaque("127.0.0.1"), to_.port());
    bench::check(out_.sendTo(data_, sizeof data_, to) == sizeof data_, "sendTo");
    net::SocketAddress from;
    bench::check(in_.receiveFrom(data_, sizeof data_, from) == sizeof data_, "receiveFrom");
    const std::string host = from.host().toString();
    bench::keep(host);
    bench::keep(from.port());
  }
};

template <int Family>
constexpr const char* address_text = Family == AF_INET ? bench::ipv4_text : bench::ipv6_text;

template <int Family>
void parse(bench::meter& measure) {
  constexpr auto family = Family == AF_INET ? net::IPAddress::IPv4 : net::IPAddress::IPv6;
  measure([] {
    bench::keep(net::IPAddress(std::string(bench::opaque(address_text<Family>)), family));
  });
}

template <int Family>
void print(bench::meter& measure) {
  const net::IPAddress address(address_text<Family>);
  measure([&] {
    const std::string host = bench::opaque(&address)->toString();
    bench::keep(host);
  });
}

void resolve(bench::meter& measure) {
  measure([] { bench::keep(net::DNS::resolve(bench::opaque("127.0.0.1"))); });
}

}  // namespace

std::vector<bench::workload> bench::workloads() {
  return {
      {"tcp_pingpong", pingpong<blocking, AF_INET>},
      {"unix_pingpong", pingpong<blocking, AF_UNIX>},
      {"tcp_pingpong_timeout", pingpong<timed, AF_INET>},
      {"unix_pingpong_timeout", pingpong<timed, AF_UNIX>},
      {"bulk", bulk<blocking>},
      {"sendrecv", sendrecv<blocking>},
      {"sendrecv_timeout", sendrecv<timed>},
      {"recv_4096", bench::recv<blocking, 4096>},
      {"recv_65536", bench::recv<blocking, 65536>},
      {"connect", bench::connect<listener>},
      {"udp_endpoint", udp<udp_endpoint>},
      {"udp_text", udp<udp_text>},
      {"parse_ipv4", parse<AF_INET>},
      {"parse_ipv6", parse<AF_INET6>},
      {"print_ipv4", print<AF_INET>},
      {"print_ipv6", print<AF_INET6>},
      {"getaddrinfo", resolve},
      {"idle", idle<blocking>},
      {"wait", pingpong<timed, AF_UNIX, bench::long_pause>},
  };
}
