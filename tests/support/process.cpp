// SPDX-License-Identifier: MIT
// Processes of POSIX systems.
#include "process.hpp"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>
#if __has_include(<sys/prctl.h>)
#include <sys/prctl.h>
#endif

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <stdexcept>
#include <system_error>
#include <utility>

#include "coverage.hpp"

namespace test_support {
namespace {

constexpr int patience_ms = 60000;

[[noreturn]] void fail(const char* what) {
  throw std::system_error(errno, std::generic_category(), what);
}

// Lets a peer end when its test is killed.
void die_with_parent() {
#ifdef PR_SET_PDEATHSIG
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
#endif
}

int status_of(int id) {
  int status = 0;
  while (::waitpid(id, &status, 0) < 0) {
    if (errno != EINTR) fail("waitpid");
  }
  return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

}  // namespace

bool has_program(const std::string& name) {
  const char* variable = std::getenv("PATH");
  const std::string path = variable != nullptr ? variable : "/usr/bin:/bin";
  for (std::size_t begin = 0; begin <= path.size();) {
    const std::size_t end = std::min(path.find(':', begin), path.size());
    if (::access((path.substr(begin, end - begin) + "/" + name).c_str(), X_OK) == 0) return true;
    begin = end + 1;
  }
  return false;
}

// The channel is a socketpair, because writing to a pipe of an ended program would raise SIGPIPE.
process::process(const std::vector<std::string>& argv) {
  int ends[2];
  if (::socketpair(AF_UNIX, SOCK_STREAM, 0, ends) < 0) fail("socketpair");
  for (const int end : ends) ::fcntl(end, F_SETFD, FD_CLOEXEC);
  std::vector<char*> arguments;
  arguments.reserve(argv.size() + 1);
  for (const std::string& argument : argv) arguments.push_back(const_cast<char*>(argument.c_str()));
  arguments.push_back(nullptr);
  id_ = ::fork();
  if (id_ < 0) fail("fork");
  if (id_ == 0) {
    die_with_parent();
    for (const int standard : {0, 1, 2}) ::dup2(ends[1], standard);
    ::execvp(arguments[0], arguments.data());
    ::_exit(127);
  }
  ::close(ends[1]);
  channel_ = ends[0];
}

process::~process() {
  if (status_ < 0) {
    ::kill(id_, SIGKILL);
    status_of(id_);
  }
  ::close(channel_);
}

bool process::read_more() {
  pollfd entry{channel_, POLLIN, 0};
  int ready = 0;
  do {
    ready = ::poll(&entry, 1, patience_ms);
  } while (ready < 0 && errno == EINTR);
  if (ready == 0)
    throw std::runtime_error("the other process prints nothing; its last output: " + pending_);
  char buffer[4096];
  const ssize_t count = ::read(channel_, buffer, sizeof buffer);
  if (count <= 0) return false;
  pending_.append(buffer, static_cast<std::size_t>(count));
  return true;
}

std::string process::line() {
  for (;;) {
    if (const std::size_t end = pending_.find('\n'); end != std::string::npos) {
      const std::string found = pending_.substr(0, end);
      pending_.erase(0, end + 1);
      return found;
    }
    if (!read_more())
      throw std::runtime_error("the other process ended with " + std::to_string(wait()) +
                               "; its last output: " + pending_);
  }
}

std::string process::rest() {
  while (read_more()) {
  }
  return std::exchange(pending_, std::string());
}

void process::say(const std::string& text) {
  if (::send(channel_, text.data(), text.size(), MSG_NOSIGNAL) != static_cast<ssize_t>(text.size()))
    fail("send to the other process");
}

void process::end_input() { ::shutdown(channel_, SHUT_WR); }

int process::wait() {
  if (status_ < 0) status_ = status_of(id_);
  return status_;
}

int in_child(const std::function<int()>& body) {
  const int id = ::fork();
  if (id < 0) fail("fork");
  if (id == 0) {
    die_with_parent();
    int result = 99;
    try {
      result = body();
    } catch (...) {
    }
    write_coverage();
    ::_exit(result);
  }
  return status_of(id);
}

std::string text_from_child(const std::function<std::string()>& body) {
  int ends[2];
  if (::pipe(ends) < 0) fail("pipe");
  const int id = ::fork();
  if (id < 0) fail("fork");
  if (id == 0) {
    die_with_parent();
    std::string text;
    try {
      text = body();
    } catch (const std::exception& e) {
      text = std::string("exception: ") + e.what();
    }
    std::size_t written = 0;
    while (written < text.size()) {
      const ssize_t count = ::write(ends[1], text.data() + written, text.size() - written);
      if (count <= 0) break;
      written += static_cast<std::size_t>(count);
    }
    write_coverage();
    ::_exit(0);
  }
  ::close(ends[1]);
  std::string text;
  char buffer[4096];
  for (ssize_t count = 0; (count = ::read(ends[0], buffer, sizeof buffer)) > 0;)
    text.append(buffer, static_cast<std::size_t>(count));
  ::close(ends[0]);
  status_of(id);
  return text;
}

}  // namespace test_support
