// SPDX-License-Identifier: MIT
// libevent. Only its event loop is compared.
#include <event2/event.h>

#include "../workloads.hpp"

namespace {

class event_loop {
 public:
  event_loop() = default;
  event_loop(const event_loop&) = delete;
  event_loop& operator=(const event_loop&) = delete;
  ~event_loop() {
    for (event* one : all_) ::event_free(one);
    ::event_base_free(base_);
  }

  void add(const bench::event_handler& handler) {
    all_.push_back(::event_new(base_, handler.ends.near, EV_READ | EV_PERSIST, call,
                               const_cast<bench::event_handler*>(&handler)));
    bench::check(::event_add(all_.back(), nullptr) == 0, "event_add");
  }
  void once() { ::event_base_loop(base_, EVLOOP_ONCE); }

 private:
  static void call(evutil_socket_t, short, void* handler) {
    (*static_cast<const bench::event_handler*>(handler))();
  }

  event_base* base_ = ::event_base_new();
  std::vector<event*> all_;
};

}  // namespace

std::vector<bench::workload> bench::workloads() {
  return {
      {"selector", selector<event_loop, true>},
      {"selector_ready", selector<event_loop, false>},
  };
}
