// SPDX-License-Identifier: MIT
#include <array>
#include <cstddef>
#include <pysock/bytes.hpp>
#include <stdexcept>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "support/catch.hpp"

namespace {

// What a function with a parameter of that type receives.
std::string sent(pysock::const_bytes data) { return std::string(data.view()); }
std::size_t size_of(pysock::mutable_bytes data) { return data.size(); }
std::string named(pysock::text name) { return name.str(); }

using namespace std::string_literals;

}  // namespace

TEST_CASE("const_bytes: a literal loses its terminator and keeps its inner NULs", "[bytes]") {
  CHECK(sent("GET /") == "GET /");
  CHECK(sent("a\0b") == "a\0b"s);
  CHECK(sent("a\0") == "a\0"s);
  CHECK(sent("").empty());

  static constexpr char literal[] = "GET /";
  constexpr pysock::const_bytes known = literal;
  static_assert(known.size() == 5 && known.view() == "GET /");
}

TEST_CASE("const_bytes: any other array has all its bytes", "[bytes]") {
  char buffer[8] = {'a', 'b'};
  CHECK(sent(buffer) == "ab\0\0\0\0\0\0"s);
  unsigned char numbers[4] = {1, 0, 255, 0};
  CHECK(sent(numbers) == "\x01\0\xff\0"s);
  const unsigned char constant[2] = {7, 0};
  CHECK(sent(constant) == "\x07\0"s);
  const signed char negative[1] = {-1};
  CHECK(sent(negative) == "\xff");
  const std::byte bytes[2] = {std::byte{65}, std::byte{0}};
  CHECK(sent(bytes) == "A\0"s);
  const char unterminated[3] = {'a', 'b', 'c'};
  CHECK(sent(unterminated) == "abc");
}

TEST_CASE("const_bytes: whole keeps the final zero byte of an array", "[bytes]") {
  static constexpr char greeting[] = {5, 1, 0};
  CHECK(sent(greeting) == "\x05\x01");  // treated as a literal
  CHECK(sent(pysock::whole(greeting)) == "\x05\x01\0"s);
  CHECK(sent(pysock::whole("text")) == "text\0"s);
  static constexpr char zeros[4] = {};
  CHECK(sent(pysock::whole(zeros)) == std::string(4, '\0'));
  unsigned char numbers[2] = {7, 0};
  CHECK(sent(pysock::whole(numbers)) == "\x07\0"s);
  char letters[3] = {'a', 0, 0};
  CHECK(pysock::whole(letters).data() == letters);
  constexpr pysock::const_bytes known = pysock::whole(greeting);
  static_assert(known.size() == 3);
}

TEST_CASE("const_bytes: containers have all their bytes, NULs included", "[bytes]") {
  CHECK(sent("a\0b"s) == "a\0b"s);
  CHECK(sent(std::string_view("a\0b", 3)) == "a\0b"s);
  CHECK(sent(std::vector<unsigned char>{1, 0, 2}) == "\x01\0\x02"s);
  CHECK(sent(std::array<std::byte, 2>{std::byte{65}, std::byte{0}}) == "A\0"s);
  CHECK(sent(std::vector<signed char>{}).empty());
  std::string owner = "abc";
  CHECK(sent(pysock::mutable_bytes(owner)) == "abc");
}

TEST_CASE("const_bytes: a C string ends at its NUL, and must not be null", "[bytes]") {
  char buffer[] = "ab\0cd";
  const char* constant = buffer;
  char* writable = buffer;
  CHECK(sent(constant) == "ab");
  CHECK(sent(writable) == "ab");
  constant = nullptr;
  writable = nullptr;
  CHECK_THROWS_AS(sent(constant), std::invalid_argument);
  CHECK_THROWS_AS(sent(writable), std::invalid_argument);
}

TEST_CASE("const_bytes: a pointer and a length", "[bytes]") {
  const int number = 0;
  CHECK(sent({&number, sizeof number}) == std::string(sizeof number, '\0'));
  CHECK(sent({"abcdef", 3}) == "abc");
  CHECK(sent({nullptr, 0}).empty());
  CHECK(pysock::const_bytes().empty());
}

TEST_CASE("const_bytes: refers to the bytes without a copy", "[bytes]") {
  std::string owner = "abcdef";
  const pysock::const_bytes view = owner;
  CHECK(view.data() == owner.data());
  CHECK_FALSE(view.empty());
  CHECK(view.after(2).view() == "cdef");
  CHECK(view.after(6).empty());
}

TEST_CASE("mutable_bytes: arrays and containers have their current size", "[bytes]") {
  char buffer[8];
  CHECK(size_of(buffer) == 8);
  std::byte bytes[3];
  CHECK(size_of(bytes) == 3);
  std::string owner(5, ' ');
  CHECK(size_of(owner) == 5);
  std::vector<unsigned char> numbers(7);
  CHECK(size_of(numbers) == 7);
  std::array<signed char, 2> few;
  CHECK(size_of(few) == 2);
  CHECK(size_of({buffer, 4}) == 4);
  CHECK(size_of({nullptr, 0}) == 0);
  CHECK(pysock::mutable_bytes().empty());

  const pysock::mutable_bytes view = owner;
  view.data()[1] = 'x';
  CHECK(owner == " x   ");
}

TEST_CASE("bytes: null pointers, integers and read-only data do not convert", "[bytes]") {
  using pysock::const_bytes;
  using pysock::mutable_bytes;
  static_assert(!std::is_convertible_v<std::nullptr_t, const_bytes>);
  static_assert(!std::is_convertible_v<int, const_bytes>);
  static_assert(!std::is_convertible_v<std::wstring, const_bytes>);
  static_assert(!std::is_convertible_v<std::vector<int>, const_bytes>);
  static_assert(!std::is_convertible_v<const char(&)[4], mutable_bytes>);
  static_assert(!std::is_convertible_v<const std::string&, mutable_bytes>);
  static_assert(!std::is_convertible_v<std::string&&, mutable_bytes>);
  static_assert(!std::is_convertible_v<std::string_view&, mutable_bytes>);
  static_assert(!std::is_convertible_v<const_bytes&, mutable_bytes>);
  static_assert(!std::is_convertible_v<char*, mutable_bytes>);
  static_assert(!std::is_convertible_v<std::nullptr_t, pysock::text>);
  static_assert(!std::is_convertible_v<int, pysock::text>);
  static_assert(!std::is_convertible_v<const unsigned char(&)[4], pysock::text>);
  static_assert(!std::is_convertible_v<std::vector<char>, pysock::text>);
  SUCCEED("checked by the compiler");
}

TEST_CASE("text: keeps the inner NULs of literals and strings", "[bytes]") {
  CHECK(named("\0name") == "\0name"s);
  CHECK(named("\0name").size() == 5);
  CHECK(named("localhost") == "localhost");
  CHECK(named("").empty());
  CHECK(named("\0name"s) == "\0name"s);
  CHECK(named(std::string_view("a\0b", 3)) == "a\0b"s);

  static constexpr char literal[] = "\0name";
  constexpr pysock::text known = literal;
  static_assert(known.view().size() == 5);
}

TEST_CASE("text: leaves out the NULs at the end of a constant array", "[bytes]") {
  struct fixed {
    char name[16];
    char path[108];
  };
  const fixed structure = {"eth0", "\0abstract"};
  CHECK(named(structure.name) == "eth0");
  CHECK(named(structure.path) == "\0abstract"s);
  CHECK(named("name\0") == "name");
  CHECK(named("a\0b\0\0") == "a\0b"s);
  const char zeros[4] = {};
  CHECK(named(zeros).empty());
  const char full[2] = {'h', 'i'};
  CHECK(named(full) == "hi");
  CHECK(named(std::string_view("name\0", 5)) == "name\0"s);  // a string_view keeps them
  constexpr pysock::text known = "name\0\0";
  static_assert(known.view() == "name");
}

TEST_CASE("text: C strings and buffers of char end at their first NUL", "[bytes]") {
  const char* constant = "localhost\0junk";
  CHECK(named(constant) == "localhost");
  char buffer[16] = "localhost";
  CHECK(named(buffer) == "localhost");
  char full[2] = {'h', 'i'};
  CHECK(named(full) == "hi");
  char* writable = buffer;
  CHECK(named(writable) == "localhost");
  constant = nullptr;
  CHECK_THROWS_AS(named(constant), std::invalid_argument);
}
