// SPDX-License-Identifier: MIT
// Serves and stores the files of a folder: a line `GET name`, or `PUT name size` and then the
// bytes. file_server folder [port]. In Python:
//
//     import os, pathlib, socket, sys, tempfile, threading
//
//     def store(f, target, size):
//         number, part = tempfile.mkstemp(dir=target.parent, prefix='.')
//         try:
//             with open(number, 'wb') as out:
//                 while size > 0:
//                     piece = f.read(min(size, 65536))
//                     if not piece:
//                         raise EOFError('the upload is incomplete')
//                     out.write(piece)
//                     size -= len(piece)
//             os.replace(part, target)
//         except BaseException:
//             os.remove(part)
//             raise
//
//     def serve(conn):
//         conn.settimeout(30)
//         try:
//             with conn, conn.makefile('rwb') as f:
//                 verb, name, size = (f.readline(1000).decode().split() + ['', '', '0'])[:3]
//                 target = pathlib.Path(sys.argv[1], name)
//                 if name.startswith('.') or set(name) & set('/\\:'):
//                     f.write(b'ERROR bad name\n')
//                 elif verb == 'PUT':
//                     store(f, target, int(size))
//                     f.write(b'OK\n')
//                 elif verb == 'GET' and target.is_file():
//                     f.write(b'OK %d\n' % target.stat().st_size)
//                     f.flush()
//                     conn.sendfile(open(target, 'rb'))
//                 else:
//                     f.write(b'ERROR no such file or command\n')
//         except (OSError, EOFError, ValueError) as e:
//             print(e, file=sys.stderr)
//
//     s = socket.create_server(('', int(sys.argv[2]) if sys.argv[2:] else 50007))
//     print('Listening on', s.getsockname(), flush=True)
//     while True:
//         threading.Thread(target=serve, args=(s.accept()[0],), daemon=True).start()
#include <filesystem>
#include <fstream>
#include <iostream>
#include <pysock/pysock.hpp>
#include <random>
#include <sstream>
#include <thread>

namespace sk = pysock;

namespace {

// Other clients see the old file until the upload is complete.
void store(sk::file& f, const std::string& target, std::uintmax_t size) {
  const std::string part = target + ".part" + std::to_string(std::random_device()());
  try {
    std::ofstream out(part, std::ios::binary);
    out.exceptions(std::ios::badbit | std::ios::failbit);
    for (std::string piece; size > 0; size -= piece.size()) {
      piece = f.read(size < 65536 ? static_cast<std::ptrdiff_t>(size) : 65536);
      if (piece.empty()) throw std::runtime_error("the upload is incomplete");
      out << piece;
    }
    out.close();
    std::filesystem::rename(part, target);
  } catch (...) {
    std::filesystem::remove(part);
    throw;
  }
}

void serve(const std::string& folder, sk::socket conn) try {
  conn.settimeout(30);
  sk::file f = conn.makefile("rw");
  std::istringstream request(f.readline(1000));
  std::string verb, name;
  request >> verb >> name;
  const std::string target = folder + '/' + name;
  if (name.empty() || name[0] == '.' || name.find_first_of("/\\:") != std::string::npos) {
    f << "ERROR bad name\n";
  } else if (std::uintmax_t size = 0; verb == "PUT" && request >> size) {
    store(f, target, size);
    f << "OK\n";
  } else if (verb == "GET" && std::filesystem::is_regular_file(target)) {
    f << "OK " << std::filesystem::file_size(target) << '\n' << std::flush;
    conn.sendfile(target);
  } else {
    f << "ERROR no such file or command\n";
  }
  f.close();
  conn.close_gracefully(5);  // a reset, after data that was not read, could destroy the answer
} catch (const std::exception& e) {
  std::cerr << e.what() << '\n';
}

}  // namespace

int main(int argc, char** argv) try {
  if (argc < 2) throw std::invalid_argument("usage: file_server folder [port]");
  sk::socket s = sk::create_server({"", argc > 2 ? std::stoi(argv[2]) : 50007});
  std::cout << "Listening on " << s.getsockname() << std::endl;
  while (true) std::thread(serve, std::string(argv[1]), s.accept().conn).detach();
} catch (const std::exception& e) {
  std::cerr << e.what() << '\n';
  return 1;
}
