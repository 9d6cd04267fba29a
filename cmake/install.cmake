# SPDX-License-Identifier: MIT
# The installed tree, and the packages that find it: a CMake package, which also serves the build tree, and a pkg-config file for each library.
include(CMakePackageConfigHelpers)
include(GNUInstallDirs)

set(package_dir ${CMAKE_INSTALL_LIBDIR}/cmake/pysock)
configure_package_config_file(cmake/pysockConfig.cmake.in pysockConfig.cmake INSTALL_DESTINATION ${package_dir})
write_basic_package_version_file(pysockConfigVersion.cmake COMPATIBILITY SameMajorVersion)
install(FILES ${PROJECT_BINARY_DIR}/pysockConfig.cmake ${PROJECT_BINARY_DIR}/pysockConfigVersion.cmake DESTINATION ${package_dir})

if(NOT TARGET pysock_ssl)
  set(without_ssl PATTERN "ssl*" EXCLUDE)
endif()
install(DIRECTORY include/pysock DESTINATION ${CMAKE_INSTALL_INCLUDEDIR} ${without_ssl})

# A .pc file computes its prefix from its own folder, so that the tree can be moved.
file(RELATIVE_PATH prefix_from_pc ${CMAKE_INSTALL_FULL_LIBDIR}/pkgconfig ${CMAKE_INSTALL_PREFIX})
string(REGEX REPLACE "/$" "" prefix_from_pc ${prefix_from_pc})
file(RELATIVE_PATH libdir_from_prefix ${CMAKE_INSTALL_PREFIX} ${CMAKE_INSTALL_FULL_LIBDIR})
file(RELATIVE_PATH includedir_from_prefix ${CMAKE_INSTALL_PREFIX} ${CMAKE_INSTALL_FULL_INCLUDEDIR})

# install_library(TARGET NAME DESCRIPTION [MODULE...]): NAME is that of the library file, of the export set and of the .pc file, MODULE
# the pkg-config names of its dependencies. The targets have the dependencies that the user must link: with a static library all of them,
# with a shared one those that its headers use.
function(install_library target name description)
  install(TARGETS ${target} EXPORT ${name}Targets
    ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR}
    LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR}
    RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR}
    INCLUDES DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
  if(MSVC AND BUILD_SHARED_LIBS)
    install(FILES $<TARGET_PDB_FILE:${target}> DESTINATION ${CMAKE_INSTALL_BINDIR} OPTIONAL)
  endif()
  install(EXPORT ${name}Targets NAMESPACE pysock:: DESTINATION ${package_dir})
  export(EXPORT ${name}Targets NAMESPACE pysock:: FILE ${PROJECT_BINARY_DIR}/${name}Targets.cmake)

  get_target_property(links ${target} INTERFACE_LINK_LIBRARIES)
  list(TRANSFORM links REPLACE "^\\$<LINK_ONLY:(.*)>$" "\\1")
  list(TRANSFORM links REPLACE "^Threads::Threads$" "${CMAKE_THREAD_LIBS_INIT}")
  list(FILTER links EXCLUDE REGEX "::|^pysock|NOTFOUND$")
  list(TRANSFORM links REPLACE "^([^-].*)$" "-l\\1")
  list(JOIN links " " links)
  list(JOIN ARGN ", " requires)
  get_target_property(definitions ${target} INTERFACE_COMPILE_DEFINITIONS)
  list(FILTER definitions EXCLUDE REGEX "NOTFOUND$")
  list(TRANSFORM definitions PREPEND -D)
  list(JOIN definitions " " definitions)
  set(library ${name}) # if there are several configurations, the release library
  if(CMAKE_BUILD_TYPE STREQUAL Debug AND NOT many_configurations)
    string(APPEND library "${CMAKE_DEBUG_POSTFIX}")
  endif()
  configure_file(cmake/pysock.pc.in ${name}.pc @ONLY)
  install(FILES ${PROJECT_BINARY_DIR}/${name}.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
endfunction()

install_library(pysock pysock "${PROJECT_DESCRIPTION}")
if(TARGET pysock_ssl)
  set(openssl "libssl >= 3" "libcrypto >= 3")
  if(BUILD_SHARED_LIBS)
    set(openssl)
  endif()
  install_library(pysock_ssl pysock-ssl "TLS for pysock" "pysock = ${PROJECT_VERSION}" ${openssl})
endif()
