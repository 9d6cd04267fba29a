// SPDX-License-Identifier: MIT
// The data of the fake's calls: events, bytes, ancillary data, names. Only for fake_sys.cpp.
#pragma once

#include "support/cmsg_macros.hpp"
#include "support/fake_world.hpp"

namespace fake {
namespace inner {

// ---- events ----

inline int wait_for_event(int milliseconds, const char* function = "poll") {
  constexpr std::int64_t never = INT64_MAX;
  world& w = state();
  std::deque<step>& script = script_of(function);
  const bool scripted = !script.empty();
  const step next = scripted ? script.front() : directed(ready());
  const bool nothing_comes = next.error == 0 && next.value == 0 && next.delay < 0;
  const std::int64_t limit = milliseconds < 0 ? never : span(milliseconds).nanoseconds();
  const std::int64_t wakes = nothing_comes ? limit : std::max<std::int64_t>(next.delay, 0);
  if (wakes > limit) {
    w.clock += limit;
    if (scripted && !next.forever) script.front().delay -= limit;
    return 0;
  }
  if (scripted) take(function);
  if (wakes == never) {
    wrong(std::string(function) + ": nothing would ever end it");
    return fail_with(EDEADLK).result();
  }
  w.clock += wakes;
  return next.error != 0 ? fail_with(next.error).result()
                         : static_cast<int>(next.value.value_or(1));
}

// ---- data ----

// The fields of a buffer, POSIX's or Winsock's.
template <class Buffer>
auto base_of(const Buffer& b, int) -> decltype(static_cast<char*>(b.iov_base)) {
  return static_cast<char*>(b.iov_base);
}
template <class Buffer>
char* base_of(const Buffer& b, long) {
  return b.buf;
}
template <class Buffer>
auto size_of(const Buffer& b, int) -> decltype(std::size_t{b.iov_len}) {
  return b.iov_len;
}
template <class Buffer>
std::size_t size_of(const Buffer& b, long) {
  return b.len;
}
template <class Buffer>
auto fill_buffer(Buffer& b, void* data, std::size_t size, int)
    -> decltype(static_cast<void>(b.iov_base)) {
  b.iov_base = data;
  b.iov_len = size;
}
template <class Buffer>
void fill_buffer(Buffer& b, void* data, std::size_t size, long) {
  b.buf = static_cast<char*>(data);
  b.len = static_cast<decltype(b.len)>(size);
}

inline std::size_t total(const sys::message& m) {
  std::size_t size = 0;
  for (std::size_t i = 0; i < m.buffer_count; ++i) size += size_of(m.buffers[i], 0);
  return size;
}

inline std::ptrdiff_t send_some(const turn& t, sent_message message) {
  if (t.failed) return t.result();
  const auto limit = static_cast<std::size_t>(
      t.plan.value.value_or(static_cast<std::int64_t>(message.data.size())));
  message.data.resize(std::min(limit, message.data.size()));
  const auto count = static_cast<std::ptrdiff_t>(message.data.size());
  state().sent.push_back(std::move(message));
  return count;
}

// The results of send, sendto, recv and recvfrom, whose error number is that of last_error().
inline std::ptrdiff_t minus_one(std::ptrdiff_t result) { return result < 0 ? -1 : result; }

inline std::string content_of(handle file, std::uint64_t offset, std::size_t size) {
  const std::string& content = at(file).content;
  return offset >= content.size() ? "" : content.substr(static_cast<std::size_t>(offset), size);
}

inline std::string bytes_at(const void* data, std::size_t size) {
  return size == 0 ? "" : std::string(static_cast<const char*>(data), size);
}

// The data to receive into `size` bytes; the rest for the next call is put back into the script.
inline std::string receive(turn& t, const char* function, handle s, std::size_t size, int flags) {
  std::string data = std::move(t.plan.data);  // a copy for each byte received would be slow
  const std::size_t begin = t.plan.received;
  const bool peeks = (flags & MSG_PEEK) != 0;
  std::string got = data.substr(begin, size);
  step rest = t.plan;
  rest.delay = -1;
  if (!peeks) {
    rest.descriptors = 0;
    rest.control.clear();
    rest.received += got.size();
  }
  const bool some_left = peeks || (at(s).type == SOCK_STREAM && rest.received < data.size());
  if (t.plan.has_data && !t.plan.forever && some_left) {
    rest.data = std::move(data);
    script_of(function).push_front(std::move(rest));
  }
  return got;
}

inline std::ptrdiff_t receive_into(turn t, const char* function, handle s, void* to,
                                   std::size_t size, int flags) {
  if (t.failed) return t.result();
  const std::string got = receive(t, function, s, size, flags);
  if (!got.empty()) std::memcpy(to, got.data(), got.size());
  return static_cast<std::ptrdiff_t>(t.plan.value.value_or(static_cast<std::int64_t>(got.size())));
}

// Writes as many items as fit, and opens the descriptors in them.
inline void receive_control(const step& plan, sys::message& m, int flags) {
  std::vector<control_item> items = plan.control;
  if (plan.descriptors != 0)
    items.push_back({SOL_SOCKET, SCM_RIGHTS, std::string(plan.descriptors * sizeof(int), '\0')});
  const std::size_t header = CMSG_LEN(0);
  std::size_t used = 0;
  for (control_item& item : items) {
    const std::size_t buffer = m.control_size > used ? m.control_size - used : 0;
    const bool rights =
        item.level == SOL_SOCKET && item.type == SCM_RIGHTS && plan.descriptors != 0;
    std::size_t fits = buffer > header ? std::min(buffer - header, item.data.size()) : 0;
    if (rights) fits -= fits % sizeof(int);
    if (fits < item.data.size()) m.flags |= MSG_CTRUNC;
    if (fits == 0) break;
    for (std::size_t i = 0; rights && i < fits; i += sizeof(int)) {
      auto what = describe_new(AF_UNIX, SOCK_STREAM, 0, false);
      what->is = kind::any;
      const int made =
          static_cast<int>(open_new(std::move(what), (flags & sys::cloexec_flag()) == 0));
      std::memcpy(&item.data[i], &made, sizeof made);
    }
    cmsghdr head{};
    head.cmsg_level = item.level;
    head.cmsg_type = item.type;
    head.cmsg_len = static_cast<decltype(head.cmsg_len)>(header + fits);
    char* to = static_cast<char*>(m.control) + used;
    std::memcpy(to, &head, sizeof head);
    std::memcpy(to + header, item.data.data(), fits);
    used += std::min<std::size_t>(buffer, CMSG_SPACE(fits));
  }
  m.control_size = used;
}

// ---- names ----

struct numbered {
  int number;
  const char* name;
};
inline constexpr numbered services[] = {{53, "domain"}, {80, "http"}, {443, "https"}};
inline constexpr numbered protocols[] = {{1, "icmp"}, {6, "tcp"}, {17, "udp"}};
inline constexpr numbered herrors[] = {{HOST_NOT_FOUND, "Unknown host"},
                                       {TRY_AGAIN, "Host name lookup failure"},
                                       {NO_RECOVERY, "Unknown server error"},
                                       {NO_DATA, "No address associated with name"}};
inline constexpr numbered gai_errors[] = {{EAI_BADFLAGS, "Bad value for ai_flags"},
                                          {EAI_NONAME, "Name or service not known"},
                                          {EAI_AGAIN, "Temporary failure in name resolution"},
                                          {EAI_FAIL, "Non-recoverable failure in name resolution"},
                                          {EAI_FAMILY, "ai_family not supported"},
                                          {EAI_SOCKTYPE, "ai_socktype not supported"},
                                          {EAI_SERVICE, "Servname not supported for ai_socktype"},
                                          {EAI_MEMORY, "Memory allocation failure"}};

template <std::size_t N>
int number_of(const numbered (&table)[N], std::string_view name, int otherwise) {
  for (const numbered& row : table) {
    if (name == row.name) return row.number;
  }
  return otherwise;
}

template <std::size_t N>
std::string name_of(const numbered (&table)[N], int number, std::string otherwise) {
  for (const numbered& row : table) {
    if (number == row.number) return row.name;
  }
  return otherwise;
}

inline int port_named(const char* service) {
  if (service == nullptr) return 0;
  char* end = nullptr;
  const long port = std::strtol(service, &end, 10);
  return *end == '\0' ? static_cast<int>(port) : number_of(services, service, 0);
}

// Sets the port of an address that has none.
inline void give_port(socket_address& address, int port) {
  const auto number = htons(static_cast<std::uint16_t>(port));
  const int family = address.data()->sa_family;
  if (family == AF_INET && address.bytes.size() >= sizeof(sockaddr_in)) {
    auto in = as<sockaddr_in>(address.data(), address.size());
    if (in.sin_port == 0) in.sin_port = number;
    address.bytes.replace(0, sizeof in, to_address(in).bytes);
  } else if (family == AF_INET6 && address.bytes.size() >= sizeof(sockaddr_in6)) {
    auto in6 = as<sockaddr_in6>(address.data(), address.size());
    if (in6.sin6_port == 0) in6.sin6_port = number;
    address.bytes.replace(0, sizeof in6, to_address(in6).bytes);
  }
}

inline socket_address default_host(const char* host, int family, int flags) {
  const bool any = host == nullptr && (flags & AI_PASSIVE) != 0;
  if (family != AF_INET6) return any ? inet({0, 0, 0, 0}, 0) : inet({127, 0, 0, 1}, 0);
  return any ? inet6({}, 0) : inet6({0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1}, 0);
}

// An injected failure has an error number of the system. A scripted one has the resolver's number,
// or with returning() one of the system.
inline sys::resolver_status resolver_failure(const turn& t) {
  if (t.plan.value) return {static_cast<int>(*t.plan.value), true};
  return {state().last_error, t.injected};
}

inline int give_host(const turn& t, const std::string& name, int family, sys::host_entry& out) {
  if (t.failed) {
    const sys::resolver_status failure = resolver_failure(t);
    return failure.from_system ? -failure.number : failure.number;
  }
  if (t.plan.host) {
    out = *t.plan.host;
    return 0;
  }
  out = sys::host_entry();
  out.name = name;
  out.family = family;
  out.addresses = {family == AF_INET6 ? std::string(15, '\0') + '\x01'
                                      : std::string("\x7f\0\0\x01", 4)};
  return 0;
}

inline void copy_text(const std::string& from, char* to, std::size_t size) {
  if (to != nullptr && size != 0) std::snprintf(to, size, "%s", from.c_str());
}

// A list as getaddrinfo returns it, recorded until it is freed. Null if there are no addresses,
// which no system returns.
inline addrinfo* make_list(const std::vector<socket_address>& found, const addrinfo& want, int port,
                           const std::string& name) {
  std::vector<answer> made(found.size());
  for (std::size_t i = 0; i < made.size(); ++i) {
    socket_address address = found[i];
    give_port(address, port);
    made[i].name = name;
    made[i].address.resize(sizeof(sockaddr_storage));
    address.bytes.copy(made[i].address.data(), address.bytes.size());
    addrinfo& info = made[i].info;
    info.ai_family = address.data()->sa_family;
    info.ai_socktype = want.ai_socktype != 0 ? want.ai_socktype : SOCK_STREAM;
    info.ai_protocol = want.ai_protocol != 0            ? want.ai_protocol
                       : info.ai_socktype == SOCK_DGRAM ? IPPROTO_UDP
                                                        : IPPROTO_TCP;
    info.ai_addrlen = address.size();
    info.ai_addr = reinterpret_cast<sockaddr*>(made[i].address.data());
    info.ai_canonname = name.empty() ? nullptr : made[i].name.data();
    info.ai_next = i + 1 < made.size() ? &made[i + 1].info : nullptr;
  }
  if (made.empty()) return nullptr;
  addrinfo* first = &made.front().info;
  state().lists[first] = std::move(made);  // moving a vector does not move its elements
  return first;
}

}  // namespace inner
}  // namespace fake
