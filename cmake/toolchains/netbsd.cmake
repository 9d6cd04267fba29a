# SPDX-License-Identifier: MIT
# NetBSD on x86-64: compiled and linked, not run.
set(zig_target x86_64-netbsd)
include(${CMAKE_CURRENT_LIST_DIR}/zig.cmake)
set(CMAKE_SYSTEM_NAME NetBSD)
set(CMAKE_SYSTEM_PROCESSOR x86_64)
