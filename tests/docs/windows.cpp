// SPDX-License-Identifier: MIT
// The code around the code blocks of docs/windows.md.
#include <atomic>
#include <csignal>

#include "snippets.hpp"

namespace {

BLOCK("windows/what-wakes-a-blocked-call") {
  sk::socket server = listening();
#include "windows/what-wakes-a-blocked-call.inc"
}

}  // namespace
