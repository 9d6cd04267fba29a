// SPDX-License-Identifier: MIT
// The threads of lookups with a timeout.
#include <pthread.h>

#include <cerrno>
#include <csignal>
#include <pysock/resolver.hpp>

#include "support/allocations.hpp"
#include "support/c_library.hpp"
#include "support/catch.hpp"
#include "support/descriptors.hpp"
#include "support/failure.hpp"

namespace sk = pysock;
using namespace test_support;

namespace {

void look_up() { (void)sk::getaddrinfo("host.example", 80, 0, SOCK_STREAM, 0, 0, 30); }

bool is_blocked(int signal) {
  sigset_t mask;
  sigemptyset(&mask);
  ::pthread_sigmask(SIG_BLOCK, nullptr, &mask);
  return sigismember(&mask, signal) == 1;
}

}  // namespace

TEST_CASE("a lookup with a timeout reports that no thread can be started", "[resolver]") {
  bool all_blocked = false;
  const replaced<c_library::pthread_create> no_thread(
      [&all_blocked](pthread_t*, const pthread_attr_t*, void* (*)(void*), void*) {
        all_blocked = is_blocked(SIGINT) && is_blocked(SIGTERM);
        return EAGAIN;
      });
  const auto before = open_descriptors();
  CHECK(failure_of(look_up) == failure("blocking_io_error", EAGAIN));
  CHECK(open_descriptors() == before);
  CHECK(all_blocked);  // a new thread inherits the mask
  CHECK_FALSE(is_blocked(SIGINT));
}

TEST_CASE("a lookup with a timeout reports that memory for its thread is missing", "[resolver]") {
  const replaced<c_library::pthread_create> no_thread(
      [](pthread_t*, const pthread_attr_t*, void* (*)(void*), void*) { return EAGAIN; });
  const auto before = open_descriptors();
  std::size_t of_thread = 0;
  for (std::size_t number = 1;; ++number) {
    CAPTURE(number);
    fail_allocation(number);
    std::string failed = "none";
    try {
      look_up();
    } catch (const sk::error& e) {
      failed = failure("error", e.errnum().value_or(0));
    } catch (const std::bad_alloc&) {
      failed = "bad_alloc";
    }
    if (!stop_failing()) break;
    CHECK((failed == "bad_alloc" || failed == failure("error", ENOMEM)));
    of_thread += failed == failure("error", ENOMEM) ? 1 : 0;
  }
  CHECK(of_thread > 0);
  CHECK(open_descriptors() == before);
}
