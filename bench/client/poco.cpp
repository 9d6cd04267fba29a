// SPDX-License-Identifier: MIT
// The same client on Poco.
#include <Poco/Net/StreamSocket.h>

int main() {
  Poco::Net::StreamSocket s(Poco::Net::SocketAddress("localhost", 50007));
  s.sendBytes("Hello, world", 12);
  char data[1024];
  return s.receiveBytes(data, sizeof data) == 12 ? 0 : 1;
}
