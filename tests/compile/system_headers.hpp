// SPDX-License-Identifier: MIT
// Headers that a program may include before or after the library's: POSIX's headers for sockets and
// files, and headers with conflicting macros, such as <windows.h>. No include guard: tests include
// it before and after a header.
#include <assert.h>
#include <errno.h>
#include <limits.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#if __has_include(<sys/socket.h>)
#include <arpa/inet.h>
#include <dirent.h>
#include <fcntl.h>
#include <net/if.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <pwd.h>
#include <sched.h>
#include <semaphore.h>
#include <strings.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/param.h>
#include <sys/resource.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <syslog.h>
#include <termios.h>
#include <unistd.h>
#include <utime.h>
#endif
#if __has_include(<error.h>)
#include <error.h>
#endif
#if __has_include(<ifaddrs.h>)
#include <ifaddrs.h>
#endif
#if __has_include(<netinet/ip_icmp.h>)
#include <netinet/ip_icmp.h>
#endif
#if __has_include(<netinet/udp.h>)
#include <netinet/udp.h>
#endif
#if __has_include(<resolv.h>)
#include <arpa/nameser.h>
#include <resolv.h>
#endif
#if __has_include(<sys/epoll.h>)
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/sendfile.h>
#include <sys/sysmacros.h>
#endif
#if __has_include(<sys/queue.h>)
#include <sys/queue.h>
#endif
#if __has_include(<windows.h>)
// clang-format off
#include <winsock2.h>  // first: <windows.h> has an older Winsock, and some compilers warn
#include <windows.h>
// clang-format on
#endif
