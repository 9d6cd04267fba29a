// SPDX-License-Identifier: MIT
// Sessions with other implementations of the protocol, and other users of the same one: openssl,
// Python, nginx, curl, aiosmtpd, gnutls, Go, Java.
#include <openssl/ssl.h>

#include <csignal>
#include <fstream>
#include <pysock/ssl.hpp>

#include "ssl/tls.hpp"
#include "support/catch.hpp"
#include "support/python_peer.hpp"
#include "support/temporary_directory.hpp"

namespace sk = pysock;
using namespace test_support;
using Catch::Matchers::ContainsSubstring;

namespace {

struct version_row {
  sk::TLSVersion version;
  const char* name;
  const char* option;  // of openssl's programs
};
constexpr version_row versions[] = {{sk::TLSVersion::TLSv1_2, "TLSv1.2", "-tls1_2"},
                                    {sk::TLSVersion::TLSv1_3, "TLSv1.3", "-tls1_3"}};

sk::socket connected_to(int port) {
  sk::socket plain;
  plain.settimeout(patience);
  plain.connect({"127.0.0.1", port});
  return plain;
}

// The next line that has this in it: openssl's programs buffer what they say themselves, and what
// they received comes in between.
std::string line_with(process& p, const std::string& part) {
  for (;;) {
    const std::string line = p.line();
    if (line.find(part) != std::string::npos) return line;
  }
}

int port_of(process& s_server) {
  const std::string line = line_with(s_server, "ACCEPT ");
  return std::stoi(line.substr(line.rfind(':') + 1));
}

const std::string python_contexts = R"(
import ssl
trusting = ssl.create_default_context(cafile=sys.argv[1])
serving = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
serving.load_cert_chain(sys.argv[2])
)";

}  // namespace

TEST_CASE("a server that speaks TLS 1.1 alone is refused", "[ssl][peers]") {
  process peer({"openssl", "s_server", "-accept", "127.0.0.1:0", "-tls1_1", "-cipher",
                "DEFAULT@SECLEVEL=0", "-cert", certificate_file("server.pem"), "-key",
                certificate_file("server.key")});
  sk::socket plain = connected_to(port_of(peer));
  const sk::ssl_context context = client_context();
  CHECK_THAT(message_of([&] { return context.wrap_socket(std::move(plain), "localhost"); }),
             ContainsSubstring("protocol version"));
}

TEST_CASE("openssl s_server: versions, ALPN and a client's certificate", "[ssl][peers]") {
  for (const version_row& row : versions) {
    INFO(row.name);
    process peer({"openssl", "s_server", "-accept", "127.0.0.1:0", row.option, "-cert",
                  certificate_file("server.pem"), "-key", certificate_file("server.key"), "-CAfile",
                  certificate_file("ca.pem"), "-Verify", "1", "-verify_return_error", "-alpn",
                  "h2,http/1.1", "-naccept", "1"});
    sk::ssl_context context = client_context();
    context.load_cert_chain(certificate_file("client.both"));
    context.set_alpn_protocols({"http/1.1"});
    sk::ssl_socket s = context.wrap_socket(connected_to(port_of(peer)), "localhost");
    CHECK(s.version() == row.name);
    CHECK(s.selected_alpn_protocol() == "http/1.1");
    s.sendall("to s_server\n");
    CHECK_THAT(line_with(peer, "subject="), ContainsSubstring("the client"));
    CHECK_FALSE(line_with(peer, "to s_server").empty());
    peer.say("from s_server\n");
    CHECK(receive(s, 14) == "from s_server\n");
    s.close();
    CHECK_THAT(peer.rest(),
               ContainsSubstring("DONE") && !ContainsSubstring("ERROR"));  // it was told of the end
    CHECK(peer.wait() == 0);
  }
}

TEST_CASE("openssl s_client: versions, ALPN and a client's certificate", "[ssl][peers]") {
  for (const version_row& row : versions) {
    INFO(row.name);
    sk::ssl_context context = server_context();
    context.load_verify_locations(certificate_file("ca.pem"));
    context.verify_mode(sk::CERT_REQUIRED);
    context.set_alpn_protocols({"h2", "http/1.1"});
    sk::socket listener = listening();
    process peer({"openssl", "s_client", "-connect",
                  "127.0.0.1:" + std::to_string(listener.getsockname().port()), row.option,
                  "-CAfile", certificate_file("ca.pem"), "-cert", certificate_file("client.pem"),
                  "-key", certificate_file("client.key"), "-alpn", "http/1.1,h2",
                  "-verify_return_error", "-verify_hostname", "localhost", "-servername",
                  "localhost"});
    sk::socket plain = listener.accept().conn;
    plain.settimeout(patience);
    sk::ssl_socket s = context.wrap_server(std::move(plain));
    CHECK(s.version() == row.name);
    CHECK(s.selected_alpn_protocol() == "h2");
    REQUIRE(s.getpeercert());
    CHECK(s.getpeercert()->subject["commonName"] == "the client");
    CHECK(line_with(peer, "Verification:") == "Verification: OK");
    peer.say("from s_client\n");
    CHECK(receive(s, 14) == "from s_client\n");
    s.sendall("to s_client\n");
    CHECK_FALSE(line_with(peer, "to s_client").empty());
    peer.say("Q\n");
    CHECK(s.recv(1).empty());
    s.close();
    CHECK(peer.wait() == 0);
  }
}

TEST_CASE("renegotiation is refused, and the session goes on", "[ssl][peers]") {
  sk::ssl_context context = server_context();
  sk::socket listener = listening();
  process peer({"openssl", "s_client", "-connect",
                "127.0.0.1:" + std::to_string(listener.getsockname().port()), "-tls1_2", "-CAfile",
                certificate_file("ca.pem")});
  sk::socket plain = listener.accept().conn;
  plain.settimeout(patience);
  sk::ssl_socket s = context.wrap_server(std::move(plain));
  peer.say("R\n");
  CHECK(tls_failure_of([&] { return s.recv(1); }) != "none");
  CHECK_THAT(line_with(peer, "RENEGOTIATING"), ContainsSubstring("RENEGOTIATING"));
  CHECK_THAT(peer.rest(), ContainsSubstring("no renegotiation"));
}

TEST_CASE("a key update is followed", "[ssl][peers]") {
  process peer({"openssl", "s_server", "-accept", "127.0.0.1:0", "-tls1_3", "-cert",
                certificate_file("server.pem"), "-key", certificate_file("server.key"), "-naccept",
                "1"});
  const sk::ssl_context context = client_context();
  sk::ssl_socket s = context.wrap_socket(connected_to(port_of(peer)), "localhost");
  peer.say("K\n");  // a new key, and a wish for one
  s.sendall("before\n");
  CHECK_FALSE(line_with(peer, "before").empty());
  peer.say("with the new key\n");
  CHECK(receive(s, 17) == "with the new key\n");
  s.sendall("after\n");
  CHECK_FALSE(line_with(peer, "after").empty());
}

TEST_CASE("Python's ssl as the server", "[ssl][peers]") {
  for (const version_row& row : versions) {
    INFO(row.name);
    python_peer peer(python_contexts + R"(
serving.set_alpn_protocols(['h2'])
serving.load_verify_locations(sys.argv[1])
serving.verify_mode = ssl.CERT_REQUIRED
listener = socket.create_server(('127.0.0.1', 0))
say('port', listener.getsockname()[1])
conn = serving.wrap_socket(listener.accept()[0], server_side=True)
say('version', conn.version())
say('alpn', conn.selected_alpn_protocol())
say('subject', conn.getpeercert()['subject'][1][0][1])
data = conn.recv(100)
conn.sendall(data.upper())
plain = conn.unwrap()
plain.sendall(b'in clear text')
)",
                     {certificate_file("ca.pem"), certificate_file("server.both")});
    sk::ssl_context context = client_context();
    only(context, row.version);
    context.set_alpn_protocols({"h2"});
    context.load_cert_chain(certificate_file("client.both"));
    sk::ssl_socket s = context.wrap_socket(connected_to(peer.expect_number("port")), "localhost");
    CHECK(peer.expect("version") == row.name);
    CHECK(peer.expect("alpn") == "h2");
    CHECK(peer.expect("subject") == "the client");
    s.sendall("to python");
    CHECK(receive(s, 9) == "TO PYTHON");
    sk::socket plain = s.unwrap();
    CHECK(receive(plain, 13) == "in clear text");
    peer.finish();
  }
}

TEST_CASE("Python's ssl as the client", "[ssl][peers]") {
  for (const version_row& row : versions) {
    INFO(row.name);
    sk::ssl_context context = server_context();
    only(context, row.version);
    sk::socket listener = listening();
    python_peer peer(python_contexts + R"(
plain = socket.create_connection(('127.0.0.1', int(sys.argv[3])))
conn = trusting.wrap_socket(plain, server_hostname='www.example.test', suppress_ragged_eofs=False)
say('version', conn.version())
say('serial', conn.getpeercert()['serialNumber'])
conn.sendall(b'from python')
say('answer', conn.recv(100).decode())
say('end', conn.recv(100))
conn.unwrap()
)",
                     {certificate_file("ca.pem"), certificate_file("server.both"),
                      std::to_string(listener.getsockname().port())});
    sk::socket plain = listener.accept().conn;
    plain.settimeout(patience);
    sk::ssl_socket s = context.wrap_server(std::move(plain));
    CHECK(peer.expect("version") == row.name);
    CHECK(peer.expect("serial").size() >= 16);
    CHECK(receive(s, 11) == "from python");
    s.sendall("hello");
    CHECK(peer.expect("answer") == "hello");
    sk::socket back = s.unwrap();
    CHECK(peer.expect("end") == "b''");
    peer.finish();
  }
}

TEST_CASE("Python's client reports an unexpected end if the session was not closed",
          "[ssl][peers]") {
  const sk::ssl_context context = server_context();
  sk::socket listener = listening();
  python_peer peer(python_contexts + R"(
plain = socket.create_connection(('127.0.0.1', int(sys.argv[3])))
trusting.options &= ~getattr(ssl, 'OP_IGNORE_UNEXPECTED_EOF', 0)  # a default of some Pythons
conn = trusting.wrap_socket(plain, server_hostname='localhost', suppress_ragged_eofs=False)
for _ in range(2):
    try:
        say('got', conn.recv(100))
    except ssl.SSLError as e:
        cut_off = isinstance(e, ssl.SSLEOFError) or e.reason == 'UNEXPECTED_EOF_WHILE_READING'
        say('got', 'cut off' if cut_off else e)
)",
                   {certificate_file("ca.pem"), certificate_file("server.both"),
                    std::to_string(listener.getsockname().port())});
  sk::socket plain = listener.accept().conn;
  plain.settimeout(patience);
  sk::ssl_socket s = context.wrap_server(std::move(plain));
  s.sendall("some");
  sk::fromfd(s.fileno(), AF_INET, SOCK_STREAM).shutdown(SHUT_WR);
  CHECK(peer.expect("got") == "b'some'");
  CHECK(peer.expect("got") == "cut off");
  peer.finish();
}

TEST_CASE("HTTPS from nginx", "[ssl][peers]") {
  const std::string nginx = has_program("nginx") ? "nginx" : "/usr/sbin/nginx";
  if (!has_program("nginx") && !std::filesystem::exists(nginx)) SKIP_TEST("there is no nginx");
  const temporary_directory folder;
  std::string page;
  for (int i = 0; page.size() < 300000; ++i) page += "line " + std::to_string(i) + "\n";
  std::ofstream(folder / "page.txt", std::ios::binary) << page;
  const std::string port = std::to_string([] {
    sk::socket s;
    s.bind({"127.0.0.1", 0});
    return s.getsockname().port();
  }());
  std::ofstream(folder / "nginx.conf")
      << "daemon off; master_process off; pid " << folder / "pid"
      << "; error_log stderr notice;\n"
      << "events { worker_connections 64; }\nhttp { access_log off;"
      << " client_body_temp_path " << folder / "body"
      << "; proxy_temp_path " << folder / "proxy"
      << "; fastcgi_temp_path " << folder / "fastcgi"
      << "; uwsgi_temp_path " << folder / "uwsgi"
      << "; scgi_temp_path " << folder / "scgi"
      << ";\nserver { listen 127.0.0.1:" << port << " ssl; root " << folder / ""
      << "; ssl_certificate " << certificate_file("server.pem") << "; ssl_certificate_key "
      << certificate_file("server.key") << "; ssl_protocols TLSv1.2 TLSv1.3; } }\n";
  process server({nginx, "-e", "stderr", "-p", folder / "", "-c", folder / "nginx.conf"});
  for (std::string line;
       line.find("start") == std::string::npos && line.find("event method") == std::string::npos;)
    line = server.line();
  for (const version_row& row : versions) {
    INFO(row.name);
    sk::ssl_context context = client_context();
    only(context, row.version);
    sk::ssl_socket s = context.wrap_socket(connected_to(std::stoi(port)), "localhost");
    CHECK(s.version() == row.name);
    sk::file f = s.makefile("rw");
    f.write("GET /page.txt HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
    f.flush();
    CHECK(f.readline() == "HTTP/1.1 200 OK\r\n");
    while (f.readline() != "\r\n") {
    }
    CHECK(f.read() == page);  // up to the closing alert
  }
}

TEST_CASE("curl as a client of our server", "[ssl][peers]") {
  if (!has_program("curl")) SKIP_TEST("there is no curl");
  for (const version_row& row : versions) {
    INFO(row.name);
    sk::ssl_context context = server_context();
    only(context, row.version);
    context.set_alpn_protocols({"http/1.1"});
    sk::socket listener = listening();
    const std::string port = std::to_string(listener.getsockname().port());
    process curl({"curl", "--silent", "--show-error", "--noproxy", "*", "--cacert",
                  certificate_file("ca.pem"), "--resolve",
                  "www.example.test:" + port + ":127.0.0.1",
                  "https://www.example.test:" + port + "/"});
    sk::socket plain = listener.accept().conn;
    plain.settimeout(patience);
    sk::ssl_socket s = context.wrap_server(std::move(plain));
    CHECK(s.selected_alpn_protocol() == "http/1.1");
    sk::file f = s.makefile("rw");
    CHECK(f.readline() == "GET / HTTP/1.1\r\n");
    while (f.readline() != "\r\n") {
    }
    f.write("HTTP/1.0 200 OK\r\n\r\n" + std::string(100000, 'x'));
    f.close();
    s.close();
    CHECK(curl.rest() == std::string(100000, 'x'));
    CHECK(curl.wait() == 0);
  }
}

TEST_CASE("STARTTLS with a mail server, aiosmtpd", "[ssl][peers]") {
  const std::string python = "/usr/bin/python3";  // where Debian's packages are
  if (process({python, "-c", "import aiosmtpd"}).wait() != 0) SKIP_TEST("there is no aiosmtpd");
  process server({python, "-c", R"(
import asyncio, ssl, sys
from aiosmtpd.smtp import SMTP
context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
context.load_cert_chain(sys.argv[1])
class Handler:
    async def handle_DATA(self, server, session, envelope):
        print('received', len(envelope.content), session.ssl is not None, flush=True)
        return '250 OK'
async def main():
    loop = asyncio.get_running_loop()
    server = await loop.create_server(
        lambda: SMTP(Handler(), tls_context=context, require_starttls=True), '127.0.0.1', 0)
    print('port', server.sockets[0].getsockname()[1], flush=True)
    await loop.run_in_executor(None, sys.stdin.readline)
asyncio.run(main())
)",
                  certificate_file("server.both")});
  const int port = std::stoi(line_with(server, "port ").substr(5));
  // Reads one reply and returns its code. In clear text nothing beyond the reply may be taken from
  // the connection.
  const auto reply = [](auto& s) {
    std::string all;
    for (std::size_t line = 0;;) {
      const std::string byte = s.recv(1);
      if (byte.empty()) return all;
      all += byte;
      if (byte != "\n") continue;
      if (all.size() - line >= 4 && all[line + 3] != '-') return all.substr(0, 3);
      line = all.size();
    }
  };
  for (const version_row& row : versions) {
    INFO(row.name);
    sk::ssl_context context = client_context();
    only(context, row.version);
    sk::socket plain = connected_to(port);
    CHECK(reply(plain) == "220");
    plain.sendall("EHLO client.test\r\n");
    CHECK(reply(plain) == "250");
    plain.sendall("MAIL FROM:<a@client.test>\r\n");
    CHECK(reply(plain) == "530");  // not before STARTTLS
    plain.sendall("STARTTLS\r\n");
    CHECK(reply(plain) == "220");
    sk::ssl_socket s = context.wrap_socket(std::move(plain), "localhost");
    CHECK(s.version() == row.name);
    for (const char* command :
         {"EHLO client.test\r\n", "MAIL FROM:<a@client.test>\r\n", "RCPT TO:<b@server.test>\r\n"}) {
      s.sendall(command);
      CHECK(reply(s) == "250");
    }
    s.sendall("DATA\r\n");
    CHECK(reply(s) == "354");
    for (int i = 0; i < 100; ++i) s.sendall(std::string(70, 'x') + "\r\n");
    s.sendall(".\r\n");
    CHECK(reply(s) == "250");
    CHECK(line_with(server, "received ") == "received 7200 True");
    s.sendall("QUIT\r\n");
    CHECK(reply(s) == "221");
    s.close();
  }
  server.say("end\n");
  CHECK(server.wait() == 0);
}

namespace {

// Go's peer, compiled at its first use; empty if there is no Go.
std::string go_peer() {
  static const temporary_directory folder;
  static const std::string program = [] {
    if (!has_program("go")) return std::string();
    std::string path = folder / "go_peer";
    process build({"go", "build", "-o", path, PYSOCK_SSL_GO_PEER});
    const std::string said = build.rest();
    if (build.wait() != 0) throw std::runtime_error("go build: " + said);
    return path;
  }();
  return program;
}

std::string certificate_folder() {
  const std::string path = certificate_file("");
  return path.substr(0, path.size() - 1);
}

}  // namespace

TEST_CASE("Go's crypto/tls as the server: client certificate, ALPN and resumption",
          "[ssl][peers]") {
  if (go_peer().empty()) SKIP_TEST("there is no go");
  for (const version_row& row : versions) {
    INFO(row.name);
    process peer({go_peer(), certificate_folder(), row.name, "server"});
    const int port = std::stoi(line_with(peer, "port ").substr(5));
    sk::ssl_context context = client_context();
    only(context, row.version);
    context.load_cert_chain(certificate_file("client.both"));
    context.set_alpn_protocols({"http/1.1"});
    sk::ssl_session session;
    for (const char* resumed : {"false", "true"}) {
      sk::ssl_socket s =
          context.wrap_socket(connected_to(port), "localhost", sk::wrap_options().session(session));
      CHECK(s.version() == row.name);
      CHECK(s.selected_alpn_protocol() == "http/1.1");
      s.sendall("to Go\n");
      CHECK(receive(s, 6) == "to Go\n");
      CHECK(line_with(peer, "alpn ") ==
            std::string("alpn http/1.1 resumed ") + resumed + " peer the client");
      session = s.session();
      s.close();
      CHECK(peer.line() == "end 0");  // it was told of the end
    }
    CHECK(peer.wait() == 0);
  }
}

TEST_CASE("Go's crypto/tls as the client: client certificate, ALPN and resumption",
          "[ssl][peers]") {
  if (go_peer().empty()) SKIP_TEST("there is no go");
  for (const version_row& row : versions) {
    INFO(row.name);
    sk::ssl_context context = server_context();
    context.load_verify_locations(certificate_file("ca.pem"));
    context.verify_mode(sk::CERT_REQUIRED);
    context.set_alpn_protocols({"http/1.1"});
    sk::socket listener = listening();
    process peer({go_peer(), certificate_folder(), row.name, "client",
                  std::to_string(listener.getsockname().port())});
    for (const bool resumed : {false, true}) {
      sk::socket plain = listener.accept().conn;
      plain.settimeout(patience);
      sk::ssl_socket s = context.wrap_server(std::move(plain));
      CHECK(s.version() == row.name);
      CHECK(s.session_reused() == resumed);
      REQUIRE(s.getpeercert());
      CHECK(s.getpeercert()->subject["commonName"] == "the client");
      s.sendall(receive(s, 8));
      CHECK(s.recv(1).empty());
      s.close();
      CHECK(peer.line() == std::string("alpn http/1.1 resumed ") + (resumed ? "true" : "false") +
                               " peer the server");
      CHECK(peer.line() == "echo from Go");
    }
    CHECK(peer.wait() == 0);
  }
}

TEST_CASE("Java's JSSE as the server: client certificate, ALPN and resumption", "[ssl][peers]") {
  if (!has_program("java")) SKIP_TEST("there is no java");
  for (const version_row& row : versions) {
    INFO(row.name);
    process peer({"java", PYSOCK_SSL_JAVA_PEER, certificate_folder(), row.name, "server"});
    const int port = std::stoi(line_with(peer, "port ").substr(5));
    sk::ssl_context context = client_context();
    only(context, row.version);
    context.load_cert_chain(certificate_file("client.both"));
    context.set_alpn_protocols({"http/1.1"});
    sk::ssl_session session;
    for (const bool resumed : {false, true}) {
      sk::ssl_socket s =
          context.wrap_socket(connected_to(port), "localhost", sk::wrap_options().session(session));
      CHECK(s.version() == row.name);
      CHECK(s.session_reused() == resumed);
      CHECK(s.selected_alpn_protocol() == "http/1.1");
      s.sendall("to Java\n");
      CHECK(receive(s, 8) == "to Java\n");
      session = s.session();
      s.close();
      CHECK(line_with(peer, "end ") == "end null");  // it was told of the end
      CHECK(peer.line() == "alpn http/1.1 peer CN=the client,O=pysock");
    }
    CHECK(peer.wait() == 0);
  }
}

TEST_CASE("Java's JSSE as the client: client certificate, ALPN and resumption", "[ssl][peers]") {
  if (!has_program("java")) SKIP_TEST("there is no java");
  for (const version_row& row : versions) {
    INFO(row.name);
    sk::ssl_context context = server_context();
    context.load_verify_locations(certificate_file("ca.pem"));
    context.verify_mode(sk::CERT_REQUIRED);
    context.set_alpn_protocols({"http/1.1"});
    sk::socket listener = listening();
    process peer({"java", PYSOCK_SSL_JAVA_PEER, certificate_folder(), row.name, "client",
                  std::to_string(listener.getsockname().port())});
    for (const bool resumed : {false, true}) {
      sk::socket plain = listener.accept().conn;
      plain.settimeout(patience);
      sk::ssl_socket s = context.wrap_server(std::move(plain));
      CHECK(s.version() == row.name);
      CHECK(s.session_reused() == resumed);
      REQUIRE(s.getpeercert());
      CHECK(s.getpeercert()->subject["commonName"] == "the client");
      s.sendall(receive(s, 10));
      CHECK(s.recv(1).empty());
      s.close();
      CHECK(line_with(peer, "echo ") == "echo from Java");
      CHECK(peer.line() == "alpn http/1.1 peer CN=the server,O=pysock,C=XX");
    }
    CHECK(peer.wait() == 0);
  }
}

TEST_CASE("gnutls-serv: client certificate, ALPN, KeyUpdate and resumption", "[ssl][peers]") {
  if (!has_program("gnutls-serv")) SKIP_TEST("there is no gnutls-serv");
  for (const version_row& row : versions) {
    INFO(row.name);
    const std::string port = std::to_string([] {
      sk::socket s;
      s.bind({"127.0.0.1", 0});
      return s.getsockname().port();
    }());
    process peer({"gnutls-serv", "--echo", "--port", port, "--x509certfile",
                  certificate_file("server.pem"), "--x509keyfile", certificate_file("server.key"),
                  "--x509cafile", certificate_file("ca.pem"), "--require-client-cert",
                  "--verify-client-cert", "--alpn", "h2", "--priority",
                  std::string("NORMAL:-VERS-ALL:+VERS-TLS") + (row.name + 4)});
    line_with(peer, "listening on");
    sk::ssl_context context = client_context();
    only(context, row.version);
    context.load_cert_chain(certificate_file("client.both"));
    context.set_alpn_protocols({"h2"});
    sk::ssl_session session;
    for (const bool resumed : {false, true}) {
      sk::ssl_socket s = context.wrap_socket(connected_to(std::stoi(port)), "localhost",
                                             sk::wrap_options().session(session));
      CHECK(s.version() == row.name);
      CHECK(s.session_reused() == resumed);
      if (!resumed) CHECK(s.selected_alpn_protocol() == "h2");
      if (row.version == sk::TLSVersion::TLSv1_3)
        REQUIRE(SSL_key_update(static_cast<SSL*>(s.native_handle()), SSL_KEY_UPDATE_REQUESTED) ==
                1);
      for (int i = 0; i < 3; ++i) {
        s.sendall("to gnutls\n");
        CHECK(receive(s, 10) == "to gnutls\n");
      }
      session = s.session();
      s.close();
    }
  }
}

TEST_CASE("gnutls-cli: client certificate, ALPN and resumption", "[ssl][peers]") {
  if (!has_program("gnutls-cli")) SKIP_TEST("there is no gnutls-cli");
  for (const version_row& row : versions) {
    INFO(row.name);
    sk::ssl_context context = server_context();
    context.load_verify_locations(certificate_file("ca.pem"));
    context.verify_mode(sk::CERT_REQUIRED);
    context.set_alpn_protocols({"h2"});
    sk::socket listener = listening();
    std::vector<std::string> command{
        "gnutls-cli",     "localhost",
        "--port",         std::to_string(listener.getsockname().port()),
        "--x509cafile",   certificate_file("ca.pem"),
        "--x509certfile", certificate_file("client.pem"),
        "--x509keyfile",  certificate_file("client.key"),
        "--alpn",         "h2",
        "--priority",     std::string("NORMAL:-VERS-ALL:+VERS-TLS") + (row.name + 4)};
    // Under TLS 1.3 it closes before the ticket, which comes with the first data.
    const bool resumes = row.version == sk::TLSVersion::TLSv1_2;
    if (resumes) command.emplace_back("--resume");
    process peer(command);
    for (const bool resumed : {false, true}) {
      if (resumed && !resumes) continue;
      sk::socket plain = listener.accept().conn;
      plain.settimeout(patience);
      sk::ssl_socket s = context.wrap_server(std::move(plain));
      CHECK(s.version() == row.name);
      CHECK(s.session_reused() == resumed);
      CHECK(s.server_hostname() == "localhost");
      CHECK(s.selected_alpn_protocol() == "h2");
      REQUIRE(s.getpeercert());
      CHECK(s.getpeercert()->subject["commonName"] == "the client");
      if (resumed == resumes) {
        s.sendall("to gnutls\n");
        peer.say("from gnutls\n");
        CHECK(receive(s, 12) == "from gnutls\n");
        peer.end_input();
      }
      CHECK(s.recv(1).empty());
      s.close();
    }
    CHECK_THAT(peer.rest(), ContainsSubstring("to gnutls"));
    CHECK(peer.wait() == 0);
  }
}
