// SPDX-License-Identifier: MIT
// Asks a mail server what it offers over TLS, after STARTTLS: smtp_starttls HOST [PORT [CAFILE]].
// In Python:
//
//     import smtplib, ssl, sys
//
//     host, port, cafile = (sys.argv[1:] + ['localhost', 25, None][len(sys.argv) - 1:])
//     context = ssl.create_default_context(cafile=cafile)
//     with smtplib.SMTP(host, int(port), local_hostname='client.test', timeout=10) as smtp:
//         smtp.starttls(context=context)
//         print(smtp.sock.version(), 'with', host)
//         for line in smtp.ehlo()[1].decode().splitlines()[1:]:
//             print(line)
#include <iostream>
#include <pysock/create.hpp>
#include <pysock/ssl.hpp>
#include <sstream>

namespace sk = pysock;

namespace {

// Reads one reply, of one or more lines. It reads a byte at a time, because before TLS it must not
// read beyond the reply: otherwise the program could treat bytes that an attacker inserted as the
// server's answer over TLS.
template <class Stream>
std::string read_reply(Stream& s) {
  constexpr std::size_t longest = 65536;
  std::string reply;
  std::size_t line = 0;
  while (reply.size() < longest) {
    const std::string byte = s.recv(1);
    if (byte.empty()) throw std::runtime_error("the server has closed the connection");
    reply += byte;
    if (byte != "\n") continue;
    if (reply.size() - line < 4 || reply[line + 3] != '-') return reply;
    line = reply.size();
  }
  throw std::runtime_error("the reply is too long");
}

// Sends a command, unless it is empty, and returns the reply, which must begin with the code.
template <class Stream>
std::string command(Stream& s, const std::string& text, const std::string& code) {
  if (!text.empty()) s.sendall(text + "\r\n");
  std::string reply = read_reply(s);
  if (reply.compare(0, code.size(), code) != 0) throw std::runtime_error("refused: " + reply);
  return reply;
}

}  // namespace

int main(int argc, char** argv) try {
  const std::string host = argc > 1 ? argv[1] : "localhost";
  const std::string port = argc > 2 ? argv[2] : "25";
  const sk::ssl_context context =
      argc > 3 ? sk::create_default_context(sk::Purpose::SERVER_AUTH, argv[3])
               : sk::create_default_context();

  sk::socket plain = sk::create_connection({host, port}, 10);
  command(plain, "", "220");
  command(plain, "EHLO client.test", "250");
  command(plain, "STARTTLS", "220");
  sk::ssl_socket s = context.wrap_socket(std::move(plain), host);
  std::cout << *s.version() << " with " << host << '\n';

  // Do not trust the answer in clear text: ask again.
  std::istringstream lines(command(s, "EHLO client.test", "250"));
  std::string line;
  for (int i = 0; std::getline(lines, line); ++i)
    if (i > 0) std::cout << line.substr(4, line.find('\r') - 4) << '\n';
  command(s, "QUIT", "221");
  s.close();
} catch (const std::exception& e) {
  std::cerr << e.what() << '\n';
  return 1;
}
