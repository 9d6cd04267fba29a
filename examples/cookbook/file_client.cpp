// SPDX-License-Identifier: MIT
// Uploads a file to file_server, or downloads one: file_client port put|get path. In Python:
//
//     import os, socket, sys
//
//     port, verb, path = sys.argv[1:]
//     name = os.path.basename(path)
//     with socket.create_connection(('127.0.0.1', int(port)), 30) as s, s.makefile('rb') as f:
//         if verb == 'put':
//             s.sendall(b'PUT %s %d\n' % (name.encode(), os.path.getsize(path)))
//             s.sendfile(open(path, 'rb'))
//         else:
//             s.sendall(b'GET %s\n' % name.encode())
//         answer = f.readline(1000).decode()
//         if not answer.startswith('OK'):
//             sys.exit(answer.strip())
//         if verb == 'get':
//             left = size = int(answer.split()[1])
//             with open(path, 'wb') as out:
//                 while left > 0:
//                     piece = f.read(min(left, 65536))
//                     if not piece:
//                         sys.exit('the download is incomplete')
//                     out.write(piece)
//                     left -= len(piece)
//         print(verb, name, 'done')
#include <filesystem>
#include <fstream>
#include <iostream>
#include <pysock/pysock.hpp>
#include <sstream>

namespace sk = pysock;

namespace {

void download(sk::file& f, const std::filesystem::path& path, std::uintmax_t size) {
  std::ofstream out(path, std::ios::binary);
  out.exceptions(std::ios::badbit | std::ios::failbit);
  while (size > 0) {
    const std::string piece = f.read(size < 65536 ? static_cast<std::ptrdiff_t>(size) : 65536);
    if (piece.empty()) throw std::runtime_error("the download is incomplete");
    out << piece;
    size -= piece.size();
  }
  out.close();
}

}  // namespace

int main(int argc, char** argv) try {
  if (argc != 4) throw std::invalid_argument("usage: file_client port put|get path");
  const std::string verb = argv[2];
  const std::filesystem::path path = argv[3];
  const std::string name = path.filename().string();
  sk::socket s = sk::create_connection({"127.0.0.1", std::stoi(argv[1])}, 30);
  if (verb == "put") {
    s.sendall("PUT " + name + ' ' + std::to_string(std::filesystem::file_size(path)) + '\n');
    s.sendfile(path);
  } else {
    s.sendall("GET " + name + '\n');
  }
  sk::file f = s.makefile();
  std::string answer = f.readline(1000);
  if (answer.compare(0, 2, "OK") != 0) {
    std::cerr << answer;
    return 1;
  }
  if (verb == "get") download(f, path, std::stoull(answer.substr(2)));
  std::cout << verb << ' ' << name << " done\n";
} catch (const std::exception& e) {
  std::cerr << e.what() << '\n';
  return 1;
}
