// SPDX-License-Identifier: MIT
#include <pysock/ssl_certificate.hpp>

std::string cases(const pysock::distinguished_name& subject) {
#ifdef SUBJECT_OF_NULLPTR
  return subject[nullptr];  // error: deleted|ambiguous
#else
  return subject[0].value + subject["commonName"];
#endif
}
