// SPDX-License-Identifier: MIT
// Which libraries programs are linked with.
#include <fstream>
#include <sstream>
#include <string>

#include "support/catch.hpp"

namespace {

// A linked program contains the names of its libraries and of the functions that it calls there.
// The test reads the file, because this system's tools may not read another platform's programs.
std::string read(const char* path) {
  std::ostringstream content;
  content << std::ifstream(path, std::ios::binary).rdbuf();
  return content.str();
}

}  // namespace

TEST_CASE("a program that uses only the core needs no OpenSSL", "[ssl]") {
  CHECK(read(PYSOCK_TLS_LIBRARY).find("SSL_CTX_new") != std::string::npos);
  for (const char* core : {PYSOCK_CORE_PROGRAM, PYSOCK_CORE_LIBRARY}) {
    CAPTURE(core);
    const std::string content = read(core);
    CHECK_FALSE(content.empty());
    for (const char* its : {"libssl", "libcrypto", "SSL_CTX_new"})
      CHECK(content.find(its) == std::string::npos);
  }
}
