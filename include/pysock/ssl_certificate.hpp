// SPDX-License-Identifier: MIT
/// \file
/// A peer's certificate, the result of `getpeercert`. The names are the keys of Python's
/// dictionary.
#pragma once

#include <chrono>   // system_clock, seconds
#include <ostream>  // ostream
#include <string>   // string
#include <vector>   // vector

#include "bytes.hpp"
#include "ssl_error.hpp"

namespace pysock {
inline namespace v1 {

/// One attribute of a distinguished name, or one alternative name of a subject.
struct certificate_name {
  std::string type;   ///< `commonName`, `organizationName`, ...; of alternative names `DNS`, `IP
                      ///< Address`, `email`, `URI`, ...
  std::string value;  ///< As UTF-8.

  /// Prints `commonName=www.python.org`.
  friend std::ostream& operator<<(std::ostream& out, const certificate_name& name) {
    return out << name.type << '=' << name.value;
  }
};

/// The names of a subject or an issuer, in the order of the certificate. (Python: a tuple of tuples
/// of pairs; here one list)
class distinguished_name : public std::vector<certificate_name> {
 public:
  using std::vector<certificate_name>::vector;
  using std::vector<certificate_name>::operator[];

  /// The first value of this type; empty if there is none: `cert.subject["commonName"]`.
  [[nodiscard]] std::string operator[](text type) const {
    for (const certificate_name& name : *this) {
      if (name.type == type.view()) return name.value;
    }
    return {};
  }

  /// Prints `countryName=US, organizationName=Example, commonName=www.example.com`.
  friend std::ostream& operator<<(std::ostream& out, const distinguished_name& names) {
    const char* before = "";
    for (const certificate_name& name : names) {
      out << before << name;
      before = ", ";
    }
    return out;
  }
};

/// A point in time to the second, as certificates have it; its range is larger than that of the
/// system's clock.
using certificate_time = std::chrono::time_point<std::chrono::system_clock, std::chrono::seconds>;

/// A time as Python's `getpeercert` has it: `Jan  1 00:00:00 2020 GMT`.
[[nodiscard]] PYSOCK_SSL_API std::string to_string(certificate_time time);

/// What `ssl_socket::getpeercert` returns.
struct certificate {
  distinguished_name subject;                    ///< The owner.
  distinguished_name issuer;                     ///< The signer.
  int version = 0;                               ///< 3 for all certificates in use.
  std::string serialNumber;                      ///< In hexadecimal digits, `0A3F`.
  certificate_time notBefore;                    ///< The start of its validity.
  certificate_time notAfter;                     ///< The end of its validity.
  std::vector<certificate_name> subjectAltName;  ///< The hosts for which it is valid: `{"DNS",
                                                 ///< "www.python.org"}`, `{"IP Address", "::1"}`.
};

}  // namespace v1
}  // namespace pysock
