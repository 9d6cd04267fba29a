// SPDX-License-Identifier: MIT
// The peer of peers_test.cpp on GnuTLS: gnutls_peer CERTIFICATE KEY SIZE. A TLS 1.3 server that
// sends and receives SIZE bytes at the same time, with a KeyUpdate before every tenth record.
#include <arpa/inet.h>
#include <gnutls/crypto.h>
#include <gnutls/gnutls.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <utility>

namespace {

constexpr std::size_t record = 16384;

void check(bool holds, const char* what, int code = 0) {
  if (holds) return;
  std::printf("failed: %s: %s\n", what, code < 0 ? gnutls_strerror(code) : "");
  std::exit(1);
}

std::string sha256(const std::string& data) {
  unsigned char digest[32];
  gnutls_hash_fast(GNUTLS_DIG_SHA256, data.data(), data.size(), digest);
  std::string text;
  for (const unsigned char byte : digest) {
    char digits[3];
    std::snprintf(digits, sizeof digits, "%02x", byte);
    text += digits;
  }
  return text;
}

int listen_and_accept() {
  const int listener = ::socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  auto* const name = reinterpret_cast<sockaddr*>(&address);
  check(::bind(listener, name, size) == 0 && ::listen(listener, 1) == 0 &&
            ::getsockname(listener, name, &size) == 0,
        "listen");
  std::printf("port %d\n", ntohs(address.sin_port));
  std::fflush(stdout);
  return ::accept(listener, nullptr, nullptr);
}

void wait_for(int fd, short events) {
  pollfd one{fd, events, 0};
  ::poll(&one, 1, -1);
}

bool is_retry(ssize_t result) { return result == GNUTLS_E_AGAIN || result == GNUTLS_E_INTERRUPTED; }

// Sends records until the connection is full.
class sender {
 public:
  sender(gnutls_session_t session, std::string data) : session_(session), data_(std::move(data)) {}

  [[nodiscard]] bool done() const { return sent_ == data_.size(); }
  [[nodiscard]] int updates() const { return updates_; }
  [[nodiscard]] const std::string& data() const { return data_; }

  void go_on() {
    while (!done()) {
      if (sent_ / record % 10 == 0 && sent_ / record / 10 == static_cast<std::size_t>(updates_)) {
        // GnuTLS accepts only a few KeyUpdates a second, so it requests one seldom.
        const int result =
            gnutls_session_key_update(session_, updates_ % 256 == 0 ? GNUTLS_KU_PEER : 0);
        if (is_retry(result)) return;
        check(result == 0, "key update", result);
        ++updates_;
      }
      const std::size_t left = data_.size() - sent_;
      const ssize_t count =
          gnutls_record_send(session_, data_.data() + sent_, left < record ? left : record);
      if (is_retry(count)) return;
      check(count > 0, "send", static_cast<int>(count));
      sent_ += static_cast<std::size_t>(count);
    }
  }

 private:
  gnutls_session_t session_;
  std::string data_;
  std::size_t sent_ = 0;
  int updates_ = 0;
};

}  // namespace

int main(int argc, char** argv) {
  check(argc == 4, "arguments");
  const auto size = static_cast<std::size_t>(std::atol(argv[3]));
  const int fd = listen_and_accept();
  gnutls_certificate_credentials_t credentials = nullptr;
  gnutls_certificate_allocate_credentials(&credentials);
  int result =
      gnutls_certificate_set_x509_key_file(credentials, argv[1], argv[2], GNUTLS_X509_FMT_PEM);
  check(result == 0, "certificate", result);
  gnutls_session_t session = nullptr;
  gnutls_init(&session, GNUTLS_SERVER);
  gnutls_priority_set_direct(session, "NORMAL:-VERS-ALL:+VERS-TLS1.3", nullptr);
  gnutls_credentials_set(session, GNUTLS_CRD_CERTIFICATE, credentials);
  gnutls_transport_set_int(session, fd);
  while ((result = gnutls_handshake(session)) < 0)
    check(gnutls_error_is_fatal(result) == 0, "handshake", result);

  // From now on only poll() waits.
  gnutls_transport_set_pull_function(session, [](gnutls_transport_ptr_t to, void* data,
                                                 size_t most) {
    return ::recv(static_cast<int>(reinterpret_cast<std::intptr_t>(to)), data, most, MSG_DONTWAIT);
  });
  gnutls_transport_set_push_function(
      session, [](gnutls_transport_ptr_t to, const void* data, size_t most) {
        return ::send(static_cast<int>(reinterpret_cast<std::intptr_t>(to)), data, most,
                      MSG_DONTWAIT | MSG_NOSIGNAL);
      });
  std::string data(size, '\0');
  for (std::size_t i = 0; i < size; ++i) data[i] = static_cast<char>(i * 2246822519U >> 11);
  sender sending(session, std::move(data));
  std::string received;
  static char piece[record];
  for (bool ended = false; !sending.done() || !ended;) {
    sending.go_on();
    for (;;) {
      const ssize_t count = gnutls_record_recv(session, piece, sizeof piece);
      if (is_retry(count)) break;
      check(count >= 0, "receive", static_cast<int>(count));
      ended = count == 0;
      if (ended) break;
      received.append(piece, static_cast<std::size_t>(count));
    }
    if (!sending.done() || !ended)
      wait_for(fd, static_cast<short>((ended ? 0 : POLLIN) | (sending.done() ? 0 : POLLOUT)));
  }
  while (is_retry(gnutls_bye(session, GNUTLS_SHUT_WR))) wait_for(fd, POLLOUT);
  std::printf("sent %s\nreceived %s\n", sha256(sending.data()).c_str(), sha256(received).c_str());
  std::printf("updates %d\n", sending.updates());
  gnutls_deinit(session);
  gnutls_certificate_free_credentials(credentials);
  return 0;
}
