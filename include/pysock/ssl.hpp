// SPDX-License-Identifier: MIT
/// \file
/// TLS: the component `ssl`, `find_package(pysock COMPONENTS ssl)` and `pysock::ssl`.
///
/// ```
/// pysock::ssl_context context = pysock::create_default_context();
/// pysock::ssl_socket s = context.wrap_socket(pysock::create_connection({host, 443}), host);
/// s.sendall("GET / HTTP/1.0\r\n\r\n");
/// ```
#pragma once

#include "file.hpp"
#include "ssl_certificate.hpp"
#include "ssl_context.hpp"
#include "ssl_error.hpp"
#include "ssl_object.hpp"
#include "ssl_socket.hpp"
