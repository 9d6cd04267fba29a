// SPDX-License-Identifier: MIT
// Calls of the public interface with the types that users pass: all templates and inline functions.
// The file is only compiled; the warning matrix compiles it many times.
#include <array>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <fstream>
#include <functional>
#include <iostream>
#include <iterator>
#include <optional>
#include <pysock/pysock.hpp>
#include <pysock/ssl.hpp>
#include <sstream>
#include <string>
#include <string_view>
#include <system_error>
#include <unordered_set>
#include <utility>
#include <vector>

namespace pysock_uses {

namespace sk = pysock;

std::size_t send(sk::socket& s, const std::string& string, const std::vector<unsigned char>& vector,
                 const char* c_string, std::FILE* file) {
  const char array[] = {'a', 'b'};
  const std::array<char, 3> std_array{};
  std::error_code ec;
  std::size_t sent = s.send("literal") + s.send(string) + s.send(vector) + s.send(c_string);
  sent += s.send(array) + s.send(std_array) + s.send(std::string_view(string).substr(1));
  sent += s.send({array, 1}, MSG_OOB) + s.send(string, ec) + s.send(string, MSG_OOB, ec);
  sent += s.sendall(string) + s.sendall("x", ec) + s.sendall(vector, 0, ec);
  sent += s.sendto(string, {"127.0.0.1", 80}) + s.sendto("", {"::1", 80, 0, 1});
  sent += s.sendto(vector, sk::endpoint()) + s.sendto(vector, 0, sk::endpoint(), ec);
  sent += s.sendto(string, 0, "/run/socket", ec);
  const std::vector<std::string> strings{string, "b"};
  const sk::const_bytes pieces[] = {string, vector, "c"};
  sent += s.sendmsg({"a", string, vector}) + s.sendmsg(strings) + s.sendmsg(pieces, ec);
  sent += s.sendmsg({"a"}, {{SOL_SOCKET, 1, {1, 2}}, {IPPROTO_IP, 2, string}}, 0, {"h", 80});
  sent += s.sendmsg(strings, {{SOL_SOCKET, 3, std::vector<int>{1}}}, MSG_PEEK, {}, ec);
  std::ifstream stream("file");
  sent += s.sendfile("file") + s.sendfile(string, 1, 2) + s.sendfile(stream);
  sent += s.sendfile(file, 0, std::nullopt, ec);
  return sent;
}

std::size_t receive(sk::socket& s, std::size_t size) {
  char array[100];
  std::array<unsigned char, 100> std_array{};
  std::string string(100, '\0');
  std::vector<char> vector(100);
  std::error_code ec;
  std::size_t count = s.recv(size).size() + s.recv(1000000, MSG_PEEK).size();
  count += s.recv_into(array) + s.recv_into(std_array) + s.recv_into(string, 10);
  count += s.recv_into(vector, ec) + s.recv_into({array, 5}, 0, MSG_WAITALL, ec);
  const auto [data, from] = s.recvfrom(size);
  const auto [nbytes, sender] = s.recvfrom_into(string, 1, 0);
  sk::endpoint endpoint;
  count += nbytes + data.size() + s.recvfrom_into(vector, endpoint);
  count += s.recvfrom_into(array, endpoint, 0, ec) + s.recvfrom_into(array, 0, 0, ec).nbytes;
  const sk::recvmsg_result message = s.recvmsg(size, sk::cmsg_space(8), 0);
  for (const sk::control_message& control : message.ancdata) {
    count += control.as_array<std::uint16_t>().size();
    if (control.level == SOL_SOCKET) count += static_cast<std::size_t>(control.as<int>());
  }
  std::vector<std::string> strings(3, std::string(20, '\0'));
  count += s.recvmsg_into({array, string}).nbytes + s.recvmsg_into(strings, ec).nbytes;
  count += s.recvmsg_into({array}, sk::cmsg_len(4U), MSG_PEEK).ancdata.size();
  count += s.recvmsg_into({vector}, 70000, 0, ec).nbytes;
  return count + std::hash<sk::address>()(from) + (sender == from ? 1U : 0U);
}

#ifdef SCM_RIGHTS
std::size_t pass(sk::socket& s, const std::vector<sk::native_handle_type>& handles) {
  const sk::native_handle_type array[] = {handles.at(0)};
  const std::size_t sent = sk::send_fds(s, {"x"}, handles) + sk::send_fds(s, {"y"}, array, 0, {});
  return sent + sk::recv_fds(s, 10, 2).fds.size();
}
#endif

int set(sk::socket& s) {
  using namespace std::chrono_literals;
  s.settimeout(1);
  s.settimeout(0.5F);
  s.settimeout(1500ms);
  s.settimeout(sk::seconds(2));
  s.settimeout(std::nullopt);
  s.setblocking(false);
  s.setsockopt(SOL_SOCKET, SO_REUSEADDR, true);
  s.setsockopt(SOL_SOCKET, SO_RCVBUF, 65536L);
  s.setsockopt(SOL_SOCKET, SO_SNDBUF, std::uint16_t{1000});
  s.setsockopt(IPPROTO_IP, IP_ADD_MEMBERSHIP, sk::inet_aton("224.0.0.1") + std::string(4, '\0'));
  struct linger linger_option = s.getsockopt<struct linger>(SOL_SOCKET, SO_LINGER);
  s.setsockopt(SOL_SOCKET, SO_LINGER, linger_option);
  s.set_interrupt_hook([](void*) noexcept { return true; }, nullptr);
  sk::setdefaulttimeout(2.5);
  return s.getsockopt(SOL_SOCKET, SO_ERROR) + static_cast<int>(s.gettimeout()->count()) +
         static_cast<int>(s.getsockopt(SOL_SOCKET, SO_TYPE, 4).size());
}

std::string lines(sk::socket& s, std::ostream& out) {
  sk::file f = s.makefile("rwb");
  f.write("hello");
  f.write(std::string("hello"));
  f.writelines({"a\n", std::string("b\n")});
  f.writelines(std::vector<std::string>{"c\n"});
  f << "number " << 5 << std::endl;
  std::string line;
  std::getline(f, line);
  f >> line;
  char bytes[10];
  f.read(bytes, sizeof bytes);
  for (const std::string& one : f) out << one;
  line += f.readline() + f.read(10) + f.read() + f.readlines().at(0);
  out << f.rdbuf();
  sk::file other = s.makefile("w", 1);
  other << "a line\n" << std::flush;
  other.put('c');
  f = std::move(other);
  f.settimeout(5);
  f.close();
  const sk::file unbuffered = s.makefile("r", 0);
  return line + unbuffered.mode();
}

std::size_t connect(const std::string& host, std::ostream& out) {
  sk::socket s(AF_INET6, SOCK_STREAM);
  std::error_code ec;
  s.bind({"", 0});
  s.bind({host, 1});
  s.bind("/run/socket");
  s.connect({host, 443});
  s.connect({host, 80}, ec);
  s.listen();
  auto [conn, peer] = s.accept();
  const auto accepted = s.accept(ec);
  sk::socket copy = s.dup();
  copy = std::move(s);
  auto [one, two] = sk::socketpair();
  const sk::socket connected = sk::create_connection({host, 80});
  const sk::socket patient = sk::create_connection(
      {host, "https"}, 1.5, sk::connection_options().source_address({"", 0}).all_errors(true));
  const sk::socket server = sk::create_server({"", 0}, sk::server_options().reuse_port(true));
  out << conn << peer << accepted.address << one << two << connected << patient << server;
  std::size_t count = copy.connect_ex(peer) == 0 ? 1U : 0U;
  for (const auto& [family, type, proto, canonname, sockaddr] :
       sk::getaddrinfo(host, "http", AF_UNSPEC, SOCK_STREAM)) {
    out << family << type << proto << canonname << sockaddr;
    const sk::name_info name = sk::getnameinfo(sockaddr, NI_NUMERICHOST);
    count += name.host.size();
  }
  for (const auto& [index, name] : sk::if_nameindex()) out << index << name;
  out << sk::gethostbyname(host) << sk::getservbyname("http", "tcp") << sk::getservbyport(80);
  return count;
}

std::size_t addresses(const std::string& host) {
  std::unordered_set<sk::address> set{{host, 80}, {"::1", 80}, "/path", {}};
  const sk::address a{host, 8080};
  std::size_t count = set.count(a) + a.to_string().size() + (a < sk::address("b") ? 1U : 0U);
  count += a.visit([](const auto& value) { return sizeof value; });
  std::ostringstream text;
  text << a << ' ' << sk::htons(80) << sk::htonl(1U) << sk::ntohs(80L) << sk::ntohl(1ULL);
  text << sk::inet_ntoa(sk::inet_aton("127.0.0.1")) << sk::inet_ntop(AF_INET6, std::string(16, 'a'))
       << sk::inet_pton(AF_INET, "127.0.0.1");
  return count + text.str().size();
}

#if defined(__cpp_exceptions) || defined(_CPPUNWIND)
int failures(sk::socket& s, std::ostream& out) {
  try {
    s.connect({"", 1});
  } catch (const sk::timeout& e) {
    return static_cast<int>(e.transferred());
  } catch (const sk::gaierror& e) {
    out << e.what();
  } catch (const sk::sslerror& e) {
    out << e.reason() << e.library();
  } catch (const sk::error& e) {
    if (e.code() == std::errc::connection_refused || e.code() == sk::errc::timed_out)
      return e.errnum().value_or(0);
    out << e.strerror();
  }
  return 0;
}
#endif

std::string encrypted(sk::socket s, const std::string& host, std::ostream& out) {
  sk::ssl_context context = sk::create_default_context();
  context.load_cert_chain("file", std::nullopt, [] { return std::string("password"); });
  context.load_cert_chain("file", host, "password");
  context.load_verify_locations(std::nullopt, std::nullopt, host);
  context.verify_mode(sk::CERT_NONE).check_hostname(false);
  context.set_alpn_protocols({"h2", "http/1.1"});
  sk::ssl_socket tls = context.wrap_socket(std::move(s), host);
  std::vector<unsigned char> vector(10);
  std::error_code ec;
  tls.sendall("GET / HTTP/1.0\r\n\r\n");
  tls.sendall(vector, ec);
  tls.settimeout(3);
  std::size_t count = tls.send(host) + tls.recv_into(vector) + tls.recv_into(vector, ec);
  count += tls.sendfile("file") + tls.pending();
  sk::file f = tls.makefile("rw", 1);
  f << "line\n";
  out << tls << f.readline() << count << tls.getpeercert()->issuer["commonName"];
  const sk::socket plain = tls.unwrap();
  return tls.recv(100) + tls.version().value_or("none") + plain.to_string();
}

}  // namespace pysock_uses
