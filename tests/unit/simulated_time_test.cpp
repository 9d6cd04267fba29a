// SPDX-License-Identifier: MIT
// Makes random calls over years of the fake's clock. The fake system is slow, moves few bytes or
// none, interrupts and reports false readiness, and the modes change during the calls. The test
// checks what the library promises in every case:
//
// - A call ends by its deadline plus one attempt, never times out early, and never sleeps past it.
// - No byte is lost or doubled.
// - An interrupter or a hook ends a call without a further attempt.
// - A call that may not wait does not wait. A call that waits does not loop without a sleep.
//
// Each scenario has a seed. PYSOCK_SIMULATED_SEED is the first seed, PYSOCK_SIMULATED_SCENARIOS the
// number of scenarios: with 1 a failed scenario is repeated alone.
#include <pysock/file.hpp>
#include <pysock/socket.hpp>

#include <cerrno>
#include <chrono>
#include <cstdio>
#include <sstream>
#include <string>
#include <vector>

#include "support/catch.hpp"
#include "support/simulation.hpp"

namespace sk = pysock;
using namespace test_support;
using std::int64_t;

namespace {

// What one call of the library reported.
struct outcome {
  std::error_code ec;
  std::size_t count = 0;
};

struct totals {
  std::uint64_t calls = 0;
  std::uint64_t seam_calls = 0;
  std::uint64_t timeouts = 0;
  std::uint64_t interrupted = 0;
  double years = 0;
};

class scenario {
 public:
  scenario(std::uint64_t seed, totals& all) : dice_(seed), all_(all) {}

  // Returns the first problem with the system calls before it; empty if there was none.
  std::string run() {
    fake::direct([this](const std::string& line) { return direct(line); });
    sk::interrupter stop;
    stop_ = dice_.chance(60) ? &stop : nullptr;
    build();
    for (int i = 0; i < 40 && problem_.empty(); ++i) {
      change_between_calls();
      one_call();
    }
    if (problem_.empty()) finish();
    all_.years += static_cast<double>(fake::elapsed().count()) / static_cast<double>(year);
    in_ = sk::file();
    out_ = sk::file();
    for (endpoint* one : {&stream_, &listener_, &client_, &unix_client_})
      one->s = sk::socket(nullptr);
    fake::direct(nullptr);
    return problem_;
  }

 private:
  struct endpoint {
    sk::socket s{nullptr};
    limit until;
  };

  // The state of the current call.
  struct running {
    std::string name;
    std::vector<limit> limits;    // one of them applies: those set before the first wait
    endpoint* changes = nullptr;  // its mode may change during the call
    bool restarts = false;        // each step with progress restarts the timeout (sendfile)
    int64_t start = 0;
    int64_t first_attempt_end = -1;
    bool has_waited = false;
    int steps = 0;
    int attempts = 0;
    int late_attempts = 0;
    int attempts_at_once = 0;      // that blocked, with no time or signal in between
    bool succeeded = false;        // the last attempt
    int error = 0;                 // of the last attempt, or of a wait
    bool ended = false;            // the stream has ended
    bool was_interrupted = false;  // at the beginning of the call
    bool signalled = false;        // the hook has not been called yet
    bool must_end = false;         // the interrupter or the hook ends it
  };

  // The likelihood, in percent, of what the system does during one call.
  struct weather {
    std::uint64_t succeeds, blocks, interrupts, lies, nothing;
    bool changes;      // modes change during the call
    bool never_ready;  // after many steps: no more readiness, instead of success
  };

  // ---- the objects ----

  void build() {
    stream_.s = sk::socket(AF_INET);
    listener_.s = sk::socket(AF_INET);
    client_.s = sk::socket(AF_INET);
    unix_client_.s = sk::socket(AF_UNIX);
    for (endpoint* one : {&stream_, &listener_, &client_, &unix_client_}) {
      if (stop_ != nullptr) one->s.set_interrupter(*stop_);
      one->s.set_interrupt_hook(&scenario::on_signal, this);
      change(*one);
    }
    reads_file_ = dice_.chance(50);
    writes_file_ = dice_.chance(50);
    constexpr int sizes[] = {0, 1, 16, 200, 8192};
    if (reads_file_) in_ = stream_.s.makefile("r", sizes[dice_.below(5)]);
    if (writes_file_) out_ = stream_.s.makefile("w", sizes[dice_.below(5)]);
    in_limit_ = out_limit_ = stream_.until;
    disk_file_ = fake::adopt_file(stream_bytes.all());
  }

  limit any_limit() { return limit::any(dice_); }

  void change(endpoint& one) {
    one.until = any_limit();
    if (one.until.is == limit::kind::none || one.until.is == limit::kind::zero)
      one.s.setblocking(one.until.is == limit::kind::none);
    else
      one.s.settimeout(one.until.value());
  }

  void change_between_calls() {
    for (endpoint* one : {&stream_, &listener_, &client_, &unix_client_}) {
      if (dice_.chance(20)) change(*one);
    }
    if (reads_file_ && dice_.chance(20)) in_.settimeout((in_limit_ = any_limit()).value());
    if (writes_file_ && dice_.chance(20)) out_.settimeout((out_limit_ = any_limit()).value());
    if (dice_.chance(30)) fake::advance(std::chrono::nanoseconds(dice_.magnitude(day)));
    if (stop_ == nullptr) return;
    if (is_interrupted_ && dice_.chance(60)) {
      stop_->reset();
      is_interrupted_ = false;
    }
    if (dice_.chance(2)) interrupt();
  }

  void interrupt() {
    stop_->interrupt();
    is_interrupted_ = true;
    call_.must_end = true;
  }

  // ---- checks ----

  void wrong(const std::string& what) {
    if (!problem_.empty()) return;
    problem_ = call_.name + ": " + what + "\nlimits:";
    for (const limit& one : call_.limits) problem_ += " " + one.text();
    problem_ += "; began at " + std::to_string(call_.start);
    const std::size_t shown = std::min<std::size_t>(trace_.size(), 60);
    for (auto line = trace_.end() - static_cast<std::ptrdiff_t>(shown); line != trace_.end();
         ++line)
      problem_ += "\n  " + *line;
  }

  [[nodiscard]] bool may_be(limit::kind kind) const {
    return std::any_of(call_.limits.begin(), call_.limits.end(),
                       [kind](const limit& one) { return one.is == kind; });
  }
  [[nodiscard]] bool must_be(limit::kind kind) const {
    return std::all_of(call_.limits.begin(), call_.limits.end(),
                       [kind](const limit& one) { return one.is == kind; });
  }
  // The first instant at which the call may time out.
  [[nodiscard]] int64_t earliest_end() const {
    int64_t end = never;
    for (const limit& one : call_.limits) {
      if (one.ends())
        end = std::min(end, one.is == limit::kind::absolute ? one.time : call_.start + one.time);
    }
    return end;
  }
  // The last instant at which the call may time out. The time starts after the first attempt.
  [[nodiscard]] int64_t latest_end() const {
    if (may_be(limit::kind::none)) return never;
    const int64_t from = call_.first_attempt_end >= 0 ? call_.first_attempt_end : fake::clock();
    int64_t end = 0;
    for (const limit& one : call_.limits) {
      if (one.is == limit::kind::zero) end = std::max(end, call_.start);
      if (one.is == limit::kind::relative) end = std::max(end, from + one.time);
      if (one.is == limit::kind::absolute) end = std::max(end, one.time);
    }
    return end;
  }

  void check_goes_on(const seam_call& call) {
    if (call_.must_end) wrong(call.function + " after the interruption");
    if (call_.signalled) wrong(call.function + " after a signal that the hook does not know of");
  }

  void check_attempt(const seam_call& call) {
    check_goes_on(call);
    // Signals may repeat a call that may not wait any number of times.
    const bool is_late =
        call_.first_attempt_end >= 0 && !may_be(limit::kind::zero) && fake::clock() >= latest_end();
    if (is_late && ++call_.late_attempts > 1) wrong("a second attempt after the deadline");
    const bool has_flag = call.receives() || (call.sends() && !call.is("sendfile"));
    if (has_flag && sk::detail::sys::dont_wait != 0 && !may_be(limit::kind::none) &&
        !call.refuses_to_wait())
      wrong(call.function + " may block in the kernel");
  }

  void check_sleep(const seam_call& call, int64_t milliseconds) {
    check_goes_on(call);
    if (milliseconds < 0) {
      if (!may_be(limit::kind::none)) wrong("waits without end");
      return;
    }
    if (milliseconds == 0) return;
    if (must_be(limit::kind::zero)) wrong("waits although it may not");
    const int64_t end = latest_end();
    if (end != never &&
        fake::clock() + milliseconds * millisecond >= std::max(end, fake::clock()) + millisecond)
      wrong("would sleep past the deadline, in " + call.function);
  }

  void check_end(const outcome& result) {
    const std::error_code ec = result.ec;
    ++all_.calls;
    if (!ec) {
      if (call_.attempts != 0 && !call_.succeeded) wrong("succeeds, and its last attempt did not");
    } else if (ec == sk::errc::timed_out) {
      ++all_.timeouts;
      if (fake::clock() < earliest_end()) wrong("times out too early, or has no timeout");
      const bool polls_first = call_.name == "accept" || call_.name == "wait";
      if (call_.attempts == 0 && !polls_first) wrong("times out before it has tried");
    } else if (ec == std::errc::interrupted) {
      ++all_.interrupted;
      // A connect that may not wait reports the signal, as the system does.
      const bool is_signal = call_.name == "connect" && may_be(limit::kind::zero);
      if (!call_.must_end && !(is_signal && call_.error == EINTR))
        wrong("is interrupted without a reason");
    } else if (ec == sk::errc::incomplete_read) {
      if (!call_.ended) wrong("reports the end of the stream, which did not end");
    } else {
      if (ec != sk::detail::system_code(call_.error)) wrong("reports " + ec.message());
      const bool blocked = call_.error == EAGAIN || call_.error == EINPROGRESS;
      if (blocked && !may_be(limit::kind::zero)) wrong("does not wait");
    }
    const bool starts = call_.name != "read" && call_.name != "write" && call_.name != "flush";
    if (call_.was_interrupted && starts && ec != std::errc::interrupted)
      wrong("is not ended by the interrupter");
  }

  // ---- the system ----

  static bool on_signal(void* self) noexcept { return static_cast<scenario*>(self)->on_signal(); }
  bool on_signal() noexcept {
    call_.signalled = false;
    if (dice_.chance(3)) {
      call_.must_end = true;
      return false;
    }
    if (stop_ != nullptr && dice_.chance(3)) interrupt();
    change_meanwhile();
    return true;
  }

  // Another thread changes the mode of the socket.
  void change_meanwhile() {
    if (!weather_.changes || !dice_.chance(10)) return;
    endpoint* const one = call_.changes;
    is_busy_ = true;
    change(*one);
    is_busy_ = false;
    if (!call_.has_waited && call_.name != "read" && call_.name != "write" && call_.name != "flush")
      call_.limits.push_back(one->until);
    trace_.push_back("  mode: " + one->until.text());
  }

  fake::step direct(const std::string& line) {
    if (is_busy_ || call_.name.empty()) return {};
    ++all_.seam_calls;
    ++call_.steps;
    trace_.push_back(std::to_string(fake::clock()) + " " + line);
    const seam_call call(line);
    // After a problem the call might not end without a failure.
    if (!problem_.empty()) return fake::fails(ECONNRESET);
    const bool sleeps = call.is("poll") || call.is("pause");
    if (sleeps && stop_ != nullptr && !call.has_interrupter())
      wrong(line + " cannot be interrupted");
    if (call.is("pause") && is_interrupted_) return {};  // the interrupter ends the pause at once
    if (call.is("poll")) return wait(call, call.number(2));
    if (call.is("pause")) return wait(call, call.number(0));
    if (call.is_attempt()) return attempt(call);
    if (call.is("read_file") && is_wild() && dice_.chance(weather_.interrupts)) {
      return signal();
    }
    if (call.is("getsockopt") && call.number(2) == SO_ERROR) {
      call_.succeeded = dice_.chance(80);
      call_.error = call_.succeeded ? 0 : ECONNREFUSED;
      return fake::sets(call_.error);
    }
    return {};
  }

  [[nodiscard]] bool is_wild() const { return call_.steps < 300; }
  // Whether the call must end by its timeout, because no more data arrive.
  [[nodiscard]] bool starves() const { return weather_.never_ready && !may_be(limit::kind::none); }

  fake::step wait(const seam_call& call, int64_t milliseconds) {
    check_sleep(call, milliseconds);
    call_.has_waited = true;
    if (is_wild()) change_meanwhile();
    const int64_t most = milliseconds < 0 ? 10 * day : milliseconds * millisecond;
    const auto within = [&] { return std::chrono::nanoseconds(dice_.magnitude(most + 1) - 1); };
    if (stop_ != nullptr && dice_.chance(2)) {
      interrupt();
      return call.is("poll") ? fake::wakes().after(within()) : fake::step();
    }
    if (is_wild() && dice_.chance(weather_.interrupts)) {
      call_.attempts_at_once = 0;
      return signal().after(within());
    }
    if (call.is("pause")) {
      call_.attempts_at_once = 0;
      return {};
    }
    call_.succeeded = true;  // for a call that only waits
    if (is_wild() && dice_.chance(1)) {
      call_.error = EFAULT;
      call_.succeeded = false;
      return fake::fails(EFAULT);
    }
    if (is_wild() ? dice_.chance(weather_.lies) : !starves()) return fake::ready();
    if (milliseconds >= 0 && (!is_wild() || dice_.chance(weather_.nothing))) {
      call_.succeeded = false;
      return fake::times_out();
    }
    const int64_t comes = dice_.magnitude(10 * day);
    if (milliseconds >= 0 && comes > most) call_.succeeded = false;
    return fake::ready_after(std::chrono::nanoseconds(comes));
  }

  fake::step attempt(const seam_call& call) {
    check_attempt(call);
    ++call_.attempts;
    if (is_wild()) change_meanwhile();
    if (stop_ != nullptr && is_wild() && dice_.chance(1)) interrupt();
    fake::step result = attempt_ends(call);
    const bool may_sleep =
        must_be(limit::kind::none) && stop_ == nullptr && !call.refuses_to_wait();
    int64_t takes = 0;
    if (may_sleep ? dice_.chance(30) : dice_.chance(5))
      takes = dice_.magnitude(may_sleep ? 10 * day : second);
    call_.succeeded = result.error == 0;
    const bool blocks = result.error == EAGAIN;
    call_.attempts_at_once = blocks && takes == 0 ? call_.attempts_at_once + 1 : 0;
    if (call_.attempts_at_once > 3) wrong("loops without a sleep");
    const int64_t end = fake::clock() + takes;
    if (call_.first_attempt_end < 0) call_.first_attempt_end = end;
    // EINVAL: sendfile reads and sends the file from its first step on.
    const bool begins_anew =
        call_.succeeded ? may_be(limit::kind::relative) : result.error == EINVAL;
    if (call_.restarts && begins_anew) {
      call_.start = end;
      call_.first_attempt_end = -1;
      call_.late_attempts = 0;
    }
    return std::move(result).after(std::chrono::nanoseconds(takes));
  }

  fake::step fails(int error) {
    call_.error = error;
    return fake::fails(error);
  }

  fake::step signal() {
    call_.signalled = true;
    return fails(EINTR);
  }

  fake::step attempt_ends(const seam_call& call) {
    const bool goes_on = call.is("connect") && call_.name == "connect";
    if (is_wild()) {
      const std::uint64_t what = dice_.below(100);
      if (what < 1) return fails(ECONNRESET);
      if (what < 2 && call.is("sendfile") && call_.attempts == 1) return fails(EINVAL);
      if (what < 1 + weather_.blocks) return fails(goes_on ? EINPROGRESS : EAGAIN);
      if (what < 1 + weather_.blocks + weather_.interrupts) return signal();
    } else if (starves()) {
      return fails(goes_on ? EINPROGRESS : EAGAIN);
    }
    if (!call.receives() && !call.sends()) return {};
    const std::size_t most = call.size();
    const std::size_t size =
        is_wild() && !dice_.chance(weather_.succeeds) ? dice_.size(most) : most;
    if (call.sends()) return fake::takes(size);
    if (is_draining_ || dice_.chance(2)) {
      call_.ended = true;
      return fake::gives("");
    }
    std::string bytes = stream_bytes.at(arrived_, size);
    arrived_ += size;
    return fake::gives(std::move(bytes));
  }

  // ---- calls ----

  template <class Call>
  outcome make(const char* name, const limit& until, endpoint& changes, const Call& call) {
    call_ = running();
    call_.name = name;
    call_.limits = {until};
    call_.changes = &changes;
    call_.restarts = call_.name == "sendfile";
    call_.start = fake::clock();
    call_.was_interrupted = call_.must_end = is_interrupted_;
    trace_.clear();
    fake::clear_log();
    outcome result;
    try {
      call(result);
    } catch (const sk::error& e) {
      result.ec = e.code();
      result.count = e.transferred();
    }
    trace_.push_back(std::to_string(fake::clock()) +
                     " ends: " + (result.ec ? result.ec.message() : "success") + ", " +
                     std::to_string(result.count) + " bytes");
    check_end(result);
    call_.name.clear();
    return result;
  }

  void one_call() {
    weather_ = {dice_.below(100), dice_.below(90), dice_.chance(50) ? dice_.below(60) : 0,
                dice_.below(100), dice_.below(60), dice_.chance(20),
                dice_.chance(50)};
    if (weather_.blocks + weather_.interrupts > 98) weather_.interrupts = 98 - weather_.blocks;
    const std::uint64_t what = dice_.below(20);
    if (what < 7) {
      reads_file_ ? read_file() : receive();
    } else if (what < 14) {
      writes_file_ ? write_file() : send();
    } else if (what < 16) {
      accept();
    } else if (what < 19) {
      connect();
    } else {
      wait_alone();
    }
  }

  std::size_t any_size() { return dice_.chance(5) ? dice_.size(200'000) : dice_.size(3000); }

  // Checks bytes that the program received.
  void got(const char* name, const char* data, std::size_t size) {
    call_.name = name;
    if (stream_bytes.at(read_, size) != std::string(data, size))
      wrong("other bytes than were sent");
    read_ += size;
    call_.name.clear();
  }
  void expect(bool holds, const char* name, const char* what) {
    call_.name = name;
    if (!holds) wrong(what);
    call_.name.clear();
  }

  void receive() {
    std::string buffer(any_size(), '\0');
    const bool throws = dice_.chance(50);
    const sk::mutable_bytes target(buffer.data(), buffer.size());
    const char* name = "recv";
    outcome result;
    const std::uint64_t which = dice_.below(4);
    if (which == 0) {
      result = make(name, stream_.until, stream_, [&](outcome& out) {
        buffer = stream_.s.recv(buffer.size());
        out.count = buffer.size();
      });
    } else if (which == 1) {
      result = make(name = "recv_into", stream_.until, stream_, [&](outcome& out) {
        out.count = throws ? stream_.s.recv_into(target) : stream_.s.recv_into(target, out.ec);
      });
    } else if (which == 2) {
      result = make(name = "recvmsg_into", stream_.until, stream_, [&](outcome& out) {
        out.count =
            (throws ? stream_.s.recvmsg_into({target}) : stream_.s.recvmsg_into({target}, out.ec))
                .nbytes;
      });
    } else {
      receive_exactly(buffer, throws);
      return;
    }
    if (result.ec) result.count = 0;
    expect(result.ec || result.count != 0 || call_.ended, name, "an end that did not come");
    got(name, buffer.data(), result.count);
    expect(read_ == arrived_, name, "bytes are lost");
  }

  void receive_exactly(std::string& buffer, bool throws) {
    const std::size_t size = buffer.size();
    const char* name = "recv_exactly";
    if (dice_.chance(30)) {
      const outcome result = make(name, stream_.until, stream_, [&](outcome& out) {
        try {
          buffer = stream_.s.recv_exactly(size);
        } catch (const sk::incomplete_read_error& e) {
          buffer = e.partial();
          throw;
        } catch (const sk::error& e) {
          buffer = stream_bytes.at(read_, e.transferred());  // documented: recv_exactly loses them
          throw;
        }
        out.count = buffer.size();
      });
      got(name, buffer.data(),
          result.ec == sk::errc::incomplete_read ? buffer.size() : result.count);
      expect(result.ec || result.count == size, name, "is not exact");
    } else {
      const sk::mutable_bytes target(buffer.data(), size);
      const outcome result =
          make(name = "recv_exactly_into", stream_.until, stream_, [&](outcome& out) {
            out.count = throws ? stream_.s.recv_exactly_into(target)
                               : stream_.s.recv_exactly_into(target, out.ec);
          });
      got(name, buffer.data(), result.count);
      expect(result.ec || result.count == size, name, "is not exact");
    }
    expect(read_ == arrived_, name, "bytes are lost");
  }

  void read_file() {
    const std::size_t size = any_size();
    std::string data;
    bool fills = true;  // unless the stream ends
    const char* name = "read";
    const std::uint64_t which = dice_.below(3);
    const outcome result = make(name, in_limit_, stream_, [&](outcome& out) {
      if (which == 0) {
        data = in_.read(static_cast<std::ptrdiff_t>(size));
      } else if (which == 1) {
        data = in_.readline(static_cast<std::ptrdiff_t>(size));
        fills = !data.empty() && data.back() != '\n';
      } else {
        data.resize(size);
        in_.clear();
        in_.read(data.data(), static_cast<std::streamsize>(size));
        data.resize(static_cast<std::size_t>(in_.gcount()));
      }
      out.count = data.size();
    });
    if (result.ec) {
      data.clear();
      expect(result.count == arrived_ - read_, name, "what it holds is not what it says");
    } else {
      expect(!fills || data.size() == size || call_.ended, name, "gives less than was asked for");
    }
    got(name, data.data(), data.size());
    expect(read_ <= arrived_, name, "bytes are doubled");
  }

  // The bytes that the system has taken since the last call follow those before.
  void check_sent(const char* name) {
    const auto& sent = fake::sent_messages();
    std::string data;
    for (; seen_ < sent.size(); ++seen_) data += sent[seen_].data;
    expect(data == stream_bytes.at(on_wire_, data.size()), name, "other bytes are sent");
    on_wire_ += data.size();
    expect(writes_file_ ? on_wire_ <= written_ : on_wire_ == written_, name,
           "what was sent is not what it says");
  }

  void send() {
    const std::uint64_t which = dice_.below(5);
    // For files, several blocks.
    const std::size_t size =
        which > 2 && dice_.chance(50) ? 65536 + dice_.size(200'000) : any_size();
    const std::string data = stream_bytes.at(written_, size);
    const bool throws = dice_.chance(50);
    const char* name = "send";
    outcome result;
    if (which == 0) {
      result = make(name, stream_.until, stream_, [&](outcome& out) {
        out.count = throws ? stream_.s.send(data) : stream_.s.send(data, out.ec);
      });
    } else if (which == 1) {
      result = make(name = "sendmsg", stream_.until, stream_, [&](outcome& out) {
        const sk::const_bytes head(data.data(), size / 3);
        const sk::const_bytes tail(data.data() + size / 3, size - size / 3);
        out.count =
            throws ? stream_.s.sendmsg({head, tail}) : stream_.s.sendmsg({head, tail}, out.ec);
      });
    } else if (which == 2 || stream_.until.is == limit::kind::zero ||
               written_ + size > stream_bytes.all().size()) {
      result = make(name = "sendall", stream_.until, stream_, [&](outcome& out) {
        out.count = throws ? stream_.s.sendall(data) : stream_.s.sendall(data, out.ec);
      });
      expect(result.ec || result.count == size, name, "does not send all");
    } else {
      std::istringstream content;
      if (which == 4) content.str(stream_bytes.all());
      const sk::file_source file =
          which == 3 ? sk::file_source(disk_file_) : sk::file_source(content);
      const auto offset = static_cast<int64_t>(written_);
      const auto count = static_cast<int64_t>(size);
      result = make(name = "sendfile", stream_.until, stream_, [&](outcome& out) {
        out.count = throws ? stream_.s.sendfile(file, offset, count)
                           : stream_.s.sendfile(file, offset, count, out.ec);
      });
      expect(result.ec || result.count == size, name, "does not send all");
    }
    written_ += result.count;
    check_sent(name);
  }

  void write_file() {
    if (dice_.chance(20)) {
      make("flush", out_limit_, stream_, [&](outcome&) { out_.flush(); });
      check_sent("flush");
      return;
    }
    const std::string data = stream_bytes.at(written_, any_size());
    const outcome result = make("write", out_limit_, stream_, [&](outcome& out) {
      out.count = out_.write(sk::const_bytes(data));
    });
    written_ += result.count;
    check_sent("write");
  }

  void accept() {
    const bool throws = dice_.chance(50);
    make("accept", listener_.until, listener_, [&](outcome& out) {
      const sk::accept_result result = throws ? listener_.s.accept() : listener_.s.accept(out.ec);
      out.count = result.conn ? 1 : 0;
    });
  }

  void connect() {
    const bool throws = dice_.chance(50);
    const bool is_unix = dice_.chance(50);
    endpoint& one = is_unix ? unix_client_ : client_;
    const sk::address to = is_unix ? sk::address("/tmp/s") : sk::address("127.0.0.1", 9);
    make(is_unix ? "connect AF_UNIX" : "connect", one.until, one,
         [&](outcome& out) { throws ? one.s.connect(to) : one.s.connect(to, out.ec); });
  }

  void wait_alone() {
    const limit until = any_limit();
    weather_.changes = false;
    bool ready = false;
    const bool reads = dice_.chance(50);
    make("wait", until, stream_, [&](outcome& out) {
      ready = reads ? stream_.s.wait_readable(until.value(), out.ec)
                    : stream_.s.wait_writable(until.value(), out.ec);
      if (!ready && !out.ec && until.is != limit::kind::zero) out.ec = sk::errc::timed_out;
    });
    expect(!ready || call_.succeeded, "wait", "reports what poll did not");
  }

  // The system lets every call succeed, so that buffered bytes are sent and read.
  void finish() {
    weather_ = {100, 0, 0, 100, 0, false, false};
    if (stop_ != nullptr) stop_->reset();
    stop_ = nullptr;
    is_interrupted_ = false;
    is_draining_ = true;
    const limit none;
    if (writes_file_) {
      out_.settimeout(std::nullopt);
      while (make("flush", none, stream_, [&](outcome&) { out_.flush(); }).ec) {
      }
      check_sent("flush");
      expect(on_wire_ == written_, "flush", "bytes are lost");
    }
    if (reads_file_) {
      in_.settimeout(std::nullopt);
      std::string rest;
      while (make("read", none, stream_, [&](outcome&) { rest = in_.read(); }).ec) {
      }
      got("read", rest.data(), rest.size());
      expect(read_ == arrived_, "read", "bytes are lost");
    }
  }

  dice dice_;
  totals& all_;
  sk::interrupter* stop_ = nullptr;
  bool is_interrupted_ = false;
  bool is_busy_ = false;      // the test itself calls the library
  bool is_draining_ = false;  // nothing more arrives
  endpoint stream_, listener_, client_, unix_client_;
  bool reads_file_ = false;
  bool writes_file_ = false;
  sk::file in_, out_;
  limit in_limit_, out_limit_;
  fake::handle disk_file_ = sk::invalid_handle;
  running call_;
  weather weather_{};
  std::vector<std::string> trace_;
  std::string problem_;
  std::size_t arrived_ = 0;  // bytes that the system returned
  std::size_t read_ = 0;     // bytes that the program received
  std::size_t written_ = 0;  // bytes that the program wrote
  std::size_t on_wire_ = 0;  // bytes that the system accepted
  std::size_t seen_ = 0;     // messages that were checked
};

}  // namespace

TEST_CASE("calls keep their deadlines and lose no bytes over years of simulated time",
          "[timeout][simulation]") {
  const std::uint64_t first =
      number_from_environment("PYSOCK_SIMULATED_SEED", std::random_device()());
  const std::uint64_t count = number_from_environment("PYSOCK_SIMULATED_SCENARIOS", 2000);
  totals all;
  for (std::uint64_t seed = first; seed - first < count; ++seed) {
    const fake::session session;
    const std::string problem = scenario(seed, all).run();
    CAPTURE(seed, problem);
    REQUIRE(problem.empty());
    REQUIRE(fake::errors() == fake::lines{});
    REQUIRE(fake::open_count() == 1);  // the file that sendfile sends
  }
  std::printf(
      "counted: %llu calls, %llu of the seam, in %.0f years of simulated time: %llu timed out, "
      "%llu were interrupted; seeds from %llu\n",
      static_cast<unsigned long long>(all.calls), static_cast<unsigned long long>(all.seam_calls),
      all.years, static_cast<unsigned long long>(all.timeouts),
      static_cast<unsigned long long>(all.interrupted), static_cast<unsigned long long>(first));
}
