// SPDX-License-Identifier: MIT
// Sessions with other programs and other implementations of TLS: openssl, Python, nginx, curl,
// aiosmtpd, GnuTLS, Go, Java.
#include <openssl/sha.h>
#include <openssl/ssl.h>

#include <atomic>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <fstream>
#include <iomanip>
#include <pysock/selectors.hpp>
#include <pysock/ssl.hpp>
#include <sstream>

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
  const char* option;  // for openssl's programs
};
constexpr version_row versions[] = {{sk::TLSVersion::TLSv1_2, "TLSv1.2", "-tls1_2"},
                                    {sk::TLSVersion::TLSv1_3, "TLSv1.3", "-tls1_3"}};

sk::socket connected_to(int port) {
  sk::socket plain;
  plain.settimeout(patience);
  plain.connect({"127.0.0.1", port});
  return plain;
}

// The next line that contains `part`. openssl's programs buffer their own messages, and print
// received data in between.
std::string line_with(process& p, const std::string& part) {
  for (;;) {
    const std::string line = p.line();
    if (line.find(part) != std::string::npos) return line;
  }
}

sk::ssl_socket accepted(const sk::ssl_context& context, sk::socket& listener) {
  sk::socket plain = listener.accept().conn;
  plain.settimeout(patience);
  return context.wrap_server(std::move(plain));
}

std::string port_of(const sk::socket& listener) {
  return std::to_string(listener.getsockname().port());
}

// An unused port, for programs that cannot choose one themselves.
std::string free_port() {
  sk::socket s;
  s.bind({"127.0.0.1", 0});
  return port_of(s);
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

TEST_CASE("a server that speaks only TLS 1.1 is refused", "[ssl][peers]") {
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
    // It received close_notify.
    CHECK_THAT(peer.rest(), ContainsSubstring("DONE") && !ContainsSubstring("ERROR"));
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
    process peer({"openssl", "s_client", "-connect", "127.0.0.1:" + port_of(listener), row.option,
                  "-CAfile", certificate_file("ca.pem"), "-cert", certificate_file("client.pem"),
                  "-key", certificate_file("client.key"), "-alpn", "http/1.1,h2",
                  "-verify_return_error", "-verify_hostname", "localhost", "-servername",
                  "localhost"});
    sk::ssl_socket s = accepted(context, listener);
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

TEST_CASE("renegotiation is refused", "[ssl][peers]") {
  sk::ssl_context context = server_context();
  sk::socket listener = listening();
  process peer({"openssl", "s_client", "-connect", "127.0.0.1:" + port_of(listener), "-tls1_2",
                "-CAfile", certificate_file("ca.pem")});
  sk::ssl_socket s = accepted(context, listener);
  peer.say("R\n");
  CHECK(tls_failure_of([&] { return s.recv(1); }) != "none");
  CHECK_THAT(line_with(peer, "RENEGOTIATING"), ContainsSubstring("RENEGOTIATING"));
  CHECK_THAT(peer.rest(), ContainsSubstring("no renegotiation"));
}

TEST_CASE("a session continues after a KeyUpdate", "[ssl][peers]") {
  process peer({"openssl", "s_server", "-accept", "127.0.0.1:0", "-tls1_3", "-cert",
                certificate_file("server.pem"), "-key", certificate_file("server.key"), "-naccept",
                "1"});
  const sk::ssl_context context = client_context();
  sk::ssl_socket s = context.wrap_socket(connected_to(port_of(peer)), "localhost");
  peer.say("K\n");  // sends a KeyUpdate that requests one
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
    python_peer peer(
        python_contexts + R"(
plain = socket.create_connection(('127.0.0.1', int(sys.argv[3])))
conn = trusting.wrap_socket(plain, server_hostname='www.example.test', suppress_ragged_eofs=False)
say('version', conn.version())
say('serial', conn.getpeercert()['serialNumber'])
conn.sendall(b'from python')
say('answer', conn.recv(100).decode())
say('end', conn.recv(100))
conn.unwrap()
)",
        {certificate_file("ca.pem"), certificate_file("server.both"), port_of(listener)});
    sk::ssl_socket s = accepted(context, listener);
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
  python_peer peer(
      python_contexts + R"(
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
      {certificate_file("ca.pem"), certificate_file("server.both"), port_of(listener)});
  sk::ssl_socket s = accepted(context, listener);
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
  const std::string port = free_port();
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
    CHECK(f.read() == page);  // until close_notify
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
    const std::string port = port_of(listener);
    process curl({"curl", "--silent", "--show-error", "--noproxy", "*", "--cacert",
                  certificate_file("ca.pem"), "--resolve",
                  "www.example.test:" + port + ":127.0.0.1",
                  "https://www.example.test:" + port + "/"});
    sk::ssl_socket s = accepted(context, listener);
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
  const std::string python = "/usr/bin/python3";  // has Debian's packages
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
  // Reads one reply and returns its code. In clear text it must not receive bytes after the reply.
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
    CHECK(reply(plain) == "530");  // the server requires STARTTLS first
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

// The path of go_peer, which is compiled at the first use; empty if there is no Go.
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

// Makes two connections to a server; the second resumes the session of the first. `talk(s,
// resumed)` exchanges data. `check_peer(resumed)` checks the server's output after the connection
// is closed.
template <class Talk, class Check>
void resume_as_client(const version_row& row, int port, const std::string& alpn, const Talk& talk,
                      const Check& check_peer) {
  sk::ssl_context context = client_context();
  only(context, row.version);
  context.load_cert_chain(certificate_file("client.both"));
  context.set_alpn_protocols({alpn});
  sk::ssl_session session;
  for (const bool resumed : {false, true}) {
    sk::ssl_socket s =
        context.wrap_socket(connected_to(port), "localhost", sk::wrap_options().session(session));
    CHECK(s.version() == row.name);
    CHECK(s.session_reused() == resumed);
    talk(s, resumed);
    session = s.session();
    s.close();
    check_peer(resumed);
  }
}

// Accepts `count` connections from a client with a certificate; all except the first resume the
// session. `talk(s, resumed)` exchanges data, until the client closes.
template <class Talk, class Check>
void resume_as_server(const version_row& row, sk::socket& listener, const std::string& alpn,
                      int count, const Talk& talk, const Check& check_peer) {
  sk::ssl_context context = server_context();
  context.load_verify_locations(certificate_file("ca.pem"));
  context.verify_mode(sk::CERT_REQUIRED);
  context.set_alpn_protocols({alpn});
  for (int i = 0; i < count; ++i) {
    const bool resumed = i > 0;
    sk::ssl_socket s = accepted(context, listener);
    CHECK(s.version() == row.name);
    CHECK(s.session_reused() == resumed);
    CHECK(s.selected_alpn_protocol() == alpn);
    REQUIRE(s.getpeercert());
    CHECK(s.getpeercert()->subject["commonName"] == "the client");
    talk(s, resumed);
    CHECK(s.recv(1).empty());
    s.close();
    check_peer(resumed);
  }
}

// Sends a line, which the peer returns.
void echo_line(sk::ssl_socket& s, const std::string& line) {
  s.sendall(line);
  CHECK(receive(s, line.size()) == line);
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
    resume_as_client(
        row, std::stoi(line_with(peer, "port ").substr(5)), "http/1.1",
        [&peer](sk::ssl_socket& s, bool resumed) {
          CHECK(s.selected_alpn_protocol() == "http/1.1");
          echo_line(s, "to Go\n");
          CHECK(line_with(peer, "alpn ") == std::string("alpn http/1.1 resumed ") +
                                                (resumed ? "true" : "false") + " peer the client");
        },
        [&peer](bool) { CHECK(peer.line() == "end 0"); });  // it received close_notify
    CHECK(peer.wait() == 0);
  }
}

TEST_CASE("Go's crypto/tls as the client: client certificate, ALPN and resumption",
          "[ssl][peers]") {
  if (go_peer().empty()) SKIP_TEST("there is no go");
  for (const version_row& row : versions) {
    INFO(row.name);
    sk::socket listener = listening();
    process peer({go_peer(), certificate_folder(), row.name, "client", port_of(listener)});
    resume_as_server(
        row, listener, "http/1.1", 2, [](sk::ssl_socket& s, bool) { s.sendall(receive(s, 8)); },
        [&peer](bool resumed) {
          CHECK(peer.line() == std::string("alpn http/1.1 resumed ") +
                                   (resumed ? "true" : "false") + " peer the server");
          CHECK(peer.line() == "echo from Go");
        });
    CHECK(peer.wait() == 0);
  }
}

TEST_CASE("Java's JSSE as the server: client certificate, ALPN and resumption", "[ssl][peers]") {
  if (!has_program("java")) SKIP_TEST("there is no java");
  for (const version_row& row : versions) {
    INFO(row.name);
    process peer({"java", PYSOCK_SSL_JAVA_PEER, certificate_folder(), row.name, "server"});
    resume_as_client(
        row, std::stoi(line_with(peer, "port ").substr(5)), "http/1.1",
        [](sk::ssl_socket& s, bool) {
          CHECK(s.selected_alpn_protocol() == "http/1.1");
          echo_line(s, "to Java\n");
        },
        [&peer](bool) {
          CHECK(line_with(peer, "end ") == "end null");  // it received close_notify
          CHECK(peer.line() == "alpn http/1.1 peer CN=the client,O=pysock");
        });
    CHECK(peer.wait() == 0);
  }
}

TEST_CASE("Java's JSSE as the client: client certificate, ALPN and resumption", "[ssl][peers]") {
  if (!has_program("java")) SKIP_TEST("there is no java");
  for (const version_row& row : versions) {
    INFO(row.name);
    sk::socket listener = listening();
    process peer({"java", PYSOCK_SSL_JAVA_PEER, certificate_folder(), row.name, "client",
                  port_of(listener)});
    resume_as_server(
        row, listener, "http/1.1", 2, [](sk::ssl_socket& s, bool) { s.sendall(receive(s, 10)); },
        [&peer](bool) {
          CHECK(line_with(peer, "echo ") == "echo from Java");
          CHECK(peer.line() == "alpn http/1.1 peer CN=the server,O=pysock,C=XX");
        });
    CHECK(peer.wait() == 0);
  }
}

TEST_CASE("gnutls-serv: client certificate, ALPN, KeyUpdate and resumption", "[ssl][peers]") {
  if (!has_program("gnutls-serv")) SKIP_TEST("there is no gnutls-serv");
  for (const version_row& row : versions) {
    INFO(row.name);
    const std::string port = free_port();
    process peer({"gnutls-serv", "--echo", "--port", port, "--x509certfile",
                  certificate_file("server.pem"), "--x509keyfile", certificate_file("server.key"),
                  "--x509cafile", certificate_file("ca.pem"), "--require-client-cert",
                  "--verify-client-cert", "--alpn", "h2", "--priority",
                  std::string("NORMAL:-VERS-ALL:+VERS-TLS") + (row.name + 4)});
    line_with(peer, "listening on");
    resume_as_client(
        row, std::stoi(port), "h2",
        [&row](sk::ssl_socket& s, bool resumed) {
          if (!resumed) CHECK(s.selected_alpn_protocol() == "h2");
          if (row.version == sk::TLSVersion::TLSv1_3)
            REQUIRE(SSL_key_update(static_cast<SSL*>(s.native_handle()),
                                   SSL_KEY_UPDATE_REQUESTED) == 1);
          for (int i = 0; i < 3; ++i) echo_line(s, "to gnutls\n");
        },
        [](bool) {});
  }
}

TEST_CASE("gnutls-cli: client certificate, ALPN and resumption", "[ssl][peers]") {
  if (!has_program("gnutls-cli")) SKIP_TEST("there is no gnutls-cli");
  for (const version_row& row : versions) {
    INFO(row.name);
    sk::socket listener = listening();
    std::vector<std::string> command{
        "gnutls-cli",     "localhost",
        "--port",         port_of(listener),
        "--x509cafile",   certificate_file("ca.pem"),
        "--x509certfile", certificate_file("client.pem"),
        "--x509keyfile",  certificate_file("client.key"),
        "--alpn",         "h2",
        "--priority",     std::string("NORMAL:-VERS-ALL:+VERS-TLS") + (row.name + 4)};
    // Under TLS 1.3 gnutls-cli closes before it gets the ticket, which our server sends with its
    // first data.
    const bool resumes = row.version == sk::TLSVersion::TLSv1_2;
    if (resumes) command.emplace_back("--resume");
    process peer(command);
    resume_as_server(
        row, listener, "h2", resumes ? 2 : 1,
        [&peer, resumes](sk::ssl_socket& s, bool resumed) {
          CHECK(s.server_hostname() == "localhost");
          if (resumed != resumes) return;
          s.sendall("to gnutls\n");
          peer.say("from gnutls\n");
          CHECK(receive(s, 12) == "from gnutls\n");
          peer.end_input();
        },
        [](bool) {});
    CHECK_THAT(peer.rest(), ContainsSubstring("to gnutls"));
    CHECK(peer.wait() == 0);
  }
}

// ---- KeyUpdates while both directions are busy ----
//
// GnuTLS sends a KeyUpdate by a function, Java's JSSE after a number of bytes, and Go's crypto/tls
// only in answer to a request. openssl's programs send one for a key press (above). Python's ssl,
// nginx, curl and aiosmtpd cannot send one.

namespace {

constexpr std::size_t busy_size = 64 << 20;  // in each direction
constexpr std::size_t record_size = 16384;

std::string sha256_of(const std::string& data) {
  unsigned char digest[SHA256_DIGEST_LENGTH];
  SHA256(reinterpret_cast<const unsigned char*>(data.data()), data.size(), digest);
  std::ostringstream text;
  for (const unsigned char byte : digest)
    text << std::hex << std::setw(2) << std::setfill('0') << static_cast<int>(byte);
  return text.str();
}

const std::string& busy_data() {
  static const std::string data = [] {
    std::string all(busy_size, '\0');
    for (std::size_t i = 0; i < all.size(); ++i)
      all[i] = static_cast<char>(i * std::uint64_t{2654435761} >> 13);
    return all;
  }();
  return data;
}

// Counts the KeyUpdates that a session receives.
std::atomic<int> key_updates{0};
void count_key_update(int is_sent, int, int type, const void* message, std::size_t size, SSL*,
                      void*) {
  const auto* bytes = static_cast<const unsigned char*>(message);
  if (is_sent == 0 && type == SSL3_RT_HANDSHAKE && size != 0 && bytes[0] == SSL3_MT_KEY_UPDATE)
    ++key_updates;
}

// Connects to a server that sends and receives `busy_size` bytes. `exchange(s)` does the same and
// returns the bytes received. The server must send at least `least_updates` KeyUpdates.
template <class Exchange>
void check_busy_peer(process& peer, int least_updates, const Exchange& exchange) {
  sk::ssl_context context = client_context();
  only(context, sk::TLSVersion::TLSv1_3);
  context.load_cert_chain(certificate_file("client.both"));
  sk::ssl_socket s =
      context.wrap_socket(connected_to(std::stoi(line_with(peer, "port ").substr(5))), "localhost");
  key_updates = 0;
  SSL_set_msg_callback(static_cast<SSL*>(s.native_handle()), count_key_update);
  const std::string received = exchange(s);
  s.shutdown(SHUT_WR);
  CHECK(s.recv(1).empty());
  CHECK(line_with(peer, "sent ") == "sent " + sha256_of(received));
  CHECK(line_with(peer, "received ") == "received " + sha256_of(busy_data()));
  CHECK(key_updates >= least_updates);
  std::printf("counted: %d KeyUpdates within %zu MiB each way\n", key_updates.load(),
              busy_size >> 20);
}

// One thread sends while another receives.
std::string exchange_by_threads(sk::ssl_socket& s) {
  background<int> sending([&s] { return s.sendall(busy_data()), 0; });
  std::string received = s.recv_exactly(busy_size);
  sending.get();
  return received;
}

// Sends and receives in one thread and non-blocking mode. Before every tenth record it sends a
// KeyUpdate that requests one from the peer.
std::string exchange_with_requests(sk::ssl_socket& s) {
  s.setblocking(false);
  sk::selector<> waiting;
  waiting.register_(s, sk::EVENT_READ);
  std::string received;
  std::string buffer(record_size, '\0');
  std::size_t sent = 0;
  bool is_asked = false;
  while (sent < busy_size || received.size() < busy_size) {
    std::error_code send_failure;
    std::error_code receive_failure;
    std::size_t moved = 0;
    if (sent < busy_size) {
      if (sent % (10 * record_size) == 0 && !is_asked)
        REQUIRE(SSL_key_update(static_cast<SSL*>(s.native_handle()), SSL_KEY_UPDATE_REQUESTED) ==
                1);
      is_asked = true;
      moved = s.send({busy_data().data() + sent, record_size}, send_failure);
      sent += moved;
      if (moved != 0) is_asked = false;
    }
    if (received.size() < busy_size) {
      const std::size_t count = s.recv_into(buffer, receive_failure);
      received.append(buffer, 0, count);
      moved += count;
    }
    for (const std::error_code& ec : {send_failure, receive_failure})
      if (ec) REQUIRE(ec == std::errc::resource_unavailable_try_again);
    if (moved != 0) continue;
    const bool writes = sent < busy_size || receive_failure == sk::ssl_errc::want_write;
    waiting.modify(s, writes ? sk::EVENT_READ | sk::EVENT_WRITE : sk::EVENT_READ);
    REQUIRE_FALSE(waiting.select(patience).empty());
  }
  s.settimeout(patience);
  return received;
}

}  // namespace

TEST_CASE("KeyUpdates of GnuTLS while both directions are busy", "[ssl][peers][key_update]") {
#ifdef PYSOCK_SSL_GNUTLS_PEER
  process peer({PYSOCK_SSL_GNUTLS_PEER, certificate_file("server.pem"),
                certificate_file("server.key"), std::to_string(busy_size)});
  check_busy_peer(peer, busy_size / record_size / 10, exchange_by_threads);
  CHECK(peer.wait() == 0);
#else
  SKIP_TEST("GnuTLS' headers are not installed");
#endif
}

TEST_CASE("KeyUpdates of Java's JSSE while both directions are busy", "[ssl][peers][key_update]") {
  if (!has_program("java")) SKIP_TEST("there is no java");
  // A thread of JSSE that sends a KeyUpdate and one that handles a KeyUpdate use the same object
  // without a lock, which sometimes ends the session, with or without an alert. The peer then
  // prints where that happened.
  for (int attempts_left = 4;; --attempts_left) {
    process peer({"java", PYSOCK_SSL_JAVA_PEER, certificate_folder(), "TLSv1.3", "busy",
                  std::to_string(busy_size)});
    try {
      // JSSE sends one after 10 records, but not before the answer to its last one.
      check_busy_peer(peer, 20, exchange_by_threads);
      CHECK(peer.wait() == 0);
      return;
    } catch (const sk::error&) {
      const std::string said = peer.rest();
      std::printf("counted: a session of JSSE that failed\n%s", said.c_str());
      if (attempts_left == 0 || said.find("HandshakeHash") == std::string::npos) throw;
    }
  }
}

// Go's crypto/tls has no function that sends a KeyUpdate, but it answers requests for one.
TEST_CASE("KeyUpdates of Go's crypto/tls while both directions are busy",
          "[ssl][peers][key_update]") {
  if (go_peer().empty()) SKIP_TEST("there is no go");
  process peer({go_peer(), certificate_folder(), "TLSv1.3", "busy", std::to_string(busy_size)});
  check_busy_peer(peer, busy_size / record_size / 10, exchange_with_requests);
  CHECK(peer.wait() == 0);
}
