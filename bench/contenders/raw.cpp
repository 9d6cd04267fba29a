// SPDX-License-Identifier: MIT
// Plain system calls, used as efficiently as possible: the reference for the others. Timeout mode
// tries first and polls only if it must.
#include <fcntl.h>
#include <netdb.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>

#include <cerrno>

#include "../workloads.hpp"

namespace {

class blocking {
 public:
  blocking(int fd, int /*family*/) : fd_(fd) {}
  blocking(blocking&& other) noexcept : fd_(other.fd_) { other.fd_ = -1; }
  blocking& operator=(blocking&&) = delete;
  ~blocking() {
    if (fd_ >= 0) ::close(fd_);
  }

  std::size_t send(const char* data, std::size_t size) {
    const ssize_t sent = ::send(fd_, data, size, MSG_NOSIGNAL);
    bench::check(sent >= 0, "send");
    return static_cast<std::size_t>(sent);
  }
  void sendall(const char* data, std::size_t size) {
    for (std::size_t sent = 0; sent < size;) sent += send(data + sent, size - sent);
  }
  std::size_t recv_into(char* data, std::size_t size) {
    const ssize_t got = ::recv(fd_, data, size, 0);
    bench::check(got >= 0, "recv");
    return static_cast<std::size_t>(got);
  }
  std::string recv(std::size_t size) {
    static char buffer[bench::bulk_size];
    return std::string(buffer, recv_into(buffer, size));
  }

 private:
  int fd_;
};

class timed {
 public:
  timed(int fd, int /*family*/) : fd_(fd) { ::fcntl(fd, F_SETFL, O_NONBLOCK); }
  timed(const timed&) = delete;
  timed& operator=(const timed&) = delete;
  ~timed() { ::close(fd_); }

  std::size_t send(const char* data, std::size_t size) {
    for (;;) {
      const ssize_t sent = ::send(fd_, data, size, MSG_NOSIGNAL);
      if (sent >= 0) return static_cast<std::size_t>(sent);
      wait(POLLOUT);
    }
  }
  std::size_t recv_into(char* data, std::size_t size) {
    for (;;) {
      const ssize_t got = ::recv(fd_, data, size, 0);
      if (got >= 0) return static_cast<std::size_t>(got);
      wait(POLLIN);
    }
  }

 private:
  void wait(short events) const {
    bench::check(errno == EAGAIN, "try");
    pollfd one{fd_, events, 0};
    bench::check(::poll(&one, 1, 10000) == 1, "poll");
  }

  int fd_;
};

// A receive that an eventfd ends.
class interruptible {
 public:
  explicit interruptible(int fd, int /*family*/ = 0) : fd_(fd) {}
  interruptible(const interruptible&) = delete;
  interruptible& operator=(const interruptible&) = delete;
  ~interruptible() {
    ::close(fd_);
    ::close(stop_);
  }

  std::size_t send(const char* data, std::size_t size) {
    const ssize_t sent = ::send(fd_, data, size, MSG_NOSIGNAL | MSG_DONTWAIT);
    bench::check(sent >= 0, "send");
    return static_cast<std::size_t>(sent);
  }
  // 0 if it was interrupted.
  std::size_t recv_into(char* data, std::size_t size) const {
    for (;;) {
      const ssize_t got = ::recv(fd_, data, size, MSG_DONTWAIT);
      if (got >= 0) return static_cast<std::size_t>(got);
      pollfd both[] = {{fd_, POLLIN, 0}, {stop_, POLLIN, 0}};
      bench::check(::poll(both, 2, -1) > 0, "poll");
      if (both[1].revents != 0) return 0;
    }
  }
  void interrupt() const { bench::check(::eventfd_write(stop_, 1) == 0, "write"); }
  void reset() const {
    eventfd_t count = 0;
    (void)::eventfd_read(stop_, &count);
  }

 private:
  int fd_;
  int stop_ = ::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
};

class waiter {
 public:
  void wait() const {
    char byte = 0;
    bench::check(stream_.recv_into(&byte, 1) == 0, "wait");
  }
  void interrupt() const { stream_.interrupt(); }
  void reset() const { stream_.reset(); }

 private:
  bench::pair ends_ = bench::connected(AF_UNIX);
  interruptible stream_{ends_.near};
};

class event_loop {
 public:
  event_loop() = default;
  event_loop(const event_loop&) = delete;
  event_loop& operator=(const event_loop&) = delete;
  ~event_loop() { ::close(set_); }

  void add(const bench::event_handler& handler) {
    epoll_event wanted{};
    wanted.events = EPOLLIN;
    wanted.data.ptr = const_cast<bench::event_handler*>(&handler);
    bench::check(::epoll_ctl(set_, EPOLL_CTL_ADD, handler.ends.near, &wanted) == 0, "epoll_ctl");
    ready_.resize(ready_.size() + 1);
  }
  void once() {
    const int count = ::epoll_wait(set_, ready_.data(), static_cast<int>(ready_.size()), -1);
    bench::check(count > 0, "epoll_wait");
    for (int i = 0; i < count; ++i) {
      const epoll_event& one = ready_[static_cast<std::size_t>(i)];
      (*static_cast<const bench::event_handler*>(one.data.ptr))();
    }
  }

 private:
  int set_ = ::epoll_create1(EPOLL_CLOEXEC);
  std::vector<epoll_event> ready_;
};

class listener {
 public:
  listener() : fd_(bench::listen_on_loopback()), port_(ntohs(bench::name_of(fd_).sin_port)) {}
  listener(const listener&) = delete;
  listener& operator=(const listener&) = delete;
  ~listener() { ::close(fd_); }

  void cycle() const {
    const int client = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    bench::check(client >= 0, "socket");
    sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_port = htons(port_);
    bench::check(::inet_pton(AF_INET, bench::opaque("127.0.0.1"), &to.sin_addr) == 1, "inet_pton");
    bench::check(::connect(client, reinterpret_cast<const sockaddr*>(&to), sizeof to) == 0,
                 "connect");
    sockaddr_storage from;
    socklen_t from_size = sizeof from;
    const int server = ::accept4(fd_, reinterpret_cast<sockaddr*>(&from), &from_size, SOCK_CLOEXEC);
    bench::check(server >= 0, "accept");
    ::close(client);
    ::close(server);
  }

 private:
  int fd_;
  std::uint16_t port_;
};

class datagrams {
 public:
  datagrams() : out_(made()), in_(made()), to_(bench::name_of(in_)) {}
  datagrams(const datagrams&) = delete;
  datagrams& operator=(const datagrams&) = delete;
  ~datagrams() {
    ::close(out_);
    ::close(in_);
  }

 protected:
  void send(const sockaddr_in& to) {
    bench::check(::sendto(out_, data_, sizeof data_, MSG_NOSIGNAL,
                          reinterpret_cast<const sockaddr*>(&to), sizeof to) == sizeof data_,
                 "sendto");
  }
  sockaddr_storage receive() {
    sockaddr_storage from;
    socklen_t from_size = sizeof from;
    bench::check(::recvfrom(in_, data_, sizeof data_, 0, reinterpret_cast<sockaddr*>(&from),
                            &from_size) == sizeof data_,
                 "recvfrom");
    return from;
  }
  [[nodiscard]] const sockaddr_in& to() const { return to_; }

 private:
  static int made() {
    const int fd = ::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    const sockaddr_in address = bench::loopback();
    bench::check(
        fd >= 0 && ::bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0,
        "bind");
    return fd;
  }

  int out_;
  int in_;
  sockaddr_in to_;
  char data_[bench::message_size] = {};
};

struct udp_endpoint : datagrams {
  void cycle() {
    send(to());
    bench::keep(receive());
  }
};

struct udp_text : datagrams {
  void cycle() {
    sockaddr_in destination{};
    destination.sin_family = AF_INET;
    destination.sin_port = to().sin_port;
    bench::check(::inet_pton(AF_INET, bench::opaque("127.0.0.1"), &destination.sin_addr) == 1,
                 "inet_pton");
    send(destination);
    const sockaddr_storage from = receive();
    const auto& native = reinterpret_cast<const sockaddr_in&>(from);
    char text[INET_ADDRSTRLEN];
    const std::string host(::inet_ntop(AF_INET, &native.sin_addr, text, sizeof text));
    bench::keep(host);
    bench::keep(ntohs(native.sin_port));
  }
};

template <int Family>
void parse(bench::meter& measure) {
  measure([] {
    unsigned char packed[16];
    bench::check(
        ::inet_pton(Family, bench::opaque(Family == AF_INET ? bench::ipv4_text : bench::ipv6_text),
                    packed) == 1,
        "inet_pton");
    bench::keep(packed);
  });
}

template <int Family>
void print(bench::meter& measure) {
  unsigned char packed[16];
  ::inet_pton(Family, Family == AF_INET ? bench::ipv4_text : bench::ipv6_text, packed);
  measure([&] {
    char text[INET6_ADDRSTRLEN];
    const std::string host(::inet_ntop(Family, bench::opaque(&packed[0]), text, sizeof text));
    bench::keep(host);
  });
}

void resolve(bench::meter& measure) {
  measure([] {
    addrinfo hints{};
    hints.ai_socktype = SOCK_STREAM;
    addrinfo* results = nullptr;
    bench::check(::getaddrinfo(bench::opaque("127.0.0.1"), "80", &hints, &results) == 0,
                 "getaddrinfo");
    bench::keep(*results);
    ::freeaddrinfo(results);
  });
}

// Sixteen buffers at a time.
template <bool sends>
void messages(bench::meter& measure) {
  int fds[2];
  bench::check(::socketpair(AF_UNIX, SOCK_STREAM, 0, fds) == 0, "socketpair");
  const blocking out(fds[0], AF_UNIX);
  const blocking in(fds[1], AF_UNIX);
  char data[16][bench::message_size] = {};
  char all[sizeof data] = {};
  measure([&] {
    iovec pieces[16];
    for (std::size_t i = 0; i < 16; ++i) pieces[i] = {data[i], sizeof data[i]};
    msghdr message{};
    message.msg_iov = pieces;
    message.msg_iovlen = 16;
    if constexpr (sends) {
      bench::check(::sendmsg(fds[0], &message, MSG_NOSIGNAL) == sizeof all, "sendmsg");
      bench::check(::recv(fds[1], all, sizeof all, 0) == sizeof all, "recv");
    } else {
      bench::check(::send(fds[0], all, sizeof all, MSG_NOSIGNAL) == sizeof all, "send");
      bench::check(::recvmsg(fds[1], &message, 0) == sizeof all, "recvmsg");
    }
  });
}

}  // namespace

std::vector<bench::workload> bench::workloads() {
  return {
      {"tcp_pingpong", pingpong<blocking, AF_INET>},
      {"unix_pingpong", pingpong<blocking, AF_UNIX>},
      {"tcp_pingpong_timeout", pingpong<timed, AF_INET>},
      {"unix_pingpong_timeout", pingpong<timed, AF_UNIX>},
      {"unix_pingpong_interrupter", pingpong<interruptible, AF_UNIX>},
      {"interrupt", bench::interrupt<waiter>},
      {"selector", selector<event_loop, true>},
      {"selector_ready", selector<event_loop, false>},
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
      {"sendmsg_16", messages<true>},
      {"recvmsg_16", messages<false>},
      {"wait", pingpong<timed, AF_UNIX, bench::long_pause>},
  };
}
