// SPDX-License-Identifier: MIT
// Descriptors, threads and processes of Windows.
#include <array>
#include <filesystem>
#include <pysock/create.hpp>
#include <stdexcept>
#include <utility>

#include "background.hpp"
#include "descriptors.hpp"
#include "process.hpp"

namespace test_support {
namespace {

constexpr int patience = 60;  // seconds

// Finds Python in PATH, or the Unix system's Python under Wine.
std::string find_python() {
  char path[MAX_PATH];
  for (const char* name : {"python3", "python"}) {
    if (::SearchPathA(nullptr, name, ".exe", MAX_PATH, path, nullptr) != 0) return path;
  }
  const char* const unix_python = R"(Z:\usr\bin\python3)";
  return ::GetFileAttributesA(unix_python) != INVALID_FILE_ATTRIBUTES ? unix_python : "";
}

// In hexadecimal, so that a command line needs no quotes.
std::string as_hex(const std::string& text) {
  static const char digits[] = "0123456789abcdef";
  std::string out;
  for (const char c : text) {
    out += digits[static_cast<unsigned char>(c) >> 4U];
    out += digits[static_cast<unsigned char>(c) & 15U];
  }
  return out;
}

std::string quoted_name(const std::string& text) { return '"' + text + '"'; }

// A script that connects its input and output to this port, runs `script`, and sends its exit
// status at the end.
std::string joined(const std::string& script, int port) {
  return "import socket, sys, traceback\n"
         "channel = socket.create_connection(('127.0.0.1', " +
         std::to_string(port) +
         "))\n"
         "sys.stdin, sys.stdout = channel.makefile('r'), channel.makefile('w')\n"
         "status = 0\n"
         "try: exec(" +
         ("bytes.fromhex('" + as_hex(script) + "')") +
         ", {'__name__': '__main__'})\n"
         "except SystemExit as e: status = e.code or 0\n"
         "except BaseException: status = 1; traceback.print_exc(file=sys.stdout)\n"
         "sys.stdout.write('\\0%s' % status)\n"
         "sys.stdout.flush()\n";
}

}  // namespace

// Whether the number is an open socket. Windows reuses handle numbers at once, also for other
// objects.
bool is_open(pysock::native_handle_type fd) {
  int type = 0;
  int size = sizeof type;
  return ::getsockopt(static_cast<SOCKET>(fd), SOL_SOCKET, SO_TYPE, reinterpret_cast<char*>(&type),
                      &size) == 0;
}

// Handles are multiples of four.
std::set<pysock::native_handle_type> open_descriptors() {
  std::set<pysock::native_handle_type> found;
  for (pysock::native_handle_type handle = 4; handle < 8192; handle += 4) {
    if (is_open(handle)) found.insert(handle);
  }
  return found;
}

std::optional<bool> is_nonblocking(pysock::native_handle_type /*fd*/) { return std::nullopt; }

bool is_close_on_exec(pysock::native_handle_type fd) {
  DWORD flags = 0;
  return ::GetHandleInformation(reinterpret_cast<HANDLE>(fd), &flags) != 0 &&
         (flags & HANDLE_FLAG_INHERIT) == 0;
}

std::int64_t position_of(pysock::native_handle_type file) {
  LARGE_INTEGER position{};
  return ::SetFilePointerEx(reinterpret_cast<HANDLE>(file), LARGE_INTEGER{}, &position,
                            FILE_CURRENT) != 0
             ? position.QuadPart
             : -1;
}

a_pipe::a_pipe() {
  HANDLE made[2];
  if (::CreatePipe(&made[0], &made[1], nullptr, 0) == 0)
    throw std::runtime_error("cannot make a pipe");
  for (int i = 0; i < 2; ++i) ends_[i] = reinterpret_cast<pysock::native_handle_type>(made[i]);
}
a_pipe::~a_pipe() {
  for (const auto end : ends_) ::CloseHandle(reinterpret_cast<HANDLE>(end));
}

bool wait_for(pysock::native_handle_type fd, short events, int milliseconds) {
  if ((events & POLLPRI) != 0) {  // WSAPoll() rejects POLLPRI: only select() reports urgent data
    fd_set urgent;
    urgent.fd_count = 1;
    urgent.fd_array[0] = static_cast<SOCKET>(fd);
    timeval limit = {milliseconds / 1000, milliseconds % 1000 * 1000};
    return ::select(0, nullptr, nullptr, &urgent, &limit) == 1;
  }
  WSAPOLLFD entry{static_cast<SOCKET>(fd), static_cast<SHORT>(events & (POLLIN | POLLOUT)),
                  0};  // WSAPoll() rejects POLLERR and POLLHUP in events
  return ::WSAPoll(&entry, 1, milliseconds) == 1;
}

long thread_id() { return static_cast<long>(::GetCurrentThreadId()); }
char thread_state(long /*id*/) { return '?'; }

bool has_program(const std::string& name) { return name == "python3" && !find_python().empty(); }

// Starts only Python. The script connects to a listener here, because handles for standard input
// and output do not work on every system that runs Windows programs.
process::process(const std::vector<std::string>& argv) {
  if (argv.size() < 3 || argv[0] != "python3" || argv[1] != "-c")
    throw std::runtime_error("only Python can be started here");
  pysock::socket listener = pysock::create_server({"127.0.0.1", 0});
  listener.settimeout(patience);
  const std::string program = find_python();
  const std::string script =
      "exec(bytes.fromhex('" + as_hex(joined(argv[2], listener.getsockname().port())) + "'))";
  std::string command = quoted_name(program) + " -c " + quoted_name(script);
  for (std::size_t i = 3; i < argv.size(); ++i) command += " " + quoted_name(argv[i]);

  STARTUPINFOA startup{};
  startup.cb = sizeof startup;
  PROCESS_INFORMATION made{};
  if (::CreateProcessA(program.c_str(), command.data(), nullptr, nullptr, FALSE, 0, nullptr,
                       nullptr, &startup, &made) == 0) {
    throw std::runtime_error("cannot start " + program);
  }
  if (made.hThread != nullptr) ::CloseHandle(made.hThread);
  if (made.hProcess != nullptr) ::CloseHandle(made.hProcess);
  pysock::socket channel = listener.accept().conn;
  channel.settimeout(patience);
  channel_ = channel.detach();
}

// A program that waits for the channel ends when it is closed. The others end by themselves.
process::~process() { ::closesocket(static_cast<SOCKET>(channel_)); }

bool process::read_more() {
  char buffer[4096];
  pysock::socket channel = pysock::from_fileno(channel_, AF_INET, SOCK_STREAM);
  channel.settimeout(patience);
  std::error_code ec;
  const std::size_t count = channel.recv_into(buffer, ec);
  (void)channel.detach();
  if (ec == pysock::errc::timed_out)
    throw std::runtime_error("the other process prints nothing; its last output: " + pending_);
  pending_.append(buffer, count);
  if (const std::size_t end = pending_.find('\0'); end != std::string::npos) {
    status_ = std::atoi(pending_.c_str() + end + 1);
    pending_.resize(end);
    return false;
  }
  return count != 0;
}

std::string process::line() {
  for (;;) {
    if (const std::size_t end = pending_.find('\n'); end != std::string::npos) {
      const std::string found = pending_.substr(0, end);
      pending_.erase(0, end + 1);
      return found;
    }
    if ((status_ >= 0 || !read_more()) && pending_.find('\n') == std::string::npos) {
      throw std::runtime_error("the other process ended with " + std::to_string(wait()) +
                               "; its last output: " + pending_);
    }
  }
}

std::string process::rest() {
  while (status_ < 0 && read_more()) {
  }
  return std::exchange(pending_, std::string());
}

void process::say(const std::string& text) {
  if (::send(static_cast<SOCKET>(channel_), text.data(), static_cast<int>(text.size()), 0) !=
      static_cast<int>(text.size())) {
    throw std::runtime_error("cannot write to the other process");
  }
}

void process::end_input() { ::shutdown(static_cast<SOCKET>(channel_), SD_SEND); }

int process::wait() {
  while (status_ < 0 && read_more()) {
  }
  if (status_ < 0) status_ = 1;
  return status_;
}

}  // namespace test_support
