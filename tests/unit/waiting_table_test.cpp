// SPDX-License-Identifier: MIT
// Each public call that can block, in each mode, for each way in which the system can make it wait.
// Checks how the call ends, how often it polls, and how long it takes.
#include <pysock/file.hpp>
#include <pysock/socket.hpp>

#include <cerrno>
#include <functional>
#include <sstream>
#include <string>
#include <vector>

#include "support/catch.hpp"
#include "support/failure.hpp"
#include "support/fake_sys.hpp"

using namespace std::chrono_literals;
using namespace test_support;
using fake::fails;
using fake::step;

namespace {

enum class mode { blocking, timeout, nonblocking };
enum class call_fails { once, for_ever };
enum class poll_is { ready_for_ever, interrupted_for_ever, expiring };

// The objects of a scenario.
struct sockets {
  explicit sockets(mode m, pysock::interrupter* stop = nullptr) {
    for (pysock::socket* s : {&tcp, &unix_stream}) {
      if (stop != nullptr) s->set_interrupter(*stop);
      if (m == mode::blocking) s->settimeout(std::nullopt);
      if (m == mode::timeout) s->settimeout(100ms);
      if (m == mode::nonblocking) s->settimeout(0);
    }
    file = tcp.makefile("rw", 0);
  }

  pysock::socket tcp;
  pysock::socket unix_stream{AF_UNIX};
  pysock::file file{nullptr};
  std::istringstream stream{"x"};
  char buffer[10] = {};
  pysock::endpoint endpoint{reinterpret_cast<const sockaddr*>(to.bytes.data()), to.size()};
  pysock::address address{"127.0.0.1", 9};
  fake::handle disk_file = fake::adopt_file("x");

 private:
  static inline const fake::socket_address to = fake::inet({127, 0, 0, 1}, 9);
};

struct call {
  std::string name;
  std::string function;  // the system call that fails in blocking mode
  std::string nonblocking_function;
  step success;
  std::function<void(sockets&, std::error_code&)> make;
  int number = EAGAIN;       // the error number with which it fails
  bool is_repeated = true;   // false: the system continues the call in the background
  bool polls_first = false;  // in timeout mode the call polls before it tries
  bool takes_nonblocking = true;

  // The system call in any mode if the socket has an interrupter.
  [[nodiscard]] const std::string& interruptible_function() const { return nonblocking_function; }
};

// Makes a call that throws into one that reports an error code.
template <class Call>
std::function<void(sockets&, std::error_code&)> throwing(Call make) {
  return [make](sockets& s, std::error_code& ec) {
    try {
      make(s);
    } catch (const pysock::error& e) {
      ec = e.code();
    }
  };
}

std::vector<call> calls() {
  const step got = fake::gives("x");
  const step sent = fake::takes(1);
  std::vector<call> all;
  const auto add = [&all](std::string name, std::string function, step success, auto make) {
    all.push_back({std::move(name), function, function, std::move(success), make});
  };
  using ec = std::error_code&;
  add("recv", "recv", got, throwing([](sockets& s) { (void)s.tcp.recv(1); }));
  add("recv_into", "recv", got, throwing([](sockets& s) { (void)s.tcp.recv_into(s.buffer); }));
  add("recv_into ec", "recv", got, [](sockets& s, ec e) { (void)s.tcp.recv_into(s.buffer, e); });
  add("recvfrom", "recvfrom", got, throwing([](sockets& s) { (void)s.tcp.recvfrom(1); }));
  add("recvfrom_into", "recvfrom", got,
      throwing([](sockets& s) { (void)s.tcp.recvfrom_into(s.buffer); }));
  add("recvfrom_into ec", "recvfrom", got,
      [](sockets& s, ec e) { (void)s.tcp.recvfrom_into(s.buffer, 0, 0, e); });
  add("recvfrom_into endpoint", "recvfrom", got,
      throwing([](sockets& s) { (void)s.tcp.recvfrom_into(s.buffer, s.endpoint); }));
  add("recvfrom_into endpoint ec", "recvfrom", got,
      [](sockets& s, ec e) { (void)s.tcp.recvfrom_into(s.buffer, s.endpoint, 0, e); });
  add("recvmsg", "recvmsg", got, throwing([](sockets& s) { (void)s.tcp.recvmsg(1); }));
  add("recvmsg_into", "recvmsg", got,
      throwing([](sockets& s) { (void)s.tcp.recvmsg_into({pysock::mutable_bytes(s.buffer)}); }));
  add("recvmsg_into ec", "recvmsg", got,
      [](sockets& s, ec e) { (void)s.tcp.recvmsg_into({pysock::mutable_bytes(s.buffer)}, e); });
  add("send", "send", sent, throwing([](sockets& s) { (void)s.tcp.send("x"); }));
  add("send ec", "send", sent, [](sockets& s, ec e) { (void)s.tcp.send("x", e); });
  add("sendall", "send", sent, throwing([](sockets& s) { s.tcp.sendall("x"); }));
  add("sendall ec", "send", sent, [](sockets& s, ec e) { s.tcp.sendall("x", e); });
  add("sendto", "sendto", sent, throwing([](sockets& s) { (void)s.tcp.sendto("x", s.address); }));
  add("sendto ec", "sendto", sent,
      [](sockets& s, ec e) { (void)s.tcp.sendto("x", 0, s.address, e); });
  add("sendto endpoint", "sendto", sent,
      throwing([](sockets& s) { (void)s.tcp.sendto("x", s.endpoint); }));
  add("sendto endpoint ec", "sendto", sent,
      [](sockets& s, ec e) { (void)s.tcp.sendto("x", 0, s.endpoint, e); });
  add("sendmsg", "sendmsg", sent, throwing([](sockets& s) { (void)s.tcp.sendmsg({"x"}); }));
  add("sendmsg ec", "sendmsg", sent, [](sockets& s, ec e) { (void)s.tcp.sendmsg({"x"}, e); });

  const std::size_t accepts = all.size();
  add("accept", "accept", fake::succeeds(), throwing([](sockets& s) { (void)s.tcp.accept(); }));
  add("accept ec", "accept", fake::succeeds(), [](sockets& s, ec e) { (void)s.tcp.accept(e); });
  for (std::size_t i = accepts; i < all.size(); ++i) all[i].polls_first = true;

  const std::size_t connects = all.size();
  add("connect", "connect", fake::succeeds(),
      throwing([](sockets& s) { s.tcp.connect(s.address); }));
  add("connect ec", "connect", fake::succeeds(),
      [](sockets& s, ec e) { s.tcp.connect(s.address, e); });
  for (std::size_t i = connects; i < all.size(); ++i) {
    all[i].number = EINPROGRESS;
    all[i].is_repeated = false;
  }
  add("connect AF_UNIX", "connect", fake::succeeds(),
      throwing([](sockets& s) { s.unix_stream.connect("/tmp/s"); }));

  const std::size_t files = all.size();
  add("sendfile", "sendfile", sent,
      throwing([](sockets& s) { s.tcp.sendfile(s.disk_file, 0, 1); }));
  add("sendfile ec", "sendfile", sent,
      [](sockets& s, ec e) { s.tcp.sendfile(s.disk_file, 0, 1, e); });
  add("sendfile of a stream", "send", sent,
      throwing([](sockets& s) { s.tcp.sendfile(s.stream, 0, 1); }));
  for (std::size_t i = files; i < all.size(); ++i) all[i].takes_nonblocking = false;

  const std::size_t streams = all.size();
  add("recv_exactly", "recv", got, throwing([](sockets& s) { (void)s.tcp.recv_exactly(1); }));
  add("recv_exactly_into", "recv", got, throwing([](sockets& s) {
        s.tcp.recv_exactly_into({s.buffer, 1});
      }));
  add("recv_exactly_into ec", "recv", got, [](sockets& s, ec e) {
    s.tcp.recv_exactly_into({s.buffer, 1}, e);
  });
  add("file.read", "recv", got, throwing([](sockets& s) { (void)s.file.read(1); }));
  add("file.readline", "recv", got, throwing([](sockets& s) { (void)s.file.readline(1); }));
  add("file.write", "send", sent, throwing([](sockets& s) { s.file.write("x"); }));
  for (std::size_t i = streams; i < all.size(); ++i) all[i].nonblocking_function += "_now";
  return all;
}

constexpr int script_end = 100;  // polls after which the script ends a call that waits for ever

// Scripts the system calls for one cell of the table.
void script(const call& c, mode m, call_fails failing, poll_is polled) {
  const std::string& function = m == mode::blocking ? c.function : c.nonblocking_function;
  std::vector<step> attempts;
  if (failing == call_fails::once) {
    attempts = {fails(c.number), c.success};
  } else if (m == mode::blocking && polled == poll_is::ready_for_ever) {
    attempts.assign(script_end, fails(c.number));
    attempts.push_back(c.success);
  } else if (m == mode::blocking) {
    attempts = {fails(c.number), c.success};  // there is no second attempt until poll() succeeds
  } else {
    attempts = {fails(c.number).always()};
  }
  fake::on(function, attempts);

  if (polled == poll_is::ready_for_ever) {
    fake::on_poll({fake::ready().always()});
  } else if (polled == poll_is::expiring) {
    fake::on_poll({fake::times_out().always()});
  } else if (m == mode::blocking) {
    std::vector<step> interruptions(script_end, fails(EINTR).after(1));
    interruptions.push_back(fake::ready());
    fake::on_poll(interruptions);
  } else {
    fake::on_poll({fails(EINTR).after(1).always()});
  }
}

}  // namespace

TEST_CASE("every call that can block ends according to its mode, whatever poll reports",
          "[waiting][table]") {
  int cells = 0;
  int impossible = 0;
  for (const call& c : calls()) {
    for (const mode m : {mode::blocking, mode::timeout, mode::nonblocking}) {
      for (const call_fails failing : {call_fails::once, call_fails::for_ever}) {
        for (const poll_is polled :
             {poll_is::ready_for_ever, poll_is::interrupted_for_ever, poll_is::expiring}) {
          // A poll without a limit does not expire. A call that continues in the background is not
          // repeated. sendfile refuses non-blocking sockets.
          if ((m == mode::blocking && polled == poll_is::expiring) ||
              (!c.is_repeated && failing == call_fails::for_ever) ||
              (!c.takes_nonblocking && m == mode::nonblocking)) {
            ++impossible;
            continue;
          }
          ++cells;
          CAPTURE(c.name, static_cast<int>(m), static_cast<int>(failing), static_cast<int>(polled));
          const fake::session session;
          sockets s(m);
          fake::clear_log();
          script(c, m, failing, polled);
          std::error_code ec;
          c.make(s, ec);
          const std::size_t polls = fake::count("poll");

          if (m == mode::nonblocking) {
            CHECK(ec == pysock::detail::system_code(c.number));
            CHECK(polls == 0);
            CHECK(fake::elapsed() == 0ms);
          } else if (m == mode::blocking) {
            // The script ends calls that would wait for ever.
            CHECK_FALSE(ec);
            const bool ends = failing == call_fails::once && polled == poll_is::ready_for_ever;
            const int interruptions = polled == poll_is::interrupted_for_ever ? 1 : 0;
            CHECK(polls == (ends ? 1U : static_cast<unsigned>(script_end + interruptions)));
            CHECK(fake::clock_reads() == 0);
          } else if (failing == call_fails::once && polled == poll_is::ready_for_ever) {
            CHECK_FALSE(ec);
            CHECK(polls == (c.polls_first ? 2U : 1U));
            CHECK(fake::elapsed() == 0ms);
          } else {
            CHECK(ec == pysock::errc::timed_out);
            CHECK(fake::elapsed() == 100ms);
            CHECK(polls == (polled == poll_is::expiring               ? 1U
                            : polled == poll_is::interrupted_for_ever ? 100U
                                                                      : 15U));
          }
          CHECK(fake::errors().empty());
        }
      }
    }
  }
  std::printf("counted: %d cells of waiting calls, and %d that cannot happen\n", cells, impossible);
}

TEST_CASE("an interrupter ends every call that can block, before it starts and while it waits",
          "[waiting][table][interrupter]") {
  for (const call& c : calls()) {
    for (const mode m : {mode::blocking, mode::timeout, mode::nonblocking}) {
      if (!c.takes_nonblocking && m == mode::nonblocking) continue;
      for (const bool starts : {true, false}) {
        if (!starts && m == mode::nonblocking) continue;  // a non-blocking call does not wait
        CAPTURE(c.name, static_cast<int>(m), starts);
        const fake::session session;
        pysock::interrupter stop;
        sockets s(m, &stop);
        fake::clear_log();
        if (starts) {
          stop.interrupt();
        } else {
          fake::on_poll({fake::wakes()});
          if (!c.polls_first) fake::on(c.interruptible_function(), {fails(c.number)});
        }
        std::error_code ec;
        c.make(s, ec);
        CHECK(ec == std::errc::interrupted);
        CHECK(fake::count(c.interruptible_function()) == (starts || c.polls_first ? 0U : 1U));
        CHECK(fake::count("poll") == 1);
        CHECK(fake::unused().empty());
        CHECK(fake::errors().empty());
        if (starts) {
          stop.reset();
          if (c.number == EAGAIN) fake::on(c.interruptible_function(), {c.success});
          ec.clear();
          c.make(s, ec);
          CHECK_FALSE(ec);
        }
      }
    }
  }
}
