// SPDX-License-Identifier: MIT
// The destructor of a global object that was constructed before every error category compares,
// prints and throws errors of all categories. The exit status is 0 if that works.
#include <pysock/error.hpp>

#include <cstdio>
#include <cstdlib>
#include <vector>
#ifdef PYSOCK_PROBE_SSL
#include <pysock/ssl_error.hpp>
#endif

namespace {

std::vector<std::error_code> codes() {
  return {
      pysock::errc::path_too_long,
      pysock::bad_argument::port,
      {EAI_NONAME, pysock::gai_category()},
      {HOST_NOT_FOUND, pysock::herror_category()},
      {1, pysock::detail::sys::category()},
#ifdef PYSOCK_PROBE_SSL
      pysock::ssl_errc::eof,
      {1, pysock::openssl_category()},
      {1, pysock::verification_category()},
#endif
  };
}

std::string seen(const std::error_code& code) {
  std::string text = std::string(code.category().name()) + " " + code.message() + " " +
                     std::to_string(code.default_error_condition().value());
  try {
    pysock::detail::throw_error(code, "probe");
  } catch (const std::exception& e) {
    text += std::string(" ") + e.what();
  }
  return text;
}

struct global {
  global() = default;
  global(const global&) = delete;
  global& operator=(const global&) = delete;
  ~global() {
    bool good = !before.empty();
    for (std::size_t i = 0; i < before.size(); ++i) {
      const std::string after = seen(codes()[i]);
      if (after == before[i]) continue;
      std::fprintf(stderr, "before: %s\nat exit: %s\n", before[i].c_str(), after.c_str());
      good = false;
    }
    std::fflush(nullptr);
    std::_Exit(good ? 0 : 1);
  }
  std::vector<std::string> before;
} older;

}  // namespace

int main() {
  for (const std::error_code& code : codes()) older.before.push_back(seen(code));
  return 2;  // the destructor replaces it
}
