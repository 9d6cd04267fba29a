// SPDX-License-Identifier: MIT
// The code around the code blocks of docs/windows.md.
#include <io.h>
#include <cstdio>

#include "snippets.hpp"

namespace {

BLOCK("windows/from-posix") {
  auto [s, receiver] = sk::socketpair();
  std::FILE* const file = std::tmpfile();
  std::fputs("text", file);
  std::fflush(file);
  const int fd = _fileno(file);
  const HANDLE handle = reinterpret_cast<HANDLE>(_get_osfhandle(fd));
#include "windows/from-posix.inc"
  std::fclose(file);
  EXPECT(receive(receiver, 8) == "texttext");
}

BLOCK("windows/from-posix-2") {
  auto [s, sender] = sk::socketpair();
  sender.sendall("x");
#include "windows/from-posix-2.inc"
  EXPECT(ready == 1);
}

}  // namespace
