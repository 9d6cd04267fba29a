# SPDX-License-Identifier: MIT
# Libraries that must be linked on this system, and the names of shared libraries.
include(CheckCXXSourceCompiles)
include(CheckFunctionExists)

# Before 2.34 glibc had a separate library for threads.
if(UNIX)
  check_function_exists(pthread_create pysock_has_threads)
endif()
if(UNIX AND NOT pysock_has_threads)
  find_package(Threads REQUIRED)
  set(pysock_threads Threads::Threads)
endif()

if(BUILD_SHARED_LIBS AND UNIX)
  set(CMAKE_REQUIRED_LINK_OPTIONS LINKER:--version-script=${CMAKE_CURRENT_LIST_DIR}/exports.map)
  check_cxx_source_compiles("int main() {}" pysock_has_version_script)
  unset(CMAKE_REQUIRED_LINK_OPTIONS)
endif()

# A shared library of pysock finds the other one in its own folder, also if the two are moved.
if(APPLE)
  set(pysock_rpath @loader_path)
else()
  set(pysock_rpath $ORIGIN)
endif()

# If each configuration needs its own library, both can be installed into one prefix.
if(PYSOCK_INSTALL AND NOT DEFINED CMAKE_DEBUG_POSTFIX AND (WIN32 OR many_configurations))
  set(CMAKE_DEBUG_POSTFIX d)
endif()
# The debug information of a static library is in its objects: a .pdb file beside them is not installed with it.
if(MSVC AND NOT BUILD_SHARED_LIBS AND NOT DEFINED CMAKE_MSVC_DEBUG_INFORMATION_FORMAT)
  set(CMAKE_MSVC_DEBUG_INFORMATION_FORMAT $<$<CONFIG:Debug,RelWithDebInfo>:Embedded>)
endif()

function(pysock_library target)
  set_target_properties(${target} PROPERTIES VERSION ${PROJECT_VERSION} SOVERSION ${PROJECT_VERSION_MAJOR})
  if(BUILD_SHARED_LIBS)
    target_compile_definitions(${target} INTERFACE PYSOCK_SHARED)
  endif()
  if(BUILD_SHARED_LIBS AND pysock_has_version_script)
    target_link_options(${target} PRIVATE LINKER:--version-script=${PROJECT_SOURCE_DIR}/cmake/exports.map)
    set_target_properties(${target} PROPERTIES LINK_DEPENDS ${PROJECT_SOURCE_DIR}/cmake/exports.map)
  endif()
endfunction()
