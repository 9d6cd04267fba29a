# SPDX-License-Identifier: MIT
# 32-bit x86 by Debian's cross compiler. A 64-bit kernel runs the programs, with the C library of the cross packages; so this is no cross
# build to CMake, which would ask for an emulator.
set(CMAKE_CXX_COMPILER i686-linux-gnu-g++)
set(libraries /usr/i686-linux-gnu/lib)
# DT_RPATH also applies to the dependencies of the libraries.
set(CMAKE_EXE_LINKER_FLAGS_INIT "-Wl,--dynamic-linker=${libraries}/ld-linux.so.2 -Wl,--disable-new-dtags,-rpath,${libraries}")
