// SPDX-License-Identifier: MIT
// The resolver with databases of known contents, and with this host's, compared with Python.
#include <sys/resource.h>
#include <unistd.h>

#include <functional>
#include <pysock/interfaces.hpp>
#include <pysock/resolver.hpp>
#include <set>
#include <sstream>
#include <vector>

#include "support/catch.hpp"
#include "support/descriptors.hpp"
#include "support/failure.hpp"
#include "support/private_etc.hpp"
#include "support/python_peer.hpp"

namespace sk = pysock;
using namespace test_support;

namespace {

std::string join(const std::vector<std::string>& parts) {
  std::string all;
  for (const std::string& part : parts) all += (all.empty() ? "" : ",") + part;
  return all;
}

std::string show(const std::string& text) { return text; }
std::string show(int number) { return std::to_string(number); }
std::string show(const sk::host_info& info) {
  return info.hostname + "|" + join(info.aliaslist) + "|" + join(info.ipaddrlist);
}
std::string show(const sk::name_info& info) { return info.host + "|" + info.port; }
std::string show(const std::vector<sk::address_info>& all) {
  std::string out;
  for (const sk::address_info& one : all) {
    out +=
        (out.empty() ? "" : " ") + one.sockaddr.host() + ":" + std::to_string(one.sockaddr.port());
    if (!one.canonname.empty()) out += "=" + one.canonname;
  }
  return out;
}

// What a call returned, or how it failed.
template <class F>
std::string answer(const F& call) {
  std::string shown;
  const std::string failed = failure_of([&] { return shown = show(call()); });
  return failed == "none" ? shown : failed;
}

struct question {
  std::function<std::string()> ask;
  std::string expected;
};
template <class F>
question ask(F call, const std::string& expected) {
  return {[call] { return answer(call); }, expected};
}

const std::map<std::string, std::string> databases = {
    {"nsswitch.conf", "hosts: files\nservices: files\nprotocols: files\nnetworks: files\n"},
    {"host.conf", "multi on\n"},
    {"resolv.conf",
     "nameserver 127.0.0.1\noptions timeout:1 attempts:1\n"},  // some C libraries ask a server
    {"hosts",
     "127.0.0.1 localhost\n"
     "127.0.0.2 short alias.example another\n"
     "127.0.0.3 multi.example multi\n"
     "127.0.0.4 multi.example\n"
     "127.0.0.5 plain\n"
     "127.0.0.6 full.example full\n"
     "127.0.0.7 own.example " +
         sk::gethostname() +
         "\n"
         "127.0.0.8 twice.example twice.example\n"
         "::1 localhost6 localhost6.example\n"
         "::2 six.example\n"},
    {"services",
     "http 80/tcp www\ndomain 53/tcp\ndomain 53/udp\nexec 512/tcp\nbiff 512/udp comsat\n"},
    {"protocols", "icmp 1 ICMP\ntcp 6 TCP\nudp 17 UDP\n"}};

// Runs the questions in a process whose /etc has only these databases.
std::vector<std::string> answers_from_known(const std::vector<question>& questions) {
  const std::string all = in_private_etc(databases, [&] {
    std::string lines;
    for (const question& one : questions) lines += one.ask() + "\n";
    return lines;
  });
  std::vector<std::string> answers;
  std::istringstream lines(all);
  for (std::string line; std::getline(lines, line);) answers.push_back(line);
  return answers;
}

bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

// Whether a call of the C library finds something in these databases. True, too, where a private
// /etc is not allowed: the questions report that.
bool probe(const std::function<bool()>& holds) {
  return in_private_etc(databases, [&] { return std::string(holds() ? "yes" : "no"); }) != "no";
}

bool knows_aliases() {
  return probe([] {
    const unsigned char packed[] = {127, 0, 0, 2};
    const hostent* const found = ::gethostbyaddr(packed, sizeof packed, AF_INET);
    return found != nullptr && found->h_aliases[0] != nullptr &&
           std::string(found->h_aliases[0]) == "alias.example";
  });
}

bool misses_unknown_addresses() {
  return probe([] {
    const unsigned char packed[] = {192, 0, 2, 7};
    return ::gethostbyaddr(packed, sizeof packed, AF_INET) == nullptr;
  });
}

bool misses_unknown_names() {
  return probe([] {
    addrinfo* none = nullptr;
    return ::getaddrinfo("unknown.example", "80", nullptr, &none) == EAI_NONAME;
  });
}

bool knows_protocol_aliases() {
  return probe([] { return ::getprotobyname("TCP") != nullptr; });
}

}  // namespace

// A macro, because only the body of a test case can be skipped.
#define CHECK_QUESTIONS(questions)                                        \
  const std::vector<std::string> answers = answers_from_known(questions); \
  if (!answers.empty() && contains(answers[0], "not allowed: "))          \
    SKIP_TEST("a private /etc is " + answers[0]);                         \
  REQUIRE(answers.size() == (questions).size());                          \
  for (std::size_t i = 0; i < answers.size(); ++i) {                      \
    CAPTURE(i);                                                           \
    CHECK(answers[i] == (questions)[i].expected);                         \
  }                                                                       \
  static_assert(true)

TEST_CASE("getaddrinfo finds names of the hosts file", "[resolver]") {
  const std::vector<question> questions = {
      ask([] { return sk::getaddrinfo("localhost", 80, 0, SOCK_STREAM); }, "127.0.0.1:80"),
      ask([] { return sk::getaddrinfo("localhost6", "http", 0, SOCK_STREAM); }, "::1:80"),
      ask([] { return sk::getaddrinfo("another", "www", 0, SOCK_STREAM, 0, AI_CANONNAME); },
          "127.0.0.2:80=short"),
      ask([] { return sk::getaddrinfo("multi.example", 1, AF_INET, SOCK_STREAM, 0, AI_CANONNAME); },
          "127.0.0.3:1=multi.example 127.0.0.4:1"),
      ask([] { return sk::getaddrinfo("127.0.0.1", "domain"); }, "127.0.0.1:53 127.0.0.1:53"),
      ask([] { return sk::getaddrinfo("127.0.0.1", "biff", 0, SOCK_STREAM); },
          failure("gaierror", EAI_SERVICE)),
      ask([] { return sk::getaddrinfo("127.0.0.1", "no such service"); },
          failure("gaierror", EAI_SERVICE)),
      ask([] { return sk::getaddrinfo("a..b", 80); }, failure("gaierror", EAI_NONAME)),
  };
  CHECK_QUESTIONS(questions);
}

TEST_CASE("gethostbyname and gethostbyname_ex find names of the hosts file", "[resolver]") {
  const std::vector<question> questions = {
      ask([] { return sk::gethostbyname("localhost"); }, "127.0.0.1"),
      ask([] { return sk::gethostbyname("alias.example"); }, "127.0.0.2"),
      ask([] { return sk::gethostbyname("multi.example"); }, "127.0.0.3"),
      ask([] { return sk::gethostbyname(sk::gethostname()); }, "127.0.0.7"),
      ask([] { return sk::gethostbyname_ex("localhost"); }, "localhost||127.0.0.1"),
      ask([] { return sk::gethostbyname_ex(""); }, failure("herror", HOST_NOT_FOUND)),
  };
  CHECK_QUESTIONS(questions);
}

TEST_CASE("names that have addresses of the other family only", "[resolver]") {
  // C libraries differ in the error number.
  const std::string number = in_private_etc(databases, [] {
    addrinfo hints{};
    hints.ai_family = AF_INET;
    addrinfo* none = nullptr;
    return std::to_string(::getaddrinfo("six.example", "80", &hints, &none));
  });
  REQUIRE(number != "0");
  const std::vector<question> questions = {
      ask([] { return sk::getaddrinfo("six.example", 80, AF_INET); }, "gaierror " + number),
      ask([] { return sk::gethostbyname("six.example"); }, "gaierror " + number),
      ask([] { return sk::gethostbyname_ex("six.example"); }, "gaierror " + number),
  };
  CHECK_QUESTIONS(questions);
}

TEST_CASE("gethostbyaddr finds addresses of the hosts file", "[resolver]") {
  const std::vector<question> questions = {
      ask([] { return sk::gethostbyaddr("127.0.0.1"); }, "localhost||127.0.0.1"),
      ask([] { return sk::gethostbyaddr("::2"); }, "six.example||::2"),
      ask([] { return sk::gethostbyaddr("six.example"); }, "six.example||::2"),
  };
  CHECK_QUESTIONS(questions);
}

TEST_CASE("herror has h_errno and its text", "[resolver]") {
  const std::string text = ::hstrerror(HOST_NOT_FOUND);
  const std::vector<question> questions = {ask(
      [] {
        try {
          (void)sk::gethostbyname_ex("");
        } catch (const sk::herror& e) {
          return std::string(e.what()) + "|" + e.strerror() + "|" +
                 std::to_string(e.errnum().value_or(0));
        }
        return std::string("no herror");
      },
      "gethostbyname_ex '': [Errno 1] " + text + "|" + text + "|1")};
  CHECK_QUESTIONS(questions);
}

TEST_CASE("getfqdn returns fully qualified names", "[resolver]") {
  const std::vector<question> questions = {
      ask([] { return sk::getfqdn("full"); }, "full.example"),
      ask([] { return sk::getfqdn("plain"); }, "plain"),
      ask([] { return sk::getfqdn("127.0.0.6"); }, "full.example"),
      ask([] { return sk::getfqdn(" full\t"); }, "full.example"),
      ask([] { return sk::getfqdn("unknown"); }, "unknown"),
      ask([] { return sk::getfqdn("192.0.2.7"); }, "192.0.2.7"),
      ask([] { return sk::getfqdn(); }, "own.example"),
      ask([] { return sk::getfqdn(""); }, "own.example"),
      ask([] { return sk::getfqdn("0.0.0.0"); }, "own.example"),
      ask([] { return sk::getfqdn("::"); }, "own.example"),
  };
  CHECK_QUESTIONS(questions);
}

TEST_CASE("gethostbyname_ex and gethostbyaddr return aliases", "[resolver]") {
  if (!knows_aliases()) SKIP_TEST("this C library does not give the aliases of /etc/hosts");
  const std::vector<question> questions = {
      ask([] { return sk::gethostbyname_ex("another"); }, "short|alias.example,another|127.0.0.2"),
      ask([] { return sk::gethostbyname_ex("multi.example"); },
          "multi.example|multi|127.0.0.3,127.0.0.4"),
      ask([] { return sk::gethostbyaddr("127.0.0.2"); }, "short|alias.example,another|127.0.0.2"),
      ask([] { return sk::gethostbyaddr("::1"); }, "localhost6|localhost6.example|::1"),
      ask([] { return sk::gethostbyaddr("another"); }, "short|alias.example,another|127.0.0.2"),
      ask([] { return sk::getfqdn("short"); }, "alias.example"),
  };
  CHECK_QUESTIONS(questions);
}

TEST_CASE("a host's name is among its aliases only if the file repeats it", "[resolver]") {
  const std::string told =
      knows_aliases() ? "twice.example|twice.example|127.0.0.8" : "twice.example||127.0.0.8";
  const std::vector<question> questions = {
      ask([] { return sk::gethostbyname_ex("twice.example"); }, told),
      ask([] { return sk::gethostbyaddr("127.0.0.8"); }, told),
      ask([] { return sk::gethostbyname_ex("plain"); }, "plain||127.0.0.5"),
  };
  CHECK_QUESTIONS(questions);
}

TEST_CASE("unknown names are errors", "[resolver]") {
  if (!misses_unknown_names())
    SKIP_TEST("this C library asks a name server, whatever nsswitch.conf says");
  const std::vector<question> questions = {
      ask([] { return sk::getaddrinfo("unknown.example", 80); }, failure("gaierror", EAI_NONAME)),
      ask([] { return sk::getaddrinfo("<broadcast>", 80); }, failure("gaierror", EAI_NONAME)),
      ask([] { return sk::gethostbyname_ex("<broadcast>"); }, failure("herror", HOST_NOT_FOUND)),
      ask([] { return sk::gethostbyname("unknown.example"); }, failure("gaierror", EAI_NONAME)),
      ask([] { return sk::gethostbyname_ex("unknown.example"); }, failure("gaierror", EAI_NONAME)),
      ask([] { return sk::gethostbyaddr("unknown.example"); }, failure("gaierror", EAI_NONAME)),
  };
  CHECK_QUESTIONS(questions);
}

TEST_CASE("unknown addresses are errors", "[resolver]") {
  if (!misses_unknown_addresses()) SKIP_TEST("this C library makes up names for unknown addresses");
  const std::vector<question> questions = {
      ask([] { return sk::gethostbyaddr("192.0.2.7"); }, failure("herror", HOST_NOT_FOUND)),
      ask([] { return sk::gethostbyaddr("<broadcast>"); }, failure("herror", HOST_NOT_FOUND)),
  };
  CHECK_QUESTIONS(questions);
}

TEST_CASE("getnameinfo finds names of addresses", "[resolver]") {
  const std::vector<question> questions = {
      ask(
          [] {
            return sk::getnameinfo({"127.0.0.6", 80}, 0);
          },
          "full.example|http"),
      ask(
          [] {
            return sk::getnameinfo({"::1", 80}, 0);
          },
          "localhost6|http"),
      ask(
          [] {
            return sk::getnameinfo({"127.0.0.6", 80}, NI_NUMERICHOST);
          },
          "127.0.0.6|http"),
      ask(
          [] {
            return sk::getnameinfo({"127.0.0.6", 80}, NI_NUMERICSERV);
          },
          "full.example|80"),
      ask(
          [] {
            return sk::getnameinfo({"127.0.0.6", 512}, 0);
          },
          "full.example|exec"),
      ask(
          [] {
            return sk::getnameinfo({"127.0.0.6", 512}, NI_DGRAM);
          },
          "full.example|biff"),
      ask(
          [] {
            return sk::getnameinfo({"192.0.2.7", 9999}, 0);
          },
          "192.0.2.7|9999"),
      ask(
          [] {
            return sk::getnameinfo({"192.0.2.7", 80}, NI_NAMEREQD);
          },
          failure("gaierror", EAI_NONAME)),
      ask(
          [] {
            return sk::getnameinfo({"localhost", 80}, 0);
          },
          failure("gaierror", EAI_NONAME)),
  };
  CHECK_QUESTIONS(questions);
}

TEST_CASE("getservbyname, getservbyport and getprotobyname read the databases", "[resolver]") {
  const std::vector<question> questions = {
      ask([] { return sk::getservbyname("http"); }, "80"),
      ask([] { return sk::getservbyname("www", "tcp"); }, "80"),
      ask([] { return sk::getservbyname("domain", "udp"); }, "53"),
      ask([] { return sk::getservbyname("http", "udp"); }, "error: service/proto not found"),
      ask([] { return sk::getservbyname("HTTP"); }, "error: service/proto not found"),
      ask([] { return sk::getservbyport(80); }, "http"),
      ask([] { return sk::getservbyport(512); }, "exec"),
      ask([] { return sk::getservbyport(512, "udp"); }, "biff"),
      ask([] { return sk::getservbyport(80, "udp"); }, "error: port/proto not found"),
      ask([] { return sk::getprotobyname("icmp"); }, "1"),
      ask([] { return sk::getprotobyname("Tcp"); }, "error: protocol not found"),
  };
  CHECK_QUESTIONS(questions);
}

TEST_CASE("getprotobyname finds aliases", "[resolver]") {
  if (!knows_protocol_aliases()) SKIP_TEST("this C library does not read /etc/protocols");
  const std::vector<question> questions = {ask([] { return sk::getprotobyname("TCP"); }, "6")};
  CHECK_QUESTIONS(questions);
}

TEST_CASE("lookups in this host's databases agree with Python's", "[resolver]") {
  if (!has_program("python3")) SKIP_TEST("there is no python3");
  // Only questions that its files answer, so that no name server is asked.
  if (answer([] { return sk::getaddrinfo("localhost", 80, AF_INET, SOCK_STREAM); }) !=
      "127.0.0.1:80")
    SKIP_TEST("this host's files do not know localhost");
  python_peer python(
      "def answer(call):\n"
      "    try: return call()\n"
      "    except OSError as e: return type(e).__name__.replace('OSError', 'error: ') + (e.args[0] "
      "if len(e.args) == 1 else ' %d' % "
      "e.errno)\n"
      "def show(info): return info if isinstance(info, str) else '|'.join([info[0], "
      "','.join(info[1]), ','.join(info[2])])\n"
      "say('hostname', socket.gethostname())\n"
      "say('byname', answer(lambda: socket.gethostbyname('localhost')))\n"
      "say('byname_ex', show(answer(lambda: socket.gethostbyname_ex('localhost'))))\n"
      "say('byaddr', show(answer(lambda: socket.gethostbyaddr('127.0.0.1'))))\n"
      "say('fqdn', answer(lambda: socket.getfqdn('localhost')))\n"
      "for name in 'http', 'domain', 'echo': say(name, answer(lambda: "
      "socket.getservbyname(name)))\n"
      "for port in 7, 53, 443: say(port, answer(lambda: socket.getservbyport(port, 'tcp')))\n"
      "for name in 'icmp', 'tcp', 'ipv6-icmp': say(name, answer(lambda: "
      "socket.getprotobyname(name)))\n");
  CHECK(sk::gethostname() == python.expect("hostname"));
  CHECK(answer([] { return sk::gethostbyname("localhost"); }) == python.expect("byname"));
  CHECK(answer([] { return sk::gethostbyname_ex("localhost"); }) == python.expect("byname_ex"));
  CHECK(answer([] { return sk::gethostbyaddr("127.0.0.1"); }) == python.expect("byaddr"));
  CHECK(answer([] { return sk::getfqdn("localhost"); }) == python.expect("fqdn"));
  for (const char* name : {"http", "domain", "echo"})
    CHECK(answer([&] { return sk::getservbyname(name); }) == python.expect(name));
  for (const int port : {7, 53, 443})
    CHECK(answer([&] { return sk::getservbyport(port, "tcp"); }) ==
          python.expect(std::to_string(port)));
  for (const char* name : {"icmp", "tcp", "ipv6-icmp"})
    CHECK(answer([&] { return sk::getprotobyname(name); }) == python.expect(name));
  python.finish();
}

TEST_CASE("the host's name can be set with the privilege", "[resolver]") {
  const std::string before = sk::gethostname();
  const std::string told = with_private_hostname([] {
    sk::sethostname("pysock-test");
    std::string all = sk::gethostname();
    all += "|" + failure_of([] { sk::sethostname(std::string(65, 'x')); });
    all += "|" + failure_of([] { sk::sethostname("a\0b"); });
    all += "|" + sk::gethostname() + "|";
    sk::sethostname("");
    return all + sk::gethostname();
  });
  if (contains(told, "not allowed: ")) SKIP_TEST("a private host name is " + told);
  CHECK(told == "pysock-test|" + failure("error", EINVAL) + "|invalid_argument|pysock-test|");
  CHECK(sk::gethostname() == before);
}

TEST_CASE("sethostname without the privilege is a permission_error", "[resolver]") {
  const std::string told = text_from_child([] {
    if (::geteuid() == 0 && ::setuid(65534) != 0) return std::string("not allowed: setuid");
    const std::string same = sk::gethostname();
    return failure_of([&] { sk::sethostname(same); });
  });
  if (contains(told, "not allowed: ")) SKIP_TEST("giving up root is " + told);
  CHECK(told == failure("permission_error", EPERM));
}

TEST_CASE("lookups in a process without free descriptors report EMFILE, not an unknown name",
          "[resolver][EMFILE]") {
  // The answer is the expected one, or EMFILE. Some C libraries make up a name of an address, and
  // have another number for a list of interfaces that they cannot read.
  const bool makes_up_names = !misses_unknown_addresses();
  const auto index = sk::if_nametoindex(sk::if_nameindex().at(0).name);
  const std::string name = sk::if_nameindex().at(0).name;
  const std::vector<question> questions = {
      ask([] { return sk::getservbyname("http", "tcp"); }, "80"),
      ask([] { return sk::getservbyport(80, "tcp"); }, "http"),
      ask([] { return sk::getprotobyname("tcp"); }, "6"),
      ask([] { return sk::gethostbyname("plain"); }, "127.0.0.5"),
      ask([] { return sk::gethostbyname_ex("plain"); }, "plain||127.0.0.5"),
      ask([] { return sk::gethostbyaddr("127.0.0.5"); }, "plain||127.0.0.5"),
      ask([] { return sk::getaddrinfo("plain", 80, AF_INET, SOCK_STREAM); }, "127.0.0.5:80"),
      ask([] { return sk::getaddrinfo("127.0.0.1", "http", AF_INET, SOCK_STREAM); },
          "127.0.0.1:80"),
      ask(
          [] {
            return sk::getnameinfo({"127.0.0.5", 80}, NI_NAMEREQD);
          },
          "plain|http"),
      ask([&] { return static_cast<int>(sk::if_nametoindex(name)); }, std::to_string(index)),
      ask([&] { return sk::if_indextoname(index); }, name),
      ask([] { return sk::if_nameindex().empty() ? 0 : 1; }, "1"),
  };
  for (const bool first_looked_up : {false, true}) {
    // The C library may fail differently before it has loaded its modules.
    CAPTURE(first_looked_up);
    const std::string all = in_private_etc(databases, [&] {
      if (first_looked_up) {
        for (const question& one : questions) (void)one.ask();
      }
      const std::set<sk::native_handle_type> open = open_descriptors();
      rlimit limit{};
      ::getrlimit(RLIMIT_NOFILE, &limit);
      limit.rlim_cur = static_cast<rlim_t>(*open.rbegin() + 1);
      ::setrlimit(RLIMIT_NOFILE, &limit);
      while (::dup(*open.begin()) >= 0) {
      }
      std::string lines;
      for (const question& one : questions) lines += one.ask() + "\n";
      return lines;
    });
    if (contains(all, "not allowed: ")) SKIP_TEST("a private /etc is " + all);
    std::istringstream lines(all);
    std::size_t count = 0;
    for (std::string line; std::getline(lines, line); ++count) {
      CAPTURE(count, line);
      REQUIRE(count < questions.size());
      const bool told = line == questions[count].expected || line == failure("error", EMFILE);
      const bool told_otherwise =
          (makes_up_names && line == "127.0.0.5||127.0.0.5") || line == failure("error", ENOBUFS);
      CHECK((told || told_otherwise));
    }
    CHECK(count == questions.size());
  }
}
