// SPDX-License-Identifier: MIT
// Addresses to names, the databases of hosts, services and protocols, and this host's own name.
// Winsock's results are per thread, so no lock is needed.
#include "winsock.hpp"

#include <cstring>
#include <pysock/detail/sockaddr.hpp>

namespace pysock {
inline namespace v1 {
namespace detail {
namespace {

// Writes a text and its NUL as UTF-8. 0, or the error if it does not fit.
int write(const wchar_t* text, char* out, std::size_t size) noexcept {
  const int written =
      ::WideCharToMultiByte(CP_UTF8, 0, text, -1, out, sys::winsock::cut(size), nullptr, nullptr);
  return written > 0 ? 0 : static_cast<int>(::GetLastError());
}

// A lookup of a host that failed: an h_errno number, or the negative error number. Winsock has one
// set of numbers for both.
int host_failure(sys::resolver_status status) noexcept {
  const int number = status.number;
  const bool not_found = number >= WSAHOST_NOT_FOUND && number <= WSANO_DATA;
  return not_found ? number : -number;
}

// The result of a lookup of a service or protocol that found nothing: 0, or the negative error
// number.
int entry_failure() noexcept {
  const int reason = sys::last_error();
  const bool not_there = reason == 0 || reason == WSAHOST_NOT_FOUND || reason == WSANO_DATA ||
                         reason == WSASERVICE_NOT_FOUND || reason == WSATYPE_NOT_FOUND;
  return not_there ? 0 : -reason;
}

// The bytes of an IPv4 or IPv6 address.
std::string packed_address(const sockaddr& address) {
  if (address.sa_family == AF_INET6) {
    const auto& in6 = reinterpret_cast<const sockaddr_in6&>(address);
    return {reinterpret_cast<const char*>(&in6.sin6_addr), sizeof in6.sin6_addr};
  }
  const auto& in = reinterpret_cast<const sockaddr_in&>(address);
  return {reinterpret_cast<const char*>(&in.sin_addr), sizeof in.sin_addr};
}

// The numbers of a failed getaddrinfo() and getnameinfo() are those of h_errno, too.
struct found_addresses {
  found_addresses() = default;
  found_addresses(const found_addresses&) = delete;
  found_addresses& operator=(const found_addresses&) = delete;
  ~found_addresses() { sys::freeaddrinfo(first); }
  addrinfo* first = nullptr;
};

}  // namespace

sys::resolver_status sys::getnameinfo(const sockaddr* address, socklen_t size, char* host,
                                      std::size_t host_size, char* service,
                                      std::size_t service_size, int flags) noexcept {
  if (!winsock::started()) return {last_error(), true};
  wchar_t wide_host[NI_MAXHOST] = {};
  wchar_t wide_service[NI_MAXSERV] = {};
  int number = ::GetNameInfoW(
      address, size, host != nullptr ? wide_host : nullptr, host != nullptr ? NI_MAXHOST : 0,
      service != nullptr ? wide_service : nullptr, service != nullptr ? NI_MAXSERV : 0, flags);
  if (number == 0 && host != nullptr) number = write(wide_host, host, host_size);
  if (number == 0 && service != nullptr) number = write(wide_service, service, service_size);
  return {number, false};
}

// Without aliases: Winsock's gethostbyname(), which returns them, is deprecated and does not use
// UTF-8.
int sys::gethostbyname(const char* name, int family, host_entry& out) {
  addrinfo hints{};
  hints.ai_flags = AI_CANONNAME;
  hints.ai_family = family;
  hints.ai_socktype = SOCK_STREAM;  // so that each address comes once
  found_addresses found;
  const resolver_status status = sys::getaddrinfo(name, nullptr, &hints, &found.first);
  if (status.number != 0) return host_failure(status);
  host_entry entry;
  entry.family = family;
  entry.name = found.first != nullptr && found.first->ai_canonname != nullptr
                   ? found.first->ai_canonname
                   : name;
  for (const addrinfo* one = found.first; one != nullptr; one = one->ai_next)
    entry.addresses.push_back(packed_address(*one->ai_addr));
  out = std::move(entry);
  return 0;
}

int sys::gethostbyaddr(const void* packed, std::size_t size, int family, host_entry& out) {
  sockaddr_any address{};
  address.base.sa_family = static_cast<ADDRESS_FAMILY>(family);
  const bool is_ipv6 = family == AF_INET6;
  std::memcpy(is_ipv6 ? static_cast<void*>(&address.in6.sin6_addr) : &address.in.sin_addr, packed,
              size);
  char name[NI_MAXHOST];
  const resolver_status status =
      getnameinfo(&address.base, is_ipv6 ? sizeof address.in6 : sizeof address.in, name,
                  sizeof name, nullptr, 0, NI_NAMEREQD);
  if (status.number != 0) return host_failure(status);
  out = {name, {}, family, {std::string(static_cast<const char*>(packed), size)}};
  return 0;
}

// Does not need Winsock, and returns names longer than the 15 characters of NetBIOS.
int sys::gethostname(std::string& out) {
  wchar_t wide[256];
  DWORD size = 256;
  if (::GetComputerNameExW(ComputerNamePhysicalDnsHostname, wide, &size) == 0)
    return -static_cast<int>(::GetLastError());
  out = winsock::narrow({wide, size});
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
