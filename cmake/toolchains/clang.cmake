# SPDX-License-Identifier: MIT
# clang++ with its own standard library, libc++.
set(CMAKE_CXX_COMPILER clang++)
set(CMAKE_CXX_FLAGS_INIT -stdlib=libc++)
