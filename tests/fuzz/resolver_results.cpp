// SPDX-License-Identifier: MIT
// Arbitrary bytes as the resolver's answers, on the fake system.
#include <cerrno>
#include <pysock/create.hpp>
#include <pysock/resolver.hpp>
#include <pysock/socket.hpp>
#include <vector>

#include "fuzz.hpp"
#include "support/fake_sys.hpp"

namespace sk = pysock;

namespace {

constexpr const char* host = "a-name.example";

fake::socket_address any_address(fuzz::input& in) {
  fake::socket_address made;
  switch (in.number(4)) {
    case 0:
      return fake::inet({192, 0, 2, static_cast<unsigned char>(in.byte())}, 0);
    case 1:
      return fake::inet6({0x20, 0x01, 0x0d, 0xb8}, 0, in.byte(), in.byte());
    case 2:
      made = fake::inet6({}, 0);
      break;
    case 3:
      made = fake::inet({}, 0);
      break;
    default:
      made.bytes = std::string(sizeof(sockaddr_storage), '\0');
      in.bytes(2).copy(made.bytes.data(), 2);
  }
  // The address may be too short or too long for its family.
  const std::string bytes = in.bytes(in.number(sizeof(sockaddr_storage)));
  constexpr std::size_t before = offsetof(sockaddr, sa_data);
  made.bytes.resize(in.number(1) == 0 ? before + bytes.size() % 126 : bytes.size() % 3);
  for (std::size_t i = before; i < made.bytes.size(); ++i)
    made.bytes[i] = i - before < bytes.size() ? bytes[i - before] : '\0';
  return made;
}

std::vector<fake::socket_address> any_addresses(fuzz::input& in) {
  std::vector<fake::socket_address> made(1 + in.number(3));
  for (fake::socket_address& one : made) one = any_address(in);
  return made;
}

fake::sys::host_entry any_host(fuzz::input& in) {
  fake::sys::host_entry entry;
  constexpr int families[] = {AF_INET, AF_INET6, AF_UNIX};
  entry.family = families[in.number(2)];
  entry.name = in.bytes(in.number(20));
  for (std::size_t i = in.number(2); i > 0; --i) entry.aliases.push_back(in.bytes(in.number(20)));
  for (std::size_t i = in.number(2); i > 0; --i) entry.addresses.push_back(in.bytes(in.number(20)));
  return entry;
}

// Makes a call, which may fail with the errors that its documentation lists.
template <class Call>
void attempt(const Call& call) {
  try {
    call();
  } catch (const sk::error& e) {
    FUZZ_CHECK(e.what()[0] != '\0');
  } catch (const std::invalid_argument&) {
  }
  FUZZ_CHECK(fake::addrinfo_count() == 0);
  FUZZ_CHECK(fake::open_count() == 0);
  FUZZ_CHECK(fake::errors().empty());
}

// The list must have the resolver's bytes, except the port, which the resolver fills in.
void check_list(const std::vector<fake::socket_address>& addresses, const std::string& name,
                int flags) {
  const std::vector<sk::address_info> list =
      sk::getaddrinfo(host, std::nullopt, AF_UNSPEC, SOCK_STREAM, 0, flags);
  FUZZ_CHECK(list.size() == addresses.size());
  for (std::size_t i = 0; i < list.size(); ++i) {
    const sk::address expected(addresses[i].data(), addresses[i].size());
    FUZZ_CHECK(list[i].sockaddr == expected);
    FUZZ_CHECK(list[i].sockaddr.to_string() == expected.to_string());
    const bool named = i == 0 && (flags & AI_CANONNAME) != 0;
    FUZZ_CHECK(list[i].canonname == (named ? name : ""));
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const fake::session session;
  fuzz::input in(data, size);
  while (!in.empty()) {
    fake::reset();
    const std::vector<fake::socket_address> addresses = any_addresses(in);
    switch (in.number(7)) {
      case 0: {
        const std::string name = std::string(in.bytes(in.number(30)).c_str());
        const int flags = in.number(1) == 0 ? 0 : AI_CANONNAME;
        fake::on_getaddrinfo({fake::resolves(addresses).canonical(name)});
        attempt([&] { check_list(addresses, name, flags); });
        break;
      }
      case 1:
        fake::on_getaddrinfo({fake::resolves(addresses)});
        attempt([&] {
          const std::string text = sk::gethostbyname(host);
          FUZZ_CHECK(text == sk::address(addresses[0].data(), addresses[0].size()).host());
        });
        break;
      case 2:
        fake::on_getaddrinfo({fake::resolves(addresses)});
        attempt([&] { (void)sk::create_connection({host, 80}, 1); });
        break;
      case 3:
        fake::on_getaddrinfo({fake::resolves(addresses)});
        attempt([&] {
          sk::socket s(in.number(1) == 0 ? AF_INET : AF_INET6);
          s.connect({host, static_cast<int>(in.number(65535))});
        });
        break;
      case 4:
        fake::on_getaddrinfo({fake::resolves(addresses)});
        attempt([&] {
          const std::string numeric = "127.1";  // only the resolver parses it
          FUZZ_CHECK(!sk::getnameinfo({numeric, 80}, NI_NUMERICHOST).port.empty());
        });
        break;
      case 5:
        fake::on_getaddrinfo({fake::resolves(addresses)});
        fake::on_gethostbyname({fake::knows(any_host(in))});
        attempt([&] { (void)sk::gethostbyname_ex(host); });
        break;
      case 6:
        fake::on_getaddrinfo({fake::resolves(addresses)});
        fake::on_gethostbyaddr({fake::knows(any_host(in))});
        attempt([&] { (void)sk::gethostbyaddr(host); });
        break;
      default:
        fake::on_getaddrinfo({fake::resolves(addresses)});
        fake::on_gethostbyaddr({fake::knows(any_host(in))});
        attempt([&] { (void)sk::getfqdn(host); });
    }
  }
  return 0;
}
