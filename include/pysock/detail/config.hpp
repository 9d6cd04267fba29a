// SPDX-License-Identifier: MIT
// Differences of compilers and platforms: macros for exports and hints, and the native handle.
#pragma once

#if defined(_MSVC_LANG) ? _MSVC_LANG < 201703L : __cplusplus < 201703L
#error "pysock needs C++17: compile with -std=c++17 or /std:c++17, or a later standard"
#endif

// <curses.h> has a function of this name, and a macro that hides it.
#ifdef timeout
#undef timeout
#endif

#include <cstdint>  // intptr_t

#if defined(_WIN32)
#define PYSOCK_WINDOWS 1
#define PYSOCK_EXPORT __declspec(dllexport)
#if defined(PYSOCK_SHARED)
#define PYSOCK_IMPORT __declspec(dllimport)
#else
#define PYSOCK_IMPORT
#endif
#else
#define PYSOCK_WINDOWS 0
/// Marks what a library exports, in the library itself.
#define PYSOCK_EXPORT __attribute__((visibility("default")))
/// Marks the same in programs that use the library.
#define PYSOCK_IMPORT __attribute__((visibility("default")))
#endif

#if defined(PYSOCK_BUILDING)
#define PYSOCK_API PYSOCK_EXPORT
#else
/// Marks what the compiled library exports.
#define PYSOCK_API PYSOCK_IMPORT
#endif

#if defined(_MSC_VER)
#define PYSOCK_EXPORTED_CLASSES_BEGIN __pragma(warning(push)) __pragma(warning(disable : 4251 4275))
#define PYSOCK_EXPORTED_CLASSES_END __pragma(warning(pop))
#else
/// Stands before exported classes whose bases and members are the standard library's. Microsoft's
/// compiler warns of them, for the case that a program and the library have different ones.
#define PYSOCK_EXPORTED_CLASSES_BEGIN
/// Ends the range of PYSOCK_EXPORTED_CLASSES_BEGIN.
#define PYSOCK_EXPORTED_CLASSES_END
#endif

#if defined(__linux__)
#define PYSOCK_ABSTRACT_NAMES 1
#else
/// Whether AF_UNIX names may start with a NUL and live outside the file system.
#define PYSOCK_ABSTRACT_NAMES 0
#endif

#if defined(__has_cpp_attribute)
#if __has_cpp_attribute(clang::lifetimebound)
#define PYSOCK_LIFETIMEBOUND [[clang::lifetimebound]]
#elif __has_cpp_attribute(msvc::lifetimebound)
#define PYSOCK_LIFETIMEBOUND [[msvc::lifetimebound]]
#endif
#endif
#ifndef PYSOCK_LIFETIMEBOUND
/// Marks a parameter that the result refers to: compilers that know the attribute warn where it is
/// destroyed before the result.
#define PYSOCK_LIFETIMEBOUND
#endif

#if defined(__GNUC__)
#define PYSOCK_COLD __attribute__((cold, noinline))
#define PYSOCK_NOINLINE __attribute__((noinline))
#define PYSOCK_FAST __attribute__((always_inline)) inline
#define PYSOCK_FAST_LAMBDA __attribute__((always_inline))
#define PYSOCK_LIKELY(condition) __builtin_expect(!!(condition), 1)
#else
/// Marks a slow path, kept out of the callers' code.
#define PYSOCK_COLD __declspec(noinline)
/// Marks a function that is not inlined.
#define PYSOCK_NOINLINE __declspec(noinline)
/// Marks a fast path, made part of every caller: the operation is known there. Not __forceinline,
/// which makes the callers' compiler warn where it cannot (C4714).
#define PYSOCK_FAST inline
/// The same for a lambda, after its parameters.
#define PYSOCK_FAST_LAMBDA
/// A condition that nearly always holds.
#define PYSOCK_LIKELY(condition) static_cast<bool>(condition)
#endif

namespace pysock {
inline namespace v1 {

/// The operating system's own socket handle: a file descriptor, or Winsock's SOCKET as a signed
/// number.
#if PYSOCK_WINDOWS
using native_handle_type = std::intptr_t;
#else
using native_handle_type = int;
#endif

/// The result of `fileno()` of a closed object.
inline constexpr native_handle_type invalid_handle = -1;

}  // namespace v1
}  // namespace pysock
