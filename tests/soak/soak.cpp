// SPDX-License-Identifier: MIT
// Runs a server and its clients over TCP, UDP, AF_UNIX and TLS: soak MINUTES FOLDER-OF-CERTIFICATES
// [SEED]. Meanwhile clients stall, reset, half-close and are killed, signals arrive, descriptors
// run out, certificates are loaded again, calls are interrupted, and an address appears and
// disappears. Every byte is compared with the one sent. At the end no descriptor and no thread may
// be left.
#include <net/if.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <spawn.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cinttypes>
#include <condition_variable>
#include <csignal>
#include <cstdio>
#include <deque>
#include <filesystem>
#include <functional>
#include <optional>
#include <pysock/create.hpp>
#include <pysock/inet.hpp>
#include <pysock/selectors.hpp>
#include <thread>

#include "soak/exchange.hpp"
#include "support/descriptors.hpp"
#include "support/private_etc.hpp"
#include "support/temporary_directory.hpp"

extern char** environ;

using namespace soak;
using namespace std::chrono_literals;
using test_support::dice;

namespace {

constexpr auto server_patience = 2s;
constexpr auto client_patience = 5s;
constexpr std::uint64_t vanishing = std::uint64_t{1} << 63;  // in the id of a client that is killed

enum transport { tcp, unix_stream, tls, udp, transports };
const char* const transport_names[] = {"TCP", "AF_UNIX", "TLS", "UDP"};

// ---- signals ----

std::atomic<std::uint64_t> signals_handled{0};
thread_local std::atomic<sk::interrupter*> own_stop{nullptr};

void on_signal(int) { signals_handled.fetch_add(1, std::memory_order_relaxed); }
void on_interrupting_signal(int number) {
  on_signal(number);
  if (sk::interrupter* const stop = own_stop.load()) stop->interrupt();
}

void install(int number, void (*handler)(int), int flags) {
  struct sigaction action {};
  action.sa_handler = handler;
  action.sa_flags = flags;
  ::sigaction(number, &action, nullptr);
}

bool go_on(void* count) noexcept {
  static_cast<std::atomic<std::uint64_t>*>(count)->fetch_add(1, std::memory_order_relaxed);
  return true;
}

// ---- errors that are allowed ----

// The name of an error that the mishaps can cause; empty for others.
std::string explained(const std::error_code& ec) {
  if (ec == sk::errc::timed_out) return "timeout";
  if (ec == sk::errc::incomplete_read || ec == sk::ssl_errc::eof) return "end of the stream";
  if (ec == sk::ssl_errc::zero_return) return "end of the session";
  for (const int number : {ECONNRESET, EPIPE, ECONNABORTED, ECONNREFUSED, EMFILE, ETIMEDOUT, EINTR,
                           ENOTCONN, EADDRNOTAVAIL, ENETUNREACH, EHOSTUNREACH, EAGAIN}) {
    if (ec == std::error_code(number, std::generic_category())) return ec.message();
    if (ec.category() == sk::detail::sys::category() && ec.value() == number) return ec.message();
  }
  return "";
}

class soaking {
 public:
  soaking(std::string folder, std::uint64_t seed, bool has_network, std::string program)
      : seed_(seed),
        certificates_(std::move(folder)),
        has_network_(has_network),
        program_(std::move(program)) {
    server_context_.load_cert_chain(certificates_ + "/server.pem", certificates_ + "/server.key");
    for (const transport which : {tcp, tls})
      listeners_[which] = sk::create_server({has_network ? "0.0.0.0" : "127.0.0.1", 0});
    listeners_[unix_stream] = sk::create_server(unix_path());
    listeners_[udp] = sk::socket(AF_INET, SOCK_DGRAM);
    listeners_[udp].bind({has_network ? "0.0.0.0" : "127.0.0.1", 0});
    for (sk::socket& s : listeners_) {
      s.settimeout(0);
      s.set_interrupter(stop_);
    }
  }

  void run(double minutes);
  // Runs clients in a process that will be killed.
  [[noreturn]] static void run_victim(const std::string& certificates, char** ports,
                                      std::uint64_t seed);
  void report() const;
  [[nodiscard]] ledger& book() { return book_; }

 private:
  struct job {
    sk::socket s;
    transport which;
  };

  [[nodiscard]] std::string unix_path() const { return directory_ / "listener"; }

  void start(std::function<void(dice&)> body);
  void serve(dice& random);
  void take_connections(transport which, dice& random);
  void answer_datagrams();
  void work(dice& random);
  void do_job(job& next, dice& random);
  void be_clients(dice& random);
  void be_datagram_client(dice& random);
  void disturb(dice& random);
  void kill_clients(dice& random);
  void run_out_of_descriptors(dice& random);
  void load_certificates(dice& random);
  void move_address();
  void note(const std::error_code& ec, const std::string& who, const char* what);

  const std::uint64_t seed_;
  const test_support::temporary_directory directory_;
  const std::string certificates_;
  const bool has_network_;
  const std::string program_;
  ledger book_;
  std::atomic<bool> going_{true};    // for clients and mishaps
  std::atomic<bool> serving_{true};  // for the server
  std::atomic<std::uint64_t> hooks_{0};
  std::atomic<std::uint64_t> next_id_{1};
  sk::interrupter stop_;  // ends the server
  sk::socket listeners_[transports] = {sk::socket(nullptr), sk::socket(nullptr),
                                       sk::socket(nullptr), sk::socket(nullptr)};
  sk::ssl_context server_context_ = sk::create_default_context(sk::Purpose::CLIENT_AUTH);
  std::mutex mutex_;
  std::condition_variable more_;
  std::deque<job> jobs_;
  std::mutex limit_;  // held while descriptors are short, and while a process starts
  std::vector<std::thread> clients_, servers_;
  bool has_address_ = false;
};

void soaking::note(const std::error_code& ec, const std::string& who, const char* what) {
  const std::string reason = explained(ec);
  if (reason.empty())
    book_.failed(who + ": " + what);
  else
    book_.count(who + " ended by: " + reason);
}

// ---- the server ----

// Accepts connections and answers datagrams, in one thread.
void soaking::serve(dice& random) {
  sk::selector<transport> ready;
  ready.set_interrupter(stop_);
  for (const transport which : {tcp, unix_stream, tls, udp})
    ready.register_(listeners_[which], sk::EVENT_READ, which);
  while (serving_) {
    std::error_code ec;
    for (const auto& [key, events] : ready.select(1s, ec)) {
      (void)events;
      key.data() == udp ? answer_datagrams() : take_connections(key.data(), random);
    }
    if (ec && ec != std::errc::interrupted) book_.failed("select: " + ec.message());
  }
}

void soaking::take_connections(transport which, dice&) {
  for (;;) {
    std::error_code ec;
    sk::accept_result result = listeners_[which].accept(ec);
    if (ec) {
      if (ec == std::errc::too_many_files_open) {
        book_.count("accepts without a descriptor");
        std::this_thread::sleep_for(2ms);  // the connection stays in the queue
      } else if (ec != std::errc::operation_would_block && ec != std::errc::interrupted) {
        note(ec, "accept", ec.message().c_str());
      }
      return;
    }
    book_.count(std::string("connections accepted, ") + transport_names[which]);
    const std::lock_guard<std::mutex> lock(mutex_);
    jobs_.push_back({std::move(result.conn), which});
    more_.notify_one();
  }
}

void soaking::answer_datagrams() {
  char buffer[2048];
  for (int i = 0; i < 64; ++i) {
    std::error_code ec;
    sk::endpoint from;
    const std::size_t size = listeners_[udp].recvfrom_into(buffer, from, 0, ec);
    if (!ec) (void)listeners_[udp].sendto(sk::const_bytes(buffer, size), 0, from, ec);
    if (ec == std::errc::operation_would_block || ec == std::errc::interrupted) return;
    if (ec)
      note(ec, "UDP server", ec.message().c_str());
    else
      book_.count("datagrams answered");
  }
}

void soaking::work(dice& random) {
  while (serving_) {
    std::unique_lock<std::mutex> lock(mutex_);
    more_.wait(lock, [this] { return !jobs_.empty() || !serving_; });
    if (jobs_.empty()) return;
    job next = std::move(jobs_.front());
    jobs_.pop_front();
    lock.unlock();
    do_job(next, random);
  }
}

void soaking::do_job(job& next, dice& random) {
  const std::string who = std::string(transport_names[next.which]) + " server";
  order o{};
  std::uint64_t received = 0;
  bool whole = false;
  try {
    next.s.settimeout(server_patience);
    next.s.set_interrupt_hook(&go_on, &hooks_);
    if (next.which == tls) {
      sk::ssl_socket s = server_context_.wrap_server(std::move(next.s));
      be_server(s, random, book_, received, o);
      whole = true;
      std::error_code ec;
      if (random.chance(50)) {
        sk::socket plain = s.unwrap(ec);
      } else {
        s.close(ec);
      }
      if (ec) note(ec, who + "'s closing", ec.message().c_str());
    } else {
      be_server(next.s, random, book_, received, o);
      whole = true;
      book_.count(next.s.close_gracefully(1s) ? "connections closed in order"
                                              : "connections whose peer did not end");
    }
  } catch (const wrong_bytes& e) {
    book_.failed(who + ": " + e.what);
  } catch (const sk::error& e) {
    note(e.code(), who, e.what());
  }
  if (whole) book_.count("exchanges served");
  if (o.id != 0 && (o.id & vanishing) == 0) book_.received(o.id, received, whole);
}

// ---- the clients ----

// The transport and the address of a server.
struct way {
  transport which;
  sk::host_port to;
};

template <class Then>
void with_connection(const way& there, const sk::ssl_context& context, sk::ssl_session& session,
                     sk::interrupter* stop, std::atomic<std::uint64_t>& hooks, dice& random,
                     const Then& then) {
  sk::connection_options options;
  if (stop != nullptr) options.interrupter(*stop);
  sk::socket s = sk::create_connection(there.to, client_patience, options);
  s.set_interrupt_hook(&go_on, &hooks);
  if (there.which != tls) {
    if (random.chance(10)) s.setsockopt(SOL_SOCKET, SO_RCVBUF, 4096);
    then(s);
    return;
  }
  sk::wrap_options how;
  how.do_handshake_on_connect(false);
  if (session && random.chance(50)) how.session(session);
  sk::ssl_socket secured = context.wrap_socket(std::move(s), "localhost", how);
  for (;;) {
    std::error_code ec;
    secured.do_handshake(ec);
    if (!ec) break;
    if (ec != std::errc::interrupted || stop == nullptr) throw sk::error(ec, "do_handshake");
    stop->reset();
  }
  then(secured);
  if (secured) session = secured.session();  // a mishap may have closed it
}

void soaking::be_clients(dice& random) {
  sk::interrupter stop;
  own_stop = &stop;
  const sk::ssl_context context =
      sk::create_default_context(sk::Purpose::SERVER_AUTH, certificates_ + "/ca.pem");
  sk::ssl_session session;
  while (going_) {
    const auto which = static_cast<transport>(random.below(3));
    const bool by_other_address = has_network_ && random.chance(30);
    const sk::host_port to = which == unix_stream
                                 ? sk::host_port(unix_path())
                                 : sk::host_port(by_other_address ? "10.77.0.1" : "127.0.0.1",
                                                 listeners_[which].getsockname().port());
    const std::string who = std::string(transport_names[which]) + " client";
    const order o{next_id_++, random.below(1U << 31),
                  static_cast<std::uint64_t>(random.size(300'000)),
                  static_cast<std::uint64_t>(random.size(300'000))};
    const std::uint64_t chance = random.below(100);
    const mishap what = chance < 1    ? mishap::stall
                        : chance < 6  ? mishap::reset
                        : chance < 11 ? mishap::close
                                      : mishap::none;
    std::uint64_t sent = 0;
    bool whole = false;
    try {
      with_connection({which, to}, context, session, &stop, hooks_, random, [&](auto& s) {
        whole = be_client(s, o, what, &stop, random, book_, sent, [&] {
          book_.count("stalls");
          std::this_thread::sleep_for(server_patience + 500ms);
        });
        // After a complete exchange the client may also reset the connection.
        if (whole && random.chance(50)) reset_when_closed(s);
      });
      if (whole) book_.count(std::string("exchanges completed, ") + transport_names[which]);
      if (what == mishap::reset) book_.count("connections reset");
      if (what == mishap::close) book_.count("connections closed halfway");
    } catch (const wrong_bytes& e) {
      book_.failed(who + ": " + e.what);
    } catch (const sk::error& e) {
      note(e.code(), who, e.what());
    }
    if (stop.is_interrupted()) stop.reset();
    book_.sent(o.id, sent, whole);
  }
  own_stop = nullptr;
}

void soaking::be_datagram_client(dice& random) {
  sk::interrupter stop;
  own_stop = &stop;
  sk::socket s(AF_INET, SOCK_DGRAM);
  s.settimeout(200ms);
  s.set_interrupter(stop);
  const sk::address to("127.0.0.1", listeners_[udp].getsockname().port());
  std::string buffer(2048, '\0');
  while (going_) {
    const std::uint64_t seed = random.below(1U << 31);
    const std::string data = std::string(reinterpret_cast<const char*>(&seed), sizeof seed) +
                             bytes_of(seed, random.below(1000));
    std::error_code ec;
    (void)s.sendto(data, 0, to, ec);
    if (!ec) book_.count("datagrams sent");
    // The answer may be to an earlier datagram, so it contains its seed.
    std::size_t size = 0;
    if (!ec) size = s.recvfrom_into(sk::mutable_bytes(buffer), 0, 0, ec).nbytes;
    if (ec == std::errc::interrupted) {
      stop.reset();
    } else if (ec == sk::errc::timed_out) {
      book_.count("datagrams without an answer in time");
    } else if (ec) {
      note(ec, "UDP client", ec.message().c_str());
    } else {
      std::uint64_t said = 0;
      std::memcpy(&said, buffer.data(), sizeof said);
      if (size < sizeof said ||
          buffer.compare(sizeof said, size - sizeof said, bytes_of(said, size - sizeof said)) != 0)
        book_.failed("UDP client: other bytes than were sent");
      book_.count("datagrams come back");
    }
  }
  own_stop = nullptr;
}

void soaking::run_victim(const std::string& certificates, char** ports, std::uint64_t seed) {
  dice random(seed);
  ledger book;
  std::atomic<std::uint64_t> hooks{0};
  const sk::ssl_context context =
      sk::create_default_context(sk::Purpose::SERVER_AUTH, certificates + "/ca.pem");
  sk::ssl_session session;
  for (;;) {
    const auto which = static_cast<transport>(random.below(3));
    const sk::host_port to = which == unix_stream
                                 ? sk::host_port(ports[unix_stream])
                                 : sk::host_port("127.0.0.1", std::atoi(ports[which]));
    const order o{vanishing | random.below(1U << 31), random.below(1U << 31), most_bytes,
                  most_bytes};
    std::uint64_t sent = 0;
    try {
      with_connection({which, to}, context, session, nullptr, hooks, random, [&](auto& s) {
        be_client(s, o, mishap::none, nullptr, random, book, sent, [] {});
      });
    } catch (const sk::error&) {  // the server reports the error
    }
  }
}

// ---- mishaps ----

void soaking::kill_clients(dice& random) {
  const std::string tcp_port = std::to_string(listeners_[tcp].getsockname().port());
  const std::string tls_port = std::to_string(listeners_[tls].getsockname().port());
  while (going_) {
    const std::string seed = std::to_string(random.below(1U << 31));
    std::vector<std::string> words = {program_,    "--victim", certificates_, tcp_port,
                                      unix_path(), tls_port,   seed};
    std::vector<char*> arguments;
    for (std::string& word : words) arguments.push_back(word.data());
    arguments.push_back(nullptr);
    pid_t child = -1;
    {
      const std::lock_guard<std::mutex> lock(limit_);
      if (::posix_spawn(&child, program_.c_str(), nullptr, nullptr, arguments.data(), environ) !=
          0) {
        book_.failed("posix_spawn");
        return;
      }
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(200 + random.below(1500)));
    ::kill(child, SIGKILL);
    int status = 0;
    while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
    }
    if (!WIFSIGNALED(status)) book_.failed("a client to be killed ended by itself");
    book_.count("client processes killed");
  }
}

void soaking::run_out_of_descriptors(dice& random) {
  const std::lock_guard<std::mutex> lock(limit_);
  rlimit before{};
  ::getrlimit(RLIMIT_NOFILE, &before);
  rlimit none = before;
  none.rlim_cur = 3;  // the descriptors that are open stay open
  ::setrlimit(RLIMIT_NOFILE, &none);
  std::this_thread::sleep_for(std::chrono::milliseconds(5 + random.below(30)));
  ::setrlimit(RLIMIT_NOFILE, &before);
  book_.count("times without descriptors");
}

// Runs during connections. One load in three fails and must keep the old certificate.
void soaking::load_certificates(dice& random) {
  const std::string name = certificates_ + (random.chance(50) ? "/server" : "/client");
  const bool fits = random.below(3) != 0;
  try {
    server_context_.load_cert_chain(name + ".pem",
                                    fits ? name + ".key" : certificates_ + "/ca.key");
    if (!fits) book_.failed("a key is taken that does not belong to the certificate");
    book_.count("certificates loaded");
  } catch (const sk::error&) {
    if (fits) book_.failed("a certificate is not loaded");
    book_.count("certificates refused");
  }
}

// Adds an address to the loopback, or removes it.
void soaking::move_address() {
  if (!has_network_) return;
  const sk::socket any(AF_INET, SOCK_DGRAM);
  ifreq alias{};
  std::strcpy(alias.ifr_name, "lo:1");
  bool moved = false;
  if (has_address_) {
    moved = ::ioctl(any.fileno(), SIOCSIFFLAGS, &alias) == 0;  // down: the alias is deleted
  } else {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = sk::htonl(0x0A4D0001);
    std::memcpy(&alias.ifr_addr, &address, sizeof address);
    moved = ::ioctl(any.fileno(), SIOCSIFADDR, &alias) == 0;
  }
  if (!moved) book_.failed("the address cannot be changed");
  has_address_ = !has_address_;
  book_.count(has_address_ ? "addresses that came" : "addresses that went");
}

void soaking::disturb(dice& random) {
  move_address();
  while (going_) {
    std::this_thread::sleep_for(std::chrono::milliseconds(1 + random.below(10)));
    constexpr int numbers[] = {SIGUSR1, SIGUSR1, SIGUSR1, SIGUSR2, SIGUSR2, SIGWINCH};
    std::vector<std::thread>& some = random.chance(70) ? clients_ : servers_;
    std::thread& one = some[static_cast<std::size_t>(random.below(some.size()))];
    ::pthread_kill(one.native_handle(), numbers[random.below(6)]);
    book_.count("signals sent");
    if (random.chance(1)) run_out_of_descriptors(random);
    if (random.chance(2)) load_certificates(random);
    if (random.chance(1)) move_address();
  }
}

// ---- the run ----

void soaking::run(double minutes) {
  install(SIGUSR1, on_signal, SA_RESTART);
  install(SIGUSR2, on_signal, 0);
  install(SIGWINCH, on_interrupting_signal, 0);
  std::uint64_t seed = seed_;
  const auto start = [&](std::vector<std::thread>& where, void (soaking::*body)(dice&)) {
    where.emplace_back([this, body, own = ++seed] {
      dice random(own);
      try {
        (this->*body)(random);
      } catch (const std::exception& e) {
        book_.failed(std::string("a thread ends: ") + e.what());
      }
    });
  };
  start(servers_, &soaking::serve);
  for (int i = 0; i < 6; ++i) start(servers_, &soaking::work);
  for (int i = 0; i < 6; ++i) start(clients_, &soaking::be_clients);
  start(clients_, &soaking::be_datagram_client);
  std::vector<std::thread> mishaps;
  start(mishaps, &soaking::kill_clients);
  start(mishaps, &soaking::disturb);

  const auto begin = std::chrono::steady_clock::now();
  const std::chrono::duration<double> length(minutes * 60);
  std::uint64_t steps = 0;
  auto last_step = begin;
  for (auto now = begin; now - begin < length && book_.failures().empty();
       now = std::chrono::steady_clock::now()) {
    std::this_thread::sleep_for(100ms);
    if (steps != book_.steps()) last_step = now;
    steps = book_.steps();
    if (now - last_step > 60s) {
      report();
      std::fputs("soak: no progress for a minute\n", stderr);
      std::abort();
    }
  }

  ::alarm(240);  // a hang from here on is a failure
  going_ = false;
  for (auto* threads : {&mishaps, &clients_}) {
    for (std::thread& one : *threads) one.join();
  }
  {
    const std::lock_guard<std::mutex> lock(mutex_);  // so that no worker misses the change
    serving_ = false;
  }
  stop_.interrupt();
  more_.notify_all();
  for (std::thread& one : servers_) one.join();
  if (has_address_) move_address();
  ::alarm(0);
  book_.count("signals handled", signals_handled);
  book_.count("calls asked by a hook whether to go on", hooks_);
}

void soaking::report() const {
  for (const auto& [what, times] : book_.counts())
    std::printf("counted: %12" PRIu64 " %s\n", times, what.c_str());
  for (const std::string& failure : book_.failures()) std::printf("FAILED: %s\n", failure.c_str());
}

std::size_t thread_count() {
  std::error_code missing;
  std::size_t count = 0;
  for (const auto& one : std::filesystem::directory_iterator("/proc/self/task", missing))
    count += one.exists() ? 1 : 0;
  return count;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc == 7 && std::string(argv[1]) == "--victim")
    soaking::run_victim(argv[2], argv + 3, std::strtoull(argv[6], nullptr, 10));
  if (argc != 3 && argc != 4) {
    std::fputs("usage: soak MINUTES FOLDER-OF-CERTIFICATES [SEED]\n", stderr);
    return 2;
  }
  std::setvbuf(stdout, nullptr, _IOLBF, 0);
  const std::uint64_t seed =
      argc == 4 ? std::strtoull(argv[3], nullptr, 10) : std::random_device()() >> 1;
  const std::string refused = test_support::enter_private_network();
  std::printf("soak: %s minutes, seed %" PRIu64 ", %s\n", argv[1], seed,
              refused.empty()
                  ? "in a network of its own, with an address that comes and goes"
                  : ("over the loopback, without addresses that come and go: " + refused).c_str());
  bool passed = false;
  // With the first thread ThreadSanitizer starts its own, and OpenSSL may open files once.
  std::thread([] { const sk::ssl_context first(sk::PROTOCOL_TLS_CLIENT); }).join();
  const std::size_t threads = thread_count();
  const auto descriptors = test_support::open_descriptors();
  {
    soaking all(argv[2], seed, refused.empty(), std::filesystem::canonical(argv[0]).string());
    all.run(std::atof(argv[1]));
    all.report();
    passed = all.book().failures().empty();
  }
  const auto left = test_support::open_descriptors();
  if (left != descriptors) {
    std::printf("FAILED: %zu descriptors before, %zu after\n", descriptors.size(), left.size());
    passed = false;
  }
  // The kernel may still list a thread that has been joined.
  std::size_t still = thread_count();
  for (int i = 0; i < 100 && still > threads; ++i, still = thread_count())
    std::this_thread::sleep_for(10ms);
  if (still > threads) {
    std::printf("FAILED: %zu threads before, %zu after\n", threads, still);
    passed = false;
  }
  std::printf("soak: %s\n", passed ? "passed; nothing is left over" : "FAILED");
  return passed ? 0 : 1;
}
