// SPDX-License-Identifier: MIT
// Names to addresses. Separate from the other databases, so that a program that only connects does
// not link those.
#include "winsock.hpp"

#include <cstring>
#include <memory>
#include <new>

namespace pysock {
inline namespace v1 {
namespace detail {
namespace {

// One result, with all that it points to.
struct result : addrinfo {
  sockaddr_storage address{};
  std::string name;
};

struct free_found {
  void operator()(ADDRINFOW* found) const noexcept { ::FreeAddrInfoW(found); }
};

result* copy_of(const ADDRINFOW& found) {
  auto copy = std::make_unique<result>();
  copy->ai_flags = found.ai_flags;
  copy->ai_family = found.ai_family;
  copy->ai_socktype = found.ai_socktype;
  copy->ai_protocol = found.ai_protocol;
  copy->ai_next = nullptr;
  copy->ai_addrlen = (std::min)(found.ai_addrlen, sizeof copy->address);
  std::memcpy(&copy->address, found.ai_addr, copy->ai_addrlen);
  copy->ai_addr = reinterpret_cast<sockaddr*>(&copy->address);
  copy->ai_canonname = nullptr;
  if (found.ai_canonname != nullptr) {
    copy->name = sys::winsock::narrow(found.ai_canonname);
    copy->ai_canonname = copy->name.data();
  }
  return copy.release();
}

int find(const char* host, const char* service, const addrinfo* hints, addrinfo** results) {
  std::wstring wide_host;
  std::wstring wide_service;
  if (host != nullptr && !sys::winsock::widen(host, wide_host)) return EAI_NONAME;
  if (service != nullptr && !sys::winsock::widen(service, wide_service)) return EAI_SERVICE;
  ADDRINFOW asked{};
  if (hints != nullptr) {
    asked.ai_flags = hints->ai_flags;
    asked.ai_family = hints->ai_family;
    asked.ai_socktype = hints->ai_socktype;
    asked.ai_protocol = hints->ai_protocol;
  }
  ADDRINFOW* found = nullptr;
  const int number =
      ::GetAddrInfoW(host != nullptr ? wide_host.c_str() : nullptr,
                     service != nullptr ? wide_service.c_str() : nullptr, &asked, &found);
  const std::unique_ptr<ADDRINFOW, free_found> owner(found);
  if (number != 0) return number;
  for (; found != nullptr; found = found->ai_next) {
    *results = copy_of(*found);
    results = &(*results)->ai_next;
  }
  return 0;
}

}  // namespace

// GetAddrInfoW() also encodes international names, unless AI_DISABLE_IDN_ENCODING is given.
sys::resolver_status sys::getaddrinfo(const char* host, const char* service, const addrinfo* hints,
                                      addrinfo** results) noexcept {
  *results = nullptr;
  if (!winsock::started()) return {last_error(), true};
  try {
    return {find(host, service, hints, results), false};
  } catch (const std::bad_alloc&) {
    sys::freeaddrinfo(*results);
    *results = nullptr;
    return {EAI_MEMORY, false};
  }
}

void sys::freeaddrinfo(addrinfo* results) noexcept {
  while (results != nullptr) {
    const std::unique_ptr<result> first(static_cast<result*>(results));
    results = results->ai_next;
  }
}

// Winsock returns the protocol of the hints.
int sys::answered_protocol(int /*usual*/) noexcept { return 0; }

}  // namespace detail
}  // namespace v1
}  // namespace pysock
