// SPDX-License-Identifier: MIT
// THE SEAM: every system call, the monotonic clock and the system's message texts. One folder below
// src/ implements it per platform.
//
// The functions are flat: one system call each, no loop, no throw. They return what the call
// returns or, where it fails, the negative error number. Four return -1 instead, so that they can
// end in a jump to the C function: `send`, `sendto`, `recv` and `recvfrom`; the caller must then
// call `last_error()` before anything else. The helpers further down (name service, interfaces)
// wrap one library call each and may allocate; those that do can throw std::bad_alloc and nothing
// else.
//
// PYSOCK_API marks those that inline functions, the component ssl or tests of the installed library
// call; a shared library exports no other.
#pragma once

#include <cstddef>       // size_t, ptrdiff_t
#include <cstdint>       // int64_t, uint64_t
#include <string>        // string
#include <system_error>  // error_category
#include <vector>        // vector

#include "../constants.hpp"
#include "config.hpp"

namespace pysock {
inline namespace v1 {
namespace detail {
namespace sys {

// ---- errors ----
// The error number of the last failed call on this thread: errno, or WSAGetLastError(). Any later
// call may change it, also one that succeeds.
PYSOCK_API int last_error() noexcept;

enum class failure { other, interrupted, would_block };
// The kinds of error numbers that the wait engine distinguishes.
PYSOCK_API failure classify(int error) noexcept;
// Whether a failed connect goes on in the background.
PYSOCK_API bool connect_pending(int error) noexcept;

// The numbers of this system for errors that the library itself reports.
struct error_numbers {
  int bad_descriptor;
  int would_block;
  int interrupted;
  int not_socket;
  int is_connected;
  int not_connected;
  int connection_refused;
  int shut_down;
  int family_not_supported;
};
PYSOCK_API error_numbers numbers() noexcept;

// The category of the system's socket errors: its messages are the system's, its conditions
// std::errc.
PYSOCK_API const std::error_category& category() noexcept;
// The word before the number in Python's messages: "Errno" or "WinError".
PYSOCK_API const char* number_label() noexcept;
std::string gai_message(int error);
std::string herror_message(int error);

// ---- time ----
// Nanoseconds of a monotonic clock.
PYSOCK_API std::int64_t now() noexcept;

// ---- processes ----
// The process id; a child of fork() has another one. 0 on systems without fork().
PYSOCK_API std::int64_t process_id() noexcept;

// ---- descriptors ----
// Not inheritable, and non-blocking if asked, from the start. `type` holds no flags.
native_handle_type socket(int family, int type, int proto, bool nonblocking) noexcept;
int socketpair(int family, int type, int proto, bool nonblocking,
               native_handle_type (&out)[2]) noexcept;
// Not inheritable; in exactly the asked mode, whatever the listener's is.
native_handle_type accept(native_handle_type s, sockaddr* address, socklen_t* size,
                          bool nonblocking) noexcept;
PYSOCK_API native_handle_type duplicate(native_handle_type s) noexcept;
// Never repeated; a connection reset during the close counts as success.
PYSOCK_API int close(native_handle_type s) noexcept;
int set_nonblocking(native_handle_type s, bool on) noexcept;
// Whether the descriptor is non-blocking: 1 or 0. Always 0 where the system cannot tell.
int get_nonblocking(native_handle_type s) noexcept;
// 1 or 0.
int get_inheritable(native_handle_type s) noexcept;
int set_inheritable(native_handle_type s, bool on) noexcept;
// Family, type and protocol of an open socket. Members that the system cannot tell are not changed.
int describe(native_handle_type s, int& family, int& type, int& proto) noexcept;
// Takes type flags (SOCK_NONBLOCK, SOCK_CLOEXEC) out of `type`; true if SOCK_NONBLOCK was there.
bool strip_type_flags(int& type) noexcept;
#ifdef FROM_PROTOCOL_INFO
// A duplicate for another process, as bytes; and the socket made from them there.
int share(native_handle_type s, unsigned long process_id, std::string& out);
native_handle_type fromshare(const void* shared) noexcept;
#endif

// ---- connections ----
int bind(native_handle_type s, const sockaddr* address, socklen_t size) noexcept;
int listen(native_handle_type s, int backlog) noexcept;
int connect(native_handle_type s, const sockaddr* address, socklen_t size) noexcept;
PYSOCK_API int shutdown(native_handle_type s, int how) noexcept;
int getsockname(native_handle_type s, sockaddr* address, socklen_t* size) noexcept;
PYSOCK_API int getpeername(native_handle_type s, sockaddr* address, socklen_t* size) noexcept;
// `size` in bytes; on return from getsockopt what was written.
int getsockopt(native_handle_type s, int level, int name, void* value, socklen_t* size) noexcept;
PYSOCK_API int setsockopt(native_handle_type s, int level, int name, const void* value,
                          socklen_t size) noexcept;
#ifdef SIO_RCVALL
int ioctl(native_handle_type s, unsigned long control, const void* value,
          std::size_t size) noexcept;
#endif

// ---- waiting ----
// A set of events to wait for. An error or a hang-up ends each wait. `connect` is the end of a
// connect in the background, which some systems report apart from `write`.
enum class event : unsigned { error = 0, read = 1, write = 2, connect = 4 };
constexpr event operator|(event a, event b) noexcept {
  return static_cast<event>(static_cast<unsigned>(a) | static_cast<unsigned>(b));
}
constexpr bool contains(event set, event one) noexcept {
  return (static_cast<unsigned>(set) & static_cast<unsigned>(one)) != 0;
}
// Waits at most `milliseconds` (-1: for ever) for one of the events, or until `wake` is readable,
// if there is one. 1: ready; 0: time is up; `woken`: `wake` is readable, whatever else is.
inline constexpr int woken = 2;
int poll(native_handle_type s, event events, int milliseconds,
         native_handle_type wake = invalid_handle) noexcept;
// Sleeps; a signal ends it early, with the number for "interrupted", and so does `wake`.
int pause(int milliseconds, native_handle_type wake = invalid_handle) noexcept;

// A descriptor for which one thread waits and which another thread, or a signal handler, makes
// readable. `ends` are the descriptor to wait for and the one to write to; they may be the same.
int open_wake(native_handle_type (&ends)[2]) noexcept;
void close_wake(const native_handle_type (&ends)[2]) noexcept;
// Makes it readable until `clear_wake`. Async-signal-safe; keeps last_error().
void wake(native_handle_type writing_end) noexcept;
void clear_wake(native_handle_type reading_end) noexcept;

// A set of descriptors for which one thread waits and which any thread may change. The caller
// chooses the generation, which the result contains.
class poll_set;
struct poll_result {
  native_handle_type handle;
  std::uint32_t generation;
  event events;
};
int open_poll_set(poll_set*& out);
void close_poll_set(poll_set* set) noexcept;
// Its own descriptor; -1 where it has none.
native_handle_type poll_set_handle(const poll_set& set) noexcept;
// Changes the events of a descriptor; `event::error` stands for none, before it is
// added and after it is removed.
int change_poll_set(poll_set& set, native_handle_type s, event before, event after,
                    std::uint32_t generation);
// Puts everything that is ready into `out`; an error or a hang-up is ready for both. Returns the
// number: 0 if the time is up, and if the set has changed. A descriptor may be in it twice.
int wait_poll_set(poll_set& set, std::vector<poll_result>& out, int milliseconds);

// ---- data ----
// The flag of a call that does not wait, whatever the mode of the descriptor; 0 where there is
// none.
#ifdef MSG_DONTWAIT
inline constexpr int dont_wait = MSG_DONTWAIT;
#else
inline constexpr int dont_wait = 0;
#endif

// Lengths above the system's limit are reduced to it. No send raises SIGPIPE. The first four do not
// throw, but are not declared noexcept, because a noexcept function cannot end in a jump to a C
// function that is not.
PYSOCK_API std::ptrdiff_t send(native_handle_type s, const void* data, std::size_t size, int flags);
PYSOCK_API std::ptrdiff_t sendto(native_handle_type s, const void* data, std::size_t size,
                                 int flags, const sockaddr* address, socklen_t address_size);
PYSOCK_API std::ptrdiff_t recv(native_handle_type s, void* data, std::size_t size, int flags);
PYSOCK_API std::ptrdiff_t recvfrom(native_handle_type s, void* data, std::size_t size, int flags,
                                   sockaddr* address, socklen_t* address_size);
// As send and recv, but would-block instead of waiting, whatever the mode of the descriptor.
PYSOCK_API std::ptrdiff_t send_now(native_handle_type s, const void* data,
                                   std::size_t size) noexcept;
PYSOCK_API std::ptrdiff_t recv_now(native_handle_type s, void* data, std::size_t size) noexcept;

// One buffer of sendmsg or recvmsg, in the system's layout.
using buffer = io_buffer;
PYSOCK_API std::size_t max_buffers() noexcept;

// A whole message for sendmsg and recvmsg; on return from recvmsg the sizes and `flags` are what
// arrived.
struct message {
  sockaddr* address = nullptr;
  socklen_t address_size = 0;
  buffer* buffers = nullptr;
  std::size_t buffer_count = 0;
  void* control = nullptr;
  std::size_t control_size = 0;
  int flags = 0;
};
std::ptrdiff_t sendmsg(native_handle_type s, const message& m, int flags) noexcept;
std::ptrdiff_t recvmsg(native_handle_type s, message& m, int flags) noexcept;
// MSG_CMSG_CLOEXEC where the system has it, else 0.
int cloexec_flag() noexcept;

// ---- files, for sendfile ----
// Sends up to `count` bytes of `file` from an absolute `offset`. If the system or this pair of
// descriptors does not support it, `sendfile_unsupported` is true for the error number, and the
// caller reads and sends instead. Call it between block_sigpipe() and restore_sigpipe(): it has no
// flag against SIGPIPE.
PYSOCK_API std::ptrdiff_t sendfile(native_handle_type s, native_handle_type file,
                                   std::uint64_t offset, std::size_t count) noexcept;
PYSOCK_API bool sendfile_unsupported(int error) noexcept;
// Blocks SIGPIPE in this thread. Returns what restore_sigpipe() needs.
int block_sigpipe() noexcept;
// Unblocks it unless it was blocked before. `may_be_pending`: a call since then may have raised it;
// such a signal is removed; one that was pending before stays pending.
void restore_sigpipe(int state, bool may_be_pending) noexcept;
PYSOCK_API native_handle_type open_file(const char* path) noexcept;
PYSOCK_API int close_file(native_handle_type file) noexcept;
// The size of a regular file in bytes; 0 for any other that can be read.
std::int64_t file_size(native_handle_type file) noexcept;
std::ptrdiff_t read_file(native_handle_type file, void* data, std::size_t size,
                         std::uint64_t offset) noexcept;
// The handle below a std::FILE*, given as void* so that <cstdio> stays out of here.
native_handle_type file_handle(void* c_file) noexcept;
// Moves a std::FILE*, given likewise, to an absolute offset, beyond what a long holds as well.
int seek_file(void* c_file, std::int64_t offset) noexcept;

// ---- name service ----
// The result of a call of the resolver: 0, an EAI_* number, or the system's error number instead of
// EAI_SYSTEM.
struct resolver_status {
  int number = 0;
  bool from_system = false;
};
resolver_status getaddrinfo(const char* host, const char* service, const addrinfo* hints,
                            addrinfo** results) noexcept;
void freeaddrinfo(addrinfo* results) noexcept;
// Starts a detached thread that calls `function(argument)`, with all signals blocked. 0, or the
// negative error number.
int run_detached(void (*function)(void*) noexcept, void* argument) noexcept;
// The protocol that the resolver returns for a type if none was requested; `usual` is the usual
// one.
int answered_protocol(int usual) noexcept;
resolver_status getnameinfo(const sockaddr* address, socklen_t size, char* host,
                            std::size_t host_size, char* service, std::size_t service_size,
                            int flags) noexcept;

// An entry of the hosts database. `addresses` are packed, all of `family`.
struct host_entry {
  std::string name;
  std::vector<std::string> aliases;
  int family = 0;
  std::vector<std::string> addresses;
};
// The databases are thread-safe: re-entrant where the system can, else behind one lock for all of
// them. For hosts: 0, an h_errno number or, where the system failed, the negative error number.
int gethostbyname(const char* name, int family, host_entry& out);
int gethostbyaddr(const void* packed, std::size_t size, int family, host_entry& out);
// 1 if found, 0 if not, or the negative error number. Ports are in host byte order; `proto` may be
// null.
int getservbyname(const char* name, const char* proto, int& port);
int getservbyport(int port, const char* proto, std::string& name);
int getprotobyname(const char* name, int& number);

// The others: 0 or an index, or the negative error number.
int gethostname(std::string& out);
int sethostname(const char* name, std::size_t size) noexcept;

struct interface_entry {
  unsigned index;
  std::string name;
};
int if_nameindex(std::vector<interface_entry>& out);
std::int64_t if_nametoindex(const char* name) noexcept;
int if_indextoname(unsigned index, std::string& out);

}  // namespace sys
}  // namespace detail
}  // namespace v1
}  // namespace pysock
