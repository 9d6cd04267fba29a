// SPDX-License-Identifier: MIT
// A chat server for many clients in one thread, until Ctrl-C: chat_server [port]. Each line goes to
// all other clients; a client that does not read misses lines. In Python:
//
//     import selectors, socket, sys, types
//
//     def handle(conn, client, events):
//         if events & selectors.EVENT_READ:
//             data = conn.recv(65536)
//             *lines, client.received = (client.received + data).split(b'\n')
//             for to in list(selector.get_map().values()):
//                 if lines and to.data and to.data is not client and len(to.data.unsent) < 1000000:
//                     to.data.unsent += b'\n'.join(lines) + b'\n'
//                     selector.modify(to.fileobj, 3, to.data)
//             if not data:
//                 return False
//         if events & selectors.EVENT_WRITE:
//             client.unsent = client.unsent[conn.send(client.unsent):]
//             selector.modify(conn, 3 if client.unsent else 1, client)
//         return True
//     selector = selectors.DefaultSelector()
//     listener = socket.create_server(('', int(sys.argv[1]) if sys.argv[1:] else 50007))
//     selector.register(listener, selectors.EVENT_READ)
//     print('Listening on', listener.getsockname(), flush=True)
//     while True:
//         for key, events in selector.select():
//             if not key.data:
//                 conn = listener.accept()[0]
//                 conn.setblocking(False)
//                 client = types.SimpleNamespace(received=b'', unsent=b'')
//                 selector.register(conn, selectors.EVENT_READ, client)
//             elif not handle(key.fileobj, key.data, events):
//                 selector.unregister(key.fileobj)
//                 key.fileobj.close()
#include <csignal>
#include <iostream>
#include <memory>
#include <pysock/pysock.hpp>

namespace sk = pysock;

struct client {
  sk::socket conn;
  std::string received, unsent;
};
using chat = sk::selector<std::unique_ptr<client>>;
sk::interrupter stop;

// False if the client has disconnected.
bool handle(chat& all, const sk::selector_key<std::unique_ptr<client>>& key, int events) try {
  client& from = *key.data();
  if ((events & sk::EVENT_READ) != 0) {
    const std::string data = from.conn.recv(65536);
    if (data.empty()) return false;
    from.received += data;
    const std::string lines = from.received.substr(0, from.received.rfind('\n') + 1);
    from.received.erase(0, lines.size());
    for (const auto& to : all.get_map()) {
      if (lines.empty() || !to.data() || &to == &key || to.data()->unsent.size() > 1000000)
        continue;
      to.data()->unsent += lines;
      all.modify(to.fd(), 3);
    }
  }
  if ((events & sk::EVENT_WRITE) != 0) {
    from.unsent.erase(0, from.conn.send(from.unsent));
    all.modify(key.fd(), from.unsent.empty() ? 1 : 3);
  }
  return true;
} catch (const sk::connection_error&) {
  return false;
}

int main(int argc, char** argv) try {
  std::signal(SIGINT, [](int) { stop.interrupt(); });
  chat all;
  all.set_interrupter(stop);
  sk::socket listener = sk::create_server({"", argc > 1 ? std::stoi(argv[1]) : 50007});
  all.register_(listener, sk::EVENT_READ);
  std::cout << "Listening on " << listener.getsockname() << std::endl;
  while (true) {
    for (const auto& [key, events] : all.select()) {
      if (!key.data()) {
        auto from = std::make_unique<client>(client{listener.accept().conn, {}, {}});
        from->conn.setblocking(false);
        const auto fd = from->conn.fileno();
        all.register_(fd, sk::EVENT_READ, std::move(from));
      } else if (!handle(all, key, events)) {
        all.unregister(key.fd()).data().reset();
      }
    }
  }
} catch (const sk::interrupted_error&) {
  std::cout << "Stopped\n";
} catch (const std::exception& e) {
  return std::cerr << e.what() << '\n', 1;
}
