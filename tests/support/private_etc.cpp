// SPDX-License-Identifier: MIT
// Namespaces of Linux.
#include "private_etc.hpp"

#include <net/if.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <fstream>
#include <iterator>

#include "process.hpp"

#ifdef CLONE_NEWNS
namespace test_support {
namespace {

std::string not_allowed(const char* what) {
  return std::string("not allowed: ") + what + ": " + std::strerror(errno);
}

// Within a user namespace the other namespaces need no privilege. A process in a chroot or with a
// second thread cannot make a user namespace.
bool enter(int what) {
  const std::string user = "0 " + std::to_string(::geteuid()) + " 1";
  const std::string group = "0 " + std::to_string(::getegid()) + " 1";
  if (::unshare(what | CLONE_NEWUSER) == 0) {
    std::ofstream("/proc/self/setgroups") << "deny";
    std::ofstream("/proc/self/uid_map") << user;
    std::ofstream("/proc/self/gid_map") << group;
    return true;
  }
  return ::unshare(what) == 0;
}

// Later mounts must not be visible outside.
bool keep_mounts_private() {
  if (::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0) return true;
  std::ifstream file("/proc/self/mountinfo");
  const std::string mounts{std::istreambuf_iterator<char>(file), {}};
  return !mounts.empty() && mounts.find(" shared:") == std::string::npos;
}

}  // namespace

std::string in_private_etc(const std::map<std::string, std::string>& files,
                           const std::function<std::string()>& body) {
  return text_from_child([&] {
    if (!enter(CLONE_NEWNS)) return not_allowed("unshare");
    if (!keep_mounts_private()) return not_allowed("mount /");
    if (::mount("tmpfs", "/etc", "tmpfs", 0, nullptr) != 0) return not_allowed("mount /etc");
    for (const auto& [name, contents] : files) {
      std::ofstream file("/etc/" + name);
      file << contents;
      if (!file.flush()) return not_allowed("write");
    }
    return body();
  });
}

std::string enter_private_network() {
  if (!enter(CLONE_NEWNET)) return not_allowed("unshare");
  const int probe = ::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  ifreq loopback{};
  std::strcpy(loopback.ifr_name, "lo");
  loopback.ifr_flags = IFF_UP;
  const bool up = ::ioctl(probe, SIOCSIFFLAGS, &loopback) == 0;
  ::close(probe);
  return up ? "" : not_allowed("lo up");
}

std::string in_private_network(int first, int last, const std::function<std::string()>& body) {
  return text_from_child([&] {
    const std::string refused = enter_private_network();
    if (!refused.empty()) return refused;
    std::ofstream range("/proc/sys/net/ipv4/ip_local_port_range");
    range << first << ' ' << last;
    if (!range.flush()) return not_allowed("ip_local_port_range");
    return body();
  });
}

std::string with_private_hostname(const std::function<std::string()>& body) {
  return text_from_child([&] { return enter(CLONE_NEWUTS) ? body() : not_allowed("unshare"); });
}

}  // namespace test_support
#else
namespace test_support {

std::string in_private_etc(const std::map<std::string, std::string>&,
                           const std::function<std::string()>&) {
  return "not allowed: this system has no namespaces";
}

std::string enter_private_network() { return "not allowed: this system has no namespaces"; }

std::string in_private_network(int, int, const std::function<std::string()>&) {
  return "not allowed: this system has no namespaces";
}

std::string with_private_hostname(const std::function<std::string()>&) {
  return "not allowed: this system has no namespaces";
}

}  // namespace test_support
#endif
