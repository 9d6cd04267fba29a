// SPDX-License-Identifier: MIT
// What the code blocks of the documentation may take for granted, and what the comments beside them
// use.
#pragma once

#include <chrono>
#include <cstdlib>
#include <functional>
#include <future>
#include <iostream>
#include <pysock/pysock.hpp>
#include <string>
#include <thread>
#include <vector>

#include "support/background.hpp"
#include "support/sockets.hpp"

namespace sk = pysock;
using namespace test_support;

namespace docs {

/// A block of the documentation, by its page and line.
struct snippet {
  snippet(const char* name, void (*run)());
};

/// The free port that 50007 stands for.
inline int port() { return std::atoi(std::getenv("DOCS_PORT")); }

/// Ends the block as failed.
[[noreturn]] void fail(const char* condition);

/// Sends back what one client says, in a thread of its own.
class echo_server {
 public:
  [[nodiscard]] sk::address address() const { return listener_.getsockname(); }
  [[nodiscard]] int port() const { return address().port(); }

 private:
  sk::socket listener_ = listening();
  background<int> thread_{[this] {
    auto [conn, peer] = listener_.accept();
    for (std::string data; !(data = conn.recv(1024)).empty();) conn.sendall(data);
    return 0;
  }};
};

}  // namespace docs

#define EXPECT(condition) \
  if (!(condition)) docs::fail(#condition)
