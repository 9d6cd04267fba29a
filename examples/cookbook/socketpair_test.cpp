// SPDX-License-Identifier: MIT
// Tests a function that uses a socket, without a server, a port or a thread: the test holds the
// other end of a socketpair. In Python:
//
//     import socket
//
//     def login(s, name):
//         f = s.makefile('rwb')
//         if not f.readline(1000).startswith(b'READY'):
//             return False
//         f.write(f'USER {name}\n'.encode())
//         f.flush()
//         return f.readline(1000) == b'OK\n'
//
//     def prepared(said):
//         s, peer = socket.socketpair()
//         s.settimeout(0.1)
//         peer.settimeout(10)
//         peer.sendall(said)
//         return s, peer
//
//     s, peer = prepared(b'READY\nOK\n')
//     assert login(s, 'ann') and peer.recv(100) == b'USER ann\n'
//
//     s, peer = prepared(b'READY\n')
//     peer.shutdown(socket.SHUT_WR)
//     assert not login(s, 'ann')
//
//     s, peer = prepared(b'READY\n')
//     try:
//         login(s, 'ann')
//         assert False
//     except TimeoutError:
//         pass
//     print('all tests passed')
#include <iostream>
#include <pysock/pysock.hpp>
#include <stdexcept>

namespace sk = pysock;

namespace {

// The function under test.
bool login(sk::socket& s, const std::string& name) {
  sk::file f = s.makefile("rw");
  if (f.readline(1000).compare(0, 5, "READY") != 0) return false;
  f << "USER " << name << '\n';
  f.flush();
  return f.readline(1000) == "OK\n";
}

struct fixture {
  explicit fixture(const std::string& said) {
    ends.first.settimeout(0.1);  // a test without an answer ends soon
    ends.second.settimeout(10);  // a test that fails does not hang
    ends.second.sendall(
        said);  // small enough for the buffer, so the other end need not read it yet
  }
  std::pair<sk::socket, sk::socket> ends = sk::socketpair();
  sk::socket& s = ends.first;
  sk::socket& peer = ends.second;
};

void check(bool condition, const char* what) {
  if (!condition) throw std::logic_error(what);
}

}  // namespace

int main() try {
  fixture good("READY\nOK\n");
  check(login(good.s, "ann"), "logs in");
  check(good.peer.recv(100) == "USER ann\n", "sends the name");

  fixture ends_early("READY\n");
  ends_early.peer.shutdown(SHUT_WR);
  check(!login(ends_early.s, "ann"), "the server ends");

  fixture silent("READY\n");
  try {
    (void)login(silent.s, "ann");
    check(false, "a silent server is a timeout");
  } catch (const sk::timeout&) {
  }
  std::cout << "all tests passed\n";
} catch (const std::exception& e) {
  std::cerr << "failed: " << e.what() << '\n';
  return 1;
}
