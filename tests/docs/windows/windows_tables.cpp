// SPDX-License-Identifier: MIT
// The table of docs/windows.md, and the names that it uses.
#include "tables.hpp"

#define TABLE_PARAMETERS sk::socket &s, unsigned long pid, const std::string &info

#include "windows/names-that-only-windows-has.table.inc"
