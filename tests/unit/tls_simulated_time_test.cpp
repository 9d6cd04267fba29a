// SPDX-License-Identifier: MIT
// Like simulated_time_test.cpp, for a TLS session: the client uses the fake system, and the server
// is OpenSSL's on memory. Every record of the handshake and the data may be moved in parts, late,
// or between interruptions.
#include <openssl/evp.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <pysock/ssl.hpp>

#include <cerrno>
#include <cstdio>
#include <memory>

#include "support/catch.hpp"
#include "support/simulation.hpp"

namespace sk = pysock;
using namespace test_support;
using std::int64_t;

namespace {

// A server with a self-signed certificate, which the client does not verify.
SSL_CTX* server_context() {
  static SSL_CTX* const context = [] {
    SSL_CTX* const made = SSL_CTX_new(TLS_server_method());
    EVP_PKEY* const key = EVP_EC_gen("P-256");
    X509* const certificate = X509_new();
    X509_gmtime_adj(X509_getm_notBefore(certificate), 0);
    X509_gmtime_adj(X509_getm_notAfter(certificate), 86400);
    X509_set_pubkey(certificate, key);
    X509_sign(certificate, key, EVP_sha256());
    SSL_CTX_use_certificate(made, certificate);
    SSL_CTX_use_PrivateKey(made, key);
    X509_free(certificate);
    EVP_PKEY_free(key);
    return made;
  }();
  return context;
}

class server {
 public:
  server() : ssl_(SSL_new(server_context()), SSL_free) {
    in_ = BIO_new(BIO_s_mem());
    out_ = BIO_new(BIO_s_mem());
    BIO_set_mem_eof_return(in_, -1);
    SSL_set_bio(ssl_.get(), in_, out_);
    SSL_set_accept_state(ssl_.get());
  }

  // Receives bytes that the client has sent.
  void hear(const std::string& bytes) {
    BIO_write(in_, bytes.data(), static_cast<int>(bytes.size()));
    char buffer[4096];
    for (int count = 1; count > 0;) {
      count = SSL_read(ssl_.get(), buffer, sizeof buffer);
      if (count > 0) got_.append(buffer, static_cast<std::size_t>(count));
    }
  }
  void write(const std::string& data) {
    SSL_write(ssl_.get(), data.data(), static_cast<int>(data.size()));
  }
  [[nodiscard]] bool is_ready() const { return SSL_is_init_finished(ssl_.get()) == 1; }
  // The number of bytes for the client.
  [[nodiscard]] std::size_t pending() const { return BIO_ctrl_pending(out_); }
  std::string say(std::size_t size) {
    std::string bytes(size, '\0');
    BIO_read(out_, bytes.data(), static_cast<int>(size));
    return bytes;
  }
  [[nodiscard]] const std::string& got() const { return got_; }

 private:
  std::unique_ptr<SSL, decltype(&SSL_free)> ssl_;
  BIO* in_ = nullptr;
  BIO* out_ = nullptr;
  std::string got_;
};

class tls_scenario {
 public:
  explicit tls_scenario(std::uint64_t seed) : dice_(seed) {}

  std::string run(std::uint64_t& calls, std::uint64_t& timeouts) {
    sk::ssl_context context(sk::PROTOCOL_TLS_CLIENT);
    context.check_hostname(false).verify_mode(sk::CERT_NONE);
    context.maximum_version(dice_.chance(70) ? sk::TLSVersion::TLSv1_3 : sk::TLSVersion::TLSv1_2);
    sk::interrupter stop;
    if (dice_.chance(60)) stop_ = &stop;
    sk::socket plain;
    if (stop_ != nullptr) plain.set_interrupter(stop);
    plain.connect({"127.0.0.1", 9});
    client_ = context.wrap_socket(std::move(plain), "localhost",
                                  sk::wrap_options().do_handshake_on_connect(false));
    fake::direct([this](const std::string& line) { return direct(line); });
    for (int i = 0; i < 30 && problem_.empty(); ++i) one_call();
    if (problem_.empty()) finish();
    fake::direct(nullptr);
    client_ = sk::ssl_socket(nullptr);
    calls += calls_;
    timeouts += timeouts_;
    return problem_;
  }

 private:
  void wrong(const std::string& what) {
    if (!problem_.empty()) return;
    problem_ =
        name_ + ": " + what + "\nlimit: " + limit_.text() + "; began at " + std::to_string(start_);
    const std::size_t shown = std::min<std::size_t>(trace_.size(), 60);
    for (auto line = trace_.end() - static_cast<std::ptrdiff_t>(shown); line != trace_.end();
         ++line)
      problem_ += "\n  " + *line;
  }

  // When the call times out. Attempts take no time here.
  [[nodiscard]] int64_t end() const {
    if (limit_.is == limit::kind::none) return never;
    return limit_.is == limit::kind::absolute ? std::max(limit_.time, start_)
                                              : start_ + limit_.time;
  }

  // ---- the system ----

  void hear() {
    const auto& sent = fake::sent_messages();
    for (; heard_ < sent.size(); ++heard_) server_.hear(sent[heard_].data);
  }

  // The server sends data that no call asked for.
  void speak() {
    if (!server_.is_ready() || is_draining_) return;
    const std::size_t size = dice_.chance(10) ? dice_.size(50'000) : dice_.size(2000);
    server_.write(stream_bytes.at(said_, size));
    said_ += size;
  }

  fake::step direct(const std::string& line) {
    if (name_.empty()) return {};
    ++steps_;
    trace_.push_back(std::to_string(fake::clock()) + " " + line);
    hear();
    const seam_call call(line);
    // After a problem the call might not end without a failure.
    if (!problem_.empty()) return fake::fails(ECONNRESET);
    if (call.is("poll")) return wait(call, call.number(2));
    if (call.is("pause")) return wait(call, call.number(0));
    return call.is_attempt() ? attempt(call) : fake::step();
  }

  [[nodiscard]] bool is_wild() const { return steps_ < 400; }
  [[nodiscard]] bool starves() const {
    return never_ready_ && limit_.is != limit::kind::none && !is_draining_;
  }

  void moved_on() { steps_at_once_ = 0; }

  fake::step wait(const seam_call& call, int64_t milliseconds) {
    if (must_end_ && !call.is("pause")) wrong(call.function + " after the interruption");
    if (stop_ != nullptr && !call.has_interrupter())
      wrong(call.function + " cannot be interrupted");
    if (must_end_) return {};
    if (milliseconds < 0 && limit_.is != limit::kind::none) wrong("waits without end");
    if (limit_.is == limit::kind::zero) wrong("waits, and may not");
    if (end() != never && milliseconds > 0 &&
        fake::clock() + milliseconds * millisecond >= end() + millisecond)
      wrong("would sleep past the deadline");
    moved_on();
    const int64_t most = milliseconds < 0 ? 10 * day : milliseconds * millisecond;
    const auto within = [&] { return std::chrono::nanoseconds(dice_.magnitude(most + 1) - 1); };
    if (stop_ != nullptr && !is_draining_ && dice_.chance(2)) {
      stop_->interrupt();
      must_end_ = true;
      return call.is("poll") ? fake::wakes().after(within()) : fake::step();
    }
    if (is_wild() && dice_.chance(interrupts_)) return fake::fails(EINTR).after(within());
    if (call.is("pause")) return {};
    if (server_.pending() == 0 && (!is_wild() || dice_.chance(50))) speak();
    if (is_wild() ? dice_.chance(lies_) : !starves()) return fake::ready();
    if (milliseconds >= 0 && (!is_wild() || dice_.chance(30))) return fake::times_out();
    return fake::ready_after(std::chrono::nanoseconds(dice_.magnitude(10 * day)));
  }

  fake::step attempt(const seam_call& call) {
    if (++steps_at_once_ > 300) wrong("loops without a sleep");
    const std::size_t most = call.size();
    if (is_wild()) {
      if (dice_.chance(blocks_)) return fake::fails(EAGAIN);
      if (dice_.chance(interrupts_)) return fake::fails(EINTR);
    } else if (starves()) {
      return fake::fails(EAGAIN);
    }
    const bool whole = !is_wild() || dice_.chance(50);
    if (call.sends()) {
      moved_on();
      return fake::takes(whole ? most : dice_.size(most));
    }
    if (server_.pending() == 0 && dice_.chance(30)) speak();
    const std::size_t size = std::min(server_.pending(), whole ? most : dice_.size(most));
    if (size == 0) return fake::fails(EAGAIN);
    moved_on();
    return fake::gives(server_.say(size));
  }

  // ---- calls ----

  template <class Call>
  std::size_t make(const char* name, const Call& call, std::error_code& ec) {
    name_ = name;
    steps_ = steps_at_once_ = 0;
    start_ = fake::clock();
    const bool was_interrupted = must_end_ = stop_ != nullptr && stop_->is_interrupted();
    trace_.clear();
    fake::clear_log();
    std::size_t count = 0;
    try {
      count = call(ec);
    } catch (const sk::error& e) {
      ec = e.code();
      count = e.transferred();
    }
    ++calls_;
    trace_.push_back(std::to_string(fake::clock()) + " ends: " + (ec ? ec.message() : "success"));
    const bool wants = ec == sk::ssl_errc::want_read || ec == sk::ssl_errc::want_write;
    if (ec == sk::errc::timed_out) {
      ++timeouts_;
      if (!limit_.ends()) wrong("times out, and has no timeout");
      if (limit_.ends() && fake::clock() < end()) wrong("times out too early");
    } else if (ec == std::errc::interrupted) {
      if (!must_end_) wrong("is interrupted without a reason");
    } else if (wants) {
      if (limit_.is != limit::kind::zero) wrong("does not wait");
    } else if (ec) {
      wrong("fails: " + ec.message());
    }
    if (was_interrupted && ec != std::errc::interrupted) wrong("is not ended by the interrupter");
    if (end() != never && fake::clock() > end() + millisecond) wrong("ends after its deadline");
    hear();
    if (server_.got() != stream_bytes.at(0, server_.got().size())) wrong("other bytes are sent");
    name_.clear();
    return count;
  }

  void one_call() {
    if (dice_.chance(50)) client_.settimeout((limit_ = limit::any(dice_)).value());
    blocks_ = dice_.below(90);
    interrupts_ = dice_.chance(50) ? dice_.below(60) : 0;
    lies_ = dice_.below(100);
    never_ready_ = dice_.chance(50);
    if (stop_ != nullptr && dice_.chance(70)) stop_->reset();
    std::error_code ec;
    if (!is_connected_) {
      make(
          "do_handshake", [&](std::error_code& e) { return client_.do_handshake(e), 0U; }, ec);
      is_connected_ = !ec;
    } else if (dice_.chance(50)) {
      send();
    } else {
      receive();
    }
  }

  void send() {
    // OpenSSL requires the same bytes again if it has sent a part of a record.
    const std::size_t size =
        std::max(again_, dice_.chance(20) ? dice_.size(60'000) : dice_.size(3000));
    const std::string data = stream_bytes.at(written_, size);
    const bool all = dice_.chance(50);
    const bool throws = dice_.chance(50);
    std::error_code ec;
    const std::size_t count = make(
        all ? "sendall" : "send",
        [&](std::error_code& e) {
          if (all) return throws ? client_.sendall(data) : client_.sendall(data, e);
          return throws ? client_.send(data) : client_.send(data, e);
        },
        ec);
    written_ += count;
    again_ = ec ? size - count : 0;
    name_ = "send";
    if (!ec && (all ? count != size : count == 0)) wrong("sends less than it says");
    if (server_.got().size() > written_ + again_) wrong("bytes are doubled");
    name_.clear();
  }

  void receive() {
    std::string buffer(dice_.size(20'000), '\0');
    const bool throws = dice_.chance(50);
    std::error_code ec;
    const std::size_t count = make(
        "recv_into",
        [&](std::error_code& e) {
          return throws ? client_.recv_into(buffer) : client_.recv_into(buffer, e);
        },
        ec);
    name_ = "recv_into";
    if (!ec && count == 0) wrong("an end that did not come");
    if (!ec && stream_bytes.at(read_, count) != buffer.substr(0, count))
      wrong("other bytes than were sent");
    if (!ec) read_ += count;
    if (read_ > said_) wrong("bytes are doubled");
    name_.clear();
  }

  void finish() {
    if (stop_ != nullptr) stop_->reset();
    is_draining_ = true;
    blocks_ = interrupts_ = 0;
    lies_ = 100;
    client_.settimeout(std::nullopt);
    limit_ = limit();
    std::error_code ec;
    if (!is_connected_)
      make(
          "do_handshake", [&](std::error_code& e) { return client_.do_handshake(e), 0U; }, ec);
    again_ = std::max(again_, std::size_t{1});
    const std::string data = stream_bytes.at(written_, again_);
    if (problem_.empty())
      written_ += make(
          "sendall", [&](std::error_code& e) { return client_.sendall(data, e); }, ec);
    while (problem_.empty() && read_ < said_) receive();
    name_ = "all of it";
    if (server_.got().size() != written_) wrong("bytes are lost");
  }

  dice dice_;
  server server_;
  sk::ssl_socket client_{nullptr};
  sk::interrupter* stop_ = nullptr;
  limit limit_;
  bool is_connected_ = false;
  bool is_draining_ = false;
  std::uint64_t blocks_ = 0;
  std::uint64_t interrupts_ = 0;
  std::uint64_t lies_ = 0;
  bool never_ready_ = false;
  std::string name_;  // of the current call
  int64_t start_ = 0;
  int steps_ = 0;
  int steps_at_once_ = 0;  // attempts without a wait or a byte in between
  bool must_end_ = false;
  std::vector<std::string> trace_;
  std::string problem_;
  std::size_t heard_ = 0;    // messages of the client that the server has received
  std::size_t said_ = 0;     // bytes that the server sent
  std::size_t read_ = 0;     // bytes that the client received
  std::size_t written_ = 0;  // bytes that the client sent
  std::size_t again_ = 0;    // least size of the next send
  std::uint64_t calls_ = 0;
  std::uint64_t timeouts_ = 0;
};

}  // namespace

TEST_CASE("TLS calls keep their deadlines and lose no bytes over years of simulated time",
          "[ssl][simulation]") {
  const std::uint64_t first =
      number_from_environment("PYSOCK_SIMULATED_SEED", std::random_device()());
  const std::uint64_t count = number_from_environment("PYSOCK_SIMULATED_SCENARIOS", 1000);
  std::uint64_t calls = 0;
  std::uint64_t timeouts = 0;
  double years = 0;
  for (std::uint64_t seed = first; seed - first < count; ++seed) {
    const fake::session session;
    const std::string problem = tls_scenario(seed).run(calls, timeouts);
    CAPTURE(seed, problem);
    REQUIRE(problem.empty());
    REQUIRE(fake::errors() == fake::lines{});
    REQUIRE(fake::open_count() == 0);
    years += static_cast<double>(fake::elapsed().count()) / static_cast<double>(year);
  }
  std::printf(
      "counted: %llu calls of TLS in %.0f years of simulated time: %llu timed out; seeds from "
      "%llu\n",
      static_cast<unsigned long long>(calls), years, static_cast<unsigned long long>(timeouts),
      static_cast<unsigned long long>(first));
}
