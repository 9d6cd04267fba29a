// SPDX-License-Identifier: MIT
// An application with a plug-in, each linked with pysock. Argument 1 is the plug-in, argument 2
// tells whether the library is shared. Application and plug-in share the state of a shared library.
// With a static library each has its own copy, including state and error categories; exceptions can
// still be caught by their classes, and their codes compare with std::errc.
#include <cstring>
#include <iostream>
#include <pysock/pysock.hpp>

#include "shared.hpp"

#if __has_include(<dlfcn.h>)
#include <dlfcn.h>
#else
#include <windows.h>
#endif

namespace {

int failures = 0;

const plugin_interface& load(const char* path) {
#if __has_include(<dlfcn.h>)
  void* library = ::dlopen(path, RTLD_NOW | RTLD_LOCAL);
  if (library == nullptr) throw std::runtime_error(::dlerror());
  return *static_cast<const plugin_interface*>(::dlsym(library, "plugin"));
#else
  const HMODULE library = ::LoadLibraryA(path);
  if (library == nullptr)
    throw std::system_error(static_cast<int>(::GetLastError()), std::system_category(), path);
  return *reinterpret_cast<const plugin_interface*>(::GetProcAddress(library, "plugin"));
#endif
}

void check(bool holds, const char* what) {
  std::cout << (holds ? "ok   " : "FAIL ") << what << '\n';
  if (!holds) ++failures;
}

void expire() {
  auto [reader, writer] = pysock::socketpair();
  reader.settimeout(0.001);
  char byte[1];
  reader.recv_into(byte);
}

}  // namespace

int main(int argc, char** argv) try {
  if (argc != 3) return 2;
  const bool shared = std::strcmp(argv[2], "shared") == 0;
  const plugin_interface& plugin = load(argv[1]);

  pysock::setdefaulttimeout(7);
  check(
      (plugin.default_timeout() == 7) == shared,
      shared ? "the plug-in sees the application's default timeout" : "each has a default timeout");
  plugin.set_default_timeout(3);
  check((pysock::getdefaulttimeout() == pysock::seconds(3)) == shared,
        shared ? "the application sees the plug-in's default timeout"
               : "neither changes the other's");
  pysock::setdefaulttimeout(std::nullopt);

  try {
    plugin.refused();
  } catch (const pysock::connection_refused_error& e) {
    check(e.code() == std::errc::connection_refused,
          "the application catches the plug-in's refused connection by its class");
  } catch (...) {
    check(false, "the application knows the class of the plug-in's refused connection");
  }
  try {
    plugin.expire();
  } catch (const pysock::timeout& e) {
    check(e.code() == std::errc::timed_out,
          "the application catches the plug-in's timeout by its class");
    if (shared)
      check(e.code() == pysock::errc::timed_out,
            "the plug-in's error category is the application's");
  } catch (...) {
    check(false, "the application knows the class of the plug-in's timeout");
  }
  check(plugin.catches(expire), "the plug-in catches the application's timeout by its class");
  if (shared)
    check(plugin.is_timed_out(pysock::errc::timed_out),
          "the application's error category is the plug-in's");
  return failures == 0 ? 0 : 1;
} catch (const std::exception& e) {
  std::cerr << e.what() << '\n';
  return 1;
}
