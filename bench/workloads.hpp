// SPDX-License-Identifier: MIT
// The workloads. They are templates of the contender's types, such as a `Stream` that adopts a
// descriptor and has `send`, `recv_into` and `recv`.
#pragma once

#include <sys/resource.h>

#include <thread>

#include "contender.hpp"

namespace bench {

// 64 bytes to another process and back.
template <class Stream, int Family, useconds_t Pause = 0>
void pingpong(meter& measure) {
  const pair ends = connected(Family);
  const process other([&ends] {
    ::close(ends.near);
    echo(ends.far, Pause);
  });
  ::close(ends.far);
  Stream stream(ends.near, Family);
  char data[message_size] = {};
  measure([&] {
    check(stream.send(data, sizeof data) == sizeof data, "send");
    check(stream.recv_into(data, sizeof data) == sizeof data, "recv");
  });
}

// The same, received as a string.
template <class Stream, int Family>
void pingpong_owning(meter& measure) {
  const pair ends = connected(Family);
  const process other([&ends] {
    ::close(ends.near);
    echo(ends.far);
  });
  ::close(ends.far);
  Stream stream(ends.near, Family);
  const char data[message_size] = {};
  measure([&] {
    check(stream.send(data, sizeof data) == sizeof data, "send");
    check(stream.recv(sizeof data).size() == sizeof data, "recv");
  });
}

// 64 KiB at a time to another process that receives them by the same library.
template <class Stream>
void bulk(meter& measure) {
  const pair ends = connected(AF_INET);
  const process other([&ends] {
    ::close(ends.near);
    Stream stream(ends.far, AF_INET);
    static char buffer[bulk_size];
    while (stream.recv_into(buffer, sizeof buffer) > 0) {
    }
  });
  ::close(ends.far);
  Stream stream(ends.near, AF_INET);
  static const char data[bulk_size] = {};
  measure([&] { stream.sendall(data, sizeof data); });
}

// send and recv_into of 64 bytes in one thread: the cost of the two calls alone.
template <class Stream>
void sendrecv(meter& measure) {
  const pair ends = connected(AF_UNIX);
  Stream out(ends.near, AF_UNIX);
  Stream in(ends.far, AF_UNIX);
  char data[message_size] = {};
  measure([&] {
    check(out.send(data, sizeof data) == sizeof data, "send");
    check(in.recv_into(data, sizeof data) == sizeof data, "recv");
  });
}

// send of 64 bytes, and a receive of at most `Size` as a string.
template <class Stream, std::size_t Size>
void recv(meter& measure) {
  const pair ends = connected(AF_UNIX);
  Stream out(ends.near, AF_UNIX);
  Stream in(ends.far, AF_UNIX);
  const char data[message_size] = {};
  measure([&] {
    check(out.send(data, sizeof data) == sizeof data, "send");
    const std::string got = in.recv(Size);
    check(got.size() == sizeof data, "recv");
    keep(got);
  });
}

inline void allow_many_descriptors() {
  rlimit files{};
  ::getrlimit(RLIMIT_NOFILE, &files);
  files.rlim_cur = files.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &files);
}

// send and recv_into of 64 bytes over TCP, while a thousand other connections are open.
template <class Stream>
void idle(meter& measure) {
  allow_many_descriptors();
  std::vector<Stream> held;
  held.reserve(2 * idle_connections);
  for (int i = 0; i < idle_connections; ++i) {
    const pair ends = connected(AF_INET);
    held.emplace_back(ends.near, AF_INET);
    held.emplace_back(ends.far, AF_INET);
  }
  const pair ends = connected(AF_INET);
  Stream out(ends.near, AF_INET);
  Stream in(ends.far, AF_INET);
  char data[message_size] = {};
  measure([&] {
    check(out.send(data, sizeof data) == sizeof data, "send");
    check(in.recv_into(data, sizeof data) == sizeof data, "recv");
  });
}

// The handler of an event loop for a ready descriptor. It receives a byte and lets the other end
// send another one, or leaves the byte in the buffer.
struct event_handler {
  pair ends;
  bool takes;

  void operator()() const {
    ++handled;
    if (!takes) return;
    char byte = 0;
    check(::recv(ends.near, &byte, 1, 0) == 1 && ::send(ends.far, &byte, 1, MSG_NOSIGNAL) == 1,
          "handler");
  }
  static inline long handled = 0;
};

// Ten events in a loop with a thousand descriptors, of which ten are always ready. `Loop` has
// `add(const event_handler&)`, and `once()`, which waits and calls the handlers of ready
// descriptors.
template <class Loop, bool takes>
void selector(meter& measure) {
  constexpr int active = 10;
  allow_many_descriptors();
  std::vector<event_handler> all;
  for (int i = 0; i < idle_connections; ++i) all.push_back({connected(AF_UNIX), takes});
  Loop loop;
  for (const event_handler& one : all) loop.add(one);
  for (int i = 0; i < active; ++i) {
    const pair& ends = all[static_cast<std::size_t>(i * (idle_connections / active))].ends;
    check(::send(ends.far, "x", 1, MSG_NOSIGNAL) == 1, "send");
  }
  measure([&loop] {
    for (const long end = event_handler::handled + active; event_handler::handled < end;)
      loop.once();
  });
}

// The time from the interruption of a receive in another thread until that thread has returned from
// it. `Waiter` has `wait()`, which receives until it is interrupted, `interrupt()` and `reset()`.
template <class Waiter>
void interrupt(meter& measure) {
  Waiter waiter;
  const pair signs = connected(AF_UNIX);
  char sign = 0;
  std::thread other([&, count = measure.count()] {
    char byte = 0;
    for (long i = 0; i < count; ++i) {
      check(::recv(signs.far, &byte, 1, 0) == 1, "begin");
      waiter.wait();
      check(::send(signs.far, &byte, 1, MSG_NOSIGNAL) == 1, "end");
    }
  });
  measure(
      [&] {
        waiter.reset();
        check(::send(signs.near, &sign, 1, MSG_NOSIGNAL) == 1, "begin");
        ::usleep(200);  // the other thread waits by then
      },
      [&] {
        waiter.interrupt();
        check(::recv(signs.near, &sign, 1, 0) == 1, "end");
      });
  other.join();
}

// `Listener::cycle()` connects, accepts and closes both sockets, in one thread.
template <class Listener>
void connect(meter& measure) {
  Listener listening;
  measure([&] { listening.cycle(); });
}

// 64 bytes over UDP. `cycle()` sends to the other socket and receives with the sender's address.
template <class Datagrams>
void udp(meter& measure) {
  Datagrams sockets;
  measure([&] { sockets.cycle(); });
}

}  // namespace bench
