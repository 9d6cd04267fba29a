// SPDX-License-Identifier: MIT
// The interface between the application and its plug-in.
#pragma once

#include <system_error>

struct plugin_interface {
  double (*default_timeout)();  // seconds; -1 for blocking
  void (*set_default_timeout)(double seconds);
  bool (*is_timed_out)(
      const std::error_code& code);    // by errc::timed_out of the plug-in's own library
  void (*refused)();                   // throws connection_refused_error
  void (*expire)();                    // throws timeout
  bool (*catches)(void (*thrower)());  // whether the plug-in catches the timeout of `thrower`
};
