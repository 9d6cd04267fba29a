// SPDX-License-Identifier: MIT
// Worker threads for name lookups. The system's resolver cannot be stopped, so a caller whose time
// is over abandons its task, and the worker frees the result.
#include "lookup_worker.hpp"

#include <algorithm>
#include <atomic>
#include <deque>
#include <memory>
#include <mutex>
#include <pysock/detail/operation.hpp>
#include <utility>

#include "lookup.hpp"

namespace pysock {
inline namespace v1 {
namespace detail {
namespace {

constexpr unsigned most_workers = 32;  // including those with abandoned tasks

// A lookup and its result. The caller owns it, or the worker after the caller has abandoned it.
struct lookup_task {
  lookup_task(const char* host_name, const char* service_name, const addrinfo& wanted)
      : host(host_name), service(service_name != nullptr ? service_name : ""), hints(wanted) {
    has_service = service_name != nullptr;
  }
  lookup_task(const lookup_task&) = delete;
  lookup_task& operator=(const lookup_task&) = delete;
  ~lookup_task() {
    if (found != nullptr) sys::freeaddrinfo(found);
    if (done[0] >= 0) sys::close_wake(done);
  }

  std::string host;
  std::string service;
  bool has_service;
  addrinfo hints;
  native_handle_type done[2] = {invalid_handle, invalid_handle};

  enum class stage { queued, running, left_behind, finished } at = stage::queued;
  sys::resolver_status status;
  addrinfo* found = nullptr;
};

class worker_pool {
 public:
  explicit worker_pool(worker_pool* of_parent) : of_parent_(of_parent) {}

  // The pool of this process. A child of fork() has none of its parent's threads, and a lock that
  // one of them held stays locked: it makes a new pool.
  static worker_pool& get();

  // Queues the task and starts a worker if needed. 0, or the negative error number.
  int begin(lookup_task& task);
  // Whether the task has its result.
  bool has_finished(const lookup_task& task) noexcept;
  // Ends the caller's wait. False if there is no result; the task is then destroyed, by its worker
  // if it has one.
  bool end(std::unique_ptr<lookup_task>& task) noexcept;

 private:
  static void run(void* pool) noexcept { static_cast<worker_pool*>(pool)->work(); }
  void work() noexcept;

  const std::int64_t process_ = sys::process_id();
  [[maybe_unused]] worker_pool* of_parent_;  // referenced, so that leak checkers do not report it
  std::mutex mutex_;
  std::deque<lookup_task*> queue_;
  unsigned workers_ = 0;
};

worker_pool& worker_pool::get() {
  static std::atomic<worker_pool*> current{nullptr};
  worker_pool* pool = current.load(std::memory_order_acquire);
  while (pool == nullptr || pool->process_ != sys::process_id()) {
    auto fresh = std::make_unique<worker_pool>(pool);
    if (current.compare_exchange_strong(pool, fresh.get())) return *fresh.release();
  }
  return *pool;
}

int worker_pool::begin(lookup_task& task) {
  std::unique_lock<std::mutex> lock(mutex_);
  queue_.push_back(&task);
  if (workers_ == most_workers) return 0;
  ++workers_;
  lock.unlock();
  const int result = sys::run_detached(&run, this);
  if (result == 0) return 0;
  lock.lock();
  --workers_;
  if (workers_ != 0) return 0;  // another worker will do it
  queue_.erase(std::remove(queue_.begin(), queue_.end(), &task), queue_.end());
  return result;
}

bool worker_pool::has_finished(const lookup_task& task) noexcept {
  const std::lock_guard<std::mutex> lock(mutex_);
  return task.at == lookup_task::stage::finished;
}

bool worker_pool::end(std::unique_ptr<lookup_task>& task) noexcept {
  const std::lock_guard<std::mutex> lock(mutex_);
  if (task->at == lookup_task::stage::finished) return true;
  if (task->at == lookup_task::stage::queued) {
    queue_.erase(std::remove(queue_.begin(), queue_.end(), task.get()), queue_.end());
    task.reset();
  } else {
    task->at = lookup_task::stage::left_behind;
    (void)task.release();
  }
  return false;
}

void worker_pool::work() noexcept {
  std::unique_lock<std::mutex> lock(mutex_);
  while (!queue_.empty()) {
    lookup_task* const task = queue_.front();
    queue_.pop_front();
    task->at = lookup_task::stage::running;
    lock.unlock();
    addrinfo* found = nullptr;
    const sys::resolver_status status =
        sys::getaddrinfo(task->host.c_str(), task->has_service ? task->service.c_str() : nullptr,
                         &task->hints, &found);
    lock.lock();
    task->status = status;
    task->found = found;
    if (task->at == lookup_task::stage::left_behind) {
      delete task;
    } else {
      task->at = lookup_task::stage::finished;
      sys::wake(task->done[1]);
    }
  }
  --workers_;
}

}  // namespace

std::error_code getaddrinfo_within(const lookup_limit& limit, const char* host, const char* service,
                                   const addrinfo& hints, addrinfo** found) {
  if (limit.is_none() || host == nullptr)
    return code_of(sys::getaddrinfo(host, service, &hints, found));
  // A numeric host, in any form that the system accepts, needs no name service.
  addrinfo numeric = hints;
  numeric.ai_flags |= AI_NUMERICHOST;
  const sys::resolver_status status = sys::getaddrinfo(host, service, &numeric, found);
  const bool is_name = !status.from_system && status.number == EAI_NONAME;
  if (!is_name || (hints.ai_flags & AI_NUMERICHOST) != 0) return code_of(status);

  auto task = std::make_unique<lookup_task>(host, service, hints);
  int result = sys::open_wake(task->done);
  if (result < 0) return failure_code(result);
  const call_context calling{task->done[0], limit.timeout, nullptr, nullptr, limit.interrupter};
  deadline until(limit.timeout);
  operation op(calling, sys::event::read, until);
  std::error_code ec;
  if (!op.begin(ec)) return ec;
  worker_pool& pool = worker_pool::get();
  result = pool.begin(*task);
  if (result < 0) return failure_code(result);
  bool ready = op.wait_until_ready(ec);
  while (ready && !pool.has_finished(*task)) ready = op.wait(ec);  // readiness is a hint
  if (!pool.end(task)) return ec;
  if (ec) return ec;
  *found = std::exchange(task->found, nullptr);
  return code_of(task->status);
}

}  // namespace detail

std::vector<address_info> getaddrinfo(const std::optional<text>& host, const service& port,
                                      int family, int type, int proto, int flags,
                                      timeout_value timeout) {
  return detail::getaddrinfo_within({detail::timeout_word(timeout), nullptr}, host, port, family,
                                    type, proto, flags);
}

std::vector<address_info> getaddrinfo(const std::optional<text>& host, const service& port,
                                      int family, int type, int proto, int flags,
                                      timeout_value timeout, const interrupter& stop) {
  return detail::getaddrinfo_within(
      {detail::timeout_word(timeout), detail::interrupter_access::link(stop).get()}, host, port,
      family, type, proto, flags);
}

}  // namespace v1
}  // namespace pysock
