# SPDX-License-Identifier: MIT
# Linux with musl's C library, linked statically: the programs run as they are.
set(zig_target x86_64-linux-musl)
include(${CMAKE_CURRENT_LIST_DIR}/zig.cmake)
set(CMAKE_EXE_LINKER_FLAGS_INIT -static)
