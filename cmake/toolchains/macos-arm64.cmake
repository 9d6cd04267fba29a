# SPDX-License-Identifier: MIT
# macOS on arm64: compiled and linked, not run.
set(zig_target aarch64-macos)
include(${CMAKE_CURRENT_LIST_DIR}/zig.cmake)
set(CMAKE_SYSTEM_NAME Darwin)
set(CMAKE_SYSTEM_PROCESSOR arm64)
set(CMAKE_INSTALL_NAME_TOOL ${PYSOCK_ZIG}/ar) # CMake requires it, but does not call it
