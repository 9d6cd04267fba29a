// SPDX-License-Identifier: MIT
// Child processes that have their own /etc, network or host name.
#pragma once

#include <functional>
#include <map>
#include <string>

namespace test_support {

/// Runs `body` in a process for which /etc has only these files. Returns its text; if the system
/// does not allow it, "not allowed: " and the reason.
std::string in_private_etc(const std::map<std::string, std::string>& files,
                           const std::function<std::string()>& body);

/// Gives this process, which must have one thread, its own loopback and no other network. Returns
/// an empty text; if the system does not allow it, "not allowed: " and the reason.
std::string enter_private_network();

/// Runs `body` in a process whose only network is its own loopback, on which the system chooses
/// ports from `first` to `last`. Returns as above.
std::string in_private_network(int first, int last, const std::function<std::string()>& body);

/// Runs `body` in a process that can change the host's name without an effect on other processes.
/// Returns as above.
std::string with_private_hostname(const std::function<std::string()>& body);

}  // namespace test_support
