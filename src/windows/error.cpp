// SPDX-License-Identifier: MIT
// Error numbers, their kinds for the wait engine, and their texts. The texts of Winsock's numbers
// are the same in every language of the system.
#include "winsock.hpp"

#include <iterator>
#include <memory>
#include <pysock/detail/immortal.hpp>

namespace pysock {
inline namespace v1 {
namespace detail {
namespace {

struct free_local {
  void operator()(void* memory) const noexcept { ::LocalFree(memory); }
};

// std::errc has no equivalent.
constexpr std::errc none{};

struct row {
  int number;
  const char* message;
  std::errc condition;
  std::errc also = none;  // POSIX has one number for both, or allows either
};

// By number. Winsock's numbers, and those of calls for files and handles.
constexpr row rows[] = {
    {ERROR_INVALID_FUNCTION, "Invalid function", std::errc::invalid_argument},
    {ERROR_FILE_NOT_FOUND, "No such file or directory", std::errc::no_such_file_or_directory},
    {ERROR_PATH_NOT_FOUND, "No such path", std::errc::no_such_file_or_directory},
    {ERROR_TOO_MANY_OPEN_FILES, "Too many open files", std::errc::too_many_files_open},
    {ERROR_ACCESS_DENIED, "Access denied", std::errc::permission_denied},
    {WSA_INVALID_HANDLE, "Invalid handle", std::errc::bad_file_descriptor},
    {WSA_NOT_ENOUGH_MEMORY, "Not enough memory", std::errc::not_enough_memory},
    {ERROR_OUTOFMEMORY, "Out of memory", std::errc::not_enough_memory},
    {ERROR_SEEK, "Illegal seek", std::errc::invalid_seek},
    {ERROR_SHARING_VIOLATION, "File in use by another process", std::errc::permission_denied},
    {ERROR_HANDLE_EOF, "End of file", none},
    {ERROR_NOT_SUPPORTED, "Not supported", std::errc::not_supported,
     std::errc::operation_not_supported},
    {ERROR_DEV_NOT_EXIST, "No such device", std::errc::no_such_device_or_address,
     std::errc::no_such_device},
    {WSA_INVALID_PARAMETER, "Invalid parameter", std::errc::invalid_argument},
    {ERROR_BROKEN_PIPE, "Broken pipe", std::errc::broken_pipe},
    {ERROR_CALL_NOT_IMPLEMENTED, "Function not implemented", std::errc::function_not_supported},
    {ERROR_INVALID_NAME, "Invalid file name", std::errc::no_such_file_or_directory},
    {ERROR_FILENAME_EXCED_RANGE, "File name too long", std::errc::filename_too_long},
    {WSA_OPERATION_ABORTED, "Operation aborted", std::errc::operation_canceled},
    {WSA_IO_INCOMPLETE, "Operation not yet completed", none},
    {WSA_IO_PENDING, "Operation will complete later", none},
    {ERROR_NO_UNICODE_TRANSLATION, "Not UTF-8", std::errc::illegal_byte_sequence},
    {WSAEINTR, "Interrupted function call", std::errc::interrupted},
    {WSAEBADF, "Bad file descriptor", std::errc::bad_file_descriptor},
    {WSAEACCES, "Permission denied", std::errc::permission_denied},
    {WSAEFAULT, "Bad address", std::errc::bad_address},
    {WSAEINVAL, "Invalid argument", std::errc::invalid_argument},
    {WSAEMFILE, "Too many open sockets", std::errc::too_many_files_open},
    {WSAEWOULDBLOCK, "Resource temporarily unavailable", std::errc::resource_unavailable_try_again,
     std::errc::operation_would_block},
    {WSAEINPROGRESS, "Operation now in progress", std::errc::operation_in_progress},
    {WSAEALREADY, "Operation already in progress", std::errc::connection_already_in_progress},
    {WSAENOTSOCK, "Not a socket", std::errc::not_a_socket, std::errc::bad_file_descriptor},
    {WSAEDESTADDRREQ, "Destination address required", std::errc::destination_address_required},
    {WSAEMSGSIZE, "Message too long", std::errc::message_size},
    {WSAEPROTOTYPE, "Protocol wrong type for socket", std::errc::wrong_protocol_type},
    {WSAENOPROTOOPT, "Protocol not available", std::errc::no_protocol_option},
    {WSAEPROTONOSUPPORT, "Protocol not supported", std::errc::protocol_not_supported},
    {WSAESOCKTNOSUPPORT, "Socket type not supported", std::errc::not_supported},
    {WSAEOPNOTSUPP, "Operation not supported", std::errc::operation_not_supported,
     std::errc::not_supported},
    {WSAEPFNOSUPPORT, "Protocol family not supported", std::errc::address_family_not_supported},
    {WSAEAFNOSUPPORT, "Address family not supported by protocol",
     std::errc::address_family_not_supported},
    {WSAEADDRINUSE, "Address already in use", std::errc::address_in_use},
    {WSAEADDRNOTAVAIL, "Cannot assign requested address", std::errc::address_not_available},
    {WSAENETDOWN, "Network is down", std::errc::network_down},
    {WSAENETUNREACH, "Network is unreachable", std::errc::network_unreachable},
    {WSAENETRESET, "Network dropped connection on reset", std::errc::network_reset},
    {WSAECONNABORTED, "Software caused connection abort", std::errc::connection_aborted},
    {WSAECONNRESET, "Connection reset by peer", std::errc::connection_reset},
    {WSAENOBUFS, "No buffer space available", std::errc::no_buffer_space},
    {WSAEISCONN, "Already connected", std::errc::already_connected},
    {WSAENOTCONN, "Not connected", std::errc::not_connected},
    {WSAESHUTDOWN, "Socket has been shut down", std::errc::broken_pipe},
    {WSAETOOMANYREFS, "Too many references", none},
    {WSAETIMEDOUT, "Connection timed out", std::errc::timed_out},
    {WSAECONNREFUSED, "Connection refused", std::errc::connection_refused},
    {WSAELOOP, "Too many levels of symbolic links", std::errc::too_many_symbolic_link_levels},
    {WSAENAMETOOLONG, "Name too long", std::errc::filename_too_long},
    {WSAEHOSTDOWN, "Host is down", std::errc::host_unreachable},
    {WSAEHOSTUNREACH, "No route to host", std::errc::host_unreachable},
    {WSAENOTEMPTY, "Directory not empty", std::errc::directory_not_empty},
    {WSAEPROCLIM, "Too many processes", none},
    {WSAEUSERS, "Too many users", none},
    {WSAEDQUOT, "Quota exceeded", none},
    {WSAESTALE, "Stale handle", none},
    {WSAEREMOTE, "Object is remote", none},
    {WSASYSNOTREADY, "Network subsystem not ready", std::errc::network_down},
    {WSAVERNOTSUPPORTED, "Winsock 2.2 not available", std::errc::not_supported},
    {WSANOTINITIALISED, "Winsock not started", none},
    {WSAEDISCON, "Peer is shutting down", none},
    {WSAENOMORE, "No more results", none},
    {WSAECANCELLED, "Operation canceled", std::errc::operation_canceled},
    {WSAEINVALIDPROCTABLE, "Invalid procedure table of a provider", none},
    {WSAEINVALIDPROVIDER, "Invalid provider", none},
    {WSAEPROVIDERFAILEDINIT, "Provider failed to start", none},
    {WSASYSCALLFAILURE, "System call failure", std::errc::io_error},
    {WSASERVICE_NOT_FOUND, "Service not found", none},
    {WSATYPE_NOT_FOUND, "Service not found for this socket type", none},
    {WSA_E_NO_MORE, "No more results", none},
    {WSA_E_CANCELLED, "Operation canceled", std::errc::operation_canceled},
    {WSAEREFUSED, "Query refused", none},
    {WSAHOST_NOT_FOUND, "Host not found", none},
    {WSATRY_AGAIN, "Temporary failure in name resolution", none},
    {WSANO_RECOVERY, "Non-recoverable failure in name resolution", none},
    {WSANO_DATA, "No address associated with host name", none},
};

constexpr bool is_sorted() noexcept {
  for (std::size_t i = 1; i < std::size(rows); ++i) {
    if (rows[i - 1].number >= rows[i].number) return false;
  }
  return true;
}
static_assert(is_sorted(), "every number has one row");

const row* find(int number) noexcept {
  const row* const found =
      std::lower_bound(std::begin(rows), std::end(rows), number,
                       [](const row& r, int wanted) { return r.number < wanted; });
  return found != std::end(rows) && found->number == number ? found : nullptr;
}

// Empty if the system has no text.
std::string system_message(int number) {
  wchar_t* text = nullptr;
  const DWORD size = ::FormatMessageW(
      FORMAT_MESSAGE_ALLOCATE_BUFFER | FORMAT_MESSAGE_FROM_SYSTEM | FORMAT_MESSAGE_IGNORE_INSERTS,
      nullptr, static_cast<DWORD>(number), 0, reinterpret_cast<wchar_t*>(&text), 0, nullptr);
  const std::unique_ptr<void, free_local> owner(text);
  std::wstring_view line(text != nullptr ? text : L"", size);
  while (!line.empty() && (line.back() <= L' ' || line.back() == L'.')) line.remove_suffix(1);
  return sys::winsock::narrow(line);
}

std::string message_of(int number) {
  if (const row* const found = find(number); found != nullptr) return found->message;
  const std::string message = system_message(number);
  return !message.empty() ? message : "Windows error " + std::to_string(number);
}

class winsock_category : public std::error_category {
 public:
  const char* name() const noexcept override { return "winsock"; }
  std::string message(int number) const override { return message_of(number); }
  std::error_condition default_error_condition(int number) const noexcept override {
    const row* r = find(number);
    if (r != nullptr)
      return r->condition != none ? std::make_error_condition(r->condition)
                                  : std::error_condition(number, *this);
    return std::system_category().default_error_condition(number);
  }
  bool equivalent(int number, const std::error_condition& condition) const noexcept override {
    const row* r = find(number);
    return default_error_condition(number) == condition ||
           (r != nullptr && r->also != none && condition == r->also);
  }
};

}  // namespace

// Without WSAStartup no valid socket can exist: report WSAENOTSOCK.
int sys::last_error() noexcept {
  const int reason = ::WSAGetLastError();
  return reason == WSANOTINITIALISED ? WSAENOTSOCK : reason;
}

sys::failure sys::classify(int error) noexcept {
  if (error == WSAEINTR) return failure::interrupted;
  return error == WSAEWOULDBLOCK ? failure::would_block : failure::other;
}

bool sys::connect_pending(int error) noexcept { return error == WSAEWOULDBLOCK; }

sys::error_numbers sys::numbers() noexcept {
  error_numbers known{};
  known.bad_descriptor = WSAENOTSOCK;
  known.would_block = WSAEWOULDBLOCK;
  known.interrupted = WSAEINTR;
  known.not_socket = WSAENOTSOCK;
  known.is_connected = WSAEISCONN;
  known.not_connected = WSAENOTCONN;
  known.connection_refused = WSAECONNREFUSED;
  known.shut_down = WSAESHUTDOWN;
  known.family_not_supported = WSAEAFNOSUPPORT;
  return known;
}

const std::error_category& sys::category() noexcept {
  static immortal<winsock_category> category;
  return category.get();
}

const char* sys::number_label() noexcept { return "WinError"; }

std::string sys::gai_message(int error) { return message_of(error); }

std::string sys::herror_message(int error) { return message_of(error); }

}  // namespace detail
}  // namespace v1
}  // namespace pysock
