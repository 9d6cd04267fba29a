# SPDX-License-Identifier: MIT
# FreeBSD on x86-64: compiled and linked, not run.
set(zig_target x86_64-freebsd)
include(${CMAKE_CURRENT_LIST_DIR}/zig.cmake)
set(CMAKE_SYSTEM_NAME FreeBSD)
set(CMAKE_SYSTEM_PROCESSOR x86_64)
