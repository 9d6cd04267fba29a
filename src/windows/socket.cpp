// SPDX-License-Identifier: MIT
// Names, connections and options.
#include "winsock.hpp"

namespace pysock {
inline namespace v1 {
namespace detail {

using sys::winsock::outcome;
using sys::winsock::to_socket;

namespace {

bool is_loopback(const sockaddr* address, socklen_t size) noexcept {
  if (address->sa_family == AF_INET && size >= static_cast<socklen_t>(sizeof(sockaddr_in)))
    return reinterpret_cast<const sockaddr_in*>(address)->sin_addr.S_un.S_un_b.s_b1 == 127;
  return address->sa_family == AF_INET6 && size >= static_cast<socklen_t>(sizeof(sockaddr_in6)) &&
         IN6_IS_ADDR_LOOPBACK(&reinterpret_cast<const sockaddr_in6*>(address)->sin6_addr);
}

// GetVersion() and similar functions report an older system to a program without a manifest.
bool is_at_least_build(DWORD build) noexcept {
  using function = LONG(WINAPI*)(OSVERSIONINFOW*);
  const HMODULE ntdll = ::GetModuleHandleW(L"ntdll.dll");
  if (ntdll == nullptr) return false;
  const auto get_version = reinterpret_cast<function>(
      reinterpret_cast<void (*)()>(::GetProcAddress(ntdll, "RtlGetVersion")));
  OSVERSIONINFOW version{};
  version.dwOSVersionInfoSize = sizeof version;
  return get_version != nullptr && get_version(&version) == 0 && version.dwBuildNumber >= build;
}

// A refused connect is tried again for two seconds, in case the listener is slow to start. On the
// loopback this turns the repetition off. If this control does not work, a refusal takes longer
// ("SIO_TCP_INITIAL_RTO").
void take_first_answer(native_handle_type s) noexcept {
  constexpr UCHAR no_retransmission = 0xFE;  // TCP_INITIAL_RTO_NO_SYN_RETRANSMISSIONS, since 1709
  constexpr DWORD version_1709 = 16299;
  static const bool knows_none = is_at_least_build(version_1709);
  TCP_INITIAL_RTO_PARAMETERS retransmission{};
  retransmission.Rtt = TCP_INITIAL_RTO_UNSPECIFIED_RTT;
  retransmission.MaxSynRetransmissions = knows_none ? no_retransmission : UCHAR{1};
  sys::ioctl(s, SIO_TCP_INITIAL_RTO, &retransmission, sizeof retransmission);
}

}  // namespace

int sys::bind(native_handle_type s, const sockaddr* address, socklen_t size) noexcept {
  return outcome(::bind(to_socket(s), address, size));
}

int sys::listen(native_handle_type s, int backlog) noexcept {
  return outcome(::listen(to_socket(s), backlog));
}

int sys::connect(native_handle_type s, const sockaddr* address, socklen_t size) noexcept {
  if (is_loopback(address, size)) take_first_answer(s);
  return outcome(::connect(to_socket(s), address, size));
}

int sys::shutdown(native_handle_type s, int how) noexcept {
  return outcome(::shutdown(to_socket(s), how));
}

int sys::getsockname(native_handle_type s, sockaddr* address, socklen_t* size) noexcept {
  return outcome(::getsockname(to_socket(s), address, size));
}

int sys::getpeername(native_handle_type s, sockaddr* address, socklen_t* size) noexcept {
  return outcome(::getpeername(to_socket(s), address, size));
}

int sys::getsockopt(native_handle_type s, int level, int name, void* value,
                    socklen_t* size) noexcept {
  return outcome(::getsockopt(to_socket(s), level, name, static_cast<char*>(value), size));
}

int sys::setsockopt(native_handle_type s, int level, int name, const void* value,
                    socklen_t size) noexcept {
  return outcome(::setsockopt(to_socket(s), level, name, static_cast<const char*>(value), size));
}

int sys::ioctl(native_handle_type s, unsigned long control, const void* value,
               std::size_t size) noexcept {
  DWORD written = 0;
  return outcome(::WSAIoctl(to_socket(s), control, const_cast<void*>(value),
                            static_cast<DWORD>(size), nullptr, 0, &written, nullptr, nullptr));
}

}  // namespace detail
}  // namespace v1
}  // namespace pysock
