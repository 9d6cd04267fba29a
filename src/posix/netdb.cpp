// SPDX-License-Identifier: MIT
// Addresses to names, the databases of hosts, services and protocols, and this host's own name.
#include "resolver.hpp"

#include <algorithm>
#include <limits>
#if !PYSOCK_HAVE_REENTRANT_NETDB
#include <mutex>
#include <pysock/detail/immortal.hpp>
#endif

namespace pysock {
inline namespace v1 {
namespace detail {
namespace {

// A lookup that fails with one of these has not searched the database.
bool lacks_resources(int number) noexcept {
  return number == EMFILE || number == ENFILE || number == ENOMEM;
}

// A query is a function object that makes one call to the C library; look_up() passes the entry to
// `use`. It returns 1, 0 if there is no entry, or the negative error number if the database could
// not be read.
#if PYSOCK_HAVE_REENTRANT_NETDB

template <class Entry, class Question, class Use>
int look_up(Question ask, Use use) {
  constexpr std::size_t enough = std::size_t{1} << 22;
  for (std::size_t size = 1024;; size *= 4) {
    std::vector<char> buffer(size);
    Entry entry{};
    Entry* found = nullptr;
    errno = 0;  // some C libraries return errno although no source of the database has set it
    const int number = ask(&entry, buffer.data(), buffer.size(), &found);
    if (number == ERANGE && size < enough) continue;
    if (found != nullptr) {
      use(*found);
      return 1;
    }
    return number == ENOENT || number == ESRCH ? 0 : -number;
  }
}

auto host_by_name(const char* name, int family, int& reason) {
  return [=, &reason](auto... rest) { return ::gethostbyname2_r(name, family, rest..., &reason); };
}
auto host_by_address(const void* packed, socklen_t size, int family, int& reason) {
  return [=, &reason](auto... rest) {
    return ::gethostbyaddr_r(packed, size, family, rest..., &reason);
  };
}
auto service_by_name(const char* name, const char* proto) {
  return [=](auto... rest) { return ::getservbyname_r(name, proto, rest...); };
}
auto service_by_port(int port, const char* proto) {
  return [=](auto... rest) { return ::getservbyport_r(port, proto, rest...); };
}
auto protocol_by_name(const char* name) {
  return [=](auto... rest) { return ::getprotobyname_r(name, rest...); };
}

#else

// One lock for all: the C library may have one static result for all functions.
std::mutex& answer_in_use() {
  static immortal<std::mutex> mutex;
  return mutex.get();
}

// These functions do not distinguish a failure from a missing entry, and leave any number in errno.
// Only numbers that cannot have another cause are reported.
template <class Entry, class Question, class Use>
int look_up(Question ask, Use use) {
  const std::lock_guard<std::mutex> lock(answer_in_use());
  errno = 0;
  const Entry* found = ask();
  const int number = errno;
  if (found != nullptr) {
    use(*found);
    return 1;
  }
  return lacks_resources(number) ? -number : 0;
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

// The h_errno by which glibc and the BSDs refer to errno.
#ifdef NETDB_INTERNAL
constexpr int netdb_internal = NETDB_INTERNAL;
#else
constexpr int netdb_internal = -1;
#endif

// `reason` is the h_errno of the query. If a name server does not answer, it is more precise than
// errno.
template <class Question>
int look_up_host(Question ask, const int& reason, sys::host_entry& out) {
  const int result = look_up<hostent>(ask, [&out](const hostent& found) { out = copy(found); });
  if (result > 0) return 0;
  if (result < 0 && (reason == netdb_internal || lacks_resources(-result))) return result;
  if (reason == netdb_internal) return NO_RECOVERY;
  return reason != 0 ? reason : HOST_NOT_FOUND;
}

// The length is a size_t on some systems and an int on others. No system accepts a name of the
// maximum length.
template <class Length>
int set_name(int (*set)(const char*, Length), const char* name, std::size_t size) noexcept {
  constexpr auto most = static_cast<std::size_t>(std::numeric_limits<Length>::max());
  return sys::outcome(set(name, static_cast<Length>(std::min(size, most))));
}

}  // namespace

sys::resolver_status sys::getnameinfo(const sockaddr* address, socklen_t size, char* host,
                                      std::size_t host_size, char* service,
                                      std::size_t service_size, int flags) noexcept {
  errno = 0;
  const int number = ::getnameinfo(address, size, host, static_cast<socklen_t>(host_size), service,
                                   static_cast<socklen_t>(service_size), flags);
  return status_of(number, errno);
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
      {};  // no system allows more, and a name of the maximum length may lack its NUL
  if (::gethostname(name, sizeof name - 1) < 0) return -errno;
  out = name;
  return 0;
}

int sys::sethostname(const char* name, std::size_t size) noexcept {
  return set_name(&::sethostname, name, size);
}

int sys::getservbyname(const char* name, const char* proto, int& port) {
  return look_up<servent>(service_by_name(name, proto), [&port](const servent& found) {
    port = ntohs(static_cast<std::uint16_t>(found.s_port));
  });
}

int sys::getservbyport(int port, const char* proto, std::string& name) {
  return look_up<servent>(service_by_port(htons(static_cast<std::uint16_t>(port)), proto),
                          [&name](const servent& found) { name = found.s_name; });
}

int sys::getprotobyname(const char* name, int& number) {
  return look_up<protoent>(protocol_by_name(name),
                           [&number](const protoent& found) { number = found.p_proto; });
}

}  // namespace detail
}  // namespace v1
}  // namespace pysock
