// SPDX-License-Identifier: MIT
// pysock. The workloads that end in _owning receive strings; the last ones only count system calls
// and allocations.
#include <pysock/create.hpp>
#include <pysock/selectors.hpp>
#include <pysock/socket.hpp>

#include "../workloads.hpp"

namespace {

class blocking {
 public:
  blocking(int fd, int family) : socket_(pysock::from_fileno(fd, family, SOCK_STREAM, 0)) {}

  std::size_t send(const char* data, std::size_t size) { return socket_.send({data, size}); }
  void sendall(const char* data, std::size_t size) { socket_.sendall({data, size}); }
  std::size_t recv_into(char* data, std::size_t size) { return socket_.recv_into({data, size}); }
  std::string recv(std::size_t size) { return socket_.recv(size); }

 protected:
  pysock::socket socket_;
};

// Not inlined, because programs do not set timeouts in their loops, and the compiler limits
// inlining per function.
struct timed : blocking {
  [[gnu::noinline]] timed(int fd, int family) : blocking(fd, family) { socket_.settimeout(10); }
};

struct nonblocking : blocking {
  nonblocking(int fd, int family) : blocking(fd, family) { socket_.setblocking(false); }
};

struct interruptible : blocking {
  [[gnu::noinline]] interruptible(int fd, int family) : blocking(fd, family) {
    static pysock::interrupter stop;
    socket_.set_interrupter(stop);
  }
};

class waiter {
 public:
  waiter() { ends_.first.set_interrupter(stop_); }
  void wait() {
    char byte = 0;
    std::error_code ec;
    ends_.first.recv_into({&byte, 1}, ec);
    bench::check(ec == std::errc::interrupted, "wait");
  }
  void interrupt() { stop_.interrupt(); }
  void reset() { stop_.reset(); }

 private:
  pysock::interrupter stop_;
  std::pair<pysock::socket, pysock::socket> ends_ = pysock::socketpair();
};

class event_loop {
 public:
  void add(const bench::event_handler& handler) {
    all_.register_(handler.ends.near, pysock::EVENT_READ, &handler);
  }
  void once() {
    for (const auto& [key, events] : all_.select()) (*key.data())();
  }

 private:
  pysock::selector<const bench::event_handler*> all_;
};

class listener {
 public:
  void cycle() {
    pysock::socket client;
    client.connect({bench::opaque("127.0.0.1"), port_});
    bench::keep(listening_.accept());
  }

 private:
  pysock::socket listening_ = pysock::create_server({"127.0.0.1", 0});
  int port_ = listening_.getsockname().port();
};

class datagrams {
 protected:
  static pysock::socket made() {
    pysock::socket s(AF_INET, SOCK_DGRAM);
    s.bind({"127.0.0.1", 0});
    return s;
  }
  void set_timeout() {
    out_.settimeout(10);
    in_.settimeout(10);
  }

  pysock::socket out_ = made();
  pysock::socket in_ = made();
  int port_ = in_.getsockname().port();
  char data_[bench::message_size] = {};
};

class udp_endpoint : datagrams {
 public:
  void cycle() {
    bench::check(out_.sendto(data_, to_) == sizeof data_, "sendto");
    pysock::endpoint from;
    bench::check(in_.recvfrom_into(data_, from) == sizeof data_, "recvfrom");
    bench::keep(from);
  }

 protected:
  using datagrams::set_timeout;

 private:
  pysock::endpoint to_{in_.getsockname().data(), in_.getsockname().size()};
};

struct udp_endpoint_timeout : udp_endpoint {
  udp_endpoint_timeout() { set_timeout(); }
};

class udp_text : datagrams {
 public:
  void cycle() {
    bench::check(out_.sendto(data_, {bench::opaque("127.0.0.1"), port_}) == sizeof data_, "sendto");
    const auto [size, from] = in_.recvfrom_into(data_);
    bench::check(size == sizeof data_, "recvfrom");
    const std::string host = from.host();
    bench::keep(host);
    bench::keep(from.port());
  }
};

class udp_owning : datagrams {
 public:
  void cycle() {
    bench::check(out_.sendto(data_, {bench::opaque("127.0.0.1"), port_}) == sizeof data_, "sendto");
    const auto [data, from] = in_.recvfrom(sizeof data_);
    bench::check(data.size() == sizeof data_, "recvfrom");
    const std::string host = from.host();
    bench::keep(host);
    bench::keep(from.port());
  }
};

template <class Address>
void parse(bench::meter& measure) {
  const char* const text = Address::family() == AF_INET ? bench::ipv4_text : bench::ipv6_text;
  measure([&] { bench::keep(Address(bench::opaque(text), 0)); });
}

template <class Address>
void print(bench::meter& measure) {
  const Address address(Address::family() == AF_INET ? bench::ipv4_text : bench::ipv6_text, 0);
  measure([&] {
    const std::string host = bench::opaque(&address)->host();
    bench::keep(host);
  });
}

void resolve(bench::meter& measure) {
  measure([] { bench::keep(pysock::getaddrinfo(bench::opaque("127.0.0.1"), 80, 0, SOCK_STREAM)); });
}

// ---- only for the counts ----

void sendall(bench::meter& measure) {
  auto [out, in] = pysock::socketpair();
  char data[bench::message_size] = {};
  measure([&out = out, &in = in, &data] {
    out.sendall(data);
    bench::check(in.recv_into(data) == sizeof data, "recv");
  });
}

// sendto and recvfrom_into with addresses of three families.
void any_address(bench::meter& measure) {
  struct way {
    pysock::socket out, in;
    pysock::address to;
  };
  std::vector<way> ways;
  const pysock::address addresses[] = {
      {"127.0.0.1", 0}, {"::1", 0}, {std::string("\0", 1) + std::to_string(::getpid())}};
  for (const pysock::address& local : addresses) {
    way one{
        pysock::socket(local.family(), SOCK_DGRAM), pysock::socket(local.family(), SOCK_DGRAM), {}};
    one.in.bind(local);
    one.to = one.in.getsockname();
    ways.push_back(std::move(one));
  }
  char data[bench::message_size] = {};
  measure([&] {
    for (way& one : ways) {
      bench::check(one.out.sendto(data, one.to) == sizeof data, "sendto");
      bench::check(one.in.recvfrom_into(data).nbytes == sizeof data, "recvfrom");
    }
  });
}

void would_block(bench::meter& measure) {
  auto [unused, in] = pysock::socketpair();
  in.setblocking(false);
  char data[bench::message_size];
  measure([&in = in, &data] {
    std::error_code ec;
    in.recv_into(data, ec);
    bench::check(ec == std::errc::operation_would_block, "recv");
  });
}

void would_block_thrown(bench::meter& measure) {
  auto [unused, in] = pysock::socketpair();
  in.setblocking(false);
  char data[bench::message_size];
  measure([&in = in, &data] {
    try {
      in.recv_into(data);
    } catch (const pysock::blocking_io_error& e) {
      bench::keep(e);
    }
  });
}

// Sixteen buffers at a time.
template <bool sends>
void messages(bench::meter& measure) {
  auto [out, in] = pysock::socketpair();
  char data[16][bench::message_size] = {};
  char all[sizeof data] = {};
  pysock::const_bytes to_send[16];
  pysock::mutable_bytes to_fill[16];
  for (std::size_t i = 0; i < 16; ++i) {
    to_send[i] = data[i];
    to_fill[i] = data[i];
  }
  measure([&, &out = out, &in = in] {
    if constexpr (sends) {
      bench::check(out.sendmsg(to_send) == sizeof all, "sendmsg");
      bench::check(::recv(in.fileno(), all, sizeof all, 0) == sizeof all, "recv");
    } else {
      bench::check(::send(out.fileno(), all, sizeof all, 0) == sizeof all, "send");
      bench::check(in.recvmsg_into(to_fill).nbytes == sizeof all, "recvmsg");
    }
  });
}

void equal(bench::meter& measure) {
  const pysock::address a(bench::opaque("127.0.0.1"), 80);
  const pysock::address b(bench::opaque("127.0.0.1"), 80);
  measure([&] { bench::keep(a == b); });
}

void hash(bench::meter& measure) {
  const pysock::address a(bench::opaque("127.0.0.1"), 80);
  measure([&] { bench::keep(a.hash()); });
}

void make(bench::meter& measure) {
  measure([] { bench::keep(pysock::socket()); });
}

void dup(bench::meter& measure) {
  const pysock::socket one;
  measure([&] { bench::keep(one.dup()); });
}

// create_connection with a timeout, and its close, to a process that accepts.
void create_connection(bench::meter& measure) {
  pysock::socket listening = pysock::create_server({"127.0.0.1", 0});
  const int port = listening.getsockname().port();
  const long count = measure.count();
  const bench::process other([&listening, count] {
    for (long i = 0; i < count; ++i) bench::keep(listening.accept());
  });
  listening.close();
  measure([port] {
    bench::keep(pysock::create_connection({bench::opaque("127.0.0.1"), port}, 10));
  });
}

}  // namespace

std::vector<bench::workload> bench::workloads() {
  return {
      {"tcp_pingpong", pingpong<blocking, AF_INET>},
      {"tcp_pingpong_owning", pingpong_owning<blocking, AF_INET>},
      {"unix_pingpong", pingpong<blocking, AF_UNIX>},
      {"unix_pingpong_owning", pingpong_owning<blocking, AF_UNIX>},
      {"tcp_pingpong_timeout", pingpong<timed, AF_INET>},
      {"tcp_pingpong_timeout_owning", pingpong_owning<timed, AF_INET>},
      {"unix_pingpong_timeout", pingpong<timed, AF_UNIX>},
      {"unix_pingpong_timeout_owning", pingpong_owning<timed, AF_UNIX>},
      {"unix_pingpong_interrupter", pingpong<interruptible, AF_UNIX>},
      {"interrupt", bench::interrupt<waiter>},
      {"selector", selector<event_loop, true>},
      {"selector_ready", selector<event_loop, false>},
      {"bulk", bulk<blocking>},
      {"sendrecv", sendrecv<blocking>},
      {"sendrecv_timeout", sendrecv<timed>},
      {"sendrecv_nonblocking", sendrecv<nonblocking>},
      {"sendrecv_interrupter", sendrecv<interruptible>},
      {"recv_4096", bench::recv<blocking, 4096>},
      {"recv_65536", bench::recv<blocking, 65536>},
      {"connect", bench::connect<listener>},
      {"udp_endpoint", udp<udp_endpoint>},
      {"udp_endpoint_timeout", udp<udp_endpoint_timeout>},
      {"udp_text", udp<udp_text>},
      {"udp_text_owning", udp<udp_owning>},
      {"parse_ipv4", parse<pysock::inet_address>},
      {"parse_ipv6", parse<pysock::inet6_address>},
      {"print_ipv4", print<pysock::inet_address>},
      {"print_ipv6", print<pysock::inet6_address>},
      {"getaddrinfo", resolve},
      {"idle", idle<blocking>},
      {"wait", pingpong<timed, AF_UNIX, bench::long_pause>},
      {"sendall", sendall},
      {"any_address", any_address},
      {"would_block", would_block},
      {"would_block_thrown", would_block_thrown},
      {"sendmsg_16", messages<true>},
      {"recvmsg_16", messages<false>},
      {"equal", equal},
      {"hash", hash},
      {"make", make},
      {"dup", dup},
      {"create_connection", create_connection},
  };
}
