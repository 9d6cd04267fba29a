// SPDX-License-Identifier: MIT
// libuv. Only its event loop is compared.
#include <uv.h>

#include <deque>

#include "../workloads.hpp"

namespace {

class event_loop {
 public:
  event_loop() { bench::check(::uv_loop_init(&loop_) == 0, "uv_loop_init"); }
  event_loop(const event_loop&) = delete;
  event_loop& operator=(const event_loop&) = delete;
  ~event_loop() {
    for (uv_poll_t& one : all_) ::uv_close(reinterpret_cast<uv_handle_t*>(&one), nullptr);
    ::uv_run(&loop_, UV_RUN_DEFAULT);
    ::uv_loop_close(&loop_);
  }

  void add(const bench::event_handler& handler) {
    uv_poll_t& one = all_.emplace_back();
    one.data = const_cast<bench::event_handler*>(&handler);
    bench::check(::uv_poll_init(&loop_, &one, handler.ends.near) == 0, "uv_poll_init");
    bench::check(::uv_poll_start(&one, UV_READABLE, call) == 0, "uv_poll_start");
  }
  void once() { ::uv_run(&loop_, UV_RUN_ONCE); }

 private:
  static void call(uv_poll_t* one, int, int) {
    (*static_cast<const bench::event_handler*>(one->data))();
  }

  uv_loop_t loop_{};
  std::deque<uv_poll_t> all_;
};

}  // namespace

std::vector<bench::workload> bench::workloads() {
  return {
      {"selector", selector<event_loop, true>},
      {"selector_ready", selector<event_loop, false>},
  };
}
