# SPDX-License-Identifier: MIT
# Big-endian: IBM Z by Debian's cross compiler. qemu runs the programs, with the C library of the cross packages. As that is slow,
# it runs one in 37 cells of the fault tests.
set(CMAKE_SYSTEM_NAME Linux)
set(CMAKE_SYSTEM_PROCESSOR s390x)
set(CMAKE_CXX_COMPILER s390x-linux-gnu-g++)
set(CMAKE_CROSSCOMPILING_EMULATOR env PYSOCK_FAULTS_EVERY=37 qemu-s390x -L /usr/s390x-linux-gnu)
set(CMAKE_EXE_LINKER_FLAGS_INIT -Wl,-rpath,/usr/s390x-linux-gnu/lib) # before any folder of OpenSSL's, where another C library may be
