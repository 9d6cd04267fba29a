// SPDX-License-Identifier: MIT
// The tables of docs/python.md, and the names that they use.
#include <net/ethernet.h>

#include "tables.hpp"

#define TABLE_PARAMETERS                                                                        \
  sk::socket &s, sk::socket &other, sk::file &f, int fd, int level, int name, int flags, int n, \
      int port, const std::string &data, std::string &buffer, const sk::address &a,             \
      const std::string &host, const std::string &packed, const sk::error &e,                   \
      const sk::ancillary_data &ancdata, const sk::error_group &group, sk::interrupter &stop,   \
      sk::selector<int>&selector, const sk::selector_key<int>&key

#include "python/asyncio.table.inc"
#include "python/byte-order-and-packed-addresses.table.inc"
#include "python/constants.table.inc"
#include "python/control-messages-and-descriptors.table.inc"
#include "python/exceptions-2.table.inc"
#include "python/exceptions.table.inc"
#include "python/files.table.inc"
#include "python/making-sockets.table.inc"
#include "python/methods-of-a-socket.table.inc"
#include "python/names-services-interfaces.table.inc"
#include "python/other-families.table.inc"
#include "python/selectors.table.inc"
