// SPDX-License-Identifier: MIT
// The program that figures.py measures, with this library or by hand: figures pysock|hand serve
// CERTFILE | send PORT CAFILE MEBIBYTES | receive PORT CAFILE MEBIBYTES | echo PORT CAFILE SIZE
// SECONDS | connect PORT CAFILE SECONDS | idle CERTFILE CAFILE PAIRS.
//
// By hand: OpenSSL's functions on blocking sockets, without timeouts and threads.
#include <arpa/inet.h>
#include <netinet/in.h>
#include <openssl/ssl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <fstream>
#include <iostream>
#include <pysock/create.hpp>
#include <pysock/ssl.hpp>
#include <thread>
#include <utility>
#include <vector>

namespace sk = pysock;

namespace {

constexpr std::size_t piece_size = 65536;
constexpr std::size_t order_size = 16;  // a client's first message: a word and a number

double now() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

// ---- the two contenders ----

namespace by_pysock {

class stream {
 public:
  explicit stream(sk::ssl_socket&& s) : socket_(std::move(s)) {}
  std::size_t recv_into(char* data, std::size_t size) { return socket_.recv_into({data, size}); }
  void sendall(const char* data, std::size_t size) { socket_.sendall({data, size}); }
  void end() { socket_.unwrap().close(); }  // returns after the peer has received everything

 private:
  sk::ssl_socket socket_;
};

class server {
 public:
  explicit server(const std::string& certificate) { context_.load_cert_chain(certificate); }
  stream over(int fd) const {
    return stream(context_.wrap_server(sk::from_fileno(fd, AF_INET, SOCK_STREAM, 0),
                                       sk::wrap_options().suppress_ragged_eofs(true)));
  }

 private:
  sk::ssl_context context_{sk::PROTOCOL_TLS_SERVER};
};

class client {
 public:
  explicit client(const std::string& ca)
      : context_(sk::create_default_context(sk::Purpose::SERVER_AUTH, ca)) {}
  stream over(int fd) const {
    return stream(context_.wrap_socket(sk::from_fileno(fd, AF_INET, SOCK_STREAM, 0), "127.0.0.1"));
  }

 private:
  sk::ssl_context context_;
};

}  // namespace by_pysock

namespace by_hand {

void check(bool holds, const char* what) {
  if (!holds) throw std::runtime_error(what);
}

class stream {
 public:
  stream(SSL_CTX* context, int fd, bool is_server) : ssl_(SSL_new(context)), fd_(fd) {
    SSL_set_fd(ssl_, fd);
    if (!is_server) SSL_set1_host(ssl_, "127.0.0.1");
    if ((is_server ? SSL_accept(ssl_) : SSL_connect(ssl_)) == 1) return;
    release();
    throw std::runtime_error("handshake");
  }
  stream(stream&& other) noexcept
      : ssl_(std::exchange(other.ssl_, nullptr)), fd_(std::exchange(other.fd_, -1)) {}
  stream& operator=(stream&&) = delete;
  ~stream() {
    if (ssl_ == nullptr) return;
    SSL_shutdown(ssl_);
    release();
  }

  std::size_t recv_into(char* data, std::size_t size) {
    const int count = SSL_read(ssl_, data, static_cast<int>(size));
    return count > 0 ? static_cast<std::size_t>(count) : 0;
  }
  void sendall(const char* data, std::size_t size) {
    check(SSL_write(ssl_, data, static_cast<int>(size)) == static_cast<int>(size), "write");
  }
  void end() {
    if (SSL_shutdown(ssl_) == 0) SSL_shutdown(ssl_);
  }

 private:
  void release() {
    SSL_free(ssl_);
    ::close(fd_);
  }

  SSL* ssl_;
  int fd_;
};

class server {
 public:
  explicit server(const std::string& certificate) {
    check(SSL_CTX_use_certificate_chain_file(context_, certificate.c_str()) == 1 &&
              SSL_CTX_use_PrivateKey_file(context_, certificate.c_str(), SSL_FILETYPE_PEM) == 1,
          "certificate");
  }
  stream over(int fd) const { return {context_, fd, true}; }

 private:
  SSL_CTX* context_ = SSL_CTX_new(TLS_server_method());
};

class client {
 public:
  explicit client(const std::string& ca) {
    check(SSL_CTX_load_verify_locations(context_, ca.c_str(), nullptr) == 1, "ca");
    SSL_CTX_set_verify(context_, SSL_VERIFY_PEER, nullptr);
  }
  stream over(int fd) const { return {context_, fd, false}; }

 private:
  SSL_CTX* context_ = SSL_CTX_new(TLS_client_method());
};

}  // namespace by_hand

// ---- the workloads ----

template <class Stream>
void receive_exactly(Stream& s, char* data, std::size_t size) {
  for (std::size_t done = 0; done < size;) {
    const std::size_t count = s.recv_into(data + done, size - done);
    if (count == 0) throw std::runtime_error("the connection ended");
    done += count;
  }
}

template <class Stream>
void obey(Stream& s) {
  std::string piece(piece_size, 'x');
  char order[order_size + 1] = {};
  receive_exactly(s, order, order_size);
  const std::string word(order, 4);
  if (word == "give") {
    for (long left = std::atol(order + 4) * 16; left > 0; --left)
      s.sendall(piece.data(), piece.size());
  }
  while (const std::size_t count = s.recv_into(piece.data(), piece.size()))
    if (word == "echo") s.sendall(piece.data(), count);
  s.end();
}

template <class Server>
int serve(const std::string& certificate) {
  const Server server(certificate);
  sk::socket listener = sk::create_server({"127.0.0.1", 0});
  std::cout << listener.getsockname().port() << std::endl;
  for (;;) {
    try {
      sk::socket plain = listener.accept().conn;
      plain.setsockopt(IPPROTO_TCP, TCP_NODELAY, 1);
      auto s = server.over(plain.detach());
      obey(s);
    } catch (const std::exception&) {
      continue;  // the client closed without its order
    }
  }
}

template <class Client>
auto connect(const Client& client, const std::string& port) {
  sk::socket plain = sk::create_connection({"127.0.0.1", port});
  plain.setsockopt(IPPROTO_TCP, TCP_NODELAY, 1);
  return client.over(plain.detach());
}

template <class Stream>
void order(Stream& s, std::string text) {
  text.resize(order_size, ' ');
  s.sendall(text.data(), text.size());
}

template <class Client>
int send(const std::string& port, const std::string& ca, int mebibytes) {
  const Client client(ca);
  auto s = connect(client, port);
  order(s, "drop");
  const std::string piece(piece_size, 'x');
  const double start = now();
  for (int i = 0; i < mebibytes * 16; ++i) s.sendall(piece.data(), piece.size());
  s.end();
  std::cout << mebibytes / (now() - start) << '\n';
  return 0;
}

template <class Client>
int receive(const std::string& port, const std::string& ca, int mebibytes) {
  const Client client(ca);
  auto s = connect(client, port);
  std::string piece(piece_size, 'x');
  const double start = now();
  order(s, "give" + std::to_string(mebibytes));
  for (int i = 0; i < mebibytes * 16; ++i) receive_exactly(s, piece.data(), piece.size());
  std::cout << mebibytes / (now() - start) << '\n';
  s.end();
  return 0;
}

template <class Client>
int echo(const std::string& port, const std::string& ca, std::size_t size, double seconds) {
  const Client client(ca);
  auto s = connect(client, port);
  order(s, "echo");
  std::string piece(size, 'x');
  long count = 0;
  const double start = now();
  for (; now() - start < seconds; ++count) {
    s.sendall(piece.data(), size);
    receive_exactly(s, piece.data(), size);
  }
  std::cout << static_cast<double>(count) / (now() - start) << '\n';
  s.end();
  return 0;
}

template <class Client>
int handshakes(const std::string& port, const std::string& ca, double seconds) {
  const Client client(ca);
  int count = 0;
  const double start = now();
  for (; now() - start < seconds; ++count) (void)connect(client, port);
  std::cout << count / (now() - start) << '\n';
  return 0;
}

// Resident memory of the process in KiB, from /proc.
long resident() {
  long all = 0;
  long now = 0;
  std::ifstream("/proc/self/statm") >> all >> now;
  return now * 4;
}

// Prints the KiB per end of connections that have carried a few bytes in both directions.
template <class Client, class Server>
int idle(const std::string& certificate, const std::string& ca, int pairs) {
  const Client client(ca);
  const Server server(certificate);
  using stream = decltype(client.over(0));
  std::vector<stream> kept;
  kept.reserve(4 * static_cast<std::size_t>(pairs));
  char buffer[5];
  const auto add = [&] {
    for (int i = 0; i < pairs; ++i) {
      auto [ours, theirs] = sk::socketpair();
      std::vector<stream> accepted;
      std::thread serving([&, fd = theirs.detach()] { accepted.push_back(server.over(fd)); });
      stream c = client.over(ours.detach());
      serving.join();
      accepted[0].sendall("hello", 5);
      receive_exactly(c, buffer, 5);
      c.sendall("hello", 5);
      receive_exactly(accepted[0], buffer, 5);
      kept.push_back(std::move(accepted[0]));
      kept.push_back(std::move(c));
    }
  };
  add();
  const long before = resident();
  add();
  std::cout << static_cast<double>(resident() - before) / (2 * pairs) << std::endl;
  ::_exit(0);
}

template <class Client, class Server>
int run(const std::vector<std::string>& arguments) {
  const std::string& what = arguments.at(0);
  if (what == "serve") return serve<Server>(arguments.at(1));
  const std::string& ca = arguments.at(2);
  if (what == "send") return send<Client>(arguments[1], ca, std::stoi(arguments.at(3)));
  if (what == "receive") return receive<Client>(arguments[1], ca, std::stoi(arguments.at(3)));
  if (what == "connect") return handshakes<Client>(arguments[1], ca, std::stod(arguments.at(3)));
  if (what == "idle") return idle<Client, Server>(arguments[1], ca, std::stoi(arguments.at(3)));
  if (what == "echo")
    return echo<Client>(arguments[1], ca, std::stoul(arguments.at(3)), std::stod(arguments.at(4)));
  return 2;
}

}  // namespace

int main(int argc, char** argv) try {
  std::signal(SIGPIPE, SIG_IGN);  // OpenSSL's own writes raise it
  const std::string contender = argc > 1 ? argv[1] : "";
  const std::vector<std::string> arguments(argv + 2, argv + argc);
  if (contender == "pysock") return run<by_pysock::client, by_pysock::server>(arguments);
  if (contender == "hand") return run<by_hand::client, by_hand::server>(arguments);
  return 2;
} catch (const std::exception& e) {
  std::cerr << e.what() << '\n';
  return 1;
}
