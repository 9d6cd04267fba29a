// SPDX-License-Identifier: MIT
#include <pysock/bytes.hpp>
#include <string>
#include <vector>

void send(pysock::const_bytes data);
void fill(pysock::mutable_bytes buffer);
void name(pysock::text host);

void cases() {
#ifdef CONST_BYTES_FROM_INTEGERS
  send(std::vector<int>{1, 2});  // error: could not convert|cannot convert|no known conversion
#else
  send(std::vector<char>{1, 2});
#endif

#ifdef CONST_BYTES_FROM_ARRAY_OF_INTEGERS
  int numbers[2] = {1, 2};
  send(numbers);  // error: could not convert|cannot convert|no known conversion
#else
  int numbers[2] = {1, 2};
  send({numbers, sizeof numbers});
#endif

#ifdef CONST_BYTES_FROM_ZERO
  send(0);  // error: could not convert|cannot convert|no known conversion|deleted|ambiguous
#else
  send("0");
#endif

#ifdef MUTABLE_BYTES_FROM_CONSTANT_ARRAY
  const char constant[2] = {'a', 'b'};
  fill(constant);  // error: could not convert|cannot convert|no known conversion
#else
  char letters[2] = {'a', 'b'};
  fill(letters);
#endif

#ifdef MUTABLE_BYTES_FROM_POINTER
  char buffer[2] = {};
  char* start = buffer;
  fill(start);  // error: could not convert|cannot convert|no known conversion
#else
  char buffer[2] = {};
  char* start = buffer;
  fill({start, 2});
#endif

#ifdef TEXT_FROM_TWO_TEXTS
  name({"h", "80"});  // error: could not convert|cannot convert|no known conversion|no matching
#else
  name({"h"});
#endif

#ifdef TEXT_FROM_UNSIGNED_BYTES
  const unsigned char raw[2] = {'a', 'b'};
  name(raw);  // error: could not convert|cannot convert|no known conversion
#else
  const char raw[2] = {'a', 'b'};
  name(raw);
#endif
}
