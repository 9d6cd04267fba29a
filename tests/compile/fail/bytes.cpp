// SPDX-License-Identifier: MIT
#include <pysock/bytes.hpp>
#include <string>

void send(pysock::const_bytes data);
void fill(pysock::mutable_bytes buffer);
void name(pysock::text host);

void cases() {
  char buffer[4] = {};
  std::string owner = "abc";

#ifdef CONST_BYTES_FROM_NULLPTR
  send(nullptr);  // error: deleted
#else
  send({nullptr, 0});
#endif

#ifdef CONST_BYTES_FROM_WIDE_TEXT
  send(L"abc");  // error: could not convert|cannot convert|no known conversion
#else
  send("abc");
#endif

#ifdef CONST_BYTES_FROM_INTEGER
  send(5);  // error: could not convert|cannot convert|no known conversion
#else
  send("5");
#endif

#ifdef MUTABLE_BYTES_FROM_LITERAL
  fill("abc");  // error: could not convert|cannot convert|no known conversion
#else
  fill(buffer);
#endif

#ifdef MUTABLE_BYTES_FROM_TEMPORARY
  fill(std::string(4, ' '));  // error: could not convert|cannot convert|no known conversion
#else
  fill(owner);
#endif

#ifdef MUTABLE_BYTES_FROM_CONSTANT
  fill(static_cast<const std::string&>(
      owner));  // error: could not convert|cannot convert|no known conversion
#else
  fill(static_cast<std::string&>(owner));
#endif

#ifdef MUTABLE_BYTES_FROM_NULLPTR
  fill(nullptr);  // error: deleted
#else
  fill({nullptr, 0});
#endif

#ifdef TEXT_FROM_NULLPTR
  name(nullptr);  // error: deleted
#else
  name("localhost");
#endif

#ifdef TEXT_FROM_ZERO
  name(0);  // error: could not convert|cannot convert|no known conversion|deleted|ambiguous
#else
  name("0");
#endif

#ifdef TEXT_FROM_INTEGER
  name(80);  // error: could not convert|cannot convert|no known conversion
#else
  name("80");
#endif
}
