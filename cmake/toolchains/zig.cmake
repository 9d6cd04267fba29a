# SPDX-License-Identifier: MIT
# Shared by the toolchain files of zig's clang. zig has the headers and stubs of many systems' C libraries, and builds libc++ for each.
# PYSOCK_ZIG is a folder with commands called c++, ar and ranlib.
list(APPEND CMAKE_TRY_COMPILE_PLATFORM_VARIABLES PYSOCK_ZIG)
set(CMAKE_CXX_COMPILER ${PYSOCK_ZIG}/c++)
set(CMAKE_CXX_FLAGS_INIT "-target ${zig_target} -fno-sanitize=undefined -g0") # where it differs from other compilers
set(CMAKE_AR ${PYSOCK_ZIG}/ar)
set(CMAKE_RANLIB ${PYSOCK_ZIG}/ranlib)
set(CMAKE_CXX_COMPILER_LAUNCHER "") # zig has its own cache
