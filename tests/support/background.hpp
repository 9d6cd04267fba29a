// SPDX-License-Identifier: MIT
// A second thread of a test: get() returns its result or throws its exception, and the test can
// wait until it sleeps in the kernel.
#pragma once

#include <atomic>
#include <chrono>
#include <functional>
#include <future>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>

namespace test_support {

/// The calling thread's number, for `thread_state`.
long thread_id();
/// 'S' for a thread that sleeps in a system call; '?' if the system does not report the state.
char thread_state(long id);

template <class T>
class background {
 public:
  explicit background(std::function<T()> body)
      : task_([this, run = std::move(body)] {
          id_ = thread_id();
          return run();
        }),
        result_(task_.get_future()),
        thread_([this] { task_(); }) {}
  background(const background&) = delete;
  background& operator=(const background&) = delete;
  ~background() {
    if (thread_.joinable()) thread_.join();
  }

  /// Returns the body's result, or throws its exception.
  T get() {
    thread_.join();
    return result_.get();
  }

  [[nodiscard]] bool done() const {
    return result_.wait_for(std::chrono::seconds(0)) == std::future_status::ready;
  }

  /// Waits until the thread sleeps in a system call (or has ended).
  void wait_until_asleep() const {
    for (int naps = 0; naps < 30000; ++naps) {
      const char now = id_ != 0 ? thread_state(id_) : '?';
      const bool untold = now == '?' && naps > 100;  // the system does not report the state
      if (done() || now == 'S' || untold) return;
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    throw std::runtime_error("the thread does not sleep");
  }

  /// The thread, for sending it signals.
  std::thread::native_handle_type native_handle() { return thread_.native_handle(); }

 private:
  std::atomic<long> id_{0};
  std::packaged_task<T()> task_;
  std::future<T> result_;
  std::thread thread_;
};

}  // namespace test_support
