// SPDX-License-Identifier: MIT
#include "port.hpp"
#include "start/a-client.inc"
