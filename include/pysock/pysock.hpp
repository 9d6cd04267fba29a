// SPDX-License-Identifier: MIT
/// \file
/// Everything but TLS.

/// \namespace pysock
/// Python's `socket` module, with Python's names.
#pragma once

#include "address.hpp"
#include "bytes.hpp"
#include "constants.hpp"
#include "create.hpp"
#include "descriptor.hpp"
#include "error.hpp"
#include "families.hpp"
#include "fdpass.hpp"
#include "file.hpp"
#include "incomplete_read.hpp"
#include "inet.hpp"
#include "interfaces.hpp"
#include "interrupter.hpp"
#include "message.hpp"
#include "names.hpp"
#include "resolver.hpp"
#include "selectors.hpp"
#include "socket.hpp"
#include "timeout.hpp"
#include "version.hpp"
