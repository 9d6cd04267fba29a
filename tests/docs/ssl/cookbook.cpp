// SPDX-License-Identifier: MIT
// The code around the code blocks of docs/cookbook.md.
#include <pysock/ssl.hpp>

#include "tls.hpp"

namespace {

BLOCK("cookbook/tls-with-certificates-of-the-clients") {
  const docs::certificate own;
  const std::string certfile = own.certfile(), keyfile = own.keyfile(), cafile = certfile;
#include "cookbook/tls-with-certificates-of-the-clients.inc"
  EXPECT(context.verify_mode() == sk::VerifyMode::CERT_REQUIRED);
}

}  // namespace
