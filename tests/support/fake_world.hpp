// SPDX-License-Identifier: MIT
// The state of the fake, and the steps of one call. Only for fake_sys.cpp.
#pragma once

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <set>

#include "support/fake_sys.hpp"

namespace fake {
namespace inner {

using pysock::invalid_handle;

inline constexpr std::int64_t first_instant = 1'000'000'000'000;
inline constexpr handle first_handle = 1000;
// No test makes so many calls: the code under test must be in an endless loop.
inline constexpr std::size_t too_many_calls = 100'000;

#define PYSOCK_FAKE_NAME(function) #function,
inline const std::set<std::string> functions = {PYSOCK_FAKE_CALLS(PYSOCK_FAKE_NAME)};
#undef PYSOCK_FAKE_NAME

enum class kind { socket, file, wake, any };

// The state that duplicates of a descriptor share.
struct description {
  kind is = kind::socket;
  int family = 0;
  int type = 0;
  int proto = 0;
  bool nonblocking = false;
  bool is_awake = false;
  socket_address local;
  std::optional<socket_address> peer;
  std::map<std::pair<int, int>, std::string> options;
  std::string content;
};

struct descriptor {
  std::shared_ptr<description> what;
  bool inheritable = false;
};

struct answer {
  addrinfo info{};
  std::string address;
  std::string name;
};

// A planned failure.
struct planned_failure {
  int calls_left = 0;
  int error = 0;

  bool comes() { return calls_left > 0 && --calls_left == 0; }
};

struct world {
  std::map<std::string, std::deque<step>> scripts;
  director directing;
  std::map<handle, descriptor> open;
  std::vector<handle> opened;
  std::vector<handle> closed;
  lines log;
  lines errors;
  std::vector<sent_message> sent;
  std::map<std::string, std::string> files;
  std::vector<sys::interface_entry> interfaces = {{1, "lo"}, {2, "eth0"}};
  std::map<addrinfo*, std::vector<answer>> lists;
  planned_failure failing_open;
  planned_failure failing_call;
  bool failure_fired = false;
  int last_error = 9999;
  int clock_reads = 0;
  int poll_sets = 0;
  std::function<void()> held_thread;
  std::int64_t process_id = 1;
  std::function<void()> at_process_id;
  std::int64_t clock = first_instant;
  handle next = first_handle;
};

inline world& state() {
  static world w;
  return w;
}

// ---- one call ----

// The action of a call: fail with `error`, or do `plan`.
struct turn {
  bool failed = false;
  bool injected = false;
  int error = 0;
  step plan;

  // What the seam's function returns: the negative error number, or `success`.
  int result(int success = 0) const {
    return failed ? -error : static_cast<int>(plan.value.value_or(success));
  }
};

// The result of last_error() after a call that did not fail: an error number that no test expects.
inline constexpr int stale_error = 9999;

inline turn fail_with(int error) {
  state().last_error = error;
  turn t;
  t.failed = true;
  t.error = error;
  return t;
}

inline void note(std::string line) {
  world& w = state();
  w.log.push_back(std::move(line));
  if (w.log.size() < too_many_calls) return;
  std::fputs("fake: too many calls; the last ones are\n", stderr);
  for (auto last = w.log.end() - 20; last != w.log.end(); ++last)
    std::fprintf(stderr, "  %s\n", last->c_str());
  std::abort();
}

inline void wrong(std::string what) { state().errors.push_back(std::move(what)); }

inline std::deque<step>& script_of(const char* function) { return state().scripts[function]; }

// The director's step for the last call in the log; `otherwise` without a director.
inline step directed(step otherwise = {}) {
  const director directing = state().directing;
  if (!directing) return otherwise;
  const std::string call = state().log.back();
  return directing(call);
}

// Takes the next step of the script, or the director's.
inline step take(const char* function) {
  std::deque<step>& script = script_of(function);
  if (script.empty()) return directed();
  step& next = script.front();
  next.used = true;
  if (next.forever) return next;
  step taken = std::move(next);
  script.pop_front();
  return taken;
}

inline bool due(planned_failure& planned) {
  if (!planned.comes()) return false;
  state().failure_fired = true;
  return true;
}

// The failure that was planned for this call, if any.
inline std::optional<turn> planned() {
  planned_failure& next = state().failing_call;
  if (!due(next)) return std::nullopt;
  turn t = fail_with(next.error);
  t.injected = true;
  return t;
}

inline turn follow(const char* function) {
  turn t;
  t.plan = take(function);
  world& w = state();
  w.clock += std::max<std::int64_t>(t.plan.delay, 0);
  t.failed = t.plan.error != 0;
  t.error = t.plan.error;
  w.last_error = t.failed ? t.error : stale_error;
  return t;
}

template <class... Arguments>
inline turn begin(const char* function, const Arguments&... arguments) {
  note(called(function, arguments...));
  if (std::optional<turn> t = planned()) return *t;
  return follow(function);
}

// Fails if there is no open descriptor of that kind.
inline std::optional<turn> refuse(const char* function, handle h, kind wanted) {
  const auto& open = state().open;
  const auto found = open.find(h);
  if (found == open.end()) {
    if (h != invalid_handle) wrong(called(function, h) + ": not open");
    return fail_with(EBADF);
  }
  if (wanted == kind::socket && found->second.what->is == kind::file) return fail_with(ENOTSOCK);
  return std::nullopt;
}

template <class... Arguments>
inline turn begin_on(kind wanted, const char* function, handle h, const Arguments&... arguments) {
  note(called(function, h, arguments...));
  if (std::optional<turn> t = planned()) return *t;
  if (std::optional<turn> t = refuse(function, h, wanted)) return *t;
  return follow(function);
}

template <class... Arguments>
inline turn begin_on(const char* function, handle h, const Arguments&... arguments) {
  return begin_on(kind::socket, function, h, arguments...);
}

inline description& at(handle h) { return *state().open.at(h).what; }

// ---- descriptors ----

// The error number with which a call that opens a descriptor is to fail; 0 if it is not.
inline int opening_error() {
  planned_failure& next = state().failing_open;
  if (!due(next)) return 0;
  return fail_with(next.error).error;
}

inline handle open_new(std::shared_ptr<description> what, bool inheritable = false) {
  world& w = state();
  const handle made = w.next++;
  w.open[made] = {std::move(what), inheritable};
  w.opened.push_back(made);
  return made;
}

inline std::shared_ptr<description> describe_new(int family, int type, int proto,
                                                 bool nonblocking) {
  auto made = std::make_shared<description>();
  made->family = family;
  made->type = type;
  made->proto = proto;
  made->nonblocking = nonblocking;
  return made;
}

// A close that fails has closed the descriptor.
inline int close_one(const char* function, handle h, kind wanted) {
  note(called(function, h));
  world& w = state();
  const std::optional<turn> bad = planned();
  const auto found = w.open.find(h);
  if (found == w.open.end()) {
    if (h != invalid_handle) wrong(called(function, h) + ": not open");
    return (bad ? *bad : fail_with(EBADF)).result();
  }
  const kind is = found->second.what->is;
  if (is != kind::any && is != wanted)
    wrong(called(function, h) + ": the other kind of descriptor");
  w.open.erase(found);
  w.closed.push_back(h);
  return (bad ? *bad : follow(function)).result();
}

inline void remember_peer(handle s, socket_address peer) {
  if (state().open.count(s) != 0) at(s).peer = std::move(peer);
}

// ---- addresses ----

template <class Address>
inline socket_address to_address(const Address& from, std::size_t size = sizeof(Address)) {
  return {std::string(reinterpret_cast<const char*>(&from), size)};
}

inline socket_address to_address(const sockaddr* from, socklen_t size) {
  if (from == nullptr) return {};
  return {std::string(reinterpret_cast<const char*>(from), static_cast<std::size_t>(size))};
}

template <class Address>
inline Address as(const sockaddr* from, socklen_t size) {
  Address made{};
  std::memcpy(&made, from, std::min(sizeof made, static_cast<std::size_t>(size)));
  return made;
}

// As the system does: truncated to the buffer, with the full size.
inline void store(const socket_address& from, sockaddr* to, socklen_t* size) {
  if (to == nullptr || size == nullptr) return;
  std::memcpy(to, from.bytes.data(), std::min(from.bytes.size(), static_cast<std::size_t>(*size)));
  *size = from.size();
}

inline socket_address unnamed(int family) {
  if (family == AF_INET) return inet({0, 0, 0, 0}, 0);
  if (family == AF_INET6) return inet6({}, 0);
  sockaddr base{};
  base.sa_family = static_cast<decltype(base.sa_family)>(family);
  return to_address(base, offsetof(sockaddr, sa_data));
}

inline int give_address(const turn& t, const socket_address& otherwise, sockaddr* to,
                        socklen_t* size) {
  if (t.failed) return t.result();
  store(t.plan.addresses ? t.plan.addresses->front() : otherwise, to, size);
  return t.result();
}

}  // namespace inner
}  // namespace fake
