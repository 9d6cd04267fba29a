// SPDX-License-Identifier: MIT
/// \file
/// The version number; CMake reads these three lines.
#pragma once

/// Major version: changes when the public interface breaks.
#define PYSOCK_VERSION_MAJOR 1
/// Minor version: changes when something is added.
#define PYSOCK_VERSION_MINOR 0
/// Patch version: changes with corrections only.
#define PYSOCK_VERSION_PATCH 0
