// SPDX-License-Identifier: MIT
#include <algorithm>
#include <mutex>
#include <new>
#include <pysock/selectors.hpp>
#include <stdexcept>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

namespace pysock {
inline namespace v1 {
namespace detail {
namespace {

static_assert(static_cast<int>(sys::event::read) == EVENT_READ);
static_assert(static_cast<int>(sys::event::write) == EVENT_WRITE);

// The interrupter among the results of a wait. The generations of descriptors are odd, so none of
// them is 0, also after the number has wrapped.
constexpr std::uint32_t interrupter_generation = 0;
constexpr std::uint32_t first_generation = 1;

constexpr sys::event no_events = sys::event::error;

void check_events(int events) {
  if (events == 0 || (events & ~(EVENT_READ | EVENT_WRITE)) != 0)
    throw std::invalid_argument("Invalid events: " + std::to_string(events));
}

}  // namespace

void throw_not_registered(native_handle_type fd) {
  throw std::out_of_range(std::to_string(fd) + " is not registered");
}

struct selector_core::state {
  explicit state(destroyer how) : destroy(how) {
    const int result = sys::open_poll_set(set);
    if (result < 0) throw_result(result, "selector");
  }

  // Called with the mutex held.
  sys::poll_set& open() {
    if (set == nullptr) throw_result(-sys::numbers().bad_descriptor, "selector");
    return *set;
  }
  selector_entry& registered(native_handle_type fd) {
    const auto found = by_fd.find(fd);
    if (found == by_fd.end()) throw_not_registered(fd);
    return *found->second;
  }
  std::uint32_t next_generation() noexcept { return generation += 2; }
  void change(const selector_entry& entry, int before, int after, const char* operation) {
    const int result = sys::change_poll_set(open(), entry.fd, static_cast<sys::event>(before),
                                            static_cast<sys::event>(after), entry.generation);
    if (result < 0) throw_result(result, operation);
  }
  // Called with the mutex held. Allocates nothing, so that it cannot fail.
  void retire(selector_entry& entry) noexcept {
    entry.next_retired = retired;
    retired = &entry;
  }
  void release_retired() {
    selector_entry* gone = nullptr;
    {
      const std::lock_guard<std::mutex> lock(mutex);
      std::swap(gone, retired);
    }
    while (gone != nullptr)  // without the lock: destructors may call the selector
      destroy(std::exchange(gone, gone->next_retired));
  }
  static void add_interrupter(sys::poll_set& to, const interrupt_link& link) {
    if (!link) return;
    const int result = sys::change_poll_set(to, link.get()->handle(), no_events, sys::event::read,
                                            interrupter_generation);
    if (result < 0) throw_result(result, "set_interrupter");
  }
  bool collect(bool& is_interrupted);
  void rebuild();

  destroyer destroy;
  mutable std::mutex mutex;
  sys::poll_set* set = nullptr;
  std::unordered_map<native_handle_type, selector_entry*> by_fd;
  std::vector<selector_entry*> all;
  selector_entry* retired = nullptr;  // the first of those that the next wait destroys
  std::uint32_t generation = first_generation;

  // Used only by the thread that calls select.
  std::vector<sys::poll_result> results;
  std::vector<ready_entry> ready;
  int stale_waits = 0;  // consecutive waits that found only unregistered descriptors
  interrupt_hook hook = nullptr;
  void* hook_data = nullptr;
  interrupt_link interrupter;
};

// Selects the registered descriptors from the results. Several results of one descriptor become
// one.
bool selector_core::state::collect(bool& is_interrupted) {
  const std::lock_guard<std::mutex> lock(mutex);
  for (const sys::poll_result& result : results) {
    if (result.generation == interrupter_generation) {
      is_interrupted = true;
      continue;
    }
    const auto found = by_fd.find(result.handle);
    if (found == by_fd.end() || found->second->generation != result.generation) continue;
    selector_entry& entry = *found->second;
    const int events =
        static_cast<int>(result.events) & entry.events.load(std::memory_order_relaxed);
    if (events == 0) continue;
    const std::size_t place = entry.ready_place;
    if (place < ready.size() && ready[place].key == &entry) {
      ready[place].events |= events;
    } else {
      entry.ready_place = ready.size();
      ready.push_back({&entry, events});
    }
  }
  stale_waits = results.empty() || !ready.empty() ? 0 : stale_waits + 1;
  return !ready.empty();
}

// A descriptor that was closed while a duplicate of it is open stays in the system's set and can no
// longer be removed by its number. Makes a new set without it; on failure the old set stays in use.
void selector_core::state::rebuild() {
  const std::lock_guard<std::mutex> lock(mutex);
  sys::poll_set* fresh = nullptr;
  const int result = sys::open_poll_set(fresh);
  if (result < 0) throw_result(result, "select");
  try {
    add_interrupter(*fresh, interrupter);
    // A descriptor that cannot be added was closed, and is not reported.
    for (const selector_entry* entry : all) {
      sys::change_poll_set(*fresh, entry->fd, no_events,
                           static_cast<sys::event>(entry->events.load()), entry->generation);
    }
  } catch (...) {
    sys::close_poll_set(fresh);
    throw;
  }
  std::swap(set, fresh);
  sys::close_poll_set(fresh);
  stale_waits = 0;
}

selector_core::selector_core(destroyer destroy) : state_(new state(destroy)) {}

selector_core::~selector_core() {
  close();
  delete state_;
}

void selector_core::add(selector_entry* entry, int events) {
  check_events(events);
  if (entry->fd < 0)
    throw std::invalid_argument("Invalid file descriptor: " + std::to_string(entry->fd));
  const std::lock_guard<std::mutex> lock(state_->mutex);
  state_->open();
  if (state_->by_fd.count(entry->fd) != 0)
    throw std::invalid_argument(std::to_string(entry->fd) + " is already registered");
  entry->generation = state_->next_generation();
  entry->events = events;
  entry->place = state_->all.size();
  state_->all.push_back(entry);
  try {
    state_->by_fd.emplace(entry->fd, entry);
    state_->change(*entry, 0, events, "register_");
  } catch (...) {
    state_->by_fd.erase(entry->fd);
    state_->all.pop_back();
    throw;
  }
}

void selector_core::replace(selector_entry* entry, int events) {
  check_events(events);
  const std::lock_guard<std::mutex> lock(state_->mutex);
  state_->open();
  selector_entry& old = state_->registered(entry->fd);
  entry->generation = state_->next_generation();
  entry->events = events;
  entry->place = old.place;
  state_->change(*entry, old.events, events, "modify");
  state_->by_fd[entry->fd] = entry;
  state_->all[entry->place] = entry;
  state_->retire(old);
}

void selector_core::set_events(native_handle_type fd, int events) {
  check_events(events);
  const std::lock_guard<std::mutex> lock(state_->mutex);
  state_->open();
  selector_entry& entry = state_->registered(fd);
  state_->change(entry, entry.events, events, "modify");
  entry.events = events;
}

selector_entry& selector_core::remove(native_handle_type fd) {
  const std::lock_guard<std::mutex> lock(state_->mutex);
  selector_entry& entry = state_->registered(fd);
  // It fails if the descriptor was closed, which has removed it from the set.
  sys::change_poll_set(state_->open(), fd, static_cast<sys::event>(entry.events.load()), no_events,
                       entry.generation);
  state_->by_fd.erase(fd);
  state_->all.back()->place = entry.place;
  state_->all[entry.place] = state_->all.back();
  state_->all.pop_back();
  state_->retire(entry);
  return entry;
}

selector_entry* selector_core::find(native_handle_type fd) const noexcept {
  const std::lock_guard<std::mutex> lock(state_->mutex);
  const auto found = state_->by_fd.find(fd);
  return found == state_->by_fd.end() ? nullptr : found->second;
}

void selector_core::select(timeout_value timeout, std::error_code& ec) noexcept {
  state& s = *state_;
  s.ready.clear();
  ec.clear();
  call_context calling;
  calling.timeout = timeout_word(timeout);
  calling.hook = s.hook;
  calling.hook_data = s.hook_data;
  calling.interrupter = s.interrupter.get();
  deadline until(calling.timeout);
  operation op(calling, sys::event::read, until);
  try {
    s.release_retired();
    if (s.set == nullptr) {
      ec = system_code(sys::numbers().bad_descriptor);
      return;
    }
    if (!op.begin(ec)) return;
    for (;;) {
      const std::int64_t now = until.now();
      const int count = sys::wait_poll_set(*s.set, s.results, until.milliseconds(now));
      const bool failed = count < 0;
      if (failed && sys::classify(-count) != sys::failure::interrupted) {
        ec = system_code(-count);
        return;
      }
      bool is_interrupted = false;
      const bool found = !failed && s.collect(is_interrupted);
      if (is_interrupted) {
        s.ready.clear();
        calling.interrupter->note();
        ec = system_code(sys::numbers().interrupted);
        return;
      }
      if (found || (failed && !op.resume(ec))) return;
      if (s.stale_waits > 1) s.rebuild();
      // One that does not wait is not over before it was answered.
      if ((until.is_zero() && !failed) || until.passed(until.now())) return;
    }
  } catch (const std::bad_alloc&) {
    ec = std::make_error_code(std::errc::not_enough_memory);
  } catch (const error& e) {
    ec = e.code();
  }
  s.ready.clear();
}

void selector_core::close() noexcept {
  state& s = *state_;
  s.ready.clear();
  std::vector<selector_entry*> gone;
  {
    const std::lock_guard<std::mutex> lock(s.mutex);
    if (s.set != nullptr) sys::close_poll_set(s.set);
    s.set = nullptr;
    s.by_fd.clear();
    gone.swap(s.all);
  }
  for (selector_entry* entry : gone) s.destroy(entry);
  s.release_retired();
}

native_handle_type selector_core::fileno() const noexcept {
  const std::lock_guard<std::mutex> lock(state_->mutex);
  return state_->set == nullptr ? invalid_handle : sys::poll_set_handle(*state_->set);
}

void selector_core::set_link(interrupt_link link) {
  const std::lock_guard<std::mutex> lock(state_->mutex);
  sys::poll_set& set = state_->open();
  if (link.get() == state_->interrupter.get()) return;
  state::add_interrupter(set, link);
  if (state_->interrupter) {
    sys::change_poll_set(set, state_->interrupter.get()->handle(), sys::event::read, no_events,
                         interrupter_generation);
  }
  state_->interrupter = std::move(link);
}

void selector_core::set_hook(interrupt_hook hook, void* data) noexcept {
  state_->hook = hook;
  state_->hook_data = data;
}

const ready_entry* selector_core::ready() const noexcept { return state_->ready.data(); }
std::size_t selector_core::ready_count() const noexcept { return state_->ready.size(); }
selector_entry* const* selector_core::all() const noexcept { return state_->all.data(); }
std::size_t selector_core::count() const noexcept { return state_->all.size(); }

}  // namespace detail
}  // namespace v1
}  // namespace pysock
