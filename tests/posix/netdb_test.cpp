// SPDX-License-Identifier: MIT
// Databases that cannot be read, and this host's own name.
#include <cerrno>
#include <cstring>
#include <pysock/error.hpp>
#include <pysock/resolver.hpp>
#include <vector>

#include "support/c_library.hpp"
#include "support/catch.hpp"
#include "support/failure.hpp"
#include "support/native.hpp"

namespace sk = pysock;
using namespace test_support;

namespace {

const std::string no_service = "error: service/proto not found";

// How getservbyname fails if the C library finds nothing and reports this number.
std::string service_failure(int number) {
  const replaced<c_library::getservbyname> plain(number);
#ifdef __GLIBC__
  const replaced<c_library::getservbyname_r> reentrant(
      [number](const char*, const char*, servent*, char*, std::size_t, servent** found) {
        *found = nullptr;
        return number;
      });
#endif
  return failure_of([] { return sk::getservbyname("service"); });
}

// Makes the C library answer all questions for hosts with an entry, or a null pointer and the
// numbers for h_errno and errno.
class host_answer {
 public:
  explicit host_answer(hostent* found, int reason = 0, int number = 0)
      : plain_([=](const char*, int) {
          h_errno = reason;
          errno = number;
          return found;
        })
#ifdef __GLIBC__
        ,
        reentrant_([=](const char*, int, hostent* entry, char*, std::size_t, hostent** result,
                       int* reason_of_call) {
          if (found != nullptr) *entry = *found;
          *result = found != nullptr ? entry : nullptr;
          *reason_of_call = reason;
          return number;
        })
#endif
  {
  }

 private:
  replaced<c_library::gethostbyname2> plain_;
#ifdef __GLIBC__
  replaced<c_library::gethostbyname2_r> reentrant_;
#endif
};

std::string host_failure(int reason, int number) {
  const host_answer answer(nullptr, reason, number);
  return failure_of([] { return sk::gethostbyname_ex("127.0.0.1"); });
}

}  // namespace

TEST_CASE("getservbyname without a descriptor or memory reports that, not an unknown service",
          "[resolver]") {
  CHECK(service_failure(EMFILE) == failure("error", EMFILE));
  CHECK(service_failure(ENFILE) == failure("error", ENFILE));
  CHECK(service_failure(ENOMEM) == failure("error", ENOMEM));
}

TEST_CASE("getservbyname of a service that no database has finds none", "[resolver]") {
  CHECK(service_failure(0) == no_service);
  CHECK(service_failure(ENOENT) == no_service);
  CHECK(service_failure(ESRCH) == no_service);
}

TEST_CASE("gethostbyname_ex without a descriptor reports that, not an unknown host", "[resolver]") {
  CHECK(host_failure(TRY_AGAIN, EMFILE) == failure("error", EMFILE));
  CHECK(host_failure(HOST_NOT_FOUND, ENOMEM) == failure("error", ENOMEM));
}

TEST_CASE("gethostbyname_ex throws herror with the reason of the resolver", "[resolver]") {
  CHECK(host_failure(HOST_NOT_FOUND, 0) == failure("herror", HOST_NOT_FOUND));
  CHECK(host_failure(NO_DATA, 0) == failure("herror", NO_DATA));
  CHECK(host_failure(0, 0) == failure("herror", HOST_NOT_FOUND));
  // A name server does not answer.
  CHECK(host_failure(TRY_AGAIN, EAGAIN) == failure("herror", TRY_AGAIN));
  CHECK(host_failure(TRY_AGAIN, ECONNREFUSED) == failure("herror", TRY_AGAIN));
}

#ifdef NETDB_INTERNAL
TEST_CASE("gethostbyname_ex throws NO_RECOVERY for an internal failure without errno",
          "[resolver]") {
  CHECK(host_failure(NETDB_INTERNAL, 0) == failure("herror", NO_RECOVERY));
}
#endif

TEST_CASE("gethostbyname_ex returns the aliases of a host without its name", "[resolver]") {
  std::string name = "name.example";
  std::string first = "first.example";
  std::string second = "second.example";
  std::string packed = "\x0A\x01\x02\x03";
  // musl's first alias is the name itself.
  char* aliases[] = {name.data(), first.data(), second.data(), nullptr};
  char* addresses[] = {packed.data(), nullptr};
  hostent entry{};
  entry.h_name = name.data();
  entry.h_aliases = aliases;
  entry.h_addrtype = AF_INET;
  entry.h_length = 4;
  entry.h_addr_list = addresses;
  const host_answer answer(&entry);
  const sk::host_info info = sk::gethostbyname_ex("127.0.0.1");
  CHECK(info.hostname == name);
  CHECK(info.aliaslist == std::vector<std::string>{first, second});
  CHECK(info.ipaddrlist == std::vector<std::string>{"10.1.2.3"});
}

#ifdef __GLIBC__
TEST_CASE("a database that cannot be read is an error, not an unknown name",
          "[resolver][reentrant]") {
  CHECK(service_failure(EIO) == failure("error", EIO));
  CHECK(host_failure(NETDB_INTERNAL, EIO) == failure("error", EIO));
}

TEST_CASE("a lookup gets a larger buffer until the entry fits", "[resolver][reentrant]") {
  constexpr std::size_t needed = 100000;
  std::vector<std::size_t> sizes;
  const replaced<c_library::getservbyname_r> large([&sizes](const char*, const char*,
                                                            servent* entry, char* buffer,
                                                            std::size_t size, servent** found) {
    sizes.push_back(size);
    std::memset(buffer, 'x', size);  // all of it can be written
    *found = nullptr;
    if (size < needed) return ERANGE;
    entry->s_port = htons(4711);
    *found = entry;
    return 0;
  });
  CHECK(sk::getservbyname("service") == 4711);
  REQUIRE(sizes.size() > 1);
  CHECK(sizes.back() >= needed);
  CHECK(sizes[sizes.size() - 2] < needed);
}

TEST_CASE("a lookup whose entry never fits ends with ERANGE", "[resolver][reentrant]") {
  std::size_t largest = 0;
  const replaced<c_library::getservbyname_r> endless(
      [&largest](const char*, const char*, servent*, char*, std::size_t size, servent** found) {
        largest = size;
        *found = nullptr;
        return ERANGE;
      });
  CHECK(failure_of([] { return sk::getservbyname("service"); }) == failure("error", ERANGE));
  CHECK(largest == std::size_t{1} << 22);
}
#endif

TEST_CASE("gethostname throws the error of the C library", "[gethostname]") {
  const replaced<c_library::gethostname> failing(ENAMETOOLONG);
  try {
    (void)sk::gethostname();
    FAIL("no exception");
  } catch (const sk::error& e) {
    CHECK(std::string(e.what()) == "gethostname: " + errno_text(ENAMETOOLONG));
  }
}

TEST_CASE("sethostname passes the name with its length, and throws the error", "[sethostname]") {
  const std::string name = sk::gethostname();  // in case the call is not replaced
  std::string passed;
  {
    const replaced<c_library::sethostname> accepting([&passed](const char* data, std::size_t size) {
      passed.assign(data, size);
      return 0;
    });
    sk::sethostname(name);
  }
  CHECK(passed == name);
  const replaced<c_library::sethostname> failing(EPERM);
  CHECK(failure_of([&name] { sk::sethostname(name); }) == failure("permission_error", EPERM));
}
