// SPDX-License-Identifier: MIT
// The code around the code blocks of docs/threads.md.
#include <sys/wait.h>
#include <unistd.h>
#include <pysock/ssl.hpp>

#include "tls.hpp"

namespace {

BLOCK("threads/fork-and-exec-2") {
  const docs::certificate own;
  sk::socket listener = listening();
  background<int> asking([&] {
    const sk::ssl_context trusting =
        sk::create_default_context(sk::Purpose::SERVER_AUTH, own.certfile());
    sk::ssl_socket s =
        trusting.wrap_socket(sk::create_connection(listener.getsockname(), 30), "localhost");
    EXPECT(s.makefile().read() == "from the child");
    return 0;
  });
  sk::ssl_context context = sk::create_default_context(sk::Purpose::CLIENT_AUTH);
  context.load_cert_chain(own.certfile(), own.keyfile());
#include "threads/fork-and-exec-2.inc"
  int status = 1;
  EXPECT(::waitpid(child, &status, 0) == child && status == 0);
  asking.get();
}

}  // namespace
