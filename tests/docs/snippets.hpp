// SPDX-License-Identifier: MIT
// Headers and names that the code blocks of the documentation assume, and helpers of the sources
// that include the blocks.
#pragma once

#include <chrono>
#include <functional>
#include <future>
#include <iostream>
#include <map>
#include <pysock/pysock.hpp>
#include <string>
#include <thread>
#include <vector>

#include "programs/port.hpp"
#include "support/background.hpp"
#include "support/sockets.hpp"

namespace sk = pysock;
using namespace test_support;

namespace docs {

/// Registers a function that docs_snippets runs by its name.
struct snippet {
  snippet(const char* name, void (*run)());
};

/// Fails the block.
[[noreturn]] void fail(const char* condition);

/// An echo server for one client, in its own thread.
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

#define DOCS_JOIN(a, b) a##b
#define DOCS_BLOCK(name, line)                                                     \
  static void DOCS_JOIN(run_, line)();                                             \
  static const docs::snippet DOCS_JOIN(block_, line)(name, DOCS_JOIN(run_, line)); \
  static void DOCS_JOIN(run_, line)()

/// Begins the function that runs the block of that name.
#define BLOCK(name) DOCS_BLOCK(name, __LINE__)

#define EXPECT(condition) \
  if (!(condition)) docs::fail(#condition)
