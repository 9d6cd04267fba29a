// SPDX-License-Identifier: MIT
// A second thread of a test: its result and its failure come back, and one can wait until it sleeps in the kernel.
#pragma once

#include <signal.h>
#include <unistd.h>
#if __has_include(<sys/syscall.h>)
#include <sys/syscall.h>
#endif

#include <atomic>
#include <chrono>
#include <fstream>
#include <functional>
#include <future>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>

namespace test_support {

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

  /// What the body returned, or what it threw.
  T get() {
    thread_.join();
    return result_.get();
  }

  [[nodiscard]] bool done() const { return result_.wait_for(std::chrono::seconds(0)) == std::future_status::ready; }

  /// Waits until the thread sleeps in a system call (or has ended).
  void wait_until_asleep() const {
    for (int naps = 0; naps < 30000; ++naps) {
      const char now = id_ != 0 ? state() : '?';
      const bool untold = now == '?' && naps > 100;  // a system without /proc does not tell
      if (done() || now == 'S' || untold) return;
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    throw std::runtime_error("the thread never sleeps");
  }

  /// Sends it a signal.
  void signal(int number) { ::pthread_kill(thread_.native_handle(), number); }

 private:
  static long thread_id() {
#ifdef SYS_gettid
    return static_cast<long>(::syscall(SYS_gettid));
#else
    return 1;  // nobody tells the state of a thread
#endif
  }
  [[nodiscard]] char state() const {
    std::ifstream file("/proc/self/task/" + std::to_string(id_) + "/stat");
    std::string line;
    std::getline(file, line);
    const std::size_t name_end = line.rfind(')');
    return name_end != std::string::npos && name_end + 2 < line.size() ? line[name_end + 2] : '?';
  }

  std::atomic<long> id_{0};
  std::packaged_task<T()> task_;
  std::future<T> result_;
  std::thread thread_;
};

}  // namespace test_support
