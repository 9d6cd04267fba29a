// SPDX-License-Identifier: MIT
// Quoted text in errors and addresses: it can be read back, and contains no control characters.
#include <pysock/address.hpp>
#include <pysock/error.hpp>

#include "fuzz.hpp"
#include "src/common/repr.hpp"

namespace sk = pysock;

namespace {

unsigned hex_value(char c) {
  FUZZ_CHECK((c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'));
  return static_cast<unsigned>(c <= '9' ? c - '0' : c - 'a' + 10);
}

// Parses a literal as Python would, and removes it from the front of `repr`.
std::string read_back(std::string_view& repr, bool bytes) {
  const auto take = [&] {
    FUZZ_CHECK(!repr.empty());
    const char c = repr.front();
    repr.remove_prefix(1);
    return c;
  };
  if (bytes) FUZZ_CHECK(take() == 'b');
  const char mark = take();
  FUZZ_CHECK(mark == '\'' || mark == '"');
  std::string value;
  for (char c = take(); c != mark; c = take()) {
    FUZZ_CHECK(static_cast<unsigned char>(c) >= 0x20 && c != 0x7F);
    FUZZ_CHECK(!bytes || static_cast<unsigned char>(c) < 0x7F);
    if (c != '\\') {
      value += c;
      continue;
    }
    switch (c = take()) {
      case 'n':
        value += '\n';
        break;
      case 'r':
        value += '\r';
        break;
      case 't':
        value += '\t';
        break;
      case 'x': {
        const unsigned high = hex_value(take());
        value += static_cast<char>(high * 16 + hex_value(take()));
        break;
      }
      default:
        FUZZ_CHECK(c == '\\' || c == mark);
        value += c;
    }
  }
  // Python's choice of quotes.
  const bool has_single = value.find('\'') != std::string::npos;
  const bool has_double = value.find('"') != std::string::npos;
  FUZZ_CHECK((mark == '"') == (has_single && !has_double));
  return value;
}

void check(const std::string& value, bool bytes) {
  std::string out = "before";
  sk::detail::append_repr(out, value, bytes);
  std::string_view rest = out;
  FUZZ_CHECK(rest.substr(0, 6) == "before");
  rest.remove_prefix(6);
  FUZZ_CHECK(read_back(rest, bytes) == value);
  FUZZ_CHECK(rest.empty());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  fuzz::input in(data, size);
  const int number = static_cast<int>(in.byte()) - 128;
  const std::string value = in.rest();
  check(value, false);
  check(value, true);

  const std::string all = sk::detail::tuple().text(value).number(number).bytes(value).done();
  std::string_view rest = all;
  FUZZ_CHECK(rest.substr(0, 1) == "(");
  rest.remove_prefix(1);
  FUZZ_CHECK(read_back(rest, false) == value);
  const std::string middle = ", " + std::to_string(number) + ", ";
  FUZZ_CHECK(rest.substr(0, middle.size()) == middle);
  rest.remove_prefix(middle.size());
  FUZZ_CHECK(read_back(rest, true) == value);
  FUZZ_CHECK(rest == ")");

  const std::string call = sk::detail::call_text("function", value);
  rest = std::string_view(call).substr(9);
  FUZZ_CHECK(read_back(rest, false) == value);

  // A path in the text of an address and of an error.
  try {
    const sk::address path(value);
    const std::string text = path.to_string();
    rest = text;
    FUZZ_CHECK(read_back(rest, !value.empty() && value.front() == '\0') == value);
  } catch (const sk::error& e) {
    FUZZ_CHECK(std::string(e.what()).find('\0') == std::string::npos);
  } catch (const std::invalid_argument& e) {
    FUZZ_CHECK(e.what()[0] != '\0');
  }
  return 0;
}
