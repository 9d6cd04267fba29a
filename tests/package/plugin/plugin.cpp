// SPDX-License-Identifier: MIT
// A plug-in with hidden visibility: only its entry point is exported.
#include <pysock/pysock.hpp>

#include "shared.hpp"

namespace {

double default_timeout() {
  const auto timeout = pysock::getdefaulttimeout();
  return timeout ? timeout->count() : -1;
}

void set_default_timeout(double seconds) { pysock::setdefaulttimeout(seconds); }

bool is_timed_out(const std::error_code& code) { return code == pysock::errc::timed_out; }

void refused() {
  pysock::socket nobody_listens;
  nobody_listens.bind({"127.0.0.1", 0});
  pysock::socket().connect(nobody_listens.getsockname());
}

void expire() {
  auto [reader, writer] = pysock::socketpair();
  reader.settimeout(0.001);
  char byte[1];
  reader.recv_into(byte);
}

bool catches(void (*thrower)()) try {
  thrower();
  return false;
} catch (const pysock::timeout&) {
  return true;
} catch (...) {
  return false;
}

}  // namespace

extern "C" PYSOCK_EXPORT const plugin_interface plugin = {
    default_timeout, set_default_timeout, is_timed_out, refused, expire, catches};
