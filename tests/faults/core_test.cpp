// SPDX-License-Identifier: MIT
// Every call of the core that makes a call of the system: whatever fails is reported as what it is,
// and nothing is lost, doubled or left open.
#include <fcntl.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <map>
#include <sstream>

#include "sockets.hpp"
#include "support/catch.hpp"
#include "support/private_etc.hpp"

namespace faults {
namespace {

using scenarios = std::vector<scenario>;
using ec_ref = std::error_code&;

void append(scenarios& all, scenarios more) {
  for (scenario& s : more) all.push_back(std::move(s));
}

// ---- receiving ----

// `receive(s, got, ec)` puts what it received into `got`, which is large enough. With
// `returns_text` it allocates a result after the bytes have come, and may lose them without memory.
template <class Receive>
scenario receiving(const char* name, const char* operation, int type, const Receive& receive,
                   bool returns_text = false) {
  return {name, [=](trial& t) {
            auto [first, second] = pair_of(t, type);
            sk::socket& s = first;
            sk::socket& peer = second;
            t.arrives([&] { (void)peer.send(greeting()); });
            std::string got;
            got.reserve(200);
            if (operation != nullptr) {
              t.call(operation, [&] {
                std::error_code unused;
                receive(s, got, unused);
              });
            } else {
              t.call([&](ec_ref ec) { receive(s, got, ec); });
            }
            got += rest_of(s);
            const bool cut = t.is_short() && type != SOCK_STREAM;  // a datagram loses its rest
            const bool lost = returns_text && t.lacked_memory() && got.empty();
            t.check(cut || lost || got == greeting(), "what was sent has been received once");
            t.check(works(s, peer), "the socket is usable");
          }};
}

scenarios receives() {
  scenarios all;
  const auto add = [&all](const char* name, const char* operation, auto receive) {
    all.push_back(receiving(name, operation, SOCK_STREAM, receive));
  };
  const auto add_text = [&all](const char* name, const char* operation, auto receive) {
    all.push_back(receiving(name, operation, SOCK_STREAM, receive, true));
  };
  add_text("recv", "recv", [](sk::socket& s, std::string& got, ec_ref) { got = s.recv(100); });
  add_text("recv into the heap", "recv",
           [](sk::socket& s, std::string& got, ec_ref) { got = s.recv(100000); });
  add("recv_into", "recv_into", [](sk::socket& s, std::string& got, ec_ref) {
    char buffer[100];
    got.assign(buffer, s.recv_into(buffer));
  });
  add("recv_into ec", nullptr, [](sk::socket& s, std::string& got, ec_ref ec) {
    char buffer[100];
    got.assign(buffer, s.recv_into(buffer, ec));
  });
  add_text("recvfrom", "recvfrom",
           [](sk::socket& s, std::string& got, ec_ref) { got = s.recvfrom(100).data; });
  add_text("recvfrom into the heap", "recvfrom",
           [](sk::socket& s, std::string& got, ec_ref) { got = s.recvfrom(100000).data; });
  add("recvfrom_into", "recvfrom_into", [](sk::socket& s, std::string& got, ec_ref) {
    char buffer[100];
    got.assign(buffer, s.recvfrom_into(buffer).nbytes);
  });
  add("recvfrom_into ec", nullptr, [](sk::socket& s, std::string& got, ec_ref ec) {
    char buffer[100];
    got.assign(buffer, s.recvfrom_into(buffer, 0, 0, ec).nbytes);
  });
  add("recvfrom_into endpoint", "recvfrom_into", [](sk::socket& s, std::string& got, ec_ref) {
    char buffer[100];
    sk::endpoint from;
    got.assign(buffer, s.recvfrom_into(buffer, from));
  });
  add("recvfrom_into endpoint ec", nullptr, [](sk::socket& s, std::string& got, ec_ref ec) {
    char buffer[100];
    sk::endpoint from;
    got.assign(buffer, s.recvfrom_into(buffer, from, 0, ec));
  });
  add_text("recvmsg", "recvmsg",
           [](sk::socket& s, std::string& got, ec_ref) { got = s.recvmsg(100).data; });
  add_text("recvmsg into the heap", "recvmsg",
           [](sk::socket& s, std::string& got, ec_ref) { got = s.recvmsg(100000, 100).data; });
  add("recvmsg_into", "recvmsg_into", [](sk::socket& s, std::string& got, ec_ref) {
    char buffer[100];
    const std::size_t count =
        s.recvmsg_into({sk::mutable_bytes(buffer, 5), sk::mutable_bytes(buffer + 5, 95)}).nbytes;
    got.assign(buffer, count);
  });
  add("recvmsg_into ec", nullptr, [](sk::socket& s, std::string& got, ec_ref ec) {
    char buffer[100];
    const std::size_t count =
        s.recvmsg_into({sk::mutable_bytes(buffer, 5), sk::mutable_bytes(buffer + 5, 95)}, ec)
            .nbytes;
    got.assign(buffer, count);
  });
  all.push_back(receiving(
      "recvfrom a datagram", "recvfrom", SOCK_DGRAM,
      [](sk::socket& s, std::string& got, ec_ref) { got = s.recvfrom(100).data; }, true));
  all.push_back(receiving(
      "recvmsg a datagram", "recvmsg", SOCK_DGRAM,
      [](sk::socket& s, std::string& got, ec_ref) { got = s.recvmsg(100).data; }, true));
  add("recv_exactly_into", "recv_exactly_into", [](sk::socket& s, std::string& got, ec_ref) {
    char buffer[100];
    got.assign(buffer, s.recv_exactly_into({buffer, greeting().size()}));
  });
  add("recv_exactly_into ec", nullptr, [](sk::socket& s, std::string& got, ec_ref ec) {
    char buffer[100];
    got.assign(buffer, s.recv_exactly_into({buffer, greeting().size()}, ec));
  });
  all.push_back(
      {"recv_exactly", [](trial& t) {
         auto [s, peer] = pair_of(t);
         t.arrives([&peer = peer] { (void)peer.send(greeting()); });
         std::string got;
         const bool done =
             t.call("recv_exactly", [&, &s = s] { got = s.recv_exactly(greeting().size()); });
         const std::string rest = rest_of(s);  // what had come is lost, and counted
         const bool lost = t.lacked_memory() && rest.empty();
         t.check(lost || (done ? got == greeting() : rest == greeting().substr(t.transferred())),
                 "what was sent has been received once");
         t.check(works(s, peer), "the socket is usable");
       }});
  return all;
}

// ---- control messages ----

scenarios messages() {
  scenarios all;
  all.push_back({"recv_fds", [](trial& t) {
                   auto [s, peer] = pair_of(t);
                   t.arrives([&peer = peer] { (void)sk::send_fds(peer, {greeting()}, {0, 1}); });
                   std::string got;
                   std::size_t count = 0;
                   if (t.call("recvmsg", [&, &s = s] {
                         sk::recv_fds_result result = sk::recv_fds(s, 100, 2);
                         got = std::move(result.data);
                         count = result.fds.size();
                       }))
                     t.check(count == 2 || t.is_short(), "both descriptors have come");
                   got += rest_of(s);
                   const bool lost = t.lacked_memory() && got.empty();
                   t.check(lost || got == greeting(), "what was sent has been received once");
                   t.check(works(s, peer), "the socket is usable");
                 }});
  all.push_back({"recvmsg_into ec with descriptors", [](trial& t) {
                   auto [s, peer] = pair_of(t);
                   t.arrives([&peer = peer] { (void)sk::send_fds(peer, {greeting()}, {0}); });
                   char buffer[100];
                   std::size_t count = 0;
                   t.call([&, &s = s](ec_ref ec) {
                     const sk::recvmsg_into_result result =
                         s.recvmsg_into({sk::mutable_bytes(buffer)}, 200, 0, ec);
                     count = result.nbytes;
                     sk::detail::for_each_received(result.ancdata.view(),
                                                   [](const sk::control_message&,
                                                      sk::native_handle_type fd) { ::close(fd); });
                   });
                   const std::string got = std::string(buffer, count) + rest_of(s);
                   t.check(got == greeting(), "what was sent has been received once");
                   t.check(works(s, peer), "the socket is usable");
                 }});
  all.push_back({"send_fds", [](trial& t) {
                   auto [s, peer] = pair_of(t);
                   std::size_t sent = 0;
                   t.call("sendmsg", [&, &s = s] { sent = sk::send_fds(s, {greeting()}, {0, 1}); });
                   const sk::recv_fds_result got =
                       sent == 0 ? sk::recv_fds_result() : sk::recv_fds(peer, 100, 3);
                   t.check(got.fds.size() == (sent == 0 ? 0U : 2U), "the descriptors have come");
                   t.check(got.data + rest_of(peer) == greeting().substr(0, sent),
                           "what was counted has come");
                   t.check(works(s, peer), "the socket is usable");
                 }});
  return all;
}

// ---- sending ----

template <class Send>
scenario sending(const char* name, const char* operation, const Send& send) {
  return {name, [=](trial& t) {
            auto [first, second] = pair_of(t);
            sk::socket& s = first;
            sk::socket& peer = second;
            std::size_t sent = 0;
            if (operation != nullptr) {
              t.call(operation, [&] {
                std::error_code unused;
                sent = send(s, unused);
              });
            } else {
              t.call([&](ec_ref ec) { sent = send(s, ec); });
            }
            t.check(rest_of(peer) == greeting().substr(0, sent), "what was counted has come");
            t.check(works(s, peer), "the socket is usable");
          }};
}

// Of more than the buffers hold.
template <class Send>
scenario sending_all(const char* name, const char* operation, const Send& send) {
  return {name, [=](trial& t) {
            auto [first, second] = narrow_pair(t);
            sk::socket& s = first;
            sk::socket& peer = second;
            std::string got;
            t.while_waiting([&] { got += rest_of(peer); });
            std::size_t sent = 0;
            if (operation != nullptr) {
              const bool done = t.call(operation, [&] {
                std::error_code unused;
                sent = send(s, unused);
              });
              if (!done) sent = t.transferred();
            } else {
              t.call([&](ec_ref ec) { sent = send(s, ec); });
            }
            got += rest_of(peer);
            if (t.lacked_memory()) sent = got.size();  // std::bad_alloc counts nothing
            t.check(got == payload().substr(0, sent), "what was counted has come");
            t.check(works(s, peer), "the socket is usable");
          }};
}

// To a bound datagram socket.
template <class Send>
scenario sending_to(const char* name, const char* operation, const Send& send) {
  return {name, [=](trial& t) {
            sk::socket peer(AF_INET, SOCK_DGRAM);
            peer.bind({"127.0.0.1", 0});
            const sk::address to = peer.getsockname();
            sk::socket s(AF_INET, SOCK_DGRAM);
            t.tune(s);
            std::size_t sent = 0;
            if (operation != nullptr) {
              t.call(operation, [&] {
                std::error_code unused;
                sent = send(s, to, unused);
              });
            } else {
              t.call([&](ec_ref ec) { sent = send(s, to, ec); });
            }
            t.check(rest_of(peer) == greeting().substr(0, sent), "what was counted has come");
            s.settimeout(patience);
            t.check(s.sendto("ping", to) == 4, "the socket is usable");
          }};
}

scenarios sends() {
  scenarios all;
  all.push_back(sending("send", "send", [](sk::socket& s, ec_ref) { return s.send(greeting()); }));
  all.push_back(
      sending("send ec", nullptr, [](sk::socket& s, ec_ref ec) { return s.send(greeting(), ec); }));
  all.push_back(sending("sendmsg", "sendmsg", [](sk::socket& s, ec_ref) {
    return s.sendmsg({sk::const_bytes(greeting().data(), 5), sk::const_bytes(greeting()).after(5)});
  }));
  all.push_back(sending("sendmsg ec", nullptr, [](sk::socket& s, ec_ref ec) {
    return s.sendmsg({sk::const_bytes(greeting().data(), 5), sk::const_bytes(greeting()).after(5)},
                     ec);
  }));
  all.push_back(sending("sendmsg of many buffers ec", nullptr, [](sk::socket& s, ec_ref ec) {
    sk::const_bytes pieces[20];
    for (std::size_t i = 0; i < 20; ++i)
      pieces[i] = i < 19 ? sk::const_bytes(greeting().data() + i, 1)
                         : sk::const_bytes(greeting()).after(19);
    return s.sendmsg(pieces, ec);
  }));
  all.push_back(sending_all("sendall", "sendall",
                            [](sk::socket& s, ec_ref) { return s.sendall(payload()); }));
  all.push_back(sending_all("sendall ec", nullptr,
                            [](sk::socket& s, ec_ref ec) { return s.sendall(payload(), ec); }));
  const auto to = [&all](const char* name, const char* operation, auto send) {
    all.push_back(sending_to(name, operation, send));
  };
  to("sendto", "sendto",
     [](sk::socket& s, const sk::address& a, ec_ref) { return s.sendto(greeting(), a); });
  to("sendto ec", nullptr,
     [](sk::socket& s, const sk::address& a, ec_ref ec) { return s.sendto(greeting(), 0, a, ec); });
  to("sendto a name", "sendto", [](sk::socket& s, const sk::address& a, ec_ref) {
    return s.sendto(greeting(), sk::address("localhost", a.port()));
  });
  to("sendto a name ec", nullptr, [](sk::socket& s, const sk::address& a, ec_ref ec) {
    return s.sendto(greeting(), 0, sk::address("localhost", a.port()), ec);
  });
  to("sendto endpoint", "sendto", [](sk::socket& s, const sk::address& a, ec_ref) {
    return s.sendto(greeting(), sk::endpoint(a.data(), a.size()));
  });
  to("sendto endpoint ec", nullptr, [](sk::socket& s, const sk::address& a, ec_ref ec) {
    return s.sendto(greeting(), 0, sk::endpoint(a.data(), a.size()), ec);
  });
  to("sendmsg to", "sendmsg",
     [](sk::socket& s, const sk::address& a, ec_ref) { return s.sendmsg({greeting()}, {}, 0, a); });
  return all;
}

scenarios file_sends() {
  scenarios all;
  const auto add = [&all](const char* name, auto send, std::initializer_list<call> ignored = {}) {
    scenario made = sending_all(name, "sendfile", send);
    const std::vector<call> these = ignored;
    all.push_back({name, [made, these](trial& t) {
                     if (t.how() == mode::nonblocking) return t.impossible();
                     for (const call c : these) t.ignores({c});
                     t.ignores(
                         {call::set_nonblocking});  // where the kernel does not do it, it reads
                     made.body(t);
                   }});
  };
  add("sendfile a path", [](sk::socket& s, ec_ref) { return s.sendfile(payload_file()); },
      {call::sendfile});
  add("sendfile a descriptor",
      [](sk::socket& s, ec_ref) {
        const sk::descriptor file(::open(payload_file().c_str(), O_RDONLY | O_CLOEXEC));
        return s.sendfile(file.get());
      },
      {call::sendfile});
  add("sendfile a FILE",
      [](sk::socket& s, ec_ref) {
        const std::unique_ptr<std::FILE, int (*)(std::FILE*)> file(
            std::fopen(payload_file().c_str(), "re"), &std::fclose);
        return s.sendfile(file.get());
      },
      {call::sendfile, call::seek_file});
  static std::istringstream stream;
  add("sendfile a stream", [](sk::socket& s, ec_ref) { return s.sendfile(stream); });
  all.back().body = [body = all.back().body](trial& t) {
    stream.str(payload());
    stream.clear();
    body(t);
    stream.str("");
  };
  scenario made = sending_all("sendfile a path ec", nullptr, [](sk::socket& s, ec_ref ec) {
    return s.sendfile(payload_file(), 0, std::nullopt, ec);
  });
  all.push_back({"sendfile a path ec", [made](trial& t) {
                   if (t.how() == mode::nonblocking) return t.impossible();
                   t.ignores({call::sendfile, call::set_nonblocking});
                   made.body(t);
                 }});
  return all;
}

// ---- files ----

// `read` reads all that the peer sends in two pieces, and can be called again.
template <class Read>
scenario reading(const char* name, const char* operation, const Read& read) {
  return {name, [=](trial& t) {
            auto [first, second] = pair_of(t);
            sk::socket& peer = second;
            sk::file f = first.makefile("r", 4096);
            t.arrives([&] {
              (void)peer.sendall(payload().substr(0, 7001));
              peer.shutdown(SHUT_WR);
            });
            std::string got;
            t.call(operation, [&] { read(f, got); });
            f.clear();
            f.settimeout(patience);
            got += f.read();
            t.check(got == payload().substr(0, 7001), "what was sent has been read once");
          }};
}

scenarios files() {
  scenarios all;
  all.push_back(reading("file.readline", "readline",
                        [](sk::file& f, std::string& got) { got = f.readline(); }));
  all.push_back(
      reading("file.read", "read", [](sk::file& f, std::string& got) { got = f.read(); }));
  all.push_back(reading("file.read a size", "read",
                        [](sk::file& f, std::string& got) { got = f.read(6000); }));
  all.push_back(reading("file.readlines", "readlines", [](sk::file& f, std::string& got) {
    got.reserve(4000);  // so that only readlines() can lack memory once it has received
    for (const std::string& line : f.readlines(3000)) got += line;
  }));
  all.push_back({"file as a stream", [](trial& t) {
                   auto [s, peer] = pair_of(t);
                   sk::file f = s.makefile("r", 100);
                   t.arrives([&peer = peer] {
                     (void)peer.sendall(payload().substr(0, 7001));
                     peer.shutdown(SHUT_WR);
                   });
                   std::string got(7001, '\0');
                   const bool done = t.call("read", [&] { f.read(got.data(), 6000); });
                   f.clear();
                   f.settimeout(patience);
                   got.resize(done ? static_cast<std::size_t>(f.gcount()) : 0);
                   got += f.read();
                   t.check(got == payload().substr(0, 7001), "what was sent has been read once");
                 }});
  const auto write = [&all](const char* name, const char* operation, int bufsize) {
    all.push_back({name, [=](trial& t) {
                     auto [first, second] = narrow_pair(t);
                     sk::socket& peer = second;
                     sk::file f = first.makefile("w", bufsize);
                     std::string got;
                     t.while_waiting([&] { got += rest_of(peer); });
                     const bool done = t.call(operation, [&] { f.write(payload()); });
                     std::size_t taken = done ? payload().size() : t.transferred();
                     f.clear();
                     f.settimeout(0);
                     for (bool held = true; held;) {
                       got += rest_of(peer);
                       held = false;
                       try {
                         f.flush();
                       } catch (const sk::blocking_io_error&) {
                         held = true;
                       }
                     }
                     got += rest_of(peer);
                     if (t.lacked_memory()) taken = got.size();  // std::bad_alloc counts nothing
                     t.check(got == payload().substr(0, taken), "what was counted has come");
                   }});
  };
  write("file.write", "write", 4096);
  write("file.write by lines", "write", 1);
  write("file.write without a buffer", "write", 0);
  all.push_back({"file.flush", [](trial& t) {
                   auto [s, peer] = pair_of(t);
                   sk::file f = s.makefile("w");
                   f.write(greeting());
                   t.call("flush", [&] { f.flush(); });
                   f.settimeout(patience);
                   f.flush();
                   t.check(rest_of(peer) == greeting(), "what was written has come once");
                 }});
  all.push_back({"file.close", [](trial& t) {
                   auto [s, peer] = pair_of(t);
                   sk::file f = s.makefile("w");
                   f.write(greeting());
                   t.reports_close();
                   const bool done = t.call("close", [&] { f.close(); });
                   t.check(f.closed(), "it is closed");
                   t.check(!done || rest_of(peer) == greeting(), "what was written has come");
                 }});
  all.push_back({"~file", [](trial& t) {
                   auto [s, peer] = pair_of(t);
                   auto f = std::make_unique<sk::file>(s.makefile("w"));
                   f->write(greeting());
                   t.recovers();
                   t.call("", [&] { f.reset(); });
                 }});
  all.push_back({"makefile", [](trial& t) {
                   auto [s, peer] = pair_of(t);
                   t.call("makefile", [&, &s = s] { (void)s.makefile("rw"); });
                   t.check(works(s, peer), "the socket is usable");
                 }});
  return all;
}

// ---- connections ----

scenarios connections() {
  scenarios all;
  const auto accept = [](trial& t, bool throws) {
    sk::socket listener = listener_of(t);
    sk::socket client;
    t.arrives([&] { client.connect(listener.getsockname()); });
    sk::accept_result result{sk::socket(nullptr), {}};
    if (throws)
      t.call("accept", [&] { result = listener.accept(); });
    else
      t.call([&](ec_ref ec) { result = listener.accept(ec); });
    listener.settimeout(patience);
    if (!result.conn) result = listener.accept();
    t.check(works(client, result.conn), "the connection is usable");
    t.check(result.address == client.getsockname(), "the address is the client's");
  };
  all.push_back({"accept", [=](trial& t) { accept(t, true); }});
  all.push_back({"accept ec", [=](trial& t) { accept(t, false); }});

  const auto connect = [](trial& t, const char* host, bool throws) {
    if (t.how() == mode::nonblocking) return t.impossible();
    sk::socket listener = sk::create_server({"127.0.0.1", 0});
    const sk::address to(host, listener.getsockname().port());
    sk::socket s;
    t.tune(s);
    const bool done = throws ? t.call("connect", [&] { s.connect(to); })
                             : t.call([&](ec_ref ec) { s.connect(to, ec); });
    if (!done) return;
    listener.settimeout(patience);
    sk::socket peer = listener.accept().conn;
    t.check(works(s, peer), "the connection is usable");
  };
  all.push_back({"connect", [=](trial& t) { connect(t, "127.0.0.1", true); }});
  all.push_back({"connect ec", [=](trial& t) { connect(t, "127.0.0.1", false); }});
  all.push_back({"connect to a name", [=](trial& t) { connect(t, "localhost", true); }});
  all.push_back({"connect to a name ec", [=](trial& t) { connect(t, "localhost", false); }});
  all.push_back({"connect_ex", [](trial& t) {
                   if (t.how() == mode::nonblocking) return t.impossible();
                   sk::socket listener = sk::create_server({"127.0.0.1", 0});
                   const sk::address to = listener.getsockname();
                   sk::socket s;
                   t.tune(s);
                   t.recovers();  // a time that is over has a number of connect_ex's own
                   t.call([&](ec_ref ec) { ec = {s.connect_ex(to), std::system_category()}; });
                 }});
  all.push_back({"connect AF_UNIX", [](trial& t) {
                   const std::string path = payload_file() + "-" + std::to_string(::getpid());
                   sk::socket listener(AF_UNIX);
                   listener.bind(path);
                   listener.listen();
                   sk::socket s(AF_UNIX);
                   t.tune(s);
                   t.ignores({call::connect});  // EAGAIN: the queue is full for now
                   const bool done = t.call("connect", [&] { s.connect(path); });
                   ::unlink(path.c_str());
                   if (!done) return;
                   listener.settimeout(patience);
                   sk::socket peer = listener.accept().conn;
                   t.check(works(s, peer), "the connection is usable");
                 }});

  const auto create = [](trial& t, const char* host, const sk::connection_options& options) {
    if (t.how() == mode::nonblocking) return t.impossible();
    sk::socket listener = sk::create_server({"127.0.0.1", 0});
    const int port = listener.getsockname().port();
    sk::connection_options with = options;
    if (t.stop()) with.interrupter(*t.stop());
    t.recovers();
    sk::socket s(nullptr);
    const bool done = t.call("", [&] {
      s = sk::create_connection({host, port}, t.timeout(), with);
    });
    if (!done) return;
    listener.settimeout(patience);
    sk::socket peer = listener.accept().conn;
    t.check(works(s, peer), "the connection is usable");
  };
  all.push_back({"create_connection", [=](trial& t) { create(t, "127.0.0.1", {}); }});
  all.push_back({"create_connection to a name", [=](trial& t) { create(t, "localhost", {}); }});
  all.push_back(
      {"create_connection from an address", [=](trial& t) {
         create(t, "127.0.0.1", sk::connection_options().source_address({"127.0.0.1", 0}));
       }});
  all.push_back({"create_connection by race", [=](trial& t) {
                   create(t, "localhost",
                          sk::connection_options().happy_eyeballs_delay(0.05).all_errors(true));
                 }});
  all.push_back({"create_server",
                 [](trial& t) {
                   t.ignores({call::setsockopt});
                   t.call("", [] { (void)sk::create_server({"127.0.0.1", 0}); });
                 },
                 false});
  all.push_back(
      {"create_server with options",
       [](trial& t) {
         t.recovers();  // a system without IPv6 is a bad option
         t.call("", [] {
           (void)sk::create_server(
               {"", 0},
               sk::server_options().family(AF_INET6).dualstack_ipv6(true).reuse_port(true));
         });
       },
       false});
  all.push_back({"has_dualstack_ipv6",
                 [](trial& t) {
                   t.recovers();
                   t.call("", [] { (void)sk::has_dualstack_ipv6(); });
                 },
                 false});
  return all;
}

// ---- waiting alone ----

scenarios waits() {
  scenarios all;
  const auto readable = [](trial& t, bool throws) {
    auto [first, second] = pair_of(t);
    sk::socket& s = first;
    sk::socket& peer = second;
    t.arrives([&] { (void)peer.send("x"); });
    bool ready = false;
    t.recovers();  // a wait without a transfer reports what poll does
    throws ? t.call("wait_readable", [&] { ready = s.wait_readable(t.timeout()); })
           : t.call([&](ec_ref ec) { ready = s.wait_readable(t.timeout(), ec); });
    t.check(rest_of(s) == "x", "what was sent has come");
    t.check(works(s, peer), "the socket is usable");
  };
  all.push_back({"wait_readable", [=](trial& t) { readable(t, true); }});
  all.push_back({"wait_readable ec", [=](trial& t) { readable(t, false); }});
  all.push_back({"wait_writable", [](trial& t) {
                   auto [s, peer] = pair_of(t);
                   t.recovers();
                   t.call("wait_writable", [&, &s = s] { (void)s.wait_writable(t.timeout()); });
                   t.check(works(s, peer), "the socket is usable");
                 }});
  all.push_back({"close_gracefully", [](trial& t) {
                   auto [s, peer] = pair_of(t);
                   t.arrives([&peer = peer] {
                     std::error_code gone;
                     (void)peer.send(greeting(), gone);
                     peer.shutdown(SHUT_WR, gone);
                   });
                   t.recovers();
                   t.call("", [&, &s = s] { (void)s.close_gracefully(t.timeout()); });
                   t.check(!s, "the socket is closed");
                 }});
  all.push_back({"interrupter",
                 [](trial& t) { t.call("interrupter", [] { const sk::interrupter made; }); },
                 false});
  all.push_back({"set_interrupter",
                 [](trial& t) {
                   auto [s, peer] = pair_of(t);
                   const sk::interrupter stop;
                   t.call("set_interrupter", [&, &s = s] { s.set_interrupter(stop); });
                   t.check(works(s, peer), "the socket is usable");
                   t.call("set_interrupter", [&, &s = s] { s.set_interrupter(nullptr); });
                   t.check(works(s, peer), "the socket is usable");
                 },
                 false});

  const auto selecting = [](trial& t, bool throws) {
    auto [first, second] = pair_of(t);
    sk::socket& s = first;
    sk::socket& peer = second;
    sk::selector<int> waiting;
    if (t.stop()) waiting.set_interrupter(*t.stop());
    waiting.set_interrupt_hook(&trial::hook, nullptr);
    waiting.register_(s, sk::EVENT_READ, 7);
    t.arrives([&] { (void)peer.send("x"); });
    std::size_t count = 0;
    const bool done =
        throws ? t.call("select", [&] { count = waiting.select(t.timeout()).size(); })
               : t.call([&](ec_ref ec) { count = waiting.select(t.timeout(), ec).size(); });
    t.check(!done || count == 1, "it is ready");
    t.check(waiting.select(patience).size() == 1, "the selector is usable");
  };
  all.push_back({"select", [=](trial& t) { selecting(t, true); }});
  all.push_back({"select ec", [=](trial& t) { selecting(t, false); }});
  all.push_back({"selector",
                 [](trial& t) {
                   auto [s, peer] = pair_of(t);
                   const sk::native_handle_type fd = s.fileno();
                   t.ignores({call::change_poll_set});  // what unregister() finds closed
                   t.call("", [&] {
                     sk::selector<int> waiting;
                     waiting.register_(fd, sk::EVENT_READ, 1);
                     waiting.unregister(fd);
                   });
                 },
                 false});
  all.push_back({"selector.unregister",
                 [](trial& t) {
                   auto [s, peer] = pair_of(t);
                   sk::selector<int> waiting;
                   waiting.register_(s, sk::EVENT_WRITE, 1);
                   waiting.unregister(s);
                   waiting.register_(s, sk::EVENT_WRITE, 2);
                   t.check(waiting.select(patience).size() == 1, "it is ready");
                   t.ignores({call::change_poll_set});
                   t.call("", [&, &s = s] { waiting.unregister(s); });
                   t.check(waiting.get_map().size() == 0, "it is gone");
                 },
                 false});
  all.push_back({"selector.register_",
                 [](trial& t) {
                   auto [s, peer] = pair_of(t);
                   sk::selector<int> waiting;
                   const bool done = t.call(
                       "register_", [&, &s = s] { waiting.register_(s, sk::EVENT_WRITE, 1); });
                   if (!done) waiting.register_(s, sk::EVENT_WRITE, 1);
                   t.check(waiting.select(patience).size() == 1, "the selector is usable");
                 },
                 false});
  all.push_back({"selector.modify",
                 [](trial& t) {
                   auto [s, peer] = pair_of(t);
                   sk::selector<int> waiting;
                   waiting.register_(s, sk::EVENT_READ, 1);
                   if (t.call("modify", [&, &s = s] { waiting.modify(s, sk::EVENT_WRITE); }))
                     t.check(waiting.select(patience).size() == 1, "it is ready");
                   const int before = waiting.get_key(s).events();
                   if (!t.call("modify", [&, &s = s] { waiting.modify(s, sk::EVENT_WRITE, 2); }))
                     t.check(
                         waiting.get_key(s).events() == before && waiting.get_key(s).data() == 1,
                         "nothing has changed");
                   waiting.modify(s, sk::EVENT_WRITE, 3);
                   t.check(waiting.select(patience).size() == 1, "the selector is usable");
                 },
                 false});
  return all;
}

// ---- descriptors, options, names ----

scenarios controls() {
  scenarios all;
  const auto add = [&all](const char* name, std::function<void(trial&)> body) {
    all.push_back({name, std::move(body), false});
  };
  add("socket", [](trial& t) { t.call("socket", [] { const sk::socket s; }); });
  add("socketpair", [](trial& t) { t.call("socketpair", [] { (void)sk::socketpair(); }); });
  // `act` on a socket that works before and after.
  const auto on_pair = [&add](const char* name, const char* operation,
                              std::initializer_list<call> ignored, auto act) {
    const std::vector<call> these = ignored;
    add(name, [=](trial& t) {
      auto [s, peer] = pair_of(t);
      for (const call c : these) t.ignores({c});
      t.call(operation, [&, &s = s] { act(s); });
      t.check(works(s, peer), "the socket is usable");
    });
  };
  on_pair("dup", "dup", {}, [](sk::socket& s) { (void)s.dup(); });
  on_pair("fromfd", "fromfd", {},
          [](sk::socket& s) { (void)sk::fromfd(s.fileno(), AF_UNIX, SOCK_STREAM); });
  on_pair("from_fileno", "from_fileno", {},
          [](sk::socket& s) { (void)sk::from_fileno(s.fileno()).detach(); });
  add("fromfd with a default timeout", [](trial& t) {
    auto [s, peer] = pair_of(t);
    sk::setdefaulttimeout(5);
    t.call("fromfd", [&, &s = s] { (void)sk::fromfd(s.fileno(), AF_UNIX, SOCK_STREAM); });
    sk::setdefaulttimeout(std::nullopt);
    t.check(works(s, peer), "the socket is usable");
  });
  on_pair("settimeout", "settimeout", {}, [](sk::socket& s) { s.settimeout(1); });
  on_pair("set_inheritable", "set_inheritable", {},
          [](sk::socket& s) { s.set_inheritable(false); });
  on_pair("get_inheritable", "get_inheritable", {},
          [](sk::socket& s) { (void)s.get_inheritable(); });
  on_pair("getsockname", "getsockname", {}, [](sk::socket& s) { (void)s.getsockname(); });
  on_pair("getpeername", "getpeername", {}, [](sk::socket& s) { (void)s.getpeername(); });
  on_pair("getsockopt", "getsockopt", {},
          [](sk::socket& s) { (void)s.getsockopt(SOL_SOCKET, SO_SNDBUF); });
  on_pair("getsockopt bytes", "getsockopt", {},
          [](sk::socket& s) { (void)s.getsockopt(SOL_SOCKET, SO_LINGER, 100); });
  on_pair("setsockopt", "setsockopt", {},
          [](sk::socket& s) { s.setsockopt(SOL_SOCKET, SO_KEEPALIVE, 1); });
  on_pair("to_string", "", {call::getsockname, call::getpeername},
          [](sk::socket& s) { (void)s.to_string(); });
  add("dup of a descriptor",
      [](trial& t) { t.call("dup", [] { const sk::descriptor copy(sk::dup(0)); }); });
  add("close of a descriptor", [](trial& t) {
    const sk::native_handle_type fd = sk::dup(0).release();
    t.reports_close();
    t.call("close", [&] { sk::close(fd); });
  });
  add("close", [](trial& t) {
    auto [s, peer] = pair_of(t);
    t.reports_close();
    t.call("close", [&, &s = s] { s.close(); });
    t.check(!s, "it is closed");
  });
  add("close ec", [](trial& t) {
    auto [s, peer] = pair_of(t);
    t.reports_close();
    t.call([&, &s = s](ec_ref ec) { s.close(ec); });
    t.check(!s, "it is closed");
  });
  add("shutdown", [](trial& t) {
    auto [s, peer] = pair_of(t);
    const bool done = t.call("shutdown", [&, &s = s] { s.shutdown(SHUT_WR); });
    if (done) t.check(peer.recv(10).empty(), "the peer sees the end");
    if (!done) t.check(works(s, peer), "the socket is usable");
  });
  add("shutdown ec", [](trial& t) {
    auto [s, peer] = pair_of(t);
    t.call([&, &s = s](ec_ref ec) { s.shutdown(SHUT_WR, ec); });
  });
  add("bind", [](trial& t) {
    sk::socket s;
    const sk::address to("127.0.0.1", 0);
    if (!t.call("bind", [&] { s.bind(to); })) s.bind(to);
  });
  add("bind to a name ec", [](trial& t) {
    sk::socket s;
    const sk::address to("localhost", 0);
    t.call([&](ec_ref ec) { s.bind(to, ec); });
  });
  add("listen", [](trial& t) {
    sk::socket s;
    if (!t.call("listen", [&] { s.listen(); })) s.listen();
  });
  add("listen ec", [](trial& t) {
    sk::socket s;
    t.call([&](ec_ref ec) { s.listen(1, ec); });
  });

  add("gethostname", [](trial& t) { t.call("gethostname", [] { (void)sk::gethostname(); }); });
  add("sethostname",
      [](trial& t) { t.call("sethostname", [] { sk::sethostname("a host of that name"); }); });
  add("getfqdn", [](trial& t) {
    t.ignores({call::getaddrinfo, call::gethostbyaddr});
    t.call("gethostname", [] { (void)sk::getfqdn(); });
  });
  add("getservbyname",
      [](trial& t) { t.call("getservbyname", [] { (void)sk::getservbyname("http", "tcp"); }); });
  add("getservbyport",
      [](trial& t) { t.call("getservbyport", [] { (void)sk::getservbyport(80, "tcp"); }); });
  add("getprotobyname",
      [](trial& t) { t.call("getprotobyname", [] { (void)sk::getprotobyname("tcp"); }); });
  add("if_nameindex", [](trial& t) { t.call("if_nameindex", [] { (void)sk::if_nameindex(); }); });
  add("if_nametoindex", [](trial& t) {
    const std::string name = sk::if_nameindex().front().name;
    t.call("if_nametoindex", [&] { (void)sk::if_nametoindex(name); });
  });
  add("if_indextoname", [](trial& t) {
    const unsigned index = sk::if_nameindex().front().index;
    t.call("if_indextoname", [&] { (void)sk::if_indextoname(index); });
  });
  add("getaddrinfo",
      [](trial& t) { t.call("getaddrinfo", [] { (void)sk::getaddrinfo("localhost", 80); }); });
  add("getnameinfo", [](trial& t) {
    t.call("getnameinfo", [] { (void)sk::getnameinfo({"127.0.0.1", 80}, NI_NUMERICSERV); });
  });
  add("gethostbyname",
      [](trial& t) { t.call("gethostbyname", [] { (void)sk::gethostbyname("localhost"); }); });
  add("gethostbyname_ex", [](trial& t) {
    t.call("gethostbyname_ex", [] { (void)sk::gethostbyname_ex("localhost"); });
  });
  add("gethostbyaddr",
      [](trial& t) { t.call("gethostbyaddr", [] { (void)sk::gethostbyaddr("127.0.0.1"); }); });
  all.push_back({"getaddrinfo within a time", [](trial& t) {
                   if (t.how() == mode::nonblocking) return t.impossible();
                   const std::optional<sk::interrupter>& stop = t.stop();
                   t.recovers();  // the first of its two lookups decides only whether it is a name
                   t.call("getaddrinfo", [&] {
                     if (stop)
                       (void)sk::getaddrinfo("localhost", 80, 0, SOCK_STREAM, 0, 0, t.timeout(),
                                             *stop);
                     else
                       (void)sk::getaddrinfo("localhost", 80, 0, SOCK_STREAM, 0, 0, t.timeout());
                   });
                 }});
  return all;
}

scenarios every_scenario() {
  (void)payload_file();  // made before allocations are counted, as the two others
  (void)greeting();
  scenarios all = receives();
  append(all, messages());
  append(all, sends());
  append(all, file_sends());
  append(all, files());
  append(all, connections());
  append(all, waits());
  append(all, controls());
  return all;
}

}  // namespace

TEST_CASE("every call of the seam has its failures and a scenario that makes it", "[faults]") {
  std::vector<bool> made(static_cast<std::size_t>(call::count), false);
  for (const scenario& s : every_scenario()) {
    for (const call c : calls_of(s)) made[static_cast<std::size_t>(c)] = true;
  }
  // Two calls are made only after a failure: where poll() lies, and where sendfile() cannot be
  // used. The unit tests make them fail.
  made[static_cast<std::size_t>(call::pause)] = true;
  made[static_cast<std::size_t>(call::read_file)] = true;
  for (std::size_t i = 0; i < made.size(); ++i) {
    const auto c = static_cast<call>(i);
    CAPTURE(name_of(c));
    CHECK(!failures_of(c).empty());
    CHECK(made[i]);
  }
}

TEST_CASE("receives report every failure and lose no byte", "[faults]") { fail_calls(receives()); }
TEST_CASE("control messages report every failure and lose no descriptor", "[faults]") {
  fail_calls(messages());
}
TEST_CASE("sends report every failure and count every byte", "[faults]") { fail_calls(sends()); }
TEST_CASE("sendfile reports every failure and counts every byte", "[faults]") {
  fail_calls(file_sends());
}
TEST_CASE("files report every failure and lose no byte", "[faults]") { fail_calls(files()); }
TEST_CASE("connections report every failure and leave nothing open", "[faults]") {
  fail_calls(connections());
}
TEST_CASE("waits report every failure", "[faults]") { fail_calls(waits()); }
TEST_CASE("options, names and lookups report every failure", "[faults]") { fail_calls(controls()); }
TEST_CASE("a lack of memory is reported, and leaves nothing open", "[faults]") {
  fail_allocations(every_scenario());
}

TEST_CASE("connections to a name with two addresses report every failure", "[faults]") {
  const std::map<std::string, std::string> files = {
      {"nsswitch.conf", "hosts: files\n"},
      {"host.conf", "multi on\n"},
      {"hosts", "127.0.0.1 localhost\n::1 localhost\n"}};
  // Catch2 cannot count in another process.
  const std::string result = test_support::in_private_etc(files, [] {
    const auto found = sk::getaddrinfo("localhost", 80, 0, SOCK_STREAM);
    if (found.size() != 2 || found.front().family != AF_INET6)  // the one that refuses
      return std::string("not allowed: IPv6 is not the first choice of this host");
    scenarios named;
    for (const scenario& one : connections()) {
      if (one.name.find("a name") != std::string::npos ||
          one.name.find("race") != std::string::npos)
        named.push_back(one);
    }
    return objections_to_failing_calls(named) + objections_to_failing_allocations(named);
  });
  if (result.rfind("not allowed", 0) == 0) SKIP_TEST("a second address is " + result);
  CHECK(result == "");
}

}  // namespace faults
