// SPDX-License-Identifier: MIT
// The BIO over the seam.
#include "wire.hpp"

#include <pysock/detail/sys.hpp>

namespace pysock {
inline namespace v1 {
namespace detail {
namespace {

// OpenSSL reads a record in two parts: its header, then the rest. A peer that sends records without
// data must not keep one step going for as long as it likes.
constexpr int reads_per_step = 2 * 32;

// One record of data, with what encryption adds to it, and 48 KiB of OpenSSL's own messages.
constexpr std::size_t most_unsent = 16384 + 1024 + 48 * 1024;

int bio_write(BIO* bio, const char* data, std::size_t size, std::size_t* written) noexcept {
  BIO_clear_retry_flags(bio);
  const std::ptrdiff_t count = static_cast<wire*>(BIO_get_data(bio))->write(data, size);
  if (count < 0) BIO_set_retry_write(bio);
  if (count <= 0) return -1;
  *written = static_cast<std::size_t>(count);
  return 1;
}

int bio_read(BIO* bio, char* buffer, std::size_t size, std::size_t* got) noexcept {
  BIO_clear_retry_flags(bio);
  const std::ptrdiff_t count = static_cast<wire*>(BIO_get_data(bio))->read(buffer, size);
  if (count < 0) BIO_set_retry_read(bio);
  *got = count > 0 ? static_cast<std::size_t>(count) : 0;
  return count > 0 ? 1 : static_cast<int>(count);
}

long control(BIO*, int command, long, void*) noexcept { return command == BIO_CTRL_FLUSH ? 1 : 0; }

int create(BIO* bio) noexcept {
  BIO_set_init(bio, 1);
  return 1;
}

BIO_METHOD* make_method() {
  BIO_METHOD* method = made(BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "pysock"));
  BIO_meth_set_write_ex(method, bio_write);
  BIO_meth_set_read_ex(method, bio_read);
  BIO_meth_set_ctrl(method, control);
  BIO_meth_set_create(method, create);
  return method;
}

}  // namespace

bio_handle wire::make_bio() {
  static const BIO_METHOD* const method =
      make_method();  // never freed: a session with static storage may live longer
  bio_handle bio(made(BIO_new(method)));
  BIO_set_data(bio.get(), this);
  return bio;
}

void wire::begin(bool refill) noexcept {
  step_ = step();
  gathers_ = false;
  if (refill) reads_left_ = reads_per_step;
}

void wire::flush() noexcept {
  gathers_ = false;
  while (has_unsent()) {
    const std::ptrdiff_t count = sys::send_now(plain.fileno(), unsent_.data() + first_unsent_,
                                               unsent_.size() - first_unsent_);
    if (count < 0) {
      const int error = static_cast<int>(-count);
      if (sys::classify(error) != sys::failure::other) {
        step_.write_blocked = true;
        return;
      }
      send_error_ = system_code(error);
      first_unsent_ = unsent_.size();
    } else {
      step_.moved = true;
      first_unsent_ += static_cast<std::size_t>(count);
    }
  }
  first_unsent_ = 0;
  std::vector<char>().swap(unsent_);
}

std::ptrdiff_t wire::write(const char* data, std::size_t size) noexcept {
  const auto whole = static_cast<std::ptrdiff_t>(size);
  if (has_unsent() && !gathers_) flush();
  if (sending_ended_ || send_error_) return whole;
  std::size_t gone = 0;
  if (!has_unsent() && !gathers_) {
    // A short count does not mean that the system takes no more: Windows is offered a part.
    while (gone < size) {
      const std::ptrdiff_t count = sys::send_now(plain.fileno(), data + gone, size - gone);
      if (count < 0 && sys::classify(static_cast<int>(-count)) == sys::failure::other) {
        send_error_ = system_code(static_cast<int>(-count));
        return whole;
      }
      if (count <= 0) break;
      gone += static_cast<std::size_t>(count);
    }
    step_.moved = step_.moved || gone > 0;
    step_.write_blocked = gone < size;
  } else if (unsent_.size() - first_unsent_ + size > most_unsent) {
    step_.write_blocked = true;
    return -1;
  }
  if (gone < size && !keep(data + gone, size - gone)) return 0;
  return whole;
}

bool wire::keep(const char* data, std::size_t size) noexcept {
  try {
    unsent_.erase(unsent_.begin(), unsent_.begin() + static_cast<std::ptrdiff_t>(first_unsent_));
    first_unsent_ = 0;
    unsent_.insert(unsent_.end(), data, data + size);
    return true;
  } catch (const std::bad_alloc&) {
    // The peer has a part of a record, and nothing can follow it.
    step_.failure = std::make_error_code(std::errc::not_enough_memory);
    send_error_ = step_.failure;
    return false;
  }
}

void wire::acknowledge() noexcept {
#ifdef TCP_QUICKACK
  const int on = 1;
  (void)sys::setsockopt(plain.fileno(), IPPROTO_TCP, TCP_QUICKACK, &on, sizeof on);
#endif
}

std::ptrdiff_t wire::read(char* buffer, std::size_t size) noexcept {
  if (reads_left_ == 0) {
    step_.exhausted = true;
    return -1;
  }
  const std::ptrdiff_t count = sys::recv_now(plain.fileno(), buffer, size);
  if (count > 0) {
    --reads_left_;
    step_.moved = true;
  } else if (count < 0) {
    const int error = static_cast<int>(-count);
    if (sys::classify(error) != sys::failure::other) {
      step_.read_blocked = true;
      return -1;
    }
    step_.failure = system_code(error);
    return 0;
  }
  return count;
}

}  // namespace detail
}  // namespace v1
}  // namespace pysock
