// SPDX-License-Identifier: MIT
// C's order of arguments: a length in place of the flags.
#include <pysock/socket.hpp>
#include <string>

void cases(pysock::socket& s, const pysock::address& to, const pysock::endpoint& there,
           const std::string& data, char* buffer, long count, std::error_code& ec) {
#ifdef SEND_SIZE
  (void)s.send(data, data.size());  // error: deleted
#else
  (void)s.send({data.data(), data.size()});
#endif

#ifdef SEND_SIZEOF
  char array[4] = {};
  (void)s.send(array, sizeof array);  // error: deleted
#else
  char array[4] = {};
  (void)s.send(array, int{sizeof array});
#endif

#ifdef SEND_RESULT_OF_READ
  (void)s.send(buffer, count);  // error: deleted
#else
  (void)s.send({buffer, static_cast<std::size_t>(count)});
#endif

#ifdef SEND_SIZE_WITH_ERROR_CODE
  (void)s.send(data, data.size(), ec);  // error: deleted
#else
  (void)s.send(data, MSG_OOB, ec);
#endif

#ifdef SENDALL_UNSIGNED
  s.sendall(data, 4U);  // error: deleted
#else
  s.sendall(data, MSG_OOB | MSG_DONTROUTE);
#endif

#ifdef SENDALL_SIZE_WITH_ERROR_CODE
  s.sendall(data, data.size(), ec);  // error: deleted
#else
  s.sendall(data, 0, ec);
#endif

#ifdef SENDTO_SIZE
  (void)s.sendto(data, data.size(), to);  // error: deleted
#else
  (void)s.sendto(data, MSG_DONTROUTE, to);
#endif

#ifdef SENDTO_SIZE_AND_PAIR
  (void)s.sendto(data, data.size(), {"127.0.0.1", 9});  // error: deleted
#else
  (void)s.sendto(data, MSG_DONTROUTE, {"127.0.0.1", 9});
#endif

#ifdef SENDTO_SIZE_WITH_ERROR_CODE
  (void)s.sendto(data, data.size(), to, ec);  // error: deleted
#else
  (void)s.sendto(data, MSG_DONTROUTE, to, ec);
#endif

#ifdef SENDTO_ENDPOINT_SIZE
  (void)s.sendto(data, data.size(), there);  // error: deleted
#else
  (void)s.sendto(data, MSG_DONTROUTE, there);
#endif

#ifdef SEND_UNUSED
  s.send(data);  // error: nodiscard|unused-result
#else
  s.sendall(data);
#endif

#ifdef SENDTO_UNUSED
  s.sendto(data, to);  // error: nodiscard|unused-result
#else
  (void)s.sendto(data, to);
#endif

#ifdef SENDTO_ENDPOINT_UNUSED
  s.sendto(data, 0, there, ec);  // error: nodiscard|unused-result
#else
  (void)s.sendto(data, 0, there, ec);
#endif

#ifdef SENDMSG_UNUSED
  s.sendmsg({data});  // error: nodiscard|unused-result
#else
  (void)s.sendmsg({data});
#endif
}
