// SPDX-License-Identifier: MIT
// Measures how calls that are blocked in another thread end, and prints the result as rows of a
// table of the documentation.
#include <cerrno>
#include <memory>

#include "snippets.hpp"

namespace {

std::string errno_name(const sk::error& e) {
  const int number = e.errnum().value_or(0);
  for (const auto& [value, name] : {std::pair{EINVAL, "EINVAL"},
                                    {EPIPE, "EPIPE"},
                                    {ENOTCONN, "ENOTCONN"},
                                    {EBADF, "EBADF"},
                                    {ECONNABORTED, "ECONNABORTED"},
                                    {ECONNRESET, "ECONNRESET"}}) {
    if (number == value) return name;
  }
  return e.strerror();
}

// The end of a call: its result, or the error's name.
std::string ending(const std::function<std::string()>& call) {
  try {
    return call();
  } catch (const sk::error& e) {
    return errno_name(e);
  }
}

// A call on `subject` that waits. `release` makes the peer end it.
struct situation {
  sk::socket subject;
  std::function<std::string(sk::socket&)> call;
  std::function<void()> release;
};

std::string bytes(const std::string& data) { return std::to_string(data.size()) + " bytes"; }

std::string after(situation where, const std::function<std::string(sk::socket&)>& act) {
  using namespace std::chrono_literals;
  const bool limited = where.subject.gettimeout().has_value();
  background<std::string> blocked(
      [&] { return ending([&] { return where.call(where.subject); }); });
  blocked.wait_until_asleep();
  const std::string said = act(where.subject);
  const auto give_up = std::chrono::steady_clock::now() + 600ms;
  while (!blocked.done() && std::chrono::steady_clock::now() < give_up)
    std::this_thread::sleep_for(1ms);
  const bool woke = blocked.done();
  if (!woke && !limited) where.release();
  const std::string end = blocked.get();
  if (!woke) return limited ? "goes on waiting until its timeout" : "goes on waiting";
  return "wakes: " + end + (said.empty() ? "" : "; shutdown fails with " + said);
}

std::string shut_down(sk::socket& s) {
  return ending([&] {
    s.shutdown(SHUT_RDWR);
    return std::string();
  });
}

// Closes the descriptor of the socket, as close() in another thread does. The number is not reused
// before the socket's own close, which fails.
std::string close_below(sk::socket& s) {
  sk::close(s.fileno());
  return {};
}

void row(const std::string& what, const std::function<situation()>& make) {
  std::cout << "| " << what << " | " << after(make(), shut_down) << " | "
            << after(make(), close_below) << " |\n";
}

situation receiving(sk::socket a, sk::socket b, const sk::timeout_value& timeout) {
  a.settimeout(timeout);
  auto peer = std::make_shared<sk::socket>(std::move(b));
  return {std::move(a), [](sk::socket& s) { return bytes(s.recv(10)); },
          [peer] { (void)peer->send("x"); }};
}

situation accepting(const sk::timeout_value& timeout) {
  sk::socket listener = listening();
  listener.settimeout(timeout);
  const sk::address where = listener.getsockname();
  return {std::move(listener),
          [](sk::socket& s) {
            (void)s.accept();
            return std::string("a connection");
          },
          [where] {
            sk::socket client;
            client.settimeout(patience);
            std::error_code ec;
            client.connect(where, ec);
          }};
}

void run() {
  const sk::timeout_value blocking = std::nullopt;
  const sk::timeout_value limited = 1.5;
  row("`recv`, TCP", [&] {
    auto [a, b] = connected();
    return receiving(std::move(a), std::move(b), blocking);
  });
  row("`recv`, TCP, with a timeout", [&] {
    auto [a, b] = connected();
    return receiving(std::move(a), std::move(b), limited);
  });
  row("`recv`, AF_UNIX", [&] {
    auto [a, b] = sk::socketpair();
    return receiving(std::move(a), std::move(b), blocking);
  });
  row("`recvfrom`, UDP, not connected", [&] {
    sk::socket s = bound_udp();
    s.settimeout(std::nullopt);
    const sk::address where = s.getsockname();
    return situation{std::move(s), [](sk::socket& u) { return bytes(u.recvfrom(10).data); },
                     [where] { (void)sk::socket(AF_INET, SOCK_DGRAM).sendto("x", where); }};
  });
  row("`send`, TCP, buffers full", [&] {
    full_connection full;
    auto peer = std::make_shared<sk::socket>(std::move(full.server));
    full.client.settimeout(std::nullopt);
    return situation{std::move(full.client),
                     [](sk::socket& s) {
                       (void)s.send("x");
                       return std::string("sent");
                     },
                     [peer] { peer->close(); }};
  });
  row("`accept`", [&] { return accepting(blocking); });
  row("`accept`, with a timeout", [&] { return accepting(limited); });
}

const docs::snippet registered("wakes", run);

}  // namespace
