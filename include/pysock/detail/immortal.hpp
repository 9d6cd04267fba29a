// SPDX-License-Identifier: MIT
// What a process has one of and must not lose before its very end.
#pragma once

#include <new>      // launder
#include <utility>  // forward

namespace pysock {
inline namespace v1 {
namespace detail {

// An object without an end. As a static it outlives the destructors of other statics and the
// threads that still run at exit, all of which may use it.
template <class T>
class immortal {
 public:
  template <class... Arguments>
  explicit immortal(Arguments&&... arguments) {
    ::new (static_cast<void*>(bytes_)) T(std::forward<Arguments>(arguments)...);
  }
  immortal(const immortal&) = delete;
  immortal& operator=(const immortal&) = delete;

  T& get() noexcept { return *std::launder(reinterpret_cast<T*>(bytes_)); }

 private:
  alignas(T) unsigned char bytes_[sizeof(T)];
};

}  // namespace detail
}  // namespace v1
}  // namespace pysock
