// SPDX-License-Identifier: MIT
#include <pysock/pysock.hpp>

int outer_port() { return pysock::create_server({"127.0.0.1", 0}).getsockname().port(); }
