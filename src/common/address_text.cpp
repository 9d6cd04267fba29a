// SPDX-License-Identifier: MIT
// Addresses as Python prints them.
#include <pysock/address.hpp>
#include <pysock/families.hpp>

namespace pysock {
inline namespace v1 {
namespace {

constexpr char hex_digits[] = "0123456789abcdef";

// Appends Python's repr of text or, where `bytes` is set, of bytes.
PYSOCK_COLD void append_quoted(std::string& out, std::string_view value, bool bytes) {
  const bool double_quotes =
      value.find('\'') != std::string_view::npos && value.find('"') == std::string_view::npos;
  const char mark = double_quotes ? '"' : '\'';
  if (bytes) out += 'b';
  out += mark;
  for (const char c : value) {
    const auto byte = static_cast<unsigned char>(c);
    const char letter = c == '\n'                ? 'n'
                        : c == '\r'              ? 'r'
                        : c == '\t'              ? 't'
                        : c == mark || c == '\\' ? c
                                                 : '\0';
    if (letter != '\0') {
      out += '\\';
      out += letter;
    } else if (byte < 0x20 || byte == 0x7F || (bytes && byte > 0x7F)) {
      out += "\\x";
      out += hex_digits[byte >> 4U];
      out += hex_digits[byte & 0xFU];
    } else {
      out += c;
    }
  }
  out += mark;
}

// A tuple, part by part.
class tuple {
 public:
  tuple& text(std::string_view part) { return quoted(part, false); }
  tuple& bytes(std::string_view part) { return quoted(part, true); }
  PYSOCK_COLD tuple& number(long long part) {
    next();
    out_ += std::to_string(part);
    return *this;
  }
  PYSOCK_COLD std::string done() {
    out_ += count_ == 1 ? ",)" : ")";
    return std::move(out_);
  }

 private:
  void next() { out_ += count_++ == 0 ? "(" : ", "; }
  PYSOCK_COLD tuple& quoted(std::string_view part, bool bytes) {
    next();
    append_quoted(out_, part, bytes);
    return *this;
  }

  std::string out_;
  int count_ = 0;
};

// An address can be printed whatever the system lacks: messages of failures contain addresses.
template <class Address>
[[maybe_unused]] std::string interface_of(const Address& a) {
  try {
    return a.ifname();
  } catch (const error&) {
    return {};
  }
}

struct to_text {
  std::string operator()(std::monostate) const { return "None"; }
  std::string operator()(const unix_address& a) const {
    std::string out;
    append_quoted(out, a.view(), !a.view().empty() && a.view().front() == '\0');
    return out;
  }
  std::string operator()(const inet_address& a) const {
    return tuple().text(a.host()).number(a.port()).done();
  }
  std::string operator()(const inet6_address& a) const {
    return tuple().text(a.host()).number(a.port()).number(a.flowinfo()).number(a.scope_id()).done();
  }
  PYSOCK_COLD std::string operator()(const endpoint& a) const {
#ifdef PACKET_HOST
    if (a.family() == AF_PACKET) {
      const packet_address known(a);
      return tuple()
          .text(interface_of(known))
          .number(known.proto())
          .number(known.pkttype())
          .number(known.hatype())
          .bytes(known.addr())
          .done();
    }
#endif
#ifdef NETLINK_ROUTE
    if (a.family() == AF_NETLINK) {
      const netlink_address known(a);
      return tuple().number(known.pid()).number(known.groups()).done();
    }
#endif
#ifdef VMADDR_CID_ANY
    if (a.family() == AF_VSOCK) {
      const vsock_address known(a);
      return tuple().number(known.cid()).number(known.port()).done();
    }
#endif
#ifdef CAN_RAW
    if (a.family() == AF_CAN) return tuple().text(interface_of(can_address(a))).done();
#endif
#ifdef TIPC_ADDR_NAME
    if (a.family() == AF_TIPC) {
      const tipc_address known(a);
      return tuple()
          .number(known.addr_type())
          .number(known.v1())
          .number(known.v2())
          .number(known.v3())
          .number(known.scope())
          .done();
    }
#endif
    const std::string_view bytes(reinterpret_cast<const char*>(a.data()),
                                 static_cast<std::size_t>(a.size()));
    const std::size_t skipped = offsetof(sockaddr, sa_data);
    return tuple()
        .number(a.family())
        .bytes(bytes.size() > skipped ? bytes.substr(skipped) : std::string_view())
        .done();
  }
  std::string operator()(const host_address& a) const {
    tuple out;
    out.text(a.host).number(a.port);
    if (a.inet6_only) out.number(a.flowinfo).number(a.scope_id);
    return out.done();
  }
};

}  // namespace

std::string address::to_string() const { return visit(to_text()); }

}  // namespace v1
}  // namespace pysock
