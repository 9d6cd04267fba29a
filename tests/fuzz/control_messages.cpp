// SPDX-License-Identifier: MIT
// Control messages from arbitrary bytes, and lists of messages.
#include <cstring>
#include <pysock/message.hpp>
#include <vector>

#include "fuzz.hpp"
#include "support/cmsg_macros.hpp"

#ifdef __clang__
#pragma clang diagnostic ignored "-Wsign-compare"  // in musl's CMSG_NXTHDR
#endif

namespace sk = pysock;

namespace {

// Checks that all data lie within the buffer. Returns the number of messages.
std::size_t walk(sk::ancillary_view view, const std::vector<char>& buffer) {
  std::size_t count = 0;
  for (const sk::control_message& message : view) {
    ++count;
    FUZZ_CHECK(count <= buffer.size());
    FUZZ_CHECK(message.data.data() >= buffer.data());
    FUZZ_CHECK(message.data.data() + message.data.size() <= buffer.data() + buffer.size());
    FUZZ_CHECK(message.as_array<int>().size() == message.data.size() / sizeof(int));
    try {
      (void)message.as<std::uint64_t>();
      FUZZ_CHECK(message.data.size() >= sizeof(std::uint64_t));
    } catch (const std::invalid_argument&) {
      FUZZ_CHECK(message.data.size() < sizeof(std::uint64_t));
    }
  }
  FUZZ_CHECK(view.empty() == (count == 0));
  return count;
}

void check_same(sk::ancillary_view view, const sk::ancillary_data& owned) {
  auto expected = view.begin();
  for (const sk::control_message& message : owned) {
    FUZZ_CHECK(expected != view.end());
    FUZZ_CHECK(message.level == expected->level);
    FUZZ_CHECK(message.type == expected->type);
    FUZZ_CHECK(message.data.view() == expected->data.view());
    ++expected;
  }
  FUZZ_CHECK(expected == view.end());
}

// Checks that the system's macros, which need an aligned buffer, read the library's messages.
void compare_with_macros(const sk::ancillary_data& owned) {
  const std::string_view raw = owned.view().raw().view();
  std::vector<std::max_align_t> aligned(raw.size() / sizeof(std::max_align_t) + 1);
  auto* const buffer = reinterpret_cast<char*>(aligned.data());
  if (!raw.empty()) std::memcpy(buffer, raw.data(), raw.size());
  msghdr message = test_support::message_with_control(buffer, raw.size());
  auto expected = owned.begin();
  for (cmsghdr* head = CMSG_FIRSTHDR(&message); head != nullptr;
       head = CMSG_NXTHDR(&message, head)) {
    FUZZ_CHECK(expected != owned.end());
    FUZZ_CHECK(head->cmsg_level == expected->level);
    FUZZ_CHECK(head->cmsg_type == expected->type);
    FUZZ_CHECK(head->cmsg_len == CMSG_LEN(expected->data.size()));
    FUZZ_CHECK(std::memcmp(CMSG_DATA(head), expected->data.view().data(), expected->data.size()) ==
               0);
    ++expected;
  }
  FUZZ_CHECK(expected == owned.end());
}

// Counts the descriptors in the messages without closing them.
void count_descriptors(sk::ancillary_view view) {
  std::size_t found = 0;
  sk::detail::for_each_received(
      view, [&](const sk::control_message& message, sk::native_handle_type handle) {
        FUZZ_CHECK(handle >= 0);
        FUZZ_CHECK(message.level == SOL_SOCKET);
        ++found;
      });
  FUZZ_CHECK(found <= view.raw().size() / sizeof(int));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  fuzz::input in(data, size);

  // A list returns its messages unchanged.
  sk::ancillary_data list;
  std::vector<std::string> kept;
  const std::size_t count = in.number(3);
  for (std::size_t i = 0; i < count; ++i) {
    kept.push_back(in.bytes(in.number(40)));
    list.add({static_cast<int>(in.byte()), static_cast<int>(in.byte()), sk::const_bytes(kept[i])});
  }
  FUZZ_CHECK(list.size() == count);
  std::size_t at = 0;
  for (const sk::control_message& message : list) FUZZ_CHECK(message.data.view() == kept[at++]);
  compare_with_macros(list);

  // Arbitrary bytes, after the list and alone, in blocks of exactly their size, aligned and
  // unaligned.
  const std::string rest = in.rest();
  for (const std::size_t shift : {0U, 1U}) {
    for (const bool behind : {false, true}) {
      std::vector<char> buffer(shift);
      const std::string_view before = list.view().raw().view();
      if (behind) buffer.insert(buffer.end(), before.begin(), before.end());
      buffer.insert(buffer.end(), rest.begin(), rest.end());
      const sk::ancillary_view view(sk::const_bytes(buffer.data() + shift, buffer.size() - shift));
      const std::size_t found = walk(view, buffer);
      const sk::ancillary_data owned(view);
      FUZZ_CHECK(owned.size() == found);
      check_same(view, owned);
      compare_with_macros(owned);
      count_descriptors(view);
    }
  }
  return 0;
}
