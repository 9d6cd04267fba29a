// SPDX-License-Identifier: MIT
// A tour: a name, servers and clients of three families, a timeout, lines.
// Beside each step it prints the same step in Python.
#include <filesystem>
#include <future>
#include <iomanip>
#include <iostream>
#include <pysock/pysock.hpp>
#include <random>

namespace sk = pysock;

void step(const std::string& what_happened, const std::string& python) {
  std::cout << "  " << std::left << std::setw(48) << what_happened << " # " << python << std::endl;
}

// Echoes the data of one client, until the end of its stream.
void echo(sk::socket& server) {
  auto [conn, addr] = server.accept();
  for (std::string data; !(data = conn.recv(1024)).empty();) conn.sendall(data);
}

void tour(int family, const sk::address& where) {
  const std::string name = sk::family_name(family);
  std::cout << '\n' << name << '\n';
  sk::socket server = sk::create_server(where, sk::server_options().family(family));
  server.settimeout(10);  // ends the thread even if no client comes
  step("echo server at " + server.getsockname().to_string(),
       "server = socket.create_server(" + where.to_string() + ", family=socket." + name + ")");
  const auto thread = std::async(std::launch::async, echo, std::ref(server));
  step("which answers in a thread", "threading.Thread(target=echo, args=(server,)).start()");
  sk::socket client(family);
  step("made a client", "client = socket.socket(socket." + name + ")");
  client.settimeout(5);
  step("which never waits more than 5 seconds", "client.settimeout(5)");
  client.connect(server.getsockname());
  step("connected to " + client.getpeername().to_string(), "client.connect(server.getsockname())");
  client.sendall("Hello, world");
  step("said Hello, world", "client.sendall(b'Hello, world')");
  step("heard " + client.recv(1024), "client.recv(1024)");

  client.settimeout(0.2);
  step("from now on 0.2 seconds must do", "client.settimeout(0.2)");
  try {
    (void)client.recv(1024);
  } catch (const sk::timeout& e) {
    step(e.what(), "client.recv(1024)  # raises TimeoutError: timed out");
  }
  sk::file f = client.makefile("rw");
  step("the same connection as a file", "f = client.makefile('rw')");
  f.writelines({"one line\n", "and another\n"});
  f.flush();
  step("wrote two lines", "f.writelines(['one line\\n', 'and another\\n']); f.flush()");
  step("read " + f.readline().substr(0, 8), "f.readline()");
  client.shutdown(SHUT_WR);
  step("said all there is to say", "client.shutdown(socket.SHUT_WR)");
  for (const std::string& line : f)
    step("read " + line.substr(0, line.size() - 1), "for line in f: print(line)");
}

void tour_if_there(int family, const sk::address& where) try {
  tour(family, where);
} catch (const sk::error& e) {
  if (e.code() != std::errc::address_not_available &&
      e.code() != std::errc::address_family_not_supported)
    throw;
  std::cout << "  There is no " << sk::family_name(family) << " here: " << e.what() << '\n';
}

int main() try {
  try {
    const auto found = sk::getaddrinfo("localhost", 80, 0, SOCK_STREAM);
    step("localhost is " + found.front().sockaddr.to_string(),
         "socket.getaddrinfo('localhost', 80, 0, socket.SOCK_STREAM)");
  } catch (const sk::gaierror& e) {  // a minimal system has no hosts file
    step(e.what(), "socket.getaddrinfo('localhost', 80, 0, socket.SOCK_STREAM)  # raises gaierror");
  }
  tour(AF_INET, {"127.0.0.1", 0});
  tour_if_there(AF_INET6, {"::1", 0});
  const auto path = std::filesystem::temp_directory_path() /
                    ("pysock-demo." + std::to_string(std::random_device()()));
  tour_if_there(AF_UNIX, path.string());
  std::filesystem::remove(path);
} catch (const std::exception& e) {
  std::cerr << e.what() << '\n';
  return 1;
}
