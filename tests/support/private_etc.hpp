// SPDX-License-Identifier: MIT
// Parts of the system with known contents: child processes that see an /etc, a network or a host
// name of their own.
#pragma once

#include <functional>
#include <map>
#include <string>

namespace test_support {

/// Runs `body` where /etc holds these files and nothing else. Nobody else sees that. Returns its
/// text; if the system does not allow it, "not allowed: " and why.
std::string in_private_etc(const std::map<std::string, std::string>& files,
                           const std::function<std::string()>& body);

/// Gives this process, which has one thread, a loopback of its own and no other network. Empty; if
/// the system does not allow it, "not allowed: " and why.
std::string enter_private_network();

/// Runs `body` in a private network, where the system
/// chooses ports from `first` to `last`. Returns as above.
std::string in_private_network(int first, int last, const std::function<std::string()>& body);

/// Runs `body` where changing the host's name changes it for nobody else. Returns as above.
std::string with_private_hostname(const std::function<std::string()>& body);

}  // namespace test_support
