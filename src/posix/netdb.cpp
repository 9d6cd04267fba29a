// SPDX-License-Identifier: MIT
// Addresses to names, the databases of hosts, services and protocols, and this host's own name.
#include "features.hpp"

#include <cerrno>
#include <limits>
#include <pysock/detail/sys.hpp>
#if !PYSOCK_HAVE_REENTRANT_NETDB
#include <mutex>
#endif

namespace pysock {
inline namespace v1 {
namespace detail {
namespace {

// A question is a function object that makes one call to the C library; look_up() hands what it
// finds to `use`.
#if PYSOCK_HAVE_REENTRANT_NETDB

template <class Entry, class Question, class Use>
void look_up(Question ask, Use use) {
  constexpr std::size_t enough = std::size_t{1} << 22;
  for (std::size_t size = 1024;; size *= 4) {
    std::vector<char> room(size);
    Entry entry{};
    Entry* found = nullptr;
    if (ask(&entry, room.data(), room.size(), &found) == ERANGE && size < enough) continue;
    if (found != nullptr) use(*found);
    return;
  }
}

auto host_by_name(const char* name, int family, int& reason) {
  return [=, &reason](auto... room) { return ::gethostbyname2_r(name, family, room..., &reason); };
}
auto host_by_address(const void* packed, socklen_t size, int family, int& reason) {
  return [=, &reason](auto... room) {
    return ::gethostbyaddr_r(packed, size, family, room..., &reason);
  };
}
auto service_by_name(const char* name, const char* proto) {
  return [=](auto... room) { return ::getservbyname_r(name, proto, room...); };
}
auto service_by_port(int port, const char* proto) {
  return [=](auto... room) { return ::getservbyport_r(port, proto, room...); };
}
auto protocol_by_name(const char* name) {
  return [=](auto... room) { return ::getprotobyname_r(name, room...); };
}

#else

// One for all: the C library may keep a single answer for every kind of question.
std::mutex answer_in_use;

template <class Entry, class Question, class Use>
void look_up(Question ask, Use use) {
  const std::lock_guard<std::mutex> lock(answer_in_use);
  const Entry* found = ask();
  if (found != nullptr) use(*found);
}

const hostent* with_reason(const hostent* found, int& reason) {
  if (found == nullptr) reason = h_errno;
  return found;
}
auto host_by_name(const char* name, int family, int& reason) {
  return [=, &reason] { return with_reason(::gethostbyname2(name, family), reason); };
}
auto host_by_address(const void* packed, socklen_t size, int family, int& reason) {
  return [=, &reason] { return with_reason(::gethostbyaddr(packed, size, family), reason); };
}
auto service_by_name(const char* name, const char* proto) {
  return [=] { return ::getservbyname(name, proto); };
}
auto service_by_port(int port, const char* proto) {
  return [=] { return ::getservbyport(port, proto); };
}
auto protocol_by_name(const char* name) {
  return [=] { return ::getprotobyname(name); };
}

#endif

sys::host_entry copy(const hostent& host) {
  sys::host_entry made;
  made.name = host.h_name;
  made.family = host.h_addrtype;
  for (char** alias = host.h_aliases; *alias != nullptr; ++alias) {
    if (*alias != host.h_name)
      made.aliases.emplace_back(*alias);  // musl's first one is the name itself
  }
  for (char** packed = host.h_addr_list; *packed != nullptr; ++packed) {
    made.addresses.emplace_back(*packed, static_cast<std::size_t>(host.h_length));
  }
  return made;
}

// `reason` is where the question leaves its h_errno.
template <class Question>
int look_up_host(Question ask, const int& reason, sys::host_entry& out) {
  bool known = false;
  look_up<hostent>(ask, [&](const hostent& found) {
    out = copy(found);
    known = true;
  });
  if (known) return 0;
  return reason != 0 ? reason : HOST_NOT_FOUND;
}

// The length is a size_t on some systems and an int on others.
template <class Length>
int set_name(int (*set)(const char*, Length), const char* name, std::size_t size) noexcept {
  if (size > static_cast<std::size_t>(std::numeric_limits<Length>::max())) {
    errno = EINVAL;
    return -1;
  }
  return set(name, static_cast<Length>(size));
}

}  // namespace

int sys::getnameinfo(const sockaddr* address, socklen_t size, char* host, std::size_t host_size,
                     char* service, std::size_t service_size, int flags) noexcept {
  return ::getnameinfo(address, size, host, static_cast<socklen_t>(host_size), service,
                       static_cast<socklen_t>(service_size), flags);
}

int sys::gethostbyname(const char* name, int family, host_entry& out) {
  int reason = 0;
  return look_up_host(host_by_name(name, family, reason), reason, out);
}

int sys::gethostbyaddr(const void* packed, std::size_t size, int family, host_entry& out) {
  int reason = 0;
  return look_up_host(host_by_address(packed, static_cast<socklen_t>(size), family, reason), reason,
                      out);
}

int sys::gethostname(std::string& out) {
  char name[NI_MAXHOST] =
      {};  // no system allows more, and a name that just fits need not come with its NUL
  if (::gethostname(name, sizeof name - 1) < 0) return -1;
  out = name;
  return 0;
}

int sys::sethostname(const char* name, std::size_t size) noexcept {
  return set_name(&::sethostname, name, size);
}

int sys::getservbyname(const char* name, const char* proto) {
  int port = -1;
  look_up<servent>(service_by_name(name, proto), [&](const servent& found) {
    port = ntohs(static_cast<std::uint16_t>(found.s_port));
  });
  return port;
}

std::string sys::getservbyport(int port, const char* proto) {
  std::string name;
  look_up<servent>(service_by_port(htons(static_cast<std::uint16_t>(port)), proto),
                   [&](const servent& found) { name = found.s_name; });
  return name;
}

int sys::getprotobyname(const char* name) {
  int number = -1;
  look_up<protoent>(protocol_by_name(name), [&](const protoent& found) { number = found.p_proto; });
  return number;
}

}  // namespace detail
}  // namespace v1
}  // namespace pysock
