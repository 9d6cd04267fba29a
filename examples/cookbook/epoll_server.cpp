// SPDX-License-Identifier: MIT
// An echo server for many clients in one thread, with your own event loop, here Linux's epoll, and
// fileno(): epoll_server [port]. In Python:
//
//     import select, socket, sys
//
//     socket.setdefaulttimeout(0)  # all sockets of this program are non-blocking
//     s = socket.create_server(('', int(sys.argv[1]) if sys.argv[1:] else 50007))
//     print('Listening on', s.getsockname(), flush=True)
//     loop, clients = select.epoll(), {}
//     loop.register(s, select.EPOLLIN)
//     while True:
//         for fd, _ in loop.poll():
//             try:
//                 if fd == s.fileno():
//                     conn, _ = s.accept()
//                     clients[conn.fileno()] = [conn, b'']
//                     loop.register(conn, select.EPOLLIN)
//                     continue
//                 conn, out = clients[fd]
//                 out = out or conn.recv(65536)
//                 if not out:
//                     raise EOFError
//                 clients[fd][1] = out  # send may fail with BlockingIOError
//                 clients[fd][1] = out = out[conn.send(out):]
//                 loop.modify(conn, select.EPOLLOUT if out else select.EPOLLIN)
//             except BlockingIOError:
//                 pass
//             except (OSError, EOFError):
//                 clients.pop(fd)[0].close()
#include <sys/epoll.h>

#include <cerrno>
#include <iostream>
#include <map>
#include <pysock/pysock.hpp>

namespace sk = pysock;

namespace {

struct client {
  sk::socket conn;
  std::string out;  // received and not sent back yet
};

// Returns false at the end of the connection.
bool serve(client& c) {
  std::error_code ec;
  if (c.out.empty()) {
    char buffer[65536];
    const std::size_t size = c.conn.recv_into(buffer, ec);
    if (ec == std::errc::operation_would_block) return true;
    if (ec || size == 0) return false;
    c.out.assign(buffer, size);
  }
  c.out.erase(0, c.conn.send(c.out, ec));
  return !ec || ec == std::errc::operation_would_block;
}

void watch(int loop, int operation, int fd, std::uint32_t events) {
  epoll_event event{events, {}};
  event.data.fd = fd;
  if (::epoll_ctl(loop, operation, fd, &event) < 0)
    throw std::system_error(errno, std::generic_category(), "epoll_ctl");
}

}  // namespace

int main(int argc, char** argv) try {
  sk::setdefaulttimeout(0);  // all sockets of this program are non-blocking
  sk::socket s = sk::create_server({"", argc > 1 ? std::stoi(argv[1]) : 50007});
  std::cout << "Listening on " << s.getsockname() << std::endl;
  const sk::descriptor loop(::epoll_create1(EPOLL_CLOEXEC));
  watch(loop.get(), EPOLL_CTL_ADD, s.fileno(), EPOLLIN);
  std::map<int, client> clients;
  while (true) {
    epoll_event events[64];
    const int count = ::epoll_wait(loop.get(), events, 64, -1);  // -1 and EINTR: no events
    for (int i = 0; i < count; ++i) {
      const int fd = events[i].data.fd;
      if (std::error_code ec; fd == s.fileno()) {
        sk::socket conn = s.accept(ec).conn;
        if (ec) continue;
        const int accepted = conn.fileno();  // -1 once conn was moved
        watch(loop.get(), EPOLL_CTL_ADD, accepted, EPOLLIN);
        clients.emplace(accepted, client{std::move(conn), ""});
      } else if (client& c = clients.at(fd); serve(c)) {
        watch(loop.get(), EPOLL_CTL_MOD, fd, c.out.empty() ? EPOLLIN : EPOLLOUT);
      } else {
        clients.erase(fd);  // closing removes it from the set
      }
    }
  }
} catch (const std::exception& e) {
  std::cerr << e.what() << '\n';
  return 1;
}
