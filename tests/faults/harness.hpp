// SPDX-License-Identifier: MIT
// What the fault tests are made of. A scenario is a function that prepares sockets, makes one call
// of the library and looks at what is left. A first run without faults shows which calls of the
// seam and which allocations it makes; then each of them fails, each time in a process of its own,
// with an alarm and a limit of CPU time.
#pragma once

#include <functional>
#include <initializer_list>
#include <memory>
#include <new>
#include <optional>
#include <pysock/pysock.hpp>
#include <string>
#include <utility>
#include <vector>

#include "seam.hpp"

namespace faults {

// How the call under test waits. In the modes `waiting` and `interruptible` what it waits for comes
// at its first wait, in the others before the call.
enum class mode { blocking, timeout, waiting, interruptible, nonblocking };

class trial;

struct scenario {
  std::string name;
  std::function<void(trial&)> body;
  bool waits = true;             // false: the mode makes no difference, and one is enough
  bool every_place = false;      // each call fails, not only the first three of a name and the last
  std::vector<mode> modes = {};  // empty: all that make a difference
};

// How the call under test ended.
struct outcome {
  enum class what { success, failure, no_memory, other } kind = what::success;
  std::error_code code;
  std::string class_name;  // of the exception; empty for an error_code
  std::string text;
  const char* operation = "";
};

// Faults come while one of these lives.
class armed_scope {
 public:
  armed_scope() noexcept;
  armed_scope(const armed_scope&) = delete;
  armed_scope& operator=(const armed_scope&) = delete;
  ~armed_scope();
};

// One run of a scenario.
class trial {
 public:
  explicit trial(mode m) : mode_(m) {}

  [[nodiscard]] mode how() const noexcept { return mode_; }
  // Whether this is a run in which the system moves a byte at a time.
  [[nodiscard]] bool is_short() const noexcept;
  // Gives a socket the mode.
  void tune(pysock::socket& s);
  // The mode as a timeout, and an interrupter where it has one.
  [[nodiscard]] pysock::timeout_value timeout() const;
  [[nodiscard]] const std::optional<pysock::interrupter>& stop();
  // The hook of every tuned socket: ends the call after many interruptions.
  static bool hook(void*) noexcept;

  // What the call waits for: done now, or when it first waits.
  void arrives(std::function<void()> event);
  // Done at every wait.
  void while_waiting(std::function<void()> event);
  // After the call: what was to arrive has arrived.
  void finish();

  // The call succeeds although one of these fails.
  void ignores(std::initializer_list<faults::call> calls);
  // A close() that fails is the call's failure; it is no other call's.
  void reports_close() noexcept { reports_close_ = true; }
  // The call may succeed whatever fails, since it tries in another way.
  void recovers() noexcept { recovers_ = true; }
  // The call takes steps that do not wait, and waits between them, as those of a TLS session: in
  // non-blocking mode it may report would-block at any time, and an interrupted step would block.
  void has_steps() noexcept { has_steps_ = true; }
  // The scenario makes no sense in this mode.
  void impossible() noexcept;

  // Makes the call, which throws. Its text begins with `operation`. \returns whether it succeeded
  template <class F>
  bool call(const char* operation, const F& f) {
    outcome o;
    o.operation = operation;
    begin();
    try {
      const armed_scope armed;
      f();
    } catch (const pysock::error& e) {
      take(o, e);
    } catch (const std::bad_alloc& e) {
      take(o, e);
    } catch (const std::exception& e) {
      o.kind = outcome::what::other;
      o.text = e.what();
    }
    return judge(o);
  }
  // Makes the call, which reports an error_code.
  template <class F>
  bool call(const F& f) {
    outcome o;
    begin();
    {
      const armed_scope armed;
      f(o.code);
    }
    if (o.code) o.kind = outcome::what::failure;
    return judge(o);
  }

  // Of the exception that the call threw.
  [[nodiscard]] std::size_t transferred() const noexcept { return transferred_; }
  // How the last call ended.
  [[nodiscard]] std::error_code code() const noexcept { return code_; }
  // Which call of the seam fails in this run, and how.
  [[nodiscard]] static faults::call failing() noexcept;
  [[nodiscard]] static const order& fault() noexcept;
  // Whether it has failed. It does not where a busy machine makes an earlier call late.
  [[nodiscard]] static bool has_failed() noexcept;
  // Whether allocations fail in this run.
  [[nodiscard]] static bool lacks_memory() noexcept;
  // Whether the call threw std::bad_alloc.
  [[nodiscard]] bool lacked_memory() const noexcept { return lacked_memory_; }

  void check(bool holds, const char* claim);

 private:
  void take(outcome& o, const pysock::error& e);
  void take(outcome& o, const std::bad_alloc& e);
  void begin() noexcept;
  bool judge(const outcome& o);
  [[nodiscard]] bool ignores(faults::call c) const;
  [[nodiscard]] const char* objection(const outcome& o) const;

  mode mode_;
  std::optional<pysock::interrupter> stop_;
  std::function<void()> pending_;
  std::vector<faults::call> ignored_;
  bool recovers_ = false;
  bool reports_close_ = false;
  bool has_steps_ = false;
  int fired_before_ = 0;
  std::size_t transferred_ = 0;
  bool lacked_memory_ = false;
  std::error_code code_;
};

// With which errors a call can fail, by its manual page.
std::vector<order> failures_of(call c);
const char* name_of(call c) noexcept;

// The calls that a scenario makes without a fault, in all its modes.
std::vector<call> calls_of(const scenario& s);

// Makes every call of the seam fail in every scenario, and cuts transfers short. Returns what was
// wrong, a line for each, and prints how much was done.
std::string objections_to_failing_calls(const std::vector<scenario>& scenarios);
// Makes every allocation fail in every scenario. Returns as above.
std::string objections_to_failing_allocations(const std::vector<scenario>& scenarios);
// Makes every `step`th allocation of OpenSSL fail. Returns as above.
std::string objections_to_failing_openssl(const std::vector<scenario>& scenarios, unsigned step);
// Catch2 assertions that there are no objections.
void fail_calls(const std::vector<scenario>& scenarios);
void fail_allocations(const std::vector<scenario>& scenarios);
void fail_openssl(const std::vector<scenario>& scenarios, unsigned step);

// ---- memory: operator new of this program, in memory.cpp ----

namespace memory {
// The `number`th allocation under test, counted from 1, fails, and all after it if `always`; 0:
// none does. Starts to count anew.
void fail(unsigned number, bool always) noexcept;
// How many allocations there were under test, and whether one failed.
unsigned count() noexcept;
bool has_failed() noexcept;
// How many blocks there are.
long blocks() noexcept;
void arm(bool on) noexcept;

// The functions of CRYPTO_set_mem_functions(): the blocks are counted with the others, and the
// `number`th of them under test fails.
void* allocate_for_openssl(std::size_t size, const char* file, int line) noexcept;
void* reallocate_for_openssl(void* block, std::size_t size, const char* file, int line) noexcept;
void release_for_openssl(void* block, const char* file, int line) noexcept;
void fail_for_openssl(unsigned number) noexcept;
unsigned count_of_openssl() noexcept;
}  // namespace memory

}  // namespace faults
