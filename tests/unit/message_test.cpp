// SPDX-License-Identifier: MIT
#include <pysock/message.hpp>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <climits>
#include <cstdint>
#include <functional>
#include <list>
#include <optional>
#include <pysock/socket.hpp>
#include <random>
#include <string>
#include <vector>

#include "support/allocations.hpp"
#include "support/catch.hpp"
#include "support/cmsg_macros.hpp"
#include "support/failure.hpp"
#include "support/fake_sys.hpp"
#include "support/native.hpp"

using fake::called;
using fake::event;
using fake::fails;
using fake::lines;
using pysock::ancillary_data;
using pysock::ancillary_view;
using pysock::cmsg_len;
using pysock::cmsg_space;
using pysock::const_buffers;
using pysock::const_bytes;
using pysock::control_message;
using pysock::mutable_buffers;
using pysock::mutable_bytes;
using test_support::failure;
using test_support::failure_of;
using test_support::message_with_control;

using test_support::errno_text;

namespace {

struct plain {
  int number;
  char letter;
};

std::string text(const_bytes bytes) { return std::string(bytes.view()); }

template <class T>
std::string bytes_of(const T& value) {
  return std::string(reinterpret_cast<const char*>(&value), sizeof value);
}

// Level, type and data of a message, as an iteration returns them.
struct item {
  int level;
  int type;
  std::string data;
  bool operator==(const item& other) const {
    return level == other.level && type == other.type && data == other.data;
  }
};
using items = std::vector<item>;

items walk(ancillary_view view) {
  items found;
  for (const auto& [level, type, data] : view) found.push_back({level, type, text(data)});
  return found;
}
items walk(const ancillary_data& data) { return walk(data.view()); }

// The same with the system's macros, which cause warnings on some systems.
#if defined(__GNUC__)
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wsign-compare"
#endif
items walk_by_macros(std::string raw) {
  alignas(cmsghdr) char buffer[4096];
  raw.copy(buffer, sizeof buffer);
  msghdr header = message_with_control(buffer, raw.size());
  items found;
  for (cmsghdr* at = CMSG_FIRSTHDR(&header); at != nullptr; at = CMSG_NXTHDR(&header, at)) {
    found.push_back(
        {at->cmsg_level, at->cmsg_type,
         std::string(reinterpret_cast<const char*>(CMSG_DATA(at)), at->cmsg_len - CMSG_LEN(0))});
  }
  return found;
}
#if defined(__GNUC__)
#pragma GCC diagnostic pop
#endif

// A header as in a buffer, with any length.
std::string header(std::size_t length, int level = 1, int type = 2) {
  cmsghdr head{};
  head.cmsg_len = static_cast<decltype(head.cmsg_len)>(length);
  head.cmsg_level = level;
  head.cmsg_type = type;
  std::string made = bytes_of(head);
  made.resize(CMSG_LEN(0));
  return made;
}

bool stop(void*) noexcept { return false; }

// A range whose size exceeds the memory.
struct endless {
  [[nodiscard]] const const_bytes* data() const noexcept { return nullptr; }
  [[nodiscard]] std::size_t size() const noexcept {
    return SIZE_MAX / sizeof(pysock::detail::sys::buffer);
  }
};

}  // namespace

// ---- lengths ----

TEST_CASE("cmsg_len and cmsg_space are the system's") {
  for (unsigned n = 0; n < 70; ++n) {
    CAPTURE(n);
    CHECK(cmsg_len(n) == CMSG_LEN(n));
    CHECK(cmsg_space(n) == CMSG_SPACE(n));
  }
  CHECK(cmsg_len(std::size_t{100}) == cmsg_len(100LL));
  CHECK(cmsg_space(3 * sizeof(int)) == cmsg_space(static_cast<short>(3 * sizeof(int))));
}

TEST_CASE("cmsg_len and cmsg_space on 64-bit Linux") {
  if (sizeof(void*) != 8 || sizeof(cmsghdr) != 16) SKIP_TEST("another ABI");
  CHECK(std::array{cmsg_len(0), cmsg_len(1), cmsg_len(4), cmsg_len(8), cmsg_len(9)} ==
        std::array<std::size_t, 5>{16, 17, 20, 24, 25});
  CHECK(std::array{cmsg_space(0), cmsg_space(1), cmsg_space(4), cmsg_space(8), cmsg_space(9)} ==
        std::array<std::size_t, 5>{16, 24, 24, 24, 32});
}

TEST_CASE("cmsg_len and cmsg_space refuse what Python refuses") {
  CHECK(failure_of([] { return cmsg_len(-1); }) == "out_of_range");
  CHECK(failure_of([] { return cmsg_space(-1); }) == "out_of_range");
  CHECK(failure_of([] { return cmsg_len(LLONG_MIN); }) == "out_of_range");
  CHECK(failure_of([] { return cmsg_len(SIZE_MAX); }) == "out_of_range");
  CHECK(failure_of([] { return cmsg_space(SIZE_MAX); }) == "out_of_range");
  CHECK(failure_of([] { return cmsg_space(0x7fffffff - cmsg_space(1) + 1); }) == "out_of_range");
  CHECK(cmsg_space(0x7fffffff - cmsg_space(1)) == CMSG_SPACE(0x7fffffff - CMSG_SPACE(1)));
  const std::size_t most = INT_MAX - cmsg_len(0);
  CHECK(cmsg_len(most) == INT_MAX);
  CHECK(failure_of([most] { return cmsg_len(most + 1); }) == "out_of_range");
  CHECK(failure_of([most] { return cmsg_space(most); }) == "out_of_range");
}

// ---- control messages ----

TEST_CASE("a control message is made from bytes, numbers, structures and ranges") {
  CHECK(text(control_message(1, 2, "ab\0c").data) == std::string("ab\0c", 4));
  CHECK(text(control_message(1, 2, std::string("text")).data) == "text");
  CHECK(text(control_message(1, 2, 7).data) == bytes_of(7));
  CHECK(text(control_message(1, 2, std::uint8_t{7}).data) == "\x07");
  CHECK(text(control_message(1, 2, {3, 4}).data) == bytes_of(std::array{3, 4}));
  const plain value{5, 'x'};
  CHECK(control_message(1, 2, value).data.size() == sizeof value);
  CHECK(control_message(1, 2, value).as<plain>().letter == 'x');
  const int array[] = {6, 7, 8};
  CHECK(text(control_message(1, 2, array).data) == bytes_of(array));
  CHECK(text(control_message(1, 2, std::vector<int>{6, 7, 8}).data) == bytes_of(array));
  CHECK(text(control_message(1, 2, std::array{6, 7, 8}).data) == bytes_of(array));
  CHECK(control_message(1, 2, {}).data.empty());
  const control_message empty;
  CHECK((empty.level == 0 && empty.type == 0 && empty.data.empty()));
  STATIC_REQUIRE_FALSE(std::is_constructible_v<control_message, int, int, int*>);
  STATIC_REQUIRE_FALSE(std::is_constructible_v<control_message, int, int, std::nullptr_t>);
  STATIC_REQUIRE_FALSE(
      std::is_constructible_v<control_message, int, int, std::vector<std::string>>);
}

TEST_CASE("a control message owns its values, and copies of it do", "[sendmsg]") {
  // Made from temporaries.
  const control_message number(IPPROTO_IP, IP_TTL, 5);
  const control_message handles{SOL_SOCKET, SCM_RIGHTS, {3, 4}};
  const control_message many(1, 2, std::vector<int>(100, 7));
  const auto is_intact = [](const control_message& n, const control_message& h,
                            const control_message& m) {
    return n.as<int>() == 5 && h.as_array<int>() == std::vector<int>{3, 4} &&
           m.as_array<int>() == std::vector<int>(100, 7);
  };
  CHECK(is_intact(number, handles, many));

  std::vector<control_message> copies = {number, handles, many};
  CHECK(copies[0].data.data() != number.data.data());
  CHECK(copies[2].data.data() != many.data.data());
  std::swap(copies[0], copies[2]);
  copies.insert(copies.begin(), number);  // reallocates the vector
  copies.reserve(100);
  CHECK(is_intact(copies[0], copies[2], copies[1]));
  CHECK(copies[3].as<int>() == 5);
  copies[2] = copies[3];
  copies[3] = many;
  copies[0] = *&copies[0];
  CHECK(copies[2].as<int>() == 5);
  CHECK(is_intact(copies[0], handles, copies[3]));

  control_message part = number;
  part.data = part.data.after(1);
  control_message copy = part;
  part = many;
  CHECK(text(copy.data) == bytes_of(5).substr(1));
  CHECK(is_intact(number, handles, part));
}

TEST_CASE("a control message refers to bytes, and so do copies of it", "[sendmsg]") {
  const std::string raw = "bytes";
  const control_message message(1, 2, raw);
  control_message copy = message;
  CHECK(message.data.data() == raw.data());
  CHECK(copy.data.data() == raw.data());
  copy = control_message(3, 4, 5);
  CHECK((copy.level == 3 && copy.type == 4 && copy.as<int>() == 5));
  copy = message;
  CHECK(copy.data.data() == raw.data());
}

TEST_CASE("a control message has structured bindings for level, type and data", "[recvmsg]") {
  control_message message(1, 2, 7);
  auto& [level, type, data] = message;
  CHECK(level == 1);
  CHECK(type == 2);
  CHECK(text(data) == bytes_of(7));
  level = 5;
  CHECK(message.level == 5);
  const auto [copied_level, copied_type, copied_data] = control_message(3, 4, 9);
  CHECK(copied_level == 3);
  CHECK(copied_type == 4);
  CHECK(text(copied_data) == bytes_of(9));
  STATIC_REQUIRE(std::is_same_v<decltype(copied_level), const int>);
  STATIC_REQUIRE(std::is_same_v<decltype(data), const_bytes>);
}

TEST_CASE("control messages hold C structures, not classes of C++", "[sendmsg]") {
  STATIC_REQUIRE(std::is_constructible_v<control_message, int, int, plain>);
  STATIC_REQUIRE(std::is_constructible_v<control_message, int, int, in_addr>);
  STATIC_REQUIRE(std::is_constructible_v<control_message, int, int, std::array<int, 3>>);
  STATIC_REQUIRE_FALSE(std::is_constructible_v<control_message, int, int, std::chrono::seconds>);
  STATIC_REQUIRE_FALSE(std::is_constructible_v<control_message, int, int, std::optional<int>>);
  STATIC_REQUIRE_FALSE(
      std::is_constructible_v<control_message, int, int, std::vector<std::chrono::milliseconds>>);
  STATIC_REQUIRE_FALSE(
      std::is_constructible_v<control_message, int, int, std::reference_wrapper<int>>);
}

TEST_CASE("a control message is read as a number, a structure or an array") {
  const std::array<int, 3> numbers = {1, -2, 3};
  const std::string raw =
      "?" + bytes_of(numbers) + "##";  // unaligned, and not a multiple of sizeof(int)
  const control_message message(SOL_SOCKET, SCM_RIGHTS, const_bytes(raw).after(1));
  CHECK(message.as<int>() == 1);
  CHECK(message.as<std::array<int, 3>>() == numbers);
  CHECK(message.as_array<int>() == std::vector<int>(numbers.begin(), numbers.end()));
  CHECK(message.as_array<std::array<char, 15>>().empty());

  const control_message shorter(SOL_SOCKET, SCM_RIGHTS, "abc");
  CHECK(failure_of([&] { return shorter.as<int>(); }) == "invalid_argument");
  CHECK(shorter.as_array<int>().empty());
  CHECK(shorter.as<char>() == 'a');
}

TEST_CASE("ancillary_data has the system's layout") {
  ancillary_data made = {
      {SOL_SOCKET, SCM_RIGHTS, {3, 4, 5}}, {IPPROTO_IP, IP_TTL, 64}, {9, 8, ""}, {7, 6, "odd"}};
  const items expected = {{SOL_SOCKET, SCM_RIGHTS, bytes_of(std::array{3, 4, 5})},
                          {IPPROTO_IP, IP_TTL, bytes_of(64)},
                          {9, 8, ""},
                          {7, 6, "odd"}};
  CHECK(walk(made) == expected);
  CHECK(walk_by_macros(text(made.view().raw())) == expected);
  CHECK(made.view().raw().size() == cmsg_space(12) + cmsg_space(4) + cmsg_space(0) + cmsg_space(3));
  CHECK(reinterpret_cast<std::uintptr_t>(made.view().raw().data()) % alignof(cmsghdr) == 0);
  CHECK(made.size() == 4);
  CHECK_FALSE(made.empty());

  made.add({5, 4, "more"});
  CHECK(made.size() == 5);
  CHECK(walk_by_macros(text(made.view().raw())) == walk(made));
  const ancillary_data copy = made;
  CHECK(walk(copy) == walk(made));
}

TEST_CASE("ancillary_data without messages is empty") {
  const ancillary_data none;
  CHECK(none.empty());
  CHECK(none.size() == 0);
  CHECK(none.begin() == none.end());
  CHECK(none.view().raw().empty());
  CHECK(walk(ancillary_view()).empty());
  CHECK(ancillary_data{}.view().raw().data() == nullptr);
}

TEST_CASE("the iterator of control messages is a standard input iterator") {
  const ancillary_data made = {{1, 2, "a"}, {3, 4, "b"}};
  const auto found =
      std::find_if(made.begin(), made.end(), [](const control_message& m) { return m.level == 3; });
  REQUIRE(found != made.end());
  CHECK(found->type == 4);
  auto it = made.begin();
  CHECK((it++)->level == 1);
  CHECK(it == found);
  CHECK(++it == made.end());
}

TEST_CASE("iterating is safe for any contents of the buffer") {
  const std::string good =
      header(CMSG_LEN(4)) + "good" + std::string(CMSG_SPACE(4) - CMSG_LEN(4), '\0');
  const auto seen = [&good](const std::string& rest) {
    items found = walk(ancillary_view(const_bytes(good + rest)));
    REQUIRE_FALSE(found.empty());
    CHECK(found.front() == item{1, 2, "good"});
    found.erase(found.begin());
    return found;
  };
  CHECK(seen("").empty());
  CHECK(seen("x").empty());
  CHECK(seen(header(CMSG_LEN(4)).substr(1)).empty());     // shorter than a header
  CHECK(seen(header(0) + "data").empty());                // the iterator would not advance
  CHECK(seen(header(CMSG_LEN(0) - 1) + "data").empty());  // shorter than its header
  CHECK(seen(header(CMSG_LEN(0))) == items{{1, 2, ""}});  // only a header
  CHECK(seen(header(CMSG_LEN(9)) + "cut") == items{{1, 2, "cut"}});  // the part that fits
  CHECK(seen(header(SIZE_MAX) + "cut") == items{{1, 2, "cut"}});     // a length that would overflow
  CHECK(seen(header(SIZE_MAX - 6) + "cut") == items{{1, 2, "cut"}});
  CHECK(seen(header(CMSG_LEN(4)) + "last") == items{{1, 2, "last"}});  // no padding after the last
  CHECK(seen(header(CMSG_LEN(1)) + "l") == items{{1, 2, "l"}});
  CHECK(seen(header(CMSG_LEN(9)) + "cut" + std::string(64, '\0')).size() ==
        1);  // trailing zeros are no message
}

TEST_CASE("iterating is safe on random bytes, at every alignment") {
  std::mt19937 random(20130);
  for (int round = 0; round < 20000; ++round) {
    // As large as the view, so that a sanitizer reports a read beyond it.
    std::vector<char> raw(random() % 80);
    for (char& byte : raw) byte = static_cast<char>(random() % 4 == 0 ? random() % 40 : 0);
    const std::size_t skip = raw.empty() ? 0 : random() % std::min<std::size_t>(raw.size(), 8);
    std::size_t total = 0;
    for (const control_message& message : ancillary_view(const_bytes(raw).after(skip)))
      total += cmsg_len(message.data.size());
    CHECK(total <= raw.size());
  }
}

TEST_CASE("a copy of received messages is well-formed, and can be added to") {
  const std::string raw = header(CMSG_LEN(4)) + "good" +
                          std::string(CMSG_SPACE(4) - CMSG_LEN(4), '\0') + header(CMSG_LEN(9)) +
                          "cut";
  ancillary_data copy{ancillary_view(const_bytes(raw))};
  copy.add({3, 4, "added"});
  const items expected = {{1, 2, "good"}, {1, 2, "cut"}, {3, 4, "added"}};
  CHECK(walk(copy) == expected);
  CHECK(walk_by_macros(text(copy.view().raw())) == expected);
}

TEST_CASE("too much ancillary data is rejected before it is read") {
  const char* volatile nothing = "";  // not read; volatile hides its size from the compiler
  const std::size_t limit = INT_MAX;
  const control_message large(1, 2, const_bytes(nothing, limit / 2));
  const auto code_of = [](const auto& call) {
    try {
      call();
    } catch (const pysock::error& e) {
      CHECK_FALSE(e.errnum());
      return e.code();
    }
    return std::error_code();
  };
  CHECK(code_of([&] {
          return ancillary_data({control_message(1, 2, const_bytes(nothing, limit))});
        }) == pysock::errc::ancillary_too_large);
  CHECK(code_of([&] {
          return ancillary_data({control_message(1, 2, const_bytes(nothing, SIZE_MAX))});
        }) == pysock::errc::ancillary_too_large);
  CHECK(code_of([&] {
          return ancillary_data({large, large});
        }) == pysock::errc::ancillary_too_large);
  ancillary_data some = {{1, 2, "kept"}};
  CHECK(code_of([&] {
          some.add({1, 2, const_bytes(nothing, limit)});
        }) == pysock::errc::ancillary_too_large);
  CHECK(walk(some) == items{{1, 2, "kept"}});
}

// ---- buffers ----

TEST_CASE("buffers to send come from lists and ranges") {
  const auto joined = [](const const_buffers& buffers) {
    std::string all;
    for (std::size_t i = 0; i < buffers.size(); ++i) all += text(buffers[i]) + "|";
    CHECK(buffers.total() + buffers.size() == all.size());
    return all;
  };
  const std::string head = "head";
  const std::vector<unsigned char> body = {'b', 'o'};
  const std::vector<std::string> strings = {"one", "", "three"};
  std::array<const_bytes, 2> views = {"x", "yz"};
  std::string array[] = {"p", "q"};
  CHECK(joined({}) == "");
  CHECK(const_buffers().empty());
  CHECK(joined({"a\0b", head, body}) == std::string("a\0b|head|bo|", 12));
  CHECK(joined({head}) == "head|");
  CHECK(joined(strings) == "one||three|");
  CHECK(joined(std::vector<std::string>{"temporary"}) == "temporary|");
  CHECK(joined(views) == "x|yz|");
  CHECK(joined(array) == "p|q|");
  STATIC_REQUIRE_FALSE(std::is_constructible_v<const_buffers, const char(&)[4]>);
  STATIC_REQUIRE_FALSE(std::is_constructible_v<const_buffers, std::string>);
  STATIC_REQUIRE_FALSE(std::is_constructible_v<const_buffers, std::vector<int>>);
  STATIC_REQUIRE_FALSE(
      std::is_constructible_v<const_buffers,
                              std::vector<const char*>>);  // a null pointer in it would be found
                                                           // too late
  STATIC_REQUIRE_FALSE(std::is_constructible_v<const_buffers, std::list<std::string>>);
}

TEST_CASE("buffers to fill do not accept temporaries") {
  char buffer[3];
  std::string owner(4, ' ');
  std::vector<std::string> owners = {"ab", "cde"};
  std::array<mutable_bytes, 2> views = {mutable_bytes(buffer), mutable_bytes(owner)};
  CHECK(mutable_buffers({buffer, owner}).total() == 7);
  CHECK(mutable_buffers(owners).total() == 5);
  CHECK(mutable_buffers(views)[1].data() == owner.data());
  CHECK(mutable_buffers(std::vector<mutable_bytes>{buffer})[0].size() == 3);
  STATIC_REQUIRE(std::is_constructible_v<mutable_buffers, std::vector<std::string>&>);
  STATIC_REQUIRE_FALSE(std::is_constructible_v<mutable_buffers, const std::vector<std::string>&>);
  STATIC_REQUIRE_FALSE(std::is_constructible_v<mutable_buffers, std::vector<std::string>>);
  STATIC_REQUIRE_FALSE(std::is_constructible_v<mutable_buffers, std::vector<const_bytes>&>);
}

// ---- sendmsg ----

TEST_CASE("sendmsg passes buffers, control messages, flags and address to the system") {
  const fake::session session;
  pysock::socket s(AF_INET, SOCK_DGRAM);
  const ancillary_data ancdata = {{IPPROTO_IP, IP_TTL, 5}};
  CHECK(s.sendmsg({"head", "", "body"}, ancdata, MSG_DONTROUTE, {"127.0.0.1", 9}) == 8);
  CHECK(s.sendmsg({"plain"}) == 5);
  CHECK(fake::log("sendmsg") ==
        lines{called("sendmsg", s.fileno(), 8, cmsg_space(4), MSG_DONTROUTE, "127.0.0.1:9"),
              called("sendmsg", s.fileno(), 5, 0, 0, "null")});
  CHECK(fake::sent() == "headbodyplain");
  CHECK(fake::sent_messages()[0].control == text(ancdata.view().raw()));
}

TEST_CASE("sendmsg without buffers makes the system call") {
  const fake::session session;
  pysock::socket s(AF_INET, SOCK_DGRAM);
  CHECK(s.sendmsg({}) == 0);
  std::error_code ec = std::make_error_code(std::errc::io_error);
  CHECK(s.sendmsg({}, ec) == 0);
  CHECK_FALSE(ec);
  std::vector<pysock::const_bytes> none;
  none.reserve(1);  // it has a pointer, but no buffer
  CHECK(s.sendmsg(none) == 0);
  CHECK(fake::count("sendmsg") == 3);
  CHECK(fake::sent_messages().size() == 3);
}

TEST_CASE("sendmsg takes many buffers") {
  const fake::session session;
  pysock::socket s;
  for (const std::size_t count : {15U, 16U, 17U, 5000U}) {
    const std::vector<std::string> pieces(count, "ab");
    std::error_code ec = std::make_error_code(std::errc::io_error);
    CHECK(s.sendmsg(pieces) == 2 * count);
    CHECK(s.sendmsg(pieces, ec) == 2 * count);
    CHECK_FALSE(ec);
  }
}

TEST_CASE("sendmsg refuses addresses as sendto does") {
  const fake::session session;
  pysock::socket s(AF_INET, SOCK_DGRAM);
  CHECK(failure_of([&] { return s.sendmsg({"x"}, {}, 0, "/tmp/path"); }) == "invalid_argument");
  std::error_code ec;
  CHECK(s.sendmsg({"x"}, {}, 0, pysock::address("/tmp/path"), ec) == 0);
  CHECK(ec == pysock::bad_argument::address_form);
  CHECK(fake::count("sendmsg") == 0);
  fake::on_sendmsg({fails(EMSGSIZE)});
  try {
    (void)s.sendmsg({"x"}, {}, 0, {"127.0.0.1", 9});
    FAIL("not thrown");
  } catch (const pysock::error& e) {
    CHECK(std::string(e.what()) == "sendmsg ('127.0.0.1', 9): " + errno_text(EMSGSIZE));
  }
}

TEST_CASE("sendmsg waits as the other calls do") {
  const fake::session session;
  pysock::socket s;
  s.settimeout(0.5);
  fake::clear_log();
  SECTION("until the socket is writable") {
    fake::on_sendmsg({fails(EAGAIN), fails(EINTR), fake::takes(3)});
    fake::on_poll({fake::ready_after(20)});
    CHECK(s.sendmsg({"four"}) == 3);
    const std::string call =
        called("sendmsg", s.fileno(), 4, 0, pysock::detail::sys::dont_wait, "null");
    CHECK(fake::log() == lines{call, called("poll", s.fileno(), event::write, 500), call, call});
  }
  SECTION("until the time is over") {
    fake::on_sendmsg({fails(EAGAIN)});
    fake::on_poll({fake::times_out()});
    CHECK(failure_of([&] { return s.sendmsg({"x"}); }) == "timeout");
    CHECK(fake::elapsed() == std::chrono::milliseconds(500));
  }
  SECTION("until the hook ends it") {
    s.set_interrupt_hook(stop, nullptr);
    fake::on_sendmsg({fails(EINTR)});
    std::error_code ec;
    CHECK(s.sendmsg({"x"}, ec) == 0);
    CHECK(ec == std::errc::interrupted);
  }
  SECTION("not at all") {
    s.setblocking(false);
    fake::on_sendmsg({fails(EAGAIN), fails(EAGAIN)});
    CHECK(failure_of([&] { return s.sendmsg({"x"}); }) == failure("blocking_io_error", EAGAIN));
    std::error_code ec;
    CHECK(s.sendmsg({"x"}, ec) == 0);
    CHECK(ec == std::errc::resource_unavailable_try_again);
    CHECK(fake::count("poll") == 0);
  }
}

TEST_CASE("a failed allocation for many buffers is reported, not thrown") {
  const fake::session session;
  pysock::socket s;
  std::error_code ec;
  CHECK(s.sendmsg(endless(), ec) == 0);
  CHECK(ec == std::errc::not_enough_memory);
  CHECK_THROWS_AS(s.sendmsg(endless()), std::bad_alloc);
  CHECK(fake::count("sendmsg") == 0);
}

TEST_CASE("recvmsg_into without memory for control messages receives nothing") {
  const fake::session session;
  pysock::socket s;
  fake::on_recvmsg({fake::gives("data")});
  char buffer[4];
  std::error_code ec;
  pysock::recvmsg_into_result result;
  CHECK(test_support::fails_to_allocate(1,
                                        [&] { result = s.recvmsg_into({buffer}, 100000, 0, ec); }));
  CHECK(ec == std::errc::not_enough_memory);
  CHECK(result.nbytes == 0);
  CHECK(fake::count("recvmsg") == 0);
  CHECK(s.recvmsg_into({buffer}, 100000).nbytes == 4);
}

// ---- recvmsg ----

TEST_CASE("recvmsg returns data, control messages, flags and sender") {
  const fake::session session;
  pysock::socket s(AF_INET, SOCK_DGRAM);
  fake::on_recvmsg({fake::gives("hello")
                        .with_flags(MSG_TRUNC)
                        .with_control(IPPROTO_IP, IP_TTL, bytes_of(64))
                        .from(fake::inet({127, 0, 0, 1}, 9))});
  const auto [data, ancdata, flags, from] = s.recvmsg(10, cmsg_space(sizeof(int)), MSG_PEEK);
  CHECK(data == "hello");
  CHECK(walk(ancdata) == items{{IPPROTO_IP, IP_TTL, bytes_of(64)}});
  CHECK(flags == MSG_TRUNC);
  CHECK(from == pysock::address("127.0.0.1", 9));
  CHECK(fake::log("recvmsg") == lines{called("recvmsg", s.fileno(), 10, cmsg_space(sizeof(int)),
                                             MSG_PEEK | pysock::detail::sys::cloexec_flag())});
}

TEST_CASE("recvmsg without control messages and without a sender") {
  const fake::session session;
  pysock::socket s;
  fake::on_recvmsg({fake::gives("stream"), fake::gives("")});
  auto got = s.recvmsg(3);
  CHECK(got.data == "str");
  CHECK(got.ancdata.empty());
  CHECK(got.flags == 0);
  CHECK_FALSE(got.from);
  CHECK(s.recvmsg(100).data == "eam");
  CHECK(s.recvmsg(100).data.empty());
}

TEST_CASE("with MSG_TRUNC recvmsg_into returns the length of the datagram, recvmsg its bytes",
          "[recvmsg][recvmsg_into]") {
  const fake::session session;
  pysock::socket s(AF_INET, SOCK_DGRAM);
  fake::on_recvmsg(
      {fake::gives("0123456789").returning(10), fake::gives("0123456789").returning(10)});
  const auto got = s.recvmsg(4, 0, MSG_TRUNC);
  CHECK(got.data == "0123");
  CHECK(got.flags == MSG_TRUNC);
  char one[2];
  char two[3];
  const auto [nbytes, ancdata, flags, from] = s.recvmsg_into({one, two}, 0, MSG_TRUNC);
  CHECK(nbytes == 10);
  CHECK(flags == MSG_TRUNC);
  CHECK(std::string(one, 2) + std::string(two, 3) == "01234");
}

TEST_CASE("recvmsg takes buffers of every size for data and control messages") {
  const fake::session session;
  pysock::socket s;
  for (const std::size_t size : {0U, 1U, 4096U, 4097U, 65536U, 65537U, 1000000U}) {
    for (const std::size_t control : {0U, 100U, 4096U, 4097U, 65536U, 65537U}) {
      CAPTURE(size, control);
      fake::on_recvmsg({fake::gives(std::string(size, 'x')).with_control(1, 2, "control")});
      const auto got = s.recvmsg(size, control);
      CHECK(got.data == std::string(size, 'x'));
      CHECK(walk(got.ancdata) == (control == 0 ? items{} : items{{1, 2, "control"}}));
      CHECK(got.flags == (control == 0 ? MSG_CTRUNC : 0));
    }
  }
}

TEST_CASE("recvmsg refuses invalid sizes") {
  const fake::session session;
  pysock::socket s;
  const auto negative = static_cast<std::size_t>(-1);
  const std::size_t large = std::size_t{INT_MAX} + 1;
  char buffer[4];
  CHECK(failure_of([&] { return s.recvmsg(negative); }) == "invalid_argument");
  CHECK(failure_of([&] { return s.recvmsg(1, negative); }) == "invalid_argument");
  CHECK(failure_of([&] { return s.recvmsg(1, large); }) == "invalid_argument");
  CHECK(failure_of([&] { return s.recvmsg_into({buffer}, negative); }) == "invalid_argument");
  std::error_code ec;
  CHECK(s.recvmsg_into({buffer}, large, 0, ec).nbytes == 0);
  CHECK(ec == pysock::bad_argument::ancillary_length);
  CHECK_THROWS_AS(s.recvmsg(PTRDIFF_MAX, 1), std::bad_alloc);
  CHECK(fake::count("recvmsg") == 0);
}

TEST_CASE("recvmsg_into fills the buffers in order") {
  const fake::session session;
  pysock::socket s(AF_INET, SOCK_DGRAM);
  char one[2];
  std::string two(3, '-');
  std::vector<char> three(4, '-');
  fake::on_recvmsg(
      {fake::gives("0123456").with_control(1, 2, "x").from(fake::inet({127, 0, 0, 1}, 9))});
  const auto [nbytes, ancdata, flags, from] = s.recvmsg_into({one, two, three}, 100);
  CHECK(nbytes == 7);
  CHECK(std::string(one, 2) + "|" + two + "|" + std::string(three.data(), 4) == "01|234|56--");
  CHECK(walk(ancdata) == items{{1, 2, "x"}});
  CHECK(flags == 0);
  CHECK(from == pysock::address("127.0.0.1", 9));

  fake::on_recvmsg({fake::gives("lost")});
  std::error_code ec = std::make_error_code(std::errc::io_error);
  CHECK(s.recvmsg_into({}, ec).nbytes == 0);  // makes the call, which takes the datagram
  CHECK_FALSE(ec);
  std::vector<std::string> many(1000, "-");
  fake::on_recvmsg({fake::gives(std::string(999, 'z'))});
  CHECK(s.recvmsg_into(many).nbytes == 999);
  CHECK(many[998] + many[999] == "z-");
}

TEST_CASE("recvmsg waits as the other calls do, and repeats the whole request") {
  const fake::session session;
  pysock::socket s(AF_INET, SOCK_DGRAM);
  s.settimeout(0.5);
  fake::clear_log();
  char buffer[10];
  SECTION("until data arrive") {
    fake::on_recvmsg(
        {fails(EAGAIN), fails(EINTR),
         fake::gives("x").with_control(1, 2, "y").from(fake::inet({127, 0, 0, 1}, 9))});
    fake::on_poll({fake::ready_after(20)});
    const auto got = s.recvmsg(10, 100);
    CHECK(got.data == "x");
    CHECK(walk(got.ancdata) == items{{1, 2, "y"}});
    CHECK(got.from.port() == 9);
    const std::string call =
        called("recvmsg", s.fileno(), 10, 100,
               pysock::detail::sys::cloexec_flag() | pysock::detail::sys::dont_wait);
    CHECK(fake::log() == lines{call, called("poll", s.fileno(), event::read, 500), call, call});
  }
  SECTION("until the time is over") {
    fake::on_recvmsg({fails(EAGAIN), fails(EAGAIN)});
    fake::on_poll({fake::times_out(), fake::times_out()});
    CHECK(failure_of([&] { return s.recvmsg(10); }) == "timeout");
    CHECK(failure_of([&] { return s.recvmsg_into({buffer}); }) == "timeout");
  }
  SECTION("until the hook ends it") {
    s.set_interrupt_hook(stop, nullptr);
    fake::on_recvmsg({fails(EINTR)});
    CHECK(failure_of([&] { return s.recvmsg(10); }) == failure("interrupted_error", EINTR));
  }
  SECTION("not at all") {
    s.setblocking(false);
    fake::on_recvmsg({fails(EAGAIN)});
    std::error_code ec;
    const auto got = s.recvmsg_into({buffer}, 100, 0, ec);
    CHECK(ec == std::errc::resource_unavailable_try_again);
    CHECK(got.nbytes == 0);
    CHECK(got.ancdata.empty());
    CHECK(got.flags == 0);
    CHECK_FALSE(got.from);
    CHECK(fake::count("poll") == 0);
  }
}

// ---- received descriptors ----

TEST_CASE("the caller owns received descriptors, which are not inheritable") {
  if (!pysock::detail::cmsg::carries_descriptors(SOL_SOCKET, SCM_RIGHTS))
    SKIP_TEST("the system passes no descriptors");
  const fake::session session;
  {
    pysock::socket s(AF_UNIX);
    fake::on_recvmsg({fake::gives("x").with_descriptors(2)});
    const auto got = s.recvmsg(10, cmsg_space(2 * sizeof(int)));
    const std::vector<int> fds = got.ancdata.begin()->as_array<int>();
    REQUIRE(fds.size() == 2);
    for (const int fd : fds) {
      CHECK_FALSE(fake::is_inheritable(fd));
      pysock::close(fd);
    }
  }
  CHECK(fake::problems() == lines{});
}

TEST_CASE("the result hides MSG_CMSG_CLOEXEC unless the caller passed it") {
  const int cloexec = pysock::detail::sys::cloexec_flag();
  if (cloexec == 0) SKIP_TEST("the system has no MSG_CMSG_CLOEXEC");
  const fake::session session;
  pysock::socket s(AF_UNIX);
  fake::on_recvmsg({fake::gives("x").with_flags(cloexec), fake::gives("x").with_flags(cloexec)});
  CHECK(s.recvmsg(10).flags == 0);
  CHECK(s.recvmsg(10, 0, cloexec).flags == cloexec);
}

TEST_CASE("descriptors of a message that cannot be returned are closed") {
  if (!pysock::detail::cmsg::carries_descriptors(SOL_SOCKET, SCM_RIGHTS))
    SKIP_TEST("the system passes no descriptors");
  const fake::session session;
  const auto a = static_cast<int>(fake::adopt());
  const auto b = static_cast<int>(fake::adopt());
  const auto c = static_cast<int>(fake::adopt());
  const ancillary_data received = {
      {SOL_SOCKET, SCM_RIGHTS, {a, b}}, {IPPROTO_IP, IP_TTL, c}, {SOL_SOCKET, SCM_RIGHTS, {c}}};
  {
    pysock::detail::received_guard guard(received.view());
    guard.dismiss();
  }
  CHECK(fake::closed().empty());
  { const pysock::detail::received_guard guard(received.view()); }
  CHECK(fake::closed() == std::vector<fake::handle>{a, b, c});
}
