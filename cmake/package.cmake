# SPDX-License-Identifier: MIT
# The packages that cpack makes of the installed tree: a .tar.gz, and libpysock-dev_<version>_<architecture>.deb. A .deb meant for a Debian system
# is configured with CMAKE_INSTALL_PREFIX=/usr, which puts the library below lib/<architecture>.
set(CPACK_GENERATOR TGZ)
find_program(PYSOCK_DPKG dpkg)
mark_as_advanced(PYSOCK_DPKG)
if(PYSOCK_DPKG)
  list(APPEND CPACK_GENERATOR DEB)
endif()
set(CPACK_PACKAGE_DESCRIPTION "A thin class over the socket descriptor, with the names, defaults and failures
of Python's socket module: addresses, resolver, timeouts, exceptions.")
set(CPACK_VERBATIM_VARIABLES ON)
set(CPACK_STRIP_FILES OFF)
set(CPACK_THREADS 0)

set(CPACK_DEBIAN_PACKAGE_NAME libpysock-dev)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_SECTION libdevel)
set(CPACK_DEBIAN_PACKAGE_MAINTAINER "the pysock authors <pysock@packages.invalid>")
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ${BUILD_SHARED_LIBS})
if(TARGET pysock_ssl)
  set(CPACK_DEBIAN_PACKAGE_DEPENDS "libssl-dev (>= 3.0)")
endif()

# Files that Debian requires in every archive.
install(FILES LICENSE DESTINATION ${CMAKE_INSTALL_DATADIR}/doc/libpysock-dev RENAME copyright COMPONENT legal EXCLUDE_FROM_ALL)
set(CPACK_INSTALL_CMAKE_PROJECTS "${PROJECT_BINARY_DIR};pysock;ALL;/;${PROJECT_BINARY_DIR};pysock;legal;/")
include(CPack)
