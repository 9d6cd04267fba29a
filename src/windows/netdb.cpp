// SPDX-License-Identifier: MIT
// Addresses to names, the databases of hosts, services and protocols, and this host's own name.
// Winsock keeps its answers per thread: no lock is needed.
#include "winsock.hpp"

namespace pysock {
inline namespace v1 {
namespace detail {
namespace {

// The reason for which a lookup of a host found nothing: an h_errno number, or the negative error
// number. Winsock has one function for both.
int host_failure() noexcept {
  const int reason = sys::last_error();
  if (reason == 0) return WSAHOST_NOT_FOUND;
  return reason >= WSAHOST_NOT_FOUND && reason <= WSANO_DATA ? reason : -reason;
}

// What a lookup of a service or protocol returns that found nothing.
int entry_failure() noexcept {
  const int reason = sys::last_error();
  const bool not_there = reason == 0 || reason == WSAHOST_NOT_FOUND || reason == WSANO_DATA ||
                         reason == WSASERVICE_NOT_FOUND || reason == WSATYPE_NOT_FOUND;
  return not_there ? 0 : -reason;
}

int copy(const hostent* host, sys::host_entry& out) {
  if (host == nullptr) return host_failure();
  sys::host_entry made;
  made.name = host->h_name;
  made.family = host->h_addrtype;
  for (char** alias = host->h_aliases; *alias != nullptr; ++alias)
    made.aliases.emplace_back(*alias);
  for (char** packed = host->h_addr_list; *packed != nullptr; ++packed) {
    made.addresses.emplace_back(*packed, static_cast<std::size_t>(host->h_length));
  }
  out = std::move(made);
  return 0;
}

}  // namespace

sys::resolver_status sys::getnameinfo(const sockaddr* address, socklen_t size, char* host,
                                      std::size_t host_size, char* service,
                                      std::size_t service_size, int flags) noexcept {
  if (!winsock::started()) return {last_error(), true};
  return {::getnameinfo(address, size, host, static_cast<DWORD>(host_size), service,
                        static_cast<DWORD>(service_size), flags),
          false};
}

int sys::gethostbyname(const char* name, int family, host_entry& out) {
  if (!winsock::started()) return -last_error();
  if (family != AF_INET) return WSANO_DATA;
  return copy(::gethostbyname(name), out);
}

int sys::gethostbyaddr(const void* packed, std::size_t size, int family, host_entry& out) {
  if (!winsock::started()) return -last_error();
  return copy(::gethostbyaddr(static_cast<const char*>(packed), static_cast<int>(size), family),
              out);
}

// Needs no Winsock, and knows a name longer than the 15 characters of NetBIOS.
int sys::gethostname(std::string& out) {
  wchar_t wide[256];
  DWORD size = 256;
  if (::GetComputerNameExW(ComputerNamePhysicalDnsHostname, wide, &size) == 0)
    return -static_cast<int>(::GetLastError());
  char name[1024];
  const int length = ::WideCharToMultiByte(CP_UTF8, 0, wide, static_cast<int>(size), name,
                                           sizeof name, nullptr, nullptr);
  if (length <= 0) return -static_cast<int>(::GetLastError());
  out.assign(name, static_cast<std::size_t>(length));
  return 0;
}

int sys::sethostname(const char* /*name*/, std::size_t /*size*/) noexcept {
  return -ERROR_CALL_NOT_IMPLEMENTED;
}

int sys::getservbyname(const char* name, const char* proto, int& port) {
  if (!winsock::started()) return -last_error();
  const servent* found = ::getservbyname(name, proto);
  if (found == nullptr) return entry_failure();
  port = ntohs(static_cast<std::uint16_t>(found->s_port));
  return 1;
}

int sys::getservbyport(int port, const char* proto, std::string& name) {
  if (!winsock::started()) return -last_error();
  const servent* found = ::getservbyport(htons(static_cast<std::uint16_t>(port)), proto);
  if (found == nullptr) return entry_failure();
  name = found->s_name;
  return 1;
}

int sys::getprotobyname(const char* name, int& number) {
  if (!winsock::started()) return -last_error();
  const protoent* found = ::getprotobyname(name);
  if (found == nullptr) return entry_failure();
  number = found->p_proto;
  return 1;
}

}  // namespace detail
}  // namespace v1
}  // namespace pysock
