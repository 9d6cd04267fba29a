// SPDX-License-Identifier: MIT
#include "harness.hpp"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <bitset>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdarg>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <map>
#include <mutex>
#include <thread>

#include "support/catch.hpp"
#include "support/coverage.hpp"
#include "support/failure.hpp"

namespace faults {
namespace {

constexpr int for_ever = INT_MAX;
constexpr double short_timeout = 0.1;  // where the call is to time out
constexpr double long_timeout = 10;
constexpr int last_of_endless =
    12;  // a fault for ever ends after so many, where no time limit does
constexpr int hook_ends_after = 25;  // interruptions
constexpr int most_attempts = 60;    // of a call that waits 0.1 s
constexpr unsigned alarm_seconds = 20;
constexpr unsigned cpu_seconds = 5;

constexpr mode all_modes[] = {mode::blocking, mode::timeout, mode::waiting, mode::interruptible,
                              mode::nonblocking};

const char* name_of(mode m) noexcept {
  static const char* const names[] = {"blocking", "timeout", "waiting", "interruptible",
                                      "non-blocking"};
  return names[static_cast<std::size_t>(m)];
}

// One run of a scenario, and what fails in it.
struct cell {
  const scenario* subject = nullptr;
  mode how = mode::blocking;
  call which = call::count;  // from its `first` occurrence, counted from 0, `times`
  int first = 0;
  int times = 0;
  order what;
  unsigned allocation = 0;  // counted from 1; 0: none fails
  bool always = false;      // and all after it
  unsigned of_openssl = 0;  // the same for OpenSSL's
};

// What a run tells the process that started it.
struct report {
  bool fired;
  bool impossible;
  unsigned allocations;
  unsigned of_openssl;
  std::size_t calls;
  call log[3000];
  char text[3000];
};

// ---- the run of this process ----

std::mutex mutex;
std::atomic<bool> is_armed{false};
const cell* current = nullptr;
report* result = nullptr;
int occurrences = 0;
int fired = 0;
std::atomic<int> interruptions{0};
std::function<void()>* waiting = nullptr;

void note(const char* format, ...) {
  const std::size_t size = std::strlen(result->text);
  va_list arguments;
  va_start(arguments, format);
  std::vsnprintf(result->text + size, sizeof result->text - size, format, arguments);
  va_end(arguments);
}

bool is_wait(call c) noexcept {
  return c == call::poll || c == call::pause || c == call::wait_poll_set;
}

bool has_time_limit(mode m) noexcept { return m == mode::timeout || m == mode::waiting; }

// Calls that the engine repeats.
bool is_repeated(call c) noexcept {
  return is_wait(c) || size_argument(c) >= 0 || c == call::accept || c == call::connect ||
         c == call::sendmsg || c == call::recvmsg || c == call::open_file;
}
bool moves_data(call c) noexcept {
  return (size_argument(c) >= 0 && c != call::read_file) || c == call::sendmsg ||
         c == call::recvmsg || c == call::accept;
}

bool is_interruption(const order& o) noexcept { return !o.is_code && o.number == EINTR; }
bool is_would_block(const order& o) noexcept {
  return !o.is_code && (o.number == EAGAIN || o.number == EWOULDBLOCK);
}

const char* class_for(const order& o, call c) {
  if (o.is_code) return c == call::getaddrinfo || c == call::getnameinfo ? "gaierror" : "herror";
  switch (o.number) {
    case EAGAIN:
    case EALREADY:
    case EINPROGRESS:
      return "blocking_io_error";
    case EINTR:
      return "interrupted_error";
    case EACCES:
    case EPERM:
      return "permission_error";
    case ENOENT:
      return "file_not_found_error";
    case ETIMEDOUT:
      return "timeout";
    case EPIPE:
      return "broken_pipe_error";
    case ECONNABORTED:
      return "connection_aborted_error";
    case ECONNREFUSED:
      return "connection_refused_error";
    case ECONNRESET:
      return "connection_reset_error";
    default:
      return "error";
  }
}

std::error_code code_for(const order& o, call c) {
  if (!o.is_code) return {o.number, std::system_category()};
  if (c == call::getaddrinfo || c == call::getnameinfo) return {o.number, pysock::gai_category()};
  return {o.number, pysock::herror_category()};
}

using descriptors = std::bitset<256>;

descriptors open_descriptors() {
  descriptors open;
  for (std::size_t fd = 0; fd < open.size(); ++fd)
    open[fd] = ::fcntl(static_cast<int>(fd), F_GETFD) >= 0;
  return open;
}

void run_once() {
  occurrences = 0;
  fired = 0;
  interruptions = 0;
  result->calls = 0;
  memory::fail(current->allocation, current->always);
  memory::fail_for_openssl(current->of_openssl);
  try {
    trial t(current->how);
    current->subject->body(t);
    t.finish();
    waiting = nullptr;
  } catch (const std::exception& e) {
    is_armed = false;
    memory::arm(false);
    note("the scenario threw: %s; ", e.what());
  }
  result->fired = fired != 0 || memory::has_failed();
  result->allocations = memory::count();
  result->of_openssl = memory::count_of_openssl();
}

// A thread that a lookup has left behind may still have to free what it has.
template <class Condition>
void settle(const Condition& holds) {
  if (std::count(result->log, result->log + result->calls, call::run_detached) == 0) return;
  for (int i = 0; i < 20 && !holds(); ++i) ::usleep(i < 5 ? 1000 : 20000);
}

// In the child.
void run() {
  ::alarm(alarm_seconds);
  const rlimit limit{cpu_seconds, cpu_seconds};
  ::setrlimit(RLIMIT_CPU, &limit);
  // Not the handlers of Catch, which would go on with the test in this process.
  for (const int signal : {SIGABRT, SIGFPE, SIGILL, SIGINT, SIGPIPE, SIGSEGV, SIGTERM})
    std::signal(signal, SIG_DFL);
  const descriptors before = open_descriptors();
  long blocks = memory::blocks();
  run_once();
  settle([&] { return open_descriptors() == before && memory::blocks() <= blocks; });
  const descriptors after = open_descriptors();
  if (before != after)
    note("%d descriptors more than before; ",
         static_cast<int>(after.count()) - static_cast<int>(before.count()));
  // What is made once and kept is no leak: that grows every time. What was made in one run moves
  // the failing allocation of the next to another place, so the memory may grow in several of them.
  constexpr int repetitions = 4;
  for (int repeated = 0; result->text[0] == '\0'; ++repeated) {
    const long more = memory::blocks() - blocks;
    if (more <= 0) return;
    if (repeated == repetitions) return note("%ld blocks of memory more each time; ", more);
    blocks = memory::blocks();
    run_once();
    settle([&] { return memory::blocks() <= blocks; });
  }
}

// ---- the runs of other processes ----

std::string describe(const cell& c) {
  std::string text = c.subject->name + " | " + name_of(c.how) + " | ";
  if (c.which != call::count) {
    text += std::string(name_of(c.which)) + " #" + std::to_string(c.first);
    if (c.what.kind == order::what::shorten) text += " short";
    if (c.what.kind == order::what::lie) text += " lies";
    if (c.what.kind == order::what::fail) {
      text += " fails with " + std::to_string(c.what.number);
      text += c.what.is_code ? "" : std::string(" (") + std::strerror(c.what.number) + ")";
    }
    text += c.times == for_ever ? " for ever" : " " + std::to_string(c.times) + " times";
  }
  if (c.allocation != 0)
    text += " allocation " + std::to_string(c.allocation) + (c.always ? " and all after it" : "");
  if (c.of_openssl != 0) text += " allocation " + std::to_string(c.of_openssl) + " of OpenSSL";
  return text;
}

class runner {
 public:
  runner() {
    const unsigned processors = std::max(1U, std::thread::hardware_concurrency());
    slots_.resize(4 * std::size_t{processors});  // many of them wait
    for (slot& s : slots_) {
      void* const memory = ::mmap(nullptr, sizeof(report), PROT_READ | PROT_WRITE,
                                  MAP_SHARED | MAP_ANONYMOUS, -1, 0);
      if (memory == MAP_FAILED) throw std::bad_alloc();
      s.answer = static_cast<report*>(memory);
    }
  }
  runner(const runner&) = delete;
  runner& operator=(const runner&) = delete;
  ~runner() {
    finish();
    for (const slot& s : slots_) ::munmap(s.answer, sizeof(report));
  }

  using handler = std::function<void(const cell&, const report&)>;

  // Starts a run; `done` is called at its end.
  void start(cell c, handler done) {
    slot* free = find(0);
    while (free == nullptr) {
      collect();
      free = find(0);
    }
    free->what = std::move(c);
    free->done = std::move(done);
    std::memset(free->answer, 0, offsetof(report, log));
    free->answer->text[0] = '\0';
    std::fflush(stdout);
    free->child = ::fork();
    if (free->child == 0) {
      current = &free->what;
      result = free->answer;
      run();
      test_support::write_coverage();
      ::_exit(0);
    }
    if (free->child < 0) throw std::runtime_error("fork failed");
    ++runs;
  }
  void finish() {
    while (std::any_of(slots_.begin(), slots_.end(), [](const slot& s) { return s.child != 0; }))
      collect();
  }

  unsigned runs = 0;
  std::vector<std::string> objections;

 private:
  struct slot {
    pid_t child = 0;
    cell what;
    handler done;
    report* answer = nullptr;
  };

  slot* find(pid_t child) {
    for (slot& s : slots_) {
      if (s.child == child) return &s;
    }
    return nullptr;
  }
  void collect() {
    int status = 0;
    const pid_t child = ::waitpid(-1, &status, 0);
    slot* const ended = child > 0 ? find(child) : nullptr;
    if (ended == nullptr) return;
    ended->child = 0;
    std::string objection = ended->answer->text;
    if (WIFSIGNALED(status)) {
      const int signal = WTERMSIG(status);
      objection += signal == SIGALRM || signal == SIGXCPU || signal == SIGKILL
                       ? "it hangs"
                       : std::string("it crashes: ") + ::strsignal(signal);
    } else if (WEXITSTATUS(status) != 0) {
      objection += "it ends with status " + std::to_string(WEXITSTATUS(status));
    }
    if (!objection.empty()) objections.push_back(describe(ended->what) + ": " + objection);
    if (ended->done) ended->done(ended->what, *ended->answer);
  }

  std::vector<slot> slots_;
};

// Every `n`th of the cells where the program is slow, or where the environment asks for it.
std::size_t every() {
  if (const char* given = std::getenv("PYSOCK_FAULTS_EVERY"))
    return std::max(1UL, std::strtoul(given, nullptr, 10));
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  return 10;
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
  return 10;
#else
  return 1;
#endif
#else
  return 1;
#endif
}

// A scenario in a mode, and what it does without a fault.
struct dry_run {
  const scenario* subject;
  mode how;
  std::vector<call> calls;
  unsigned allocations = 0;
  unsigned of_openssl = 0;
};

std::vector<dry_run> dry_runs(runner& run, const std::vector<scenario>& scenarios) {
  std::vector<dry_run> all;
  for (const scenario& s : scenarios) {
    for (const mode m : all_modes) {
      if (!s.waits && m != mode::blocking) continue;
      const bool listed = std::find(s.modes.begin(), s.modes.end(), m) != s.modes.end();
      if (!s.modes.empty() && !listed) continue;
      cell c;
      c.subject = &s;
      c.how = m;
      run.start(c, [&all](const cell& done, const report& answer) {
        if (answer.impossible) return;
        const std::vector<call> calls(answer.log, answer.log + answer.calls);
        all.push_back({done.subject, done.how, calls, answer.allocations, answer.of_openssl});
      });
    }
  }
  run.finish();
  return all;
}

struct site {
  call which;
  int place;   // from 0, among the calls of this name
  bool usual;  // the first three of each name, and the last
};

// Where calls can be made to fail: at the usual places, or at all of them.
std::vector<site> sites_of(const dry_run& dry) {
  std::map<call, int> totals;
  for (const call c : dry.calls) ++totals[c];
  std::vector<site> sites;
  for (const auto& [c, total] : totals) {
    for (int i = 0; i < total; ++i) {
      const bool usual = i < 3 || i == total - 1;
      if (usual || dry.subject->every_place) sites.push_back({c, i, usual});
    }
  }
  return sites;
}

std::string lines_of(const std::vector<std::string>& all) {
  std::string text;
  for (const std::string& one : all) text += one + "\n";
  return text;
}

// How often in a row a call fails with the error. Where every place is tried, an error that the
// engine does not handle comes once; all of them at the first place, one at each other place.
std::vector<int> times_for(const scenario& subject, const site& s, const std::vector<order>& errors,
                           const order& o) {
  if (!subject.every_place) return {1, 3, for_ever};
  if (is_interruption(o) || is_would_block(o))
    return s.usual ? std::vector<int>{1, 3, for_ever} : std::vector<int>{1, for_ever};
  const order& chosen = errors[static_cast<std::size_t>(s.place) % errors.size()];
  return s.place == 0 || o.number == chosen.number ? std::vector<int>{1} : std::vector<int>{};
}

class stopwatch {
 public:
  [[nodiscard]] double seconds() const {
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - start_).count();
  }

 private:
  std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
};

}  // namespace

// ---- faults ----

order next(call c) noexcept {
  if (!is_armed) return {};
  const std::lock_guard<std::mutex> lock(mutex);
  const cell& now = *current;
  if (result->calls < std::size(result->log)) result->log[result->calls++] = c;
  order o;
  if (c == now.which) {
    const int place = occurrences++;
    const bool ends = now.times == for_ever && !has_time_limit(now.how) &&
                      fired >= (is_interruption(now.what) ? 4 * hook_ends_after : last_of_endless);
    if (place >= now.first && place - now.first < now.times && !ends) {
      ++fired;
      o = now.what;
    }
  }
  // What is waited for does not come during a wait that only pretends.
  const bool pretends =
      now.what.kind == order::what::lie && (c != now.which || o.kind == now.what.kind);
  if (is_wait(c) && !pretends && waiting != nullptr && *waiting) {
    is_armed = false;
    memory::arm(false);
    try {
      const std::function<void()> event = *waiting;  // which may replace itself
      event();
    } catch (const std::exception& e) {
      note("what happens meanwhile threw: %s; ", e.what());
    }
    memory::arm(true);
    is_armed = true;
  }
  return o;
}

void set_error_number(int number) noexcept { errno = number; }

armed_scope::armed_scope() noexcept {
  is_armed = true;
  memory::arm(true);
}
armed_scope::~armed_scope() {
  memory::arm(false);
  is_armed = false;
}

// ---- a run ----

bool trial::is_short() const noexcept { return current->what.kind == order::what::shorten; }

bool trial::hook(void*) noexcept {
  return !is_armed || current->what.kind != order::what::fail || ++interruptions < hook_ends_after;
}

const std::optional<pysock::interrupter>& trial::stop() {
  if (mode_ == mode::interruptible && !stop_) stop_.emplace();
  return stop_;
}

pysock::timeout_value trial::timeout() const {
  switch (mode_) {
    case mode::blocking:
    case mode::interruptible:
      return std::nullopt;
    case mode::nonblocking:
      return 0;
    default:
      return current->times == for_ever && !is_short() ? short_timeout : long_timeout;
  }
}

void trial::tune(pysock::socket& s) {
  s.settimeout(timeout());
  if (stop()) s.set_interrupter(*stop());
  s.set_interrupt_hook(&hook, nullptr);
}

void trial::arrives(std::function<void()> event) {
  if (mode_ != mode::waiting && mode_ != mode::interruptible) {
    event();
    return;
  }
  pending_ = [this, once = std::move(event)] {
    pending_ = nullptr;
    once();
  };
  waiting = &pending_;
}

void trial::while_waiting(std::function<void()> event) {
  pending_ = std::move(event);
  waiting = &pending_;
}

void trial::finish() {
  waiting = nullptr;
  const std::function<void()> rest = std::move(pending_);
  pending_ = nullptr;
  if (rest) rest();
}

void trial::ignores(std::initializer_list<faults::call> calls) {
  ignored_.insert(ignored_.end(), calls.begin(), calls.end());
}

faults::call trial::failing() noexcept { return current->which; }

const order& trial::fault() noexcept { return current->what; }

bool trial::has_failed() noexcept { return fired > 0; }

bool trial::lacks_memory() noexcept { return current->allocation != 0 || current->of_openssl != 0; }

void trial::impossible() noexcept { result->impossible = true; }

void trial::check(bool holds, const char* claim) {
  if (!holds) note("not so: %s; ", claim);
}

void trial::take(outcome& o, const pysock::error& e) {
  o.kind = outcome::what::failure;
  o.code = e.code();
  o.class_name = test_support::class_of(e);
  o.text = e.what();
  transferred_ = e.transferred();
}

void trial::take(outcome& o, const std::bad_alloc&) {
  o.kind = outcome::what::no_memory;
  lacked_memory_ = true;
}

bool trial::judge(const outcome& o) {
  code_ = o.code;
  const char* const reason = objection(o);
  if (reason != nullptr)
    note("%s: [%s] %s, %s; ", reason, o.class_name.c_str(), o.code.message().c_str(),
         o.text.c_str());
  finish();
  return o.kind == outcome::what::success;
}

void trial::begin() noexcept {
  fired_before_ = fired;
  transferred_ = 0;
}

bool trial::ignores(faults::call c) const {
  if (c == call::close || c == call::close_file) return !reports_close_;
  return std::find(ignored_.begin(), ignored_.end(), c) != ignored_.end();
}

// Why the call may not end so; null if it may.
const char* trial::objection(const outcome& o) const {
  using what = outcome::what;
  const cell& c = *current;
  const bool succeeded = o.kind == what::success;
  if (o.kind == what::other) return recovers_ ? nullptr : "another exception";
  const bool would_block = o.code == std::errc::resource_unavailable_try_again;
  if (has_steps_ && c.how == mode::nonblocking && would_block) return nullptr;
  if (c.of_openssl != 0) return nullptr;  // any failure, or none
  if (c.allocation != 0) {
    if (c.which != call::count) return nullptr;  // the other failure may come first
    // By an error_code, or where a thread could not be started, as the system would say it.
    const bool reported = o.code == std::errc::not_enough_memory &&
                          (o.class_name.empty() || o.code.category() == std::system_category());
    if (succeeded || o.kind == what::no_memory || (reported && memory::has_failed()))
      return nullptr;
    return "no memory is reported as something else";
  }
  if (o.kind == what::no_memory) return "bad_alloc";
  const bool was_late = c.times == for_ever && o.code == pysock::errc::timed_out;
  if (fired == fired_before_) return succeeded || was_late ? nullptr : "it fails without a fault";
  if (c.what.kind == order::what::shorten) return succeeded ? nullptr : "a short transfer fails";

  const bool endless = c.times == for_ever;
  const bool ignored = ignores(c.which);
  const bool waits_again =
      (is_would_block(c.what) && c.which == call::connect && ignored) ||
      (moves_data(c.which) && (is_would_block(c.what) || (is_interruption(c.what) && has_steps_)));
  if (c.what.kind == order::what::lie || waits_again) {
    if (has_time_limit(c.how) && endless) {
      if (fired > most_attempts) return "it spins";
      // Where poll() lies of what is there, it says the truth.
      const bool may_succeed = recovers_ || ((!waits_again || ignored) && succeeded);
      return o.code == pysock::errc::timed_out || may_succeed ? nullptr : "it does not time out";
    }
    if (c.how == mode::nonblocking && waits_again)
      return would_block || (succeeded && has_steps_) || recovers_ ? nullptr : "it waits";
    return succeeded ? nullptr : "false readiness ends it";
  }
  const bool is_connecting = c.which == call::connect;
  if (is_interruption(c.what) && is_repeated(c.which) &&
      !(is_connecting && c.how == mode::nonblocking)) {
    if (succeeded && (!endless || is_wait(c.which) || is_connecting || recovers_)) return nullptr;
    if (!endless) return "an interruption ends it";
    if (has_time_limit(c.how) && o.code == pysock::errc::timed_out) return nullptr;
    return o.code == std::errc::interrupted || recovers_ ? nullptr
                                                         : "the interruptions do not end it";
  }
  if (succeeded) return ignored || recovers_ ? nullptr : "the failure is hidden";
  const bool failed_before = was_late && c.which == call::close_file;
  if (o.code != code_for(c.what, c.which) && !recovers_ && !failed_before)
    return "another error is reported";
  if (o.class_name.empty()) return nullptr;
  if (o.class_name != class_for(c.what, c.which) && o.class_name.find("another") != 0 && !recovers_)
    return "another class is thrown";
  if (o.text.rfind(o.operation, 0) != 0) return "the text does not begin with the operation";
  return nullptr;
}

// ---- campaigns ----

std::vector<call> calls_of(const scenario& s) {
  runner run;
  std::vector<call> all;
  for (const dry_run& dry : dry_runs(run, {s}))
    all.insert(all.end(), dry.calls.begin(), dry.calls.end());
  std::sort(all.begin(), all.end());
  all.erase(std::unique(all.begin(), all.end()), all.end());
  return all;
}

std::string objections_to_failing_calls(const std::vector<scenario>& scenarios) {
  const stopwatch time;
  runner run;
  const std::vector<dry_run> dry = dry_runs(run, scenarios);
  std::size_t sites = 0;
  std::size_t unreached = 0;
  std::vector<cell> cells;
  for (const dry_run& d : dry) {
    for (const site& where : sites_of(d)) {
      ++sites;
      const call c = where.which;
      cell next;
      next.subject = d.subject;
      next.how = d.how;
      next.which = c;
      next.first = where.place;
      const std::vector<order> errors = failures_of(c);
      for (const order& o : errors) {
        next.what = o;
        for (const int times : times_for(*d.subject, where, errors, o)) {
          next.times = times;
          cells.push_back(next);
        }
      }
      next.what = {};
      if (c == call::poll) next.what.kind = order::what::lie;
      if (moves_data(c) || c == call::read_file) next.what.kind = order::what::shorten;
      if (c == call::accept || next.what.kind == order::what::pass) continue;
      for (const int times : {1, for_ever}) {
        next.times = times;
        cells.push_back(next);
      }
    }
  }
  const std::size_t step = every();
  const unsigned before = run.runs;
  for (std::size_t i = 0; i < cells.size(); i += step) {
    run.start(cells[i], [&unreached](const cell&, const report& answer) {
      unreached += answer.fired ? 0 : 1;
    });
  }
  run.finish();
  std::printf(
      "faults: %zu scenarios, %zu with their modes, %zu sites, %u cells of %zu, %zu not reached, "
      "%.1f s\n",
      scenarios.size(), dry.size(), sites, run.runs - before, cells.size(), unreached,
      time.seconds());
  std::fflush(stdout);  // a child of the caller may end without that
  return lines_of(run.objections);
}

std::string objections_to_failing_allocations(const std::vector<scenario>& scenarios) {
  const stopwatch time;
  runner run;
  const std::vector<dry_run> dry = dry_runs(run, scenarios);
  std::size_t sites = 0;
  std::vector<cell> cells;
  for (const dry_run& d : dry) {
    sites += d.allocations;
    for (unsigned number = 1; number <= d.allocations; ++number) {
      for (const bool always : {false, true}) {
        cell next;
        next.subject = d.subject;
        next.how = d.how;
        next.allocation = number;
        next.always = always;
        cells.push_back(next);
      }
    }
    // A call that fails where there is no memory for its exception.
    for (const site& where : sites_of(d)) {
      if (!where.usual || failures_of(where.which).empty()) continue;
      cell next;
      next.subject = d.subject;
      next.how = d.how;
      next.which = where.which;
      next.first = where.place;
      next.times = 1;
      next.what = failures_of(where.which).back();
      next.allocation = 1;
      next.always = true;
      cells.push_back(next);
    }
  }
  const std::size_t step = every();
  const unsigned before = run.runs;
  for (std::size_t i = 0; i < cells.size(); i += step) run.start(cells[i], {});
  run.finish();
  std::printf(
      "allocations: %zu scenarios, %zu with their modes, %zu allocations, %u cells of %zu, "
      "%.1f s\n",
      scenarios.size(), dry.size(), sites, run.runs - before, cells.size(), time.seconds());
  std::fflush(stdout);  // a child of the caller may end without that
  return lines_of(run.objections);
}

std::string objections_to_failing_openssl(const std::vector<scenario>& scenarios, unsigned step) {
  const stopwatch time;
  runner run;
  const std::vector<dry_run> dry = dry_runs(run, scenarios);
  std::size_t sites = 0;
  const unsigned before = run.runs;
  const auto every_one = static_cast<unsigned>(step * every());
  for (const dry_run& d : dry) {
    sites += d.of_openssl;
    for (unsigned number = 1; number <= d.of_openssl; number += every_one) {
      cell next;
      next.subject = d.subject;
      next.how = d.how;
      next.of_openssl = number;
      run.start(next, {});
    }
  }
  run.finish();
  std::printf("OpenSSL: %zu scenarios, %zu with their modes, %zu allocations, %u cells, %.1f s\n",
              scenarios.size(), dry.size(), sites, run.runs - before, time.seconds());
  return lines_of(run.objections);
}

void fail_calls(const std::vector<scenario>& scenarios) {
  CHECK(objections_to_failing_calls(scenarios) == "");
}
void fail_allocations(const std::vector<scenario>& scenarios) {
  CHECK(objections_to_failing_allocations(scenarios) == "");
}
void fail_openssl(const std::vector<scenario>& scenarios, unsigned step) {
  CHECK(objections_to_failing_openssl(scenarios, step) == "");
}

}  // namespace faults
