// SPDX-License-Identifier: MIT
// Every call of a TLS session that makes a call of the system, at every record of a handshake, a
// transfer and a close: whatever fails is reported as what it is, and no byte is lost or doubled.
#include <unistd.h>

#include <atomic>
#include <optional>
#include <thread>

#include "support/catch.hpp"
#include "support/environment.hpp"
#include "tls_peer.hpp"

// ssl() is deprecated.
#if defined(__GNUC__)
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"
#endif

namespace faults {
namespace {

using scenarios = std::vector<scenario>;
using ec_ref = std::error_code&;
using bytes = sk::const_bytes;

constexpr int most_steps = 1000;  // of a call in non-blocking mode

// The modes of calls that wait for a peer which acts only while they wait.
const std::vector<mode> waiting_modes = {mode::blocking, mode::timeout, mode::interruptible,
                                         mode::nonblocking};
// Of overloads whose calls are the same as those of another.
const std::vector<mode> two_modes = {mode::timeout, mode::nonblocking};
const std::vector<mode> one_mode = {mode::timeout};

bool would_block(const std::error_code& ec) {
  return ec == std::errc::resource_unavailable_try_again;
}

// Repeats a call in non-blocking mode until it ends, outside the test.
template <class Call>
std::error_code complete(sk::ssl_socket& s, tls_peer& peer, const Call& call) {
  s.settimeout(0);
  std::error_code ec;
  for (int i = 0; i < most_steps; ++i) {
    call(ec);
    peer.move();
    if (!would_block(ec)) break;
  }
  return ec;
}

// A session in the mode of the run, and its peer.
struct session {
  session(trial& t, const end_kind& kind, bool asks_client = false) {
    two both = pair_of(t);
    both.first.setsockopt(SOL_SOCKET, SO_SNDBUF, 4096);
    s = wrapped(std::move(both.first), kind, asks_client);
    peer = std::make_unique<tls_peer>(std::move(both.second), kind, asks_client);
  }

  // Without faults.
  void shake_hands(trial& t) {
    const std::error_code ec = complete(s, *peer, [&](ec_ref e) { s.do_handshake(e); });
    t.check(!ec, "the handshake can be made");
    s.settimeout(t.timeout());
  }
  std::error_code send(const std::string& data) {
    std::size_t sent = 0;
    return complete(s, *peer, [&](ec_ref ec) { sent += s.sendall(bytes(data).after(sent), ec); });
  }
  // Sends what an earlier call has left of a record.
  void flush() {
    std::error_code ec;
    for (int i = 0; i < most_steps && !s.wait_writable(0, ec) && !ec; ++i) peer->move();
    peer->move();
  }
  // What has come, and no more.
  std::string rest() {
    std::string all;
    char buffer[4096];
    s.settimeout(0);
    peer->move();
    while (const std::size_t count = s.recv_into(buffer, last)) all.append(buffer, count);
    return all;
  }
  // Whether bytes pass both ways.
  bool works() {
    const std::size_t before = peer->got().size();
    if (send("ping") || peer->got().substr(before) != "ping") return false;
    peer->say("pong");
    return rest() == "pong";
  }

  sk::ssl_socket s{nullptr};
  std::unique_ptr<tls_peer> peer;
  std::error_code last;  // why rest() ended
};

// Whether the fault ends the direction in which the call transfers.
bool is_fatal(const trial& t) {
  const order& o = t.fault();
  const bool in_session = t.failing() == call::send_now || t.failing() == call::recv_now;
  return in_session && trial::has_failed() && o.kind == order::what::fail && o.number != EINTR &&
         o.number != EAGAIN;
}

// Whether the session may be useless after a call that failed. Without memory it depends on what
// was to be kept.
bool may_break(const trial& t) { return is_fatal(t) || t.lacks_memory(); }

// Whether the session can be used after the call.
bool goes_on(const trial& t, bool done) { return done || !may_break(t); }

void check_class(trial& t, const sk::sslerror& e) {
  const bool reads = dynamic_cast<const sk::ssl_want_read_error*>(&e) != nullptr;
  const bool writes = dynamic_cast<const sk::ssl_want_write_error*>(&e) != nullptr;
  t.check(reads == (e.code() == sk::ssl_errc::want_read), "ssl_want_read_error is want_read");
  t.check(writes == (e.code() == sk::ssl_errc::want_write), "ssl_want_write_error is want_write");
}

// Makes the call once: `act(nullptr)` throws, and `act(&ec)` does not.
template <class Act>
bool attempt(trial& t, const char* operation, const Act& act) {
  t.has_steps();
  if (operation == nullptr) return t.call([&](ec_ref ec) { act(&ec); });
  return t.call(operation, [&] {
    try {
      act(nullptr);
    } catch (const sk::sslerror& e) {
      check_class(t, e);
      throw;
    }
  });
}

// The peer acts while the call waits.
void with_peer(trial& t, session& both) {
  t.while_waiting([&both] { both.peer->move(); });
}

// Repeats the call where it would block. \returns whether it succeeded
template <class Act>
bool attempts(trial& t, session& both, const char* operation, const Act& act) {
  bool done = false;
  for (int i = 0; i < most_steps; ++i) {
    done = attempt(t, operation, act);
    if (done || t.how() != mode::nonblocking || !would_block(t.code())) break;
    both.peer->move();
  }
  return done;
}

// For each version the calls of one end throw, and those of the other report an error_code.
struct overload {
  const end_kind& kind;
  const char* operation;  // null: reports an error_code
  std::string suffix;     // of the name
};
std::vector<overload> overloads(const char* operation) {
  std::vector<overload> all;
  for (const end_kind& kind : all_kinds) {
    const bool throws = kind.is_server == (kind.version == TLS1_2_VERSION);
    all.push_back({kind, throws ? operation : nullptr,
                   std::string(throws ? "" : " ec") + " (" + kind.name + ")"});
  }
  return all;
}

// ---- the handshake ----

// A call that fails for good fails again in the same way; another one can be repeated.
void check_handshake(trial& t, session& both, bool done) {
  if (goes_on(t, done)) {
    const std::error_code ec =
        complete(both.s, *both.peer, [&](ec_ref e) { both.s.do_handshake(e); });
    t.check(!ec, "the handshake can be repeated");
    const bool sends = !is_fatal(t);  // the acknowledgement of the handshake may have failed
    t.check(!sends || both.works(), "the session is usable");
    t.check(ec || both.s.server_side() || both.s.getpeercert(), "the server's certificate is kept");
  } else if (!t.lacks_memory()) {
    const std::error_code reason = t.code();
    std::error_code ec;
    both.s.settimeout(0);
    both.s.do_handshake(ec);
    t.check(ec == reason, "the failure is reported again");
    (void)both.s.send("x", ec);
    t.check(ec == sk::ssl_errc::handshake_missing, "nothing is sent without a handshake");
  }
}

scenarios handshakes() {
  scenarios all;
  for (const end_kind& kind : all_kinds) {
    const std::string of = std::string(" (") + kind.name + ")";
    for (const bool throws : {true, false}) {
      scenario made{(throws ? "do_handshake" : "do_handshake ec") + of, [&kind, throws](trial& t) {
                      session both(t, kind, true);
                      t.ignores({call::setsockopt});  // which only makes it faster
                      const auto act = [&](std::error_code* ec) {
                        ec != nullptr ? both.s.do_handshake(*ec) : both.s.do_handshake();
                      };
                      with_peer(t, both);
                      const bool done = attempts(t, both, throws ? "do_handshake" : nullptr, act);
                      check_handshake(t, both, done);
                    }};
      made.every_place = true;
      if (throws)
        made.modes = waiting_modes;
      else
        made.modes = {mode::nonblocking};
      all.push_back(std::move(made));
    }
    scenario made{"wrap" + of, [&kind](trial& t) {
                    two both = pair_of(t);
                    tls_peer peer(std::move(both.second), kind, false);
                    t.while_waiting([&peer] { peer.move(); });
                    t.ignores({call::setsockopt});
                    sk::ssl_socket s(nullptr);
                    const bool done = attempt(
                        t, kind.is_server ? "wrap_server" : "wrap_socket", [&](std::error_code*) {
                          s = wrapped(std::move(both.first), kind, false, true);
                        });
                    t.check(!both.first && bool(s) == done, "the socket has been taken");
                  }};
    made.modes = one_mode;
    all.push_back(std::move(made));
    if (kind.is_server) continue;
    made = {"do_handshake resumed" + of, [&kind](trial& t) {
              sk::ssl_session earlier;
              {
                session first(t, kind);
                first.shake_hands(t);
                (void)first.works();
                earlier = first.s.session();
              }
              session both(t, kind);
              sk::socket plain = sk::from_fileno(both.s.detach());
              both.s = client_context().wrap_socket(
                  std::move(plain), host_name,
                  sk::wrap_options().do_handshake_on_connect(false).session(earlier));
              both.s.settimeout(t.timeout());
              with_peer(t, both);
              const bool done = attempts(t, both, "do_handshake",
                                         [&](std::error_code*) { both.s.do_handshake(); });
              t.check(!done || both.s.session_reused(), "the session is resumed");
              check_handshake(t, both, done);
            }};
    made.every_place = true;
    made.modes = one_mode;
    all.push_back(std::move(made));
  }
  return all;
}

// ---- receiving ----

constexpr std::size_t received_size = 7001;

// The peer sends this in records of different sizes, the last of them of one byte.
const std::string& received_text() {
  static const std::string text = payload().substr(0, received_size);
  return text;
}
void say_in_records(tls_peer& peer) {
  peer.say(received_text().substr(0, 3000));
  peer.say(received_text().substr(3000, 4000));
  peer.say(received_text().substr(7000));
}

// What is received after the call, and whether the session can be used.
void check_received(trial& t, session& both, bool done, const std::string& got, bool loses) {
  const std::size_t received = loses ? t.transferred() : got.size();
  const std::string rest = both.rest();
  t.check(received_text().compare(0, got.size(), got) == 0, "what has come is what was sent");
  if (goes_on(t, done)) {
    t.check(received_text().substr(received) == rest, "what was sent has been received once");
    t.check(both.works() || is_fatal(t), "the session is usable");
  } else if (!t.lacks_memory()) {
    t.check(rest.empty() && both.last == t.code(), "the failure is reported again");
  }
}

// `receive(s, got, ec)` adds what it received to `got`, which is large enough.
template <class Receive>
scenario receiving(const std::string& name, const end_kind& kind, const char* operation,
                   const Receive& receive, bool changes_keys = false) {
  scenario made{name, [=, &kind](trial& t) {
                  session both(t, kind);
                  both.shake_hands(t);
                  if (changes_keys) t.ignores({call::send_now});  // of the answer
                  t.arrives([&] {
                    if (changes_keys) both.peer->change_keys();
                    say_in_records(*both.peer);
                  });
                  std::string got;
                  got.reserve(received_size);
                  const bool done = attempts(t, both, operation, [&](std::error_code* ec) {
                    std::error_code unused;
                    receive(both.s, got, ec != nullptr ? *ec : unused);
                  });
                  check_received(t, both, done, got, false);
                }};
  made.every_place = true;
  return made;
}

scenarios receives() {
  scenarios all;
  for (const end_kind& kind : all_kinds) {
    const std::string of = std::string(" (") + kind.name + ")";
    all.push_back(
        receiving("recv" + of, kind, "recv",
                  [](sk::ssl_socket& s, std::string& got, ec_ref) { got += s.recv(5000); }));
    if (kind.version == TLS1_2_VERSION) continue;
    all.push_back(receiving(
        "recv and new keys" + of, kind, "recv",
        [](sk::ssl_socket& s, std::string& got, ec_ref) { got += s.recv(5000); }, true));
    all.back().modes = two_modes;
  }
  for (const overload& o : overloads("recv_into")) {
    const bool throws = o.operation != nullptr;
    all.push_back(receiving("recv_into" + o.suffix, o.kind, o.operation,
                            [throws](sk::ssl_socket& s, std::string& got, ec_ref ec) {
                              char buffer[100];
                              const std::size_t count =
                                  throws ? s.recv_into(buffer) : s.recv_into(buffer, ec);
                              got.append(buffer, count);
                            }));
    all.back().modes = two_modes;
  }
  for (const overload& o : overloads("recv_exactly_into")) {
    scenario made{"recv_exactly_into" + o.suffix, [o](trial& t) {
                    session both(t, o.kind);
                    both.shake_hands(t);
                    t.arrives([&] { say_in_records(*both.peer); });
                    std::string got(received_size, '\0');
                    std::size_t count = 0;
                    bool done = false;
                    for (int i = 0; i < most_steps && !done; ++i) {
                      const sk::mutable_bytes left(got.data() + count, got.size() - count);
                      done = attempt(t, o.operation, [&](std::error_code* ec) {
                        count += ec != nullptr ? both.s.recv_exactly_into(left, *ec)
                                               : both.s.recv_exactly_into(left);
                      });
                      count += done ? 0 : t.transferred();
                      if (t.how() != mode::nonblocking || !would_block(t.code())) break;
                    }
                    got.resize(count);
                    check_received(t, both, done, got, false);
                  }};
    made.every_place = true;
    all.push_back(std::move(made));
  }
  for (const end_kind& kind : {all_kinds[0], all_kinds[3]}) {
    scenario made{std::string("recv_exactly (") + kind.name + ")", [kind](trial& t) {
                    session both(t, kind);
                    both.shake_hands(t);
                    t.arrives([&] { say_in_records(*both.peer); });
                    std::string got;
                    const bool done = attempt(t, "recv_exactly", [&](std::error_code*) {
                      got = both.s.recv_exactly(received_size);
                    });
                    check_received(t, both, done, got, !done);
                  }};
    made.every_place = true;
    made.modes = two_modes;
    all.push_back(std::move(made));
  }
  return all;
}

// ---- sending ----

// More than two records.
const std::string& sent_text() {
  static const std::string text = payload() + payload();
  return text;
}

// What has come after a call that has sent the first `sent` bytes of `data`, and whether the rest
// can be sent.
void check_sent(trial& t, session& both, bool done, const std::string& data, std::size_t sent) {
  both.peer->move();
  const auto arrived = [&](std::size_t least) {
    const std::string& got = both.peer->got();
    return got.size() >= least && data.compare(0, got.size(), got) == 0;
  };
  t.check(arrived(0), "what has come is what was sent");
  if (goes_on(t, done)) {
    t.check(!done || arrived(sent), "what was counted has come");
    both.flush();
    t.check(!both.send(data.substr(sent)), "the rest can be sent");
    t.check(arrived(data.size()), "what was sent has come once");
    t.check(both.works(), "the session is usable");
  } else if (!t.lacks_memory()) {
    t.check(arrived(sent), "what was counted has come");
    const std::error_code reason = t.code();
    t.check(both.send("x") == reason, "the failure is reported again");
    both.peer->say("pong");
    t.check(both.rest() == "pong", "what the peer has sent can be received");
  }
}

// `send(s, data, ec)` returns how much counts as sent.
template <class Send>
scenario sending(const std::string& name, const end_kind& kind, const char* operation,
                 const std::string& data, const Send& send) {
  scenario made{name, [=, &kind, &data](trial& t) {
                  session both(t, kind);
                  both.shake_hands(t);
                  std::size_t sent = 0;
                  bool done = false;
                  for (int i = 0; i < most_steps && !done; ++i) {
                    with_peer(t, both);
                    done = attempt(t, operation, [&](std::error_code* ec) {
                      std::error_code unused;
                      sent += send(both.s, bytes(data).after(sent), ec != nullptr ? *ec : unused);
                    });
                    sent += done ? 0 : t.transferred();
                    if (t.how() != mode::nonblocking || !would_block(t.code())) break;
                  }
                  check_sent(t, both, done, data, sent);
                }};
  made.every_place = true;
  made.modes = waiting_modes;
  return made;
}

scenarios sends() {
  scenarios all;
  for (const overload& o : overloads("send")) {
    const bool throws = o.operation != nullptr;
    all.push_back(sending("send" + o.suffix, o.kind, o.operation, sent_text(),
                          [throws](sk::ssl_socket& s, bytes data, ec_ref ec) {
                            return throws ? s.send(data) : s.send(data, ec);
                          }));
    all.back().modes = two_modes;
  }
  for (const overload& o : overloads("sendall")) {
    const bool throws = o.operation != nullptr;
    all.push_back(sending("sendall" + o.suffix, o.kind, o.operation, sent_text(),
                          [throws](sk::ssl_socket& s, bytes data, ec_ref ec) {
                            return throws ? s.sendall(data) : s.sendall(data, ec);
                          }));
    if (o.kind.version == TLS1_2_VERSION) all.back().modes = two_modes;
  }
  for (const overload& o : overloads("sendfile")) {
    if (o.kind.version == TLS1_2_VERSION) continue;
    scenario made{"sendfile" + o.suffix, [o](trial& t) {
                    session both(t, o.kind);
                    both.shake_hands(t);
                    with_peer(t, both);
                    std::size_t sent = 0;
                    const bool done = attempt(t, o.operation, [&](std::error_code* ec) {
                      sent += ec != nullptr ? both.s.sendfile(payload_file(), 0, std::nullopt, *ec)
                                            : both.s.sendfile(payload_file());
                    });
                    sent += done ? 0 : t.transferred();
                    check_sent(t, both, done, payload(), sent);
                  }};
    made.modes = {mode::blocking, mode::timeout, mode::interruptible};
    all.push_back(std::move(made));
  }
  return all;
}

// ---- the end ----

// Sends until the system takes no more, so that a part of a record is left. \returns the bytes
// that count as sent
std::size_t fill(session& both, trial& t) {
  std::error_code ec;
  both.s.settimeout(0);
  const std::size_t sent = both.s.sendall(sent_text(), ec);
  t.check(would_block(ec), "the system takes no more");
  both.s.settimeout(t.timeout());
  return sent;
}

bool has_all(const session& both, std::size_t least) {
  const std::string& got = both.peer->got();
  return got.size() >= least && sent_text().compare(0, got.size(), got) == 0;
}

// `end(t, both, operation)` ends the session after data that has been sent, or, with `full`, of
// which a part waits to be sent.
template <class End>
scenario ending(const std::string& name, const overload& o, bool full, const End& end) {
  scenario made{name + (full ? " of a full buffer" : "") + o.suffix, [=](trial& t) {
                  session both(t, o.kind);
                  both.shake_hands(t);
                  std::size_t sent = full ? fill(both, t) : sent_text().size();
                  if (!full) (void)both.send(sent_text());
                  both.s.settimeout(t.timeout());
                  end(t, both, o.operation);
                  both.peer->move();
                  t.check(has_all(both, full ? 0 : sent), "what was sent has come");
                }};
  made.every_place = true;
  made.modes = waiting_modes;
  return made;
}

scenarios ends() {
  scenarios all;
  const auto close = [](trial& t, session& both, const char* operation) {
    t.ignores({call::send_now, call::recv_now, call::shutdown});  // a peer that has gone
    t.ignores({call::poll});                                      // once the alert is sent
    both.peer->answer_end();
    with_peer(t, both);
    const bool done = attempt(t, operation, [&](std::error_code* ec) {
      ec != nullptr ? both.s.close(*ec) : both.s.close();
    });
    t.check(!both.s, "it is closed");
    both.peer->move();
    t.check(!done || may_break(t) || both.peer->sees_end(), "the peer sees the end");
  };
  const auto unwrap = [](trial& t, session& both, const char* operation) {
    both.peer->answer_end(false);
    sk::socket plain(nullptr);
    const auto act = [&](std::error_code* ec) {
      plain = ec != nullptr ? both.s.unwrap(*ec) : both.s.unwrap();
    };
    bool done = false;
    for (int i = 0; i < most_steps && !done; ++i) {
      with_peer(t, both);
      done = attempt(t, operation, act);
      if (t.how() != mode::nonblocking || !would_block(t.code())) break;
    }
    if (!done && goes_on(t, done)) {
      t.check(bool(both.s), "the session keeps the connection");
      const std::error_code ec =
          complete(both.s, *both.peer, [&](ec_ref e) { plain = both.s.unwrap(e); });
      t.check(!ec, "the call can be repeated");
      done = true;
    }
    if (done) t.check(works(plain, both.peer->plain()), "the connection is usable");
  };
  const auto shutdown = [](trial& t, session& both, const char* operation) {
    bool done = false;
    for (int i = 0; i < most_steps && !done; ++i) {
      with_peer(t, both);
      done = attempt(t, operation, [&](std::error_code* ec) {
        ec != nullptr ? both.s.shutdown(SHUT_WR, *ec) : both.s.shutdown(SHUT_WR);
      });
      if (t.how() != mode::nonblocking || !would_block(t.code())) break;
    }
    if (!done && goes_on(t, done)) {
      const std::error_code ec =
          complete(both.s, *both.peer, [&](ec_ref e) { both.s.shutdown(SHUT_WR, e); });
      t.check(!ec, "the call can be repeated");
      done = true;
    }
    t.check(!done || both.peer->sees_end(), "the peer sees the end");
    if (!done) return;
    both.peer->say("pong");
    t.check(both.rest() == "pong", "what the peer has sent can be received");
  };
  const auto shutdown_both = [](trial& t, session& both, const char* operation) {
    t.recovers();  // the alert is sent only if that does not wait
    attempt(t, operation, [&](std::error_code* ec) {
      ec != nullptr ? both.s.shutdown(SHUT_RDWR, *ec) : both.s.shutdown(SHUT_RDWR);
    });
  };
  const auto destroy = [](trial& t, session& both, const char*) {
    t.recovers();
    attempt(t, "", [&](std::error_code*) { both.s = sk::ssl_socket(nullptr); });
  };
  // With TLS 1.2 a part of the data waits to be sent.
  const auto add = [&all](const char* name, const char* operation, const auto& end,
                          const std::vector<mode>& modes) {
    for (const overload& o : overloads(operation)) {
      all.push_back(ending(name, o, o.kind.version == TLS1_2_VERSION, end));
      all.back().modes = modes;
    }
  };
  add("close", "close", close, waiting_modes);
  add("unwrap", "unwrap", unwrap, waiting_modes);
  add("shutdown", "shutdown", shutdown, two_modes);
  add("shutdown both ways", "shutdown", shutdown_both, one_mode);
  add("~ssl_socket", "", destroy, one_mode);
  return all;
}

// ---- files ----

template <class Read>
scenario reading(const std::string& name, const char* operation, const end_kind& kind,
                 const Read& read) {
  scenario made{name + " (" + kind.name + ")", [=, &kind](trial& t) {
                  session both(t, kind);
                  both.shake_hands(t);
                  sk::file f = both.s.makefile("r", 4096);
                  t.arrives([&] {
                    say_in_records(*both.peer);
                    both.peer->say_end();
                  });
                  std::string got;
                  const bool done = attempt(t, operation, [&](std::error_code*) { read(f, got); });
                  t.check(received_text().compare(0, got.size(), got) == 0,
                          "what has come is what was sent");
                  f.clear();
                  if (!goes_on(t, done) && !t.lacks_memory()) {
                    std::error_code reason;
                    try {
                      while (f.read(1) != "") {  // the buffer
                      }
                    } catch (const sk::error& e) {
                      reason = e.code();
                    }
                    t.check(reason == t.code(), "the failure is reported again");
                    return;
                  }
                  if (!goes_on(t, done)) return;
                  f.settimeout(patience);
                  got += f.read();
                  t.check(got == received_text(), "what was sent has been read once");
                }};
  made.every_place = true;
  return made;
}

template <class Write>
scenario writing(const std::string& name, const char* operation, const end_kind& kind, int bufsize,
                 const Write& write) {
  scenario made{name + " (" + kind.name + ")", [=, &kind](trial& t) {
                  session both(t, kind);
                  both.shake_hands(t);
                  sk::file f = both.s.makefile("w", bufsize);
                  with_peer(t, both);
                  std::size_t taken = 0;
                  const bool done = attempt(t, operation, [&](std::error_code*) {
                    write(f, sent_text());
                    taken = sent_text().size();
                  });
                  if (!goes_on(t, done)) {
                    const std::string& got = both.peer->got();
                    t.check(sent_text().compare(0, got.size(), got) == 0,
                            "what has come is what was sent");
                    return;
                  }
                  if (!done) taken = t.transferred();
                  f.settimeout(0);
                  for (int i = 0; i < most_steps; ++i) {
                    both.peer->move();
                    f.clear();
                    try {
                      write(f, sent_text().substr(taken));
                      taken = sent_text().size();
                      f.flush();
                      break;
                    } catch (const sk::sslerror& e) {
                      if (taken < sent_text().size()) taken += e.transferred();
                    }
                  }
                  both.peer->move();
                  t.check(both.peer->got() == sent_text(), "what was written has come once");
                }};
  made.every_place = true;
  made.modes = waiting_modes;
  return made;
}

scenarios files() {
  scenarios all;
  for (const std::size_t kind : {0U, 3U}) {
    all.push_back(reading("file.readline", "readline", all_kinds[kind],
                          [](sk::file& f, std::string& got) { got = f.readline(); }));
    all.back().modes = two_modes;
    all.push_back(reading("file.read", "read", all_kinds[kind],
                          [](sk::file& f, std::string& got) { got = f.read(6000); }));
    all.push_back(writing("file.write", "write", all_kinds[kind], 4096,
                          [](sk::file& f, const std::string& data) { f.write(data); }));
  }
  all.push_back({"file.close", [](trial& t) {
                   session both(t, all_kinds[1]);
                   both.shake_hands(t);
                   sk::file f = both.s.makefile("w");
                   f.write(greeting());
                   t.ignores({call::send_now, call::recv_now, call::shutdown});  // of the alert
                   both.peer->answer_end();
                   with_peer(t, both);
                   both.s.close();
                   const bool done = attempt(t, "close", [&](std::error_code*) { f.close(); });
                   t.check(f.closed(), "it is closed");
                   both.peer->move();
                   t.check(!done || both.peer->got() == greeting(), "what was written has come");
                 }});
  all.back().modes = two_modes;
  all.push_back({"makefile",
                 [](trial& t) {
                   session both(t, all_kinds[0]);
                   both.shake_hands(t);
                   t.call("makefile", [&] { (void)both.s.makefile("rw"); });
                   t.check(both.works(), "the session is usable");
                 },
                 false});
  return all;
}

// ---- the rest ----

const std::string& certificate_text() {
  static const std::string text = credentials::get().certificate_pem();
  return text;
}
const std::string& key_text() {
  static const std::string text = credentials::get().key_pem();
  return text;
}

// Its handshake waits, so the peer needs a thread of its own.
sk::ssl_object old_object(sk::socket& plain, tls_peer& peer) {
  std::atomic<bool> done{false};
  std::thread other([&] {
    while (!done) {
      peer.move();
      ::usleep(100);
    }
  });
  sk::ssl_object made = sk::ssl(plain);
  done = true;
  other.join();
  peer.move();
  return made;
}

scenarios others() {
  scenarios all;
  for (const overload& o : overloads("wait_readable")) {
    scenario made{"wait_readable" + o.suffix, [o](trial& t) {
                    session both(t, o.kind);
                    both.shake_hands(t);
                    t.arrives([&] { both.peer->say(greeting()); });
                    t.recovers();  // a wait without a transfer reports what poll does
                    attempt(t, o.operation, [&](std::error_code* ec) {
                      (void)(ec != nullptr ? both.s.wait_readable(t.timeout(), *ec)
                                           : both.s.wait_readable(t.timeout()));
                    });
                    const std::string got = both.rest();
                    t.check(got == greeting() || may_break(t), "what was sent has come");
                    t.check(both.works() || may_break(t), "the session is usable");
                  }};
    made.modes = {mode::timeout, mode::waiting};
    all.push_back(std::move(made));
    made = {"wait_writable" + o.suffix, [o](trial& t) {
              session both(t, o.kind);
              both.shake_hands(t);
              const std::size_t sent = fill(both, t);
              with_peer(t, both);
              t.recovers();
              attempt(t, o.operation != nullptr ? "wait_writable" : nullptr,
                      [&](std::error_code* ec) {
                        (void)(ec != nullptr ? both.s.wait_writable(t.timeout(), *ec)
                                             : both.s.wait_writable(t.timeout()));
                      });
              both.flush();
              t.check(has_all(both, may_break(t) ? 0 : sent), "what was sent has come");
              if (may_break(t)) return;
              t.check(!both.send(sent_text().substr(sent)), "the rest can be sent");
              t.check(both.peer->got() == sent_text(), "what was sent has come once");
            }};
    made.modes = {mode::timeout};
    all.push_back(std::move(made));
  }

  // The object of Python 2.4.
  all.push_back({"ssl", [](trial& t) {
                   two both = pair_of(t);
                   tls_peer peer(std::move(both.second), all_kinds[0], false);
                   t.while_waiting([&peer] { peer.move(); });
                   std::optional<sk::ssl_object> made;
                   attempt(t, "", [&](std::error_code*) { made.emplace(sk::ssl(both.first)); });
                   t.check(bool(both.first), "the socket is the caller's");
                 }});
  all.back().modes = one_mode;
  all.push_back({"ssl_object.read", [](trial& t) {
                   two both = pair_of(t);
                   tls_peer peer(std::move(both.second), all_kinds[0], false);
                   sk::ssl_object s = old_object(both.first, peer);
                   t.arrives([&] { say_in_records(peer); });
                   std::string got;
                   const bool done = attempt(
                       t, "read", [&](std::error_code*) { got = s.read(received_size - 1); });
                   if (!goes_on(t, done)) return;
                   got += s.read(static_cast<std::ptrdiff_t>(received_size - got.size()));
                   t.check(got == received_text(), "what was sent has been read once");
                 }});
  all.back().modes = {mode::blocking, mode::interruptible};  // it keeps its first timeout
  all.push_back({"ssl_object.write", [](trial& t) {
                   two both = pair_of(t);
                   both.first.setsockopt(SOL_SOCKET, SO_SNDBUF, 4096);
                   tls_peer peer(std::move(both.second), all_kinds[0], false);
                   sk::ssl_object s = old_object(both.first, peer);
                   t.while_waiting([&peer] { peer.move(); });
                   const bool done =
                       attempt(t, "write", [&](std::error_code*) { (void)s.write(sent_text()); });
                   const std::string& got = peer.got();
                   const std::size_t least = done ? sent_text().size() : 0;
                   t.check(got.size() >= least && sent_text().compare(0, got.size(), got) == 0,
                           "what was counted has come");
                 }});
  all.back().modes = {mode::blocking, mode::interruptible};

  // What makes no transfer.
  const auto add = [&all](const char* name, const char* operation, auto act) {
    all.push_back({name,
                   [operation, act](trial& t) {
                     session both(t, all_kinds[0], true);
                     both.shake_hands(t);
                     if (*operation == '\0') t.recovers();
                     t.call(operation, [&] { act(both.s); });
                     t.check(both.works(), "the session is usable");
                   },
                   false});
  };
  using ref = sk::ssl_socket&;
  add("ssl_socket.settimeout", "settimeout", [](ref s) { s.settimeout(1); });
  add("ssl_socket.getpeername", "getpeername", [](ref s) { (void)s.getpeername(); });
  add("ssl_socket.getsockname", "getsockname", [](ref s) { (void)s.getsockname(); });
  add("ssl_socket.getsockopt", "getsockopt",
      [](ref s) { (void)s.getsockopt(SOL_SOCKET, SO_SNDBUF); });
  add("ssl_socket.setsockopt", "setsockopt",
      [](ref s) { s.setsockopt(SOL_SOCKET, SO_KEEPALIVE, 1); });
  add("ssl_socket.to_string", "", [](ref s) { (void)s.to_string(); });
  add("getpeercert", "getpeercert", [](ref s) { (void)s.getpeercert(); });
  add("getpeercert_der", "getpeercert_der", [](ref s) { (void)s.getpeercert_der(); });
  add("get_verified_chain", "get_verified_chain", [](ref s) { (void)s.get_verified_chain(); });
  add("get_unverified_chain", "get_unverified_chain",
      [](ref s) { (void)s.get_unverified_chain(); });
  add("cipher", "cipher", [](ref s) { (void)s.cipher(); });
  add("session", "session", [](ref s) { (void)s.session(); });
  add("server_hostname", "server_hostname", [](ref s) { (void)s.server_hostname(); });
  add("ssl_context", "ssl_context",
      [](ref) { const sk::ssl_context made(sk::PROTOCOL_TLS_CLIENT); });
  add("load_cert_chain_data", "load_cert_chain_data",
      [](ref) { client_context().load_cert_chain_data(certificate_text(), key_text()); });
  add("load_verify_locations", "load_verify_locations", [](ref) {
    client_context().load_verify_locations(std::nullopt, std::nullopt, certificate_text());
  });
  for (scenario& made : all) made.every_place = true;
  return all;
}

scenarios every_scenario() {
  scenarios all;
  for (scenarios some : {handshakes(), receives(), sends(), ends(), files(), others()}) {
    for (scenario& s : some) all.push_back(std::move(s));
  }
  return all;
}

// OpenSSL's queue of errors is empty after a call, also after one that failed.
void check_queue(trial& t) {
  t.check(ERR_peek_error() == 0, "OpenSSL has no error left");
  ERR_clear_error();  // OpenSSL keeps the names of files and functions until then
}

// What a context and a new session have before there is a peer.
scenarios settings() {
  scenarios all;
  using ref = sk::ssl_context&;
  const auto add = [&all](const char* name, const char* operation, auto act) {
    all.push_back({name,
                   [operation, act](trial& t) {
                     sk::ssl_context context(sk::PROTOCOL_TLS_CLIENT);
                     t.call(operation, [&] { act(context); });
                     check_queue(t);
                     act(context);  // throws if the failed call has left the context unusable
                   },
                   false});
  };
  add("verify_flags", "verify_flags", [](ref c) { c.verify_flags(sk::VERIFY_X509_STRICT); });
  add("minimum_version", "minimum_version",
      [](ref c) { c.minimum_version(sk::TLSVersion::TLSv1_3); });
  add("maximum_version", "maximum_version",
      [](ref c) { c.maximum_version(sk::TLSVersion::TLSv1_3); });
  add("set_ciphers", "set_ciphers", [](ref c) { c.set_ciphers("ECDHE+AESGCM"); });
  add("set_alpn_protocols", "", [](ref c) { c.set_alpn_protocols({"h2", "http/1.1"}); });
  add("load_verify_locations of a folder", "load_verify_locations",
      [](ref c) { c.load_verify_locations(std::nullopt, "/"); });
  add("load_verify_locations of text", "load_verify_locations",
      [text = certificate_text() + credentials::get().revocation_pem()](ref c) {
        c.load_verify_locations(std::nullopt, std::nullopt, text);
      });
  add("load_default_certs", "load_default_certs", [](ref c) { c.load_default_certs(); });
  all.push_back({"ssl_context of a server",
                 [](trial& t) {
                   std::optional<sk::ssl_context> made;
                   t.call("ssl_context", [&] { made.emplace(sk::PROTOCOL_TLS_SERVER); });
                   check_queue(t);
                 },
                 false});
  for (const char* name : {host_name, "127.0.0.1"}) {
    all.push_back({std::string("wrap_socket for ") + name,
                   [name](trial& t) {
                     two both = pair_of(t);
                     t.call("wrap_socket", [&] {
                       (void)client_context().wrap_socket(
                           std::move(both.first), name,
                           sk::wrap_options().do_handshake_on_connect(false));
                     });
                     check_queue(t);
                   },
                   false});
  }
  return all;
}

// Before OpenSSL allocates anything.
const bool counts_openssl =
    CRYPTO_set_mem_functions(memory::allocate_for_openssl, memory::reallocate_for_openssl,
                             memory::release_for_openssl) == 1;

// A session without a test.
void warm_up(const end_kind& kind) {
  auto both = sk::socketpair();
  sk::ssl_socket s = wrapped(std::move(both.first), kind, true);
  tls_peer peer(std::move(both.second), kind, true);
  const bool done = !complete(s, peer, [&](ec_ref ec) { s.do_handshake(ec); });
  peer.say("ping");
  CHECK((done && s.recv(4) == "ping" && s.send("pong") == 4));
}

// What is made once and kept, also by OpenSSL, is made before the runs.
void prepare() {
  (void)payload_file();
  (void)greeting();
  (void)received_text();
  (void)sent_text();
  (void)certificate_text();
  (void)key_text();
  (void)client_context();
  (void)server_context(true);
  for (const end_kind& kind : all_kinds) warm_up(kind);
}

}  // namespace

TEST_CASE("TLS handshakes report every failure and can be repeated", "[faults][ssl]") {
  prepare();
  fail_calls(handshakes());
}
TEST_CASE("TLS receives report every failure and lose no byte", "[faults][ssl]") {
  prepare();
  fail_calls(receives());
}
TEST_CASE("TLS sends report every failure and count every byte", "[faults][ssl]") {
  prepare();
  fail_calls(sends());
}
TEST_CASE("the ends of TLS sessions report every failure", "[faults][ssl]") {
  prepare();
  fail_calls(ends());
}
TEST_CASE("files over TLS report every failure and lose no byte", "[faults][ssl]") {
  prepare();
  fail_calls(files());
}
TEST_CASE("waits, attributes and ssl() report every failure over TLS", "[faults][ssl]") {
  prepare();
  fail_calls(others());
}
TEST_CASE("a lack of memory of a TLS session is reported", "[faults][ssl]") {
  prepare();
  fail_allocations(every_scenario());
}
TEST_CASE("a lack of memory of OpenSSL is reported", "[faults][ssl]") {
  if (!counts_openssl) SKIP_TEST("this OpenSSL does not let the program allocate");
  prepare();
  constexpr unsigned step = 37;  // with 1, it takes four minutes
  fail_openssl(every_scenario(), step);
}
TEST_CASE("a lack of memory of OpenSSL is reported by every setting", "[faults][ssl]") {
  if (!counts_openssl) SKIP_TEST("this OpenSSL does not let the program allocate");
  prepare();
  const test_support::environment_variable no_file("SSL_CERT_FILE", "");
  fail_openssl(settings(), 1);
}

}  // namespace faults
