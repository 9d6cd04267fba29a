// SPDX-License-Identifier: MIT
// Fetches a page: http_get [host [port [path]]]. In Python:
//
//     import socket, sys
//
//     host, port, path = sys.argv[1:] + ['localhost', '80', '/'][len(sys.argv) - 1:]
//     s = socket.create_connection((host, port), timeout=10)
//     f = s.makefile('rwb')
//     f.write(f'GET {path} HTTP/1.1\r\nHost: {host}:{port}\r\nConnection: close\r\n\r\n'.encode())
//     f.flush()
//     print(f.readline().decode().rstrip())  # such as HTTP/1.1 200 OK
//     headers = {}
//     while line := f.readline().decode().rstrip():
//         name, colon, value = line.partition(':')
//         headers[name.lower()] = value.strip()
//     body = b''
//     if headers.get('transfer-encoding') == 'chunked':
//         while size := int(f.readline(), 16):
//             body += f.read(size)
//             f.readline()
//     else:
//         body = f.read(int(headers.get('content-length', -1)))
//     print(body.decode(), end='')
#include <algorithm>
#include <cctype>
#include <iostream>
#include <map>
#include <pysock/pysock.hpp>

namespace sk = pysock;

std::string stripped(std::string line) {
  line.erase(line.find_last_not_of(" \r\n") + 1);
  return line.erase(0, line.find_first_not_of(' '));
}

std::string lower(std::string name) {
  std::transform(name.begin(), name.end(), name.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return name;
}

int main(int argc, char** argv) try {
  const std::string host = argc > 1 ? argv[1] : "localhost";
  const std::string port = argc > 2 ? argv[2] : "80";
  const std::string path = argc > 3 ? argv[3] : "/";
  sk::socket s = sk::create_connection({host, port}, 10);
  sk::file f = s.makefile("rwb");
  f.write("GET " + path + " HTTP/1.1\r\nHost: " + host + ":" + port +
          "\r\nConnection: close\r\n\r\n");
  f.flush();
  std::cout << stripped(f.readline()) << '\n';  // such as HTTP/1.1 200 OK
  std::map<std::string, std::string> headers;
  for (std::string line; !(line = stripped(f.readline())).empty();) {
    const std::size_t colon = std::min(line.find(':'), line.size() - 1);
    headers[lower(line.substr(0, colon))] = stripped(line.substr(colon + 1));
  }
  std::string body;
  if (headers["transfer-encoding"] == "chunked") {
    while (const int size = std::stoi(f.readline(), nullptr, 16)) {
      body += f.read(size);
      (void)f.readline();
    }
  } else {
    body = f.read(headers.count("content-length") != 0 ? std::stoi(headers["content-length"]) : -1);
  }
  std::cout << body;
} catch (const std::exception& e) {
  std::cerr << e.what() << '\n';
  return 1;
}
