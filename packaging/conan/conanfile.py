# SPDX-License-Identifier: MIT
# `conan create packaging/conan` packages the tree that contains this file.
import os
import re

from conan import ConanFile
from conan.tools.build import check_min_cppstd
from conan.tools.cmake import CMake, CMakeDeps, CMakeToolchain, cmake_layout
from conan.tools.files import copy, load, rmdir


class Pysock(ConanFile):
    name = "pysock"
    description = "Python's socket module for C++17"
    license = "MIT"
    topics = ("socket", "network", "tls")
    package_type = "library"
    settings = "os", "arch", "compiler", "build_type"
    options = {"shared": [True, False], "fPIC": [True, False], "with_ssl": [True, False]}
    default_options = {"shared": False, "fPIC": True, "with_ssl": False}
    implements = ["auto_shared_fpic"]

    def _tree(self):
        return os.path.join(self.recipe_folder, "..", "..")

    def set_version(self):
        header = load(self, os.path.join(self._tree(), "include", "pysock", "version.hpp"))
        self.version = ".".join(re.findall(r"^#define PYSOCK_VERSION_\w+ (\d+)$", header, re.MULTILINE))

    def export_sources(self):
        for pattern in ("CMakeLists.txt", "LICENSE", "cmake/*", "include/*", "src/*"):
            copy(self, pattern, self._tree(), self.export_sources_folder)

    def layout(self):
        self.folders.root = os.path.join("..", "..")
        cmake_layout(self)

    def requirements(self):
        if self.options.with_ssl:
            self.requires("openssl/[>=3 <4]")

    def validate(self):
        check_min_cppstd(self, 17)

    def generate(self):
        toolchain = CMakeToolchain(self)
        toolchain.user_presets_path = False
        toolchain.cache_variables["PYSOCK_BUILD_TESTS"] = False
        toolchain.cache_variables["PYSOCK_BUILD_EXAMPLES"] = False
        toolchain.cache_variables["PYSOCK_WITH_SSL"] = bool(self.options.with_ssl)
        toolchain.generate()
        CMakeDeps(self).generate()

    def build(self):
        cmake = CMake(self)
        cmake.configure()
        cmake.build()

    def package(self):
        copy(self, "LICENSE", self.source_folder, os.path.join(self.package_folder, "licenses"))
        CMake(self).install()
        rmdir(self, os.path.join(self.package_folder, "lib", "pkgconfig"))
        rmdir(self, os.path.join(self.package_folder, "lib", "cmake"))

    def package_info(self):
        # The targets are those of every other way to install. CMakeDeps makes them, for all configurations that a generator has: the
        # package's own CMake files know the one that it was built in.
        self.cpp_info.set_property("cmake_file_name", "pysock")
        postfix = "d" if self.settings.os == "Windows" and self.settings.build_type == "Debug" else ""
        core = self.cpp_info.components["core"]
        core.set_property("cmake_target_name", "pysock::pysock")
        core.set_property("pkg_config_name", "pysock")
        core.libs = ["pysock" + postfix]
        if self.options.shared:
            core.defines = ["PYSOCK_SHARED"]
        if self.settings.os == "Windows":
            core.system_libs = ["ws2_32", "iphlpapi"]
        if self.options.with_ssl:
            ssl = self.cpp_info.components["ssl"]
            ssl.set_property("cmake_target_name", "pysock::ssl")
            ssl.set_property("pkg_config_name", "pysock-ssl")
            ssl.libs = ["pysock-ssl" + postfix]
            ssl.requires = ["core"]
            if any(one.ref.name == "openssl" and one.package_folder for one in self.dependencies.values()):
                ssl.requires.append("openssl::openssl")
            else:  # the system's OpenSSL, by a profile with platform_requires
                ssl.system_libs = ["ssl", "crypto"]
            # The system's trusted authorities.
            if self.settings.os == "Windows":
                ssl.system_libs.append("crypt32")
            elif self.settings.os == "Macos":
                ssl.frameworks = ["Security", "CoreFoundation"]
