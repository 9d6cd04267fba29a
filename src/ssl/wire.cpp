// SPDX-License-Identifier: MIT
// The BIO over the seam.
#include "wire.hpp"

#include <pysock/detail/sys.hpp>

namespace pysock {
inline namespace v1 {
namespace detail {
namespace {

wire& below(BIO* bio) noexcept { return *static_cast<wire*>(BIO_get_data(bio)); }

// What OpenSSL takes for "try again" is told by a flag.
int failed(BIO* bio, int number, int retry) noexcept {
  if (sys::classify(number) == sys::failure::other) {
    below(bio).failure = number;
  } else {
    below(bio).blocked = true;
    BIO_set_flags(bio, retry | BIO_FLAGS_SHOULD_RETRY);
  }
  return -1;
}

int write(BIO* bio, const char* data, std::size_t size, std::size_t* written) noexcept {
  BIO_clear_retry_flags(bio);
  const std::ptrdiff_t count = sys::send_now(below(bio).plain.fileno(), data, size);
  if (count < 0) return failed(bio, static_cast<int>(-count), BIO_FLAGS_WRITE);
  *written = static_cast<std::size_t>(count);
  return 1;
}

int read(BIO* bio, char* room, std::size_t size, std::size_t* got) noexcept {
  BIO_clear_retry_flags(bio);
  const std::ptrdiff_t count = sys::recv_now(below(bio).plain.fileno(), room, size);
  if (count < 0) return failed(bio, static_cast<int>(-count), BIO_FLAGS_READ);
  *got = static_cast<std::size_t>(count);
  if (count == 0) below(bio).ended = true;
  return count > 0 ? 1 : 0;
}

long control(BIO*, int command, long, void*) noexcept { return command == BIO_CTRL_FLUSH ? 1 : 0; }

int create(BIO* bio) noexcept {
  BIO_set_init(bio, 1);
  return 1;
}

BIO_METHOD* make_method() {
  BIO_METHOD* method = made(BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "pysock"));
  BIO_meth_set_write_ex(method, write);
  BIO_meth_set_read_ex(method, read);
  BIO_meth_set_ctrl(method, control);
  BIO_meth_set_create(method, create);
  return method;
}

}  // namespace

bio_handle make_bio(wire& below) {
  static const BIO_METHOD* const method =
      make_method();  // never freed: a session with static storage may live longer
  bio_handle bio(made(BIO_new(method)));
  BIO_set_data(bio.get(), &below);
  return bio;
}

}  // namespace detail
}  // namespace v1
}  // namespace pysock
