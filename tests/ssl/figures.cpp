// SPDX-License-Identifier: MIT
// Our ends of what figures.py measures: figures serve CERTFILE | send PORT CAFILE MEBIBYTES |
// connect PORT CAFILE SECONDS | idle CERTFILE CAFILE PAIRS.
#include <chrono>
#include <fstream>
#include <iostream>
#include <pysock/create.hpp>
#include <pysock/ssl.hpp>
#include <thread>
#include <vector>

namespace sk = pysock;

namespace {

double now() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

int serve(const std::string& certificate) {
  sk::ssl_context context(sk::PROTOCOL_TLS_SERVER);
  context.load_cert_chain(certificate);
  sk::socket listener = sk::create_server({"127.0.0.1", 0});
  std::cout << listener.getsockname().port() << std::endl;
  std::string room(65536, '\0');
  for (;;) {
    try {
      sk::ssl_socket s = context.wrap_server(listener.accept().conn,
                                             sk::wrap_options().suppress_ragged_eofs(true));
      while (s.recv_into(room) != 0) {
      }
      s.unwrap().close();
    } catch (const sk::error&) {
      continue;  // a client that left without a word
    }
  }
}

sk::ssl_socket connect(const sk::ssl_context& context, const std::string& port) {
  return context.wrap_socket(sk::create_connection({"127.0.0.1", port}), "127.0.0.1");
}

int send(const std::string& port, const std::string& ca, int mebibytes) {
  const sk::ssl_context context = sk::create_default_context(sk::Purpose::SERVER_AUTH, ca);
  sk::ssl_socket s = connect(context, port);
  const std::string piece(65536, 'x');
  const double start = now();
  for (int i = 0; i < mebibytes * 16; ++i) s.sendall(piece);
  s.unwrap().close();  // the peer's alert: it has everything
  std::cout << mebibytes / (now() - start) << '\n';
  return 0;
}

int handshakes(const std::string& port, const std::string& ca, double seconds) {
  const sk::ssl_context context = sk::create_default_context(sk::Purpose::SERVER_AUTH, ca);
  int count = 0;
  const double start = now();
  for (; now() - start < seconds; ++count) connect(context, port).close();
  std::cout << count / (now() - start) << '\n';
  return 0;
}

// Pages of 4 KiB that the process has in memory, by Linux.
long resident() {
  long all = 0;
  long now = 0;
  std::ifstream("/proc/self/statm") >> all >> now;
  return now * 4;
}

// KiB for each end of connections that have carried a few bytes each way.
int idle(const std::string& certificate, const std::string& ca, int pairs) {
  const sk::ssl_context client = sk::create_default_context(sk::Purpose::SERVER_AUTH, ca);
  sk::ssl_context server(sk::PROTOCOL_TLS_SERVER);
  server.load_cert_chain(certificate);
  std::vector<sk::ssl_socket> kept;
  kept.reserve(4 * static_cast<std::size_t>(pairs));
  const auto add = [&] {
    for (int i = 0; i < pairs; ++i) {
      auto [ours, theirs] = sk::socketpair();
      sk::ssl_socket s(nullptr);
      std::thread serving([&, &end = theirs] { s = server.wrap_server(std::move(end)); });
      sk::ssl_socket c = client.wrap_socket(std::move(ours), "localhost");
      serving.join();
      s.sendall("hello");
      (void)c.recv();
      c.sendall("hello");
      (void)s.recv();
      kept.push_back(std::move(s));
      kept.push_back(std::move(c));
    }
  };
  add();
  const long before = resident();
  add();
  std::cout << static_cast<double>(resident() - before) / (2 * pairs) << '\n';
  return 0;
}

}  // namespace

int main(int argc, char** argv) try {
  const std::string what = argc > 1 ? argv[1] : "";
  if (what == "serve" && argc == 3) return serve(argv[2]);
  if (what == "send" && argc == 5) return send(argv[2], argv[3], std::stoi(argv[4]));
  if (what == "connect" && argc == 5) return handshakes(argv[2], argv[3], std::stod(argv[4]));
  if (what == "idle" && argc == 5) return idle(argv[2], argv[3], std::stoi(argv[4]));
  return 2;
} catch (const std::exception& e) {
  std::cerr << e.what() << '\n';
  return 1;
}
