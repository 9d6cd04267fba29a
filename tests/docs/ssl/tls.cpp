// SPDX-License-Identifier: MIT
// The code around the code blocks of docs/tls.md.
#include <map>
#include <pysock/ssl.hpp>

#include "tls.hpp"

namespace {

namespace a_client {
#include "tls/a-client.inc"
}  // namespace a_client

BLOCK("tls/a-client") {
  using namespace a_client;
  const docs::certificate own;
  docs::tls_server server(own, [](sk::ssl_socket& s) {
    EXPECT(s.makefile().readline() == "GET / HTTP/1.0\r\n");
    s.sendall("HTTP/1.0 200 OK\r\n\r\n");
  });
  const sk::ssl_context context =
      sk::create_default_context(sk::Purpose::SERVER_AUTH, own.certfile());
  EXPECT(fetch(context, "127.0.0.1", server.port()) == "HTTP/1.0 200 OK\r\n\r\n");
}

namespace a_server {
#include "tls/a-server.inc"
}  // namespace a_server

BLOCK("tls/a-server") {
  using namespace a_server;
  const docs::certificate own;
  sk::socket listener = listening();
  background<int> serving([&] { return serve_one(listener, own.certfile(), own.keyfile()), 0; });
  const sk::ssl_context context =
      sk::create_default_context(sk::Purpose::SERVER_AUTH, own.certfile());
  sk::ssl_socket s =
      context.wrap_socket(sk::create_connection(listener.getsockname(), 30), "localhost");
  s.sendall("world");
  EXPECT(s.recv(100) == "Hello, world");
  EXPECT(s.recv(100).empty());
  serving.get();
}

BLOCK("tls/a-server-2") {
  const docs::certificate own;
  sk::ssl_context context = sk::create_default_context(sk::Purpose::CLIENT_AUTH);
  context.load_cert_chain(own.certfile(), own.keyfile());
  std::map<std::string, sk::ssl_context> contexts;
#include "tls/a-server-2.inc"
  EXPECT(context.num_tickets() == 2);
}

BLOCK("tls/verification-failures") {
  const docs::certificate own;
  docs::tls_server server(own, [](sk::ssl_socket&) {});
  const int port = server.port();
#include "tls/verification-failures.inc"
}

namespace starttls {
#include "tls/starttls.inc"
}  // namespace starttls

BLOCK("tls/starttls") {
  using namespace starttls;
  const docs::certificate own;
  sk::socket listener = listening();
  background<int> serving([&] {
    sk::socket conn = listener.accept().conn;
    EXPECT(read_line(conn) == "STARTTLS\r\n");
    conn.sendall("220 go on\r\n");
    sk::ssl_context context = sk::create_default_context(sk::Purpose::CLIENT_AUTH);
    context.load_cert_chain(own.certfile(), own.keyfile());
    context.wrap_server(std::move(conn)).sendall("over TLS");
    return 0;
  });
  const sk::ssl_context context =
      sk::create_default_context(sk::Purpose::SERVER_AUTH, own.certfile());
  sk::ssl_socket s =
      start_tls(sk::create_connection(listener.getsockname(), 30), context, "localhost");
  EXPECT(s.recv(100) == "over TLS");
  serving.get();
}

BLOCK("tls/the-old-ssl") {
  const docs::certificate own;
  docs::tls_server server(own, [](sk::ssl_socket& s) { s.sendall("Hello " + s.recv(5)); });
  const int port = server.port();
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"
#include "tls/the-old-ssl.inc"
}

}  // namespace
