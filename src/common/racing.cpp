// SPDX-License-Identifier: MIT
// Connecting to several addresses at the same time. Only programs that set a delay link this file.
#include <algorithm>
#include <chrono>
#include <pysock/detail/socket_access.hpp>
#include <pysock/selectors.hpp>

#include "connecting.hpp"
#include "socket_parts.hpp"

namespace pysock {
inline namespace v1 {
namespace detail {
namespace {

// Calls `act`; false with its failure added to the list.
template <class Act>
bool keep_failure(std::vector<error>& failures, const Act& act) {
  try {
    act();
    return true;
  } catch (const error& e) {
    failures.push_back(e);
    return false;
  }
}

// An attempt that has begun.
struct attempt {
  socket s;
  const address_info* to;
  std::int64_t end;  // no_deadline for none
};

class connect_race {
 public:
  connect_race(const connect_plan& plan, const std::vector<address_info>& addresses,
               std::int64_t delay, std::vector<error>& failures)
      : plan_(plan), addresses_(addresses), delay_(delay), failures_(failures) {
    attempts_.reserve(addresses.size());
    if (plan.interrupter) waiting_.set_link(plan.interrupter);
  }

  socket run() {
    for (;;) {
      // A failed attempt starts the next one at once.
      while (has_next() && (attempts_.empty() || sys::now() >= next_start_)) {
        if (begin(addresses_[next_++])) return take(attempts_.size() - 1);
        next_start_ = attempts_.empty() ? sys::now() : deadline_after(sys::now(), delay_);
      }
      if (attempts_.empty()) return socket(nullptr);
      if (const auto winner = wait()) return take(*winner);
    }
  }

 private:
  // After the deadline the other addresses are not tried.
  bool has_next() noexcept {
    return next_ < addresses_.size() && (!is_absolute(plan_.timeout) || total_.begin_step());
  }

  // True if it is connected already.
  bool begin(const address_info& to) {
    return keep_failure(failures_,
                        [&] {
                          socket s = plan_.open(to, true);
                          const int result =
                              sys::connect(s.fileno(), to.sockaddr.data(), to.sockaddr.size());
                          is_connected_ = result == 0;
                          const bool goes_on = sys::connect_pending(-result) ||
                                               sys::classify(-result) == sys::failure::interrupted;
                          if (!is_connected_ && !goes_on)
                            throw_failed(failure_code(result), "connect", to.sockaddr);
                          if (is_connected_) plan_.check(s, to.sockaddr);
                          deadline until(plan_.timeout);
                          until.now();
                          // Before it is an attempt: one that is not waited for would never end.
                          if (!is_connected_) wait_for(s.fileno());
                          attempts_.push_back({std::move(s), &to, until.end()});
                        }) &&
           is_connected_;
  }

  void wait_for(native_handle_type fd) {
    auto entry = std::make_unique<selector_entry>();
    entry->fd = fd;
    waiting_.add(entry.get(), EVENT_WRITE);
    (void)entry.release();
  }

  // Waits for an attempt to end, or for the start of the next. Returns the position of one that has
  // connected.
  std::optional<std::size_t> wait() {
    std::int64_t until = next_ < addresses_.size() ? next_start_ : no_deadline;
    for (const attempt& one : attempts_) until = std::min(until, one.end);
    const std::chrono::nanoseconds instant(std::min(until, latest_instant));
    std::error_code ec;
    waiting_.select(
        std::chrono::time_point<std::chrono::steady_clock, std::chrono::nanoseconds>(instant), ec);
    if (ec) throw_error(ec, "connect");
    for (std::size_t i = 0; i < waiting_.ready_count(); ++i) {
      const native_handle_type fd = waiting_.ready()[i].key->fd;
      const auto found = std::find_if(attempts_.begin(), attempts_.end(),
                                      [fd](const attempt& one) { return one.s.fileno() == fd; });
      if (keep_failure(failures_, [&] { finish(*found); }))
        return static_cast<std::size_t>(found - attempts_.begin());
      lose(found);
    }
    const std::int64_t now = sys::now();
    for (auto one = attempts_.begin(); one != attempts_.end();) {
      if (one->end == no_deadline || now < one->end) {
        ++one;
        continue;
      }
      keep_failure(failures_, [&] { throw_failed(errc::timed_out, "connect", one->to->sockaddr); });
      one = lose(one);
    }
    return std::nullopt;
  }

  void finish(const attempt& one) {
    int outcome = 0;
    socklen_t size = sizeof outcome;
    const int result = sys::getsockopt(one.s.fileno(), SOL_SOCKET, SO_ERROR, &outcome, &size);
    if (result < 0) outcome = -result;
    if (outcome != 0 && outcome != sys::numbers().is_connected)
      throw_failed(system_code(outcome), "connect", one.to->sockaddr);
    plan_.check(one.s, one.to->sockaddr);
  }

  std::vector<attempt>::iterator lose(std::vector<attempt>::iterator one) {
    waiting_.remove(one->s.fileno());
    next_start_ = sys::now();
    return attempts_.erase(one);
  }

  // The connected socket, in the requested mode.
  socket take(std::size_t place) {
    socket s = std::move(attempts_[place].s);
    if (plan_.timeout == no_timeout && !plan_.interrupter) sys::set_nonblocking(s.fileno(), false);
    return s;
  }

  const connect_plan& plan_;
  const std::vector<address_info>& addresses_;
  std::int64_t delay_;
  std::vector<error>& failures_;
  deadline total_{plan_.timeout};
  std::size_t next_ = 0;
  std::int64_t next_start_ = 0;
  bool is_connected_ = false;
  std::vector<attempt> attempts_;
  selector_core waiting_{[](selector_entry* entry) { delete entry; }};
};

}  // namespace

socket race(const connect_plan& plan, const std::vector<address_info>& addresses,
            std::int64_t delay, std::vector<error>& failures) {
  return connect_race(plan, addresses, delay, failures).run();
}

}  // namespace detail

connection_options& connection_options::happy_eyeballs_delay(timeout_value value) {
  const std::int64_t word = detail::timeout_word(value);
  if (detail::is_absolute(word))
    detail::throw_error(bad_argument::option, "happy_eyeballs_delay: a time point is no delay");
  delay_ = word;
  race_ = &detail::race;
  return *this;
}

}  // namespace v1
}  // namespace pysock
