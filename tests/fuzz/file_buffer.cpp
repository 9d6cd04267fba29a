// SPDX-License-Identifier: MIT
// Random calls of a file on the fake system, compared with a model. The fake returns pieces of
// every size, would-block, EINTR, failures and false readiness, and time passes. The checks:
// received bytes are read once and in order, written bytes are sent once and in order, and every
// call ends by its deadline plus one attempt.
#include <cerrno>
#include <pysock/file.hpp>
#include <pysock/socket.hpp>
#include <vector>

#include "fuzz.hpp"
#include "support/fake_sys.hpp"

namespace sk = pysock;
using namespace std::chrono_literals;

namespace {

constexpr std::chrono::nanoseconds longest_step = 50ms;
constexpr std::size_t most_calls = 200;

// Bytes that differ from their neighbours, with some newlines.
class pattern {
 public:
  std::string next(std::size_t size, std::size_t line) {
    std::string bytes(size, '\0');
    for (char& c : bytes) {
      ++count_;
      c = count_ % (line + 1) == 0 ? '\n' : static_cast<char>('!' + count_ % 89);
    }
    return bytes;
  }

 private:
  std::size_t count_ = 0;
};

class run {
 public:
  explicit run(fuzz::input& in) : in_(in) {}

  void all() {
    constexpr int sizes[] = {-1, 0, 1, 2, 7, 64, 300, 10000};
    const int bufsize = sizes[in_.number(std::size(sizes) - 1)];
    reads_much_ = bufsize < 0 || bufsize >= 64;
    line_ = 1 + in_.number(100);
    blocking_ = in_.number(3) == 3;
    script_receiving();
    script_sending();
    script_polling();

    sk::socket s;
    if (blocking_) {
      s.settimeout(std::nullopt);
    } else {
      s.settimeout(0);
    }
    file_ = s.makefile("rw", bufsize);
    s.close();
    set_timeout();
    for (std::size_t i = 0; i < most_calls && !in_.empty(); ++i) timed([&] { call(); });
    finish();
    FUZZ_CHECK(fake::open_count() == 0);
    FUZZ_CHECK(fake::errors().empty());
  }

 private:
  // ---- the other end ----

  void script_receiving() {
    std::vector<fake::step> steps;
    const std::size_t count = in_.number(30);
    for (std::size_t i = 0; i < count; ++i) {
      const std::size_t kind = in_.number(7);
      if (kind < 4) {
        const std::size_t most = kind == 0 && reads_much_ ? 40000 : 200;
        const std::string piece = arriving_.next(1 + in_.number(most), line_);
        arrives_ += piece;
        steps.push_back(fake::gives(piece));
      } else {
        steps.push_back(fake::fails(kind < 6 ? EAGAIN : kind == 6 ? EINTR : ECONNRESET));
      }
    }
    ends_ = in_.number(1) == 1 || blocking_;
    steps.push_back((ends_ ? fake::returns(0) : fake::fails(EAGAIN)).always());
    blocking_ ? fake::on_recv(std::move(steps)) : fake::on_recv_now(std::move(steps));
  }

  void script_sending() {
    std::vector<fake::step> steps;
    const std::size_t count = in_.number(30);
    for (std::size_t i = 0; i < count; ++i) {
      const std::size_t kind = in_.number(7);
      if (kind < 4)
        steps.push_back(fake::takes(1 + in_.number(300)));
      else
        steps.push_back(fake::fails(kind < 6 ? EAGAIN : kind == 6 ? EINTR : EPIPE));
    }
    stalls_ = in_.number(3) == 3 && !blocking_;
    if (stalls_) steps.push_back(fake::fails(EAGAIN).always());
    blocking_ ? fake::on_send(std::move(steps)) : fake::on_send_now(std::move(steps));
  }

  void script_polling() {
    std::vector<fake::step> steps;
    const std::size_t count = in_.number(10);
    for (std::size_t i = 0; i < count; ++i) {
      const int time = static_cast<int>(in_.number(50));
      switch (in_.number(3)) {
        case 0:
          steps.push_back(fake::ready_after(time));
          break;
        case 1:
          steps.push_back(fake::fails(EINTR).after(time));
          break;
        default:
          steps.push_back(blocking_ ? fake::ready() : fake::times_out().after(time));
      }
    }
    const std::size_t last = in_.number(2);
    if (last == 1) steps.push_back(fake::ready_after(1).always());
    if (last == 2 && !blocking_) steps.push_back(fake::times_out().always());
    fake::on_poll(std::move(steps));
  }

  // ---- calls ----

  void set_timeout() {
    constexpr std::chrono::milliseconds times[] = {0ms, 1ms, 20ms, 500ms};
    limit_ = times[in_.number(std::size(times) - 1)];
    if (!blocking_) file_.settimeout(limit_);
  }

  // Makes a call, which may fail, and checks when it ended.
  template <class Call>
  bool timed(const Call& call) {
    const std::int64_t before = fake::clock();
    each_refill_ = false;
    bool worked = false;
    try {
      call();
      worked = true;
    } catch (const sk::timeout&) {
      FUZZ_CHECK(!blocking_ && limit_ != 0ms);
    } catch (const sk::blocking_io_error&) {
      FUZZ_CHECK(!blocking_ && limit_ == 0ms);
    } catch (const sk::connection_reset_error&) {
    } catch (const sk::broken_pipe_error&) {
    }
    const std::chrono::nanoseconds taken(fake::clock() - before);
    FUZZ_CHECK(blocking_ || each_refill_ || taken <= limit_ + longest_step);
    FUZZ_CHECK(limit_ != 0ms || blocking_ || taken == 0ns);
    return worked;
  }

  void call() {
    switch (in_.number(15)) {
      case 0:
        return read(in_.number(20000));
      case 1:
        return read(in_.number(100));
      case 2:
        took(file_.read());
        return FUZZ_CHECK(at_end());
      case 3:
        return check_line(file_.readline(), no_limit);
      case 4: {
        const std::size_t limit = in_.number(200);
        return check_line(file_.readline(static_cast<std::ptrdiff_t>(limit)), limit);
      }
      case 5:
        return read_lines(in_.number(500));
      case 6:
        return stream_read(in_.number(20000));
      case 7:
        return stream_get();
      case 8:
        return stream_line();
      case 9:
        return stream_unget();
      case 10: {
        const std::string bytes = leaving_.next(in_.number(20000), line_);
        return wrote(bytes, [&] { file_.write(bytes); });
      }
      case 11: {
        const std::string bytes = leaving_.next(in_.number(100), line_);
        if (!file_.good()) file_.clear();
        return wrote(
            bytes, [&] { file_.write(bytes.data(), static_cast<std::streamsize>(bytes.size())); });
      }
      case 12: {
        const std::string bytes = leaving_.next(1, in_.number(2));
        if (!file_.good()) file_.clear();
        return wrote(bytes, [&] { file_.put(bytes.front()); });
      }
      case 13:
        file_.flush();
        return;
      case 14: {
        sk::file other(std::move(file_));
        FUZZ_CHECK(file_.closed());
        file_ = std::move(other);
        return FUZZ_CHECK(!file_.closed());
      }
      default:
        return set_timeout();
    }
  }

  // ---- reading ----

  static constexpr std::size_t no_limit = static_cast<std::size_t>(-1);

  [[nodiscard]] bool at_end() const { return ends_ && read_ == arrives_.size(); }

  void took(const std::string& bytes) {
    FUZZ_CHECK(arrives_.compare(read_, bytes.size(), bytes) == 0);
    read_ += bytes.size();
  }

  void read(std::size_t size) {
    const std::string bytes = file_.read(static_cast<std::ptrdiff_t>(size));
    took(bytes);
    FUZZ_CHECK(bytes.size() == size || (bytes.size() < size && at_end()));
  }

  void check_line(const std::string& line, std::size_t limit) {
    took(line);
    const std::size_t newline = line.find('\n');
    FUZZ_CHECK(newline == std::string::npos ? line.size() == limit || at_end()
                                            : newline + 1 == line.size());
    FUZZ_CHECK(line.size() <= limit);
  }

  void read_lines(std::size_t hint) {
    std::size_t total = 0;
    for (const std::string& line : file_.readlines(static_cast<std::ptrdiff_t>(hint))) {
      FUZZ_CHECK(!line.empty());
      FUZZ_CHECK(hint == 0 || total < hint);
      check_line(line, no_limit);
      total += line.size();
    }
    FUZZ_CHECK((hint != 0 && total >= hint) || at_end());
  }

  void stream_read(std::size_t size) {
    if (!file_.good()) file_.clear();
    std::string bytes(size, '\0');
    static_cast<std::istream&>(file_).read(bytes.data(), static_cast<std::streamsize>(size));
    bytes.resize(static_cast<std::size_t>(file_.gcount()));
    took(bytes);
    FUZZ_CHECK(bytes.size() == size || at_end());
  }

  void stream_get() {
    if (!file_.good()) file_.clear();
    const int got = file_.get();
    if (got == std::char_traits<char>::eof()) return FUZZ_CHECK(at_end());
    took(std::string(1, static_cast<char>(got)));
  }

  // After a failure the string has the bytes read. The timeout is for each refill of the buffer.
  void stream_line() {
    each_refill_ = true;
    if (!file_.good()) file_.clear();
    std::string line;
    try {
      std::getline(file_, line);
    } catch (const sk::error&) {
      took(line);
      throw;
    }
    const bool has_newline = !file_.eof();
    if (has_newline) line += '\n';
    check_line(line, no_limit);
    FUZZ_CHECK(has_newline || at_end());
  }

  void stream_unget() {
    if (!file_.good()) file_.clear();
    try {
      file_.unget();
      FUZZ_CHECK(read_ > 0);
      --read_;
    } catch (const std::ios_base::failure&) {  // there is no byte to put back
    }
  }

  // ---- writing ----

  template <class Write>
  void wrote(const std::string& bytes, const Write& write) {
    try {
      write();
    } catch (const sk::error& e) {
      FUZZ_CHECK(e.transferred() <= bytes.size());
      written_.append(bytes, 0, e.transferred());
      throw;
    }
    written_ += bytes;
  }

  // ---- the end ----

  // Repeats a call until it succeeds. Every failure uses a step of a script, which limits their
  // number.
  template <class Call>
  bool persist(const Call& call) {
    for (std::size_t i = 0; i < most_calls; ++i) {
      if (timed(call)) return true;
    }
    return false;
  }

  void finish() {
    limit_ = 500ms;
    if (!blocking_) file_.settimeout(limit_);
    FUZZ_CHECK(persist([&] { read(arrives_.size() - read_); }));
    if (ends_) FUZZ_CHECK(persist([&] { FUZZ_CHECK(file_.read().empty()); }));
    if (stalls_) {
      timed([&] { file_.close(); });
      FUZZ_CHECK(written_.compare(0, fake::sent().size(), fake::sent()) == 0);
    } else {
      FUZZ_CHECK(persist([&] { file_.flush(); }));
      FUZZ_CHECK(fake::sent() == written_);
      file_.close();
    }
    FUZZ_CHECK(file_.closed());
  }

  fuzz::input& in_;
  sk::file file_;
  std::chrono::nanoseconds limit_ = 0ms;
  bool blocking_ = false;
  bool reads_much_ = false;  // with one call; byte by byte, large data would take most of the time
  bool each_refill_ = false;
  std::size_t line_ = 0;
  pattern arriving_;
  pattern leaving_;
  std::string arrives_;  // all bytes that the other end sends
  std::size_t read_ = 0;
  bool ends_ = false;  // after them the stream ends; otherwise no more data arrive
  bool stalls_ = false;
  std::string written_;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const fake::session session;
  fuzz::input in(data, size);
  run(in).all();
  return 0;
}
