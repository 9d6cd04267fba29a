# SPDX-License-Identifier: MIT
# The installed tree, and the CMake package that finds it; the same package file serves the build tree.
include(CMakePackageConfigHelpers)
include(GNUInstallDirs)

set(package_dir ${CMAKE_INSTALL_LIBDIR}/cmake/pysock)
configure_package_config_file(cmake/pysockConfig.cmake.in pysockConfig.cmake INSTALL_DESTINATION ${package_dir})
write_basic_package_version_file(pysockConfigVersion.cmake COMPATIBILITY SameMajorVersion)

install(DIRECTORY include/pysock DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
install(TARGETS pysock EXPORT pysockTargets
  ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR}
  LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR}
  RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR}
  INCLUDES DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
install(EXPORT pysockTargets NAMESPACE pysock:: DESTINATION ${package_dir})
install(FILES ${PROJECT_BINARY_DIR}/pysockConfig.cmake ${PROJECT_BINARY_DIR}/pysockConfigVersion.cmake DESTINATION ${package_dir})

export(EXPORT pysockTargets NAMESPACE pysock:: FILE ${PROJECT_BINARY_DIR}/pysockTargets.cmake)

# The component ssl is a file of its own, read only where it is asked for: programs without TLS need no OpenSSL.
if(TARGET pysock_ssl)
  install(TARGETS pysock_ssl EXPORT pysockSslTargets
    ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR}
    LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR}
    RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
  install(EXPORT pysockSslTargets NAMESPACE pysock:: DESTINATION ${package_dir})
  export(EXPORT pysockSslTargets NAMESPACE pysock:: FILE ${PROJECT_BINARY_DIR}/pysockSslTargets.cmake)
endif()
