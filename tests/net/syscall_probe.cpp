// SPDX-License-Identifier: MIT
// A program that tests run under strace: for its system calls, for how it handles their failures,
// and for the descriptors that it inherits.
#include <fcntl.h>
#include <unistd.h>

#include <cstdio>
#include <cstring>
#include <functional>
#include <iostream>
#include <map>
#include <pysock/socket.hpp>

#include "support/descriptors.hpp"
#include "support/failure.hpp"
#include "support/sockets.hpp"

namespace sk = pysock;
using namespace test_support;

namespace {

// Writes a mark into the trace: the write fails with EBADF.
void mark(const std::string& text) { (void)!::write(-1, text.data(), text.size()); }

void between_marks(const std::string& name, const std::function<void()>& call) {
  mark("begin " + name);
  call();
  mark("end " + name);
}

// Makes every call at least once. Where the call needs a ready peer, the peer is ready.
void make_calls() {
  sk::socket listener = listening();
  const sk::address where = listener.getsockname();
  between_marks("socket", [] { (void)sk::socket().detach(); });
  between_marks("socket with a default timeout", [] {
    sk::setdefaulttimeout(5);
    (void)sk::socket().detach();
    sk::setdefaulttimeout(std::nullopt);
  });

  sk::socket client;
  between_marks("connect", [&] { client.connect(where); });
  sk::socket server(nullptr);
  wait_for(listener.fileno(), POLLIN);
  between_marks("accept", [&] { server = listener.accept().conn; });
  between_marks("settimeout", [&] { server.settimeout(patience); });
  between_marks("gettimeout and fileno",
                [&] { (void)(server.gettimeout() && server.fileno() > 0); });
  char buffer[100];
  for (int i = 0; i < 3; ++i) {
    client.sendall("x");
    wait_for(server.fileno(), POLLIN);
    between_marks("recv_into", [&] { server.recv_into(buffer); });
  }
  client.sendall("x");
  wait_for(server.fileno(), POLLIN);
  between_marks("recv", [&] { (void)server.recv(100); });
  between_marks("recv of nothing", [&] { (void)server.recv(0); });
  between_marks("send", [&] { (void)server.send("x"); });
  between_marks("sendall", [&] { server.sendall("x"); });
  server.settimeout(0.001);
  std::error_code ec;
  between_marks("recv_into that expires", [&] { server.recv_into(buffer, ec); });

  sk::socket udp = bound_udp();
  sk::socket from = bound_udp();
  const sk::address to = udp.getsockname();
  const sk::endpoint native(to.data(), to.size());
  sk::endpoint sender;
  between_marks("sendto", [&] { (void)from.sendto("x", native); });
  wait_for(udp.fileno(), POLLIN);
  between_marks("recvfrom_into", [&] { udp.recvfrom_into(buffer, sender); });

  sk::socket limited;
  limited.settimeout(patience);
  between_marks("connect with a timeout", [&] { limited.connect(where); });
  between_marks("accept with a timeout", [&] { (void)listener.accept().conn.detach(); });
  between_marks("the C library's F_DUPFD_CLOEXEC",
                [&] { ::close(::fcntl(client.fileno(), F_DUPFD_CLOEXEC, 0)); });
  between_marks("dup", [&] { (void)client.dup().detach(); });
  between_marks("socketpair", [] {
    auto pair = sk::socketpair();
    (void)pair.first.detach();
    (void)pair.second.detach();
  });
  between_marks("addresses that do not fit", [&] {
    client.connect("/a/path", ec);
    client.connect(sk::address(), ec);
    (void)from.sendto("x", 0, sk::address("::1", 9), ec);
  });
  between_marks("bad arguments", [&] {
    (void)failure_of([&] { client.bind({"127.0.0.1", 70000}); });
    (void)failure_of([&] { return client.connect_ex({"host\0name", 80}); });
    (void)failure_of([&] { return client.getsockopt(SOL_SOCKET, SO_TYPE, 2000); });
    (void)failure_of([&] { client.settimeout(-1); });
    (void)failure_of([&] { return server.recv(static_cast<std::size_t>(-1)); });
  });
  std::FILE* const file = std::tmpfile();
  std::fputs("0123456789", file);
  std::fflush(file);
  between_marks("sendfile", [&] { client.sendfile(::fileno(file)); });
  between_marks("sendfile with a count", [&] { client.sendfile(::fileno(file), 2, 5); });
  std::fclose(file);
  between_marks("close", [&] { client.close(); });
}

// Makes one call, in which strace makes system calls fail. Prints how it ended, and how many
// descriptors it left open.
void make_fail(const std::string& name) {
  sk::socket listener = listening();
  sk::socket client;
  client.connect(listener.getsockname());
  sk::socket server = listener.accept().conn;
  server.settimeout(patience);
  client.sendall("x");
  sk::socket second;
  second.connect(listener.getsockname());
  wait_for(listener.fileno(), POLLIN);
  wait_for(server.fileno(), POLLIN);
  sk::socket spare;
  const int fd = sk::dup(client.fileno()).release();

  const std::map<std::string, std::function<void()>> calls = {
      {"socket", [] { sk::socket(); }},
      {"socketpair", [] { (void)sk::socketpair(); }},
      {"accept", [&] { (void)listener.accept(); }},
      {"dup", [&] { (void)client.dup(); }},
      {"module dup", [&] { (void)sk::dup(fd); }},
      {"fromfd", [&] { (void)sk::fromfd(fd, AF_INET, SOCK_STREAM); }},
      {"fromfd with a default timeout",
       [&] {
         const default_timeout_scope five(5);
         (void)sk::fromfd(fd, AF_INET, SOCK_STREAM);
       }},
      {"from_fileno",
       [&] {
         const default_timeout_scope five(5);
         (void)sk::from_fileno(fd).detach();
       }},
      {"settimeout",
       [&] {
         try {
           client.settimeout(3);
         } catch (const sk::error&) {
           if (client.gettimeout()) mark("the timeout has changed");
           throw;
         }
       }},
      {"close", [&] { spare.close(); }},
      {"bare close",
       [fd = spare.fileno()] {
         if (::close(fd) != 0)
           throw sk::interrupted_error(std::error_code(errno, std::generic_category()));
       }},
      {"recv", [&] { (void)server.recv(1); }},
      {"send", [&] { (void)server.send("x"); }},
      {"sendall", [&] { server.sendall("xyz"); }},
  };
  const auto before = open_descriptors();
  std::string outcome;
  between_marks(name, [&] { outcome = failure_of([&] { return calls.at(name)(), 0; }); });
  const auto after = open_descriptors();
  int left = 0;
  for (const int one : after) left += before.count(one) == 0 ? 1 : 0;
  std::cout << outcome << "; " << left << " left; fileno " << spare.fileno()
            << (is_open(fd) ? "" : "; closed what it did not own") << std::endl;
  if (name == "accept")
    std::cout << failure_of([&] {
      listener.settimeout(0.01);
      return listener.accept();
    }) << std::endl;
}

}  // namespace

int main(int argc, char** argv) {
  const std::string what = argc > 1 ? argv[1] : "";
  if (what == "nothing") between_marks("nothing", [] {});
  if (what == "calls") make_calls();
  if (what == "fail") make_fail(argv[2]);
  if (what == "descriptors") {
    for (const int fd : open_descriptors()) std::cout << fd << "\n";
  }
  return 0;
}
