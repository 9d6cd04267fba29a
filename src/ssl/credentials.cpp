// SPDX-License-Identifier: MIT
// Certificates and keys that a context is given.
#include <openssl/err.h>
#include <openssl/pem.h>

#include <climits>
#include <exception>
#include <stdexcept>

#include "errors.hpp"
#include "tls_context.hpp"

namespace pysock {
inline namespace v1 {
namespace {

std::string path_of(const file_path& path, const char* operation) {
  if (path.view().find('\0') != std::string_view::npos)
    detail::throw_error(bad_argument::embedded_null, operation);
  return path.str();
}

// Answers OpenSSL for the length of one call; what goes wrong meanwhile must not be thrown through
// it.
class password_prompt {
 public:
  password_prompt(SSL_CTX* ctx, const key_password& password)
      : ctx_(ctx), refuse_(SSL_CTX_get_default_passwd_cb(ctx)), password_(password) {
    SSL_CTX_set_default_passwd_cb(ctx_, answer);
    SSL_CTX_set_default_passwd_cb_userdata(ctx_, this);
  }
  password_prompt(const password_prompt&) = delete;
  password_prompt& operator=(const password_prompt&) = delete;
  ~password_prompt() {
    SSL_CTX_set_default_passwd_cb(ctx_, refuse_);
    SSL_CTX_set_default_passwd_cb_userdata(ctx_, nullptr);
  }

  void rethrow() const {
    if (failure_) std::rethrow_exception(failure_);
  }

 private:
  static int answer(char* room, int size, int, void* self) noexcept {
    return static_cast<password_prompt*>(self)->fill(room, size);
  }

  int fill(char* room, int size) noexcept {
    if (!password_.ask()) return -1;
    try {
      const std::string word = password_.ask()();
      if (word.size() > static_cast<std::size_t>(size)) {
        throw std::invalid_argument("password cannot be longer than " + std::to_string(size) +
                                    " bytes");
      }
      word.copy(room, word.size());
      return static_cast<int>(word.size());
    } catch (...) {
      failure_ = std::current_exception();
      return -1;
    }
  }

  SSL_CTX* ctx_;
  pem_password_cb* refuse_;
  const key_password& password_;
  std::exception_ptr failure_;
};

void trust_text(SSL_CTX* ctx, std::string_view pem) {
  if (pem.size() > INT_MAX) detail::throw_error(bad_argument::value_range, "load_verify_locations");
  const detail::bio_handle bio(
      detail::made(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size()))));
  int count = 0;
  while (const detail::certificate_handle found{
      PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr)}) {
    if (X509_STORE_add_cert(SSL_CTX_get_cert_store(ctx), found.get()) != 1)
      detail::throw_openssl_error("load_verify_locations");
    ++count;
  }
  const unsigned long last = ERR_peek_last_error();
  const bool at_end =
      ERR_GET_LIB(last) == ERR_LIB_PEM && ERR_GET_REASON(last) == PEM_R_NO_START_LINE;
  if (count == 0 || !at_end) detail::throw_openssl_error("load_verify_locations (cadata)");
  ERR_clear_error();
}

}  // namespace

void ssl_context::load_cert_chain(const file_path& certfile,
                                  const std::optional<file_path>& keyfile,
                                  const key_password& password) {
  SSL_CTX* ctx = context_->get();
  const std::string certificate = path_of(certfile, "load_cert_chain");
  const std::string key = keyfile ? path_of(*keyfile, "load_cert_chain") : certificate;
  const password_prompt prompt(ctx, password);
  const auto failed = [&prompt](const std::string& path) {
    prompt.rethrow();
    detail::throw_openssl_error("load_cert_chain '" + path + "'");
  };
  ERR_clear_error();
  if (SSL_CTX_use_certificate_chain_file(ctx, certificate.c_str()) != 1) failed(certificate);
  if (SSL_CTX_use_PrivateKey_file(ctx, key.c_str(), SSL_FILETYPE_PEM) != 1) failed(key);
  if (SSL_CTX_check_private_key(ctx) != 1) failed(key);
}

void ssl_context::load_verify_locations(const std::optional<file_path>& cafile,
                                        const std::optional<file_path>& capath,
                                        const std::optional<text>& cadata) {
  if (!cafile && !capath && !cadata)
    throw std::invalid_argument(
        "load_verify_locations: cafile, capath and cadata cannot be all omitted");
  SSL_CTX* ctx = context_->get();
  ERR_clear_error();
  if (cafile) {
    const std::string path = path_of(*cafile, "load_verify_locations");
    if (SSL_CTX_load_verify_file(ctx, path.c_str()) != 1)
      detail::throw_openssl_error("load_verify_locations '" + path + "'");
  }
  if (capath) {
    const std::string path = path_of(*capath, "load_verify_locations");
    if (SSL_CTX_load_verify_dir(ctx, path.c_str()) != 1)
      detail::throw_openssl_error("load_verify_locations '" + path + "'");
  }
  if (cadata) trust_text(ctx, cadata->view());
}

void ssl_context::load_default_certs() {
  ERR_clear_error();
  if (SSL_CTX_set_default_verify_paths(context_->get()) != 1)
    detail::throw_openssl_error("load_default_certs");
}

}  // namespace v1
}  // namespace pysock
