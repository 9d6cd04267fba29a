// SPDX-License-Identifier: MIT
// Certificates, keys and authorities of a context. Everything is read and checked before
// the context is changed, so that a call that fails changes nothing.
#include <openssl/err.h>
#include <openssl/pem.h>

#include <climits>
#include <cstdlib>
#include <exception>
#include <filesystem>
#include <stdexcept>

#include "errors.hpp"
#include "system_trust.hpp"
#include "tls_context.hpp"

namespace pysock {
inline namespace v1 {
namespace {

std::string path_of(const file_path& path, const char* operation) {
  if (path.view().find('\0') != std::string_view::npos)
    detail::throw_error(bad_argument::embedded_null, operation);
  return path.str();
}

// The source of PEM text, and its name in errors.
struct source {
  detail::bio_handle bio;
  std::string operation;
};

source file_source_of(const std::string& path, const char* operation) {
  std::string name = std::string(operation) + " '" + path + "'";
  ERR_clear_error();
  detail::bio_handle bio(BIO_new_file(path.c_str(), "rb"));
  if (!bio) detail::throw_openssl_error(name);
  return {std::move(bio), std::move(name)};
}

source text_source(std::string_view pem, const char* operation) {
  if (pem.size() > INT_MAX) detail::throw_error(bad_argument::value_range, operation);
  return {
      detail::bio_handle(detail::made(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())))),
      operation};
}

// True at the end of PEM text, and for text without PEM data.
std::error_code no_start_line() noexcept {
  return {static_cast<int>(ERR_PACK(ERR_LIB_PEM, 0, PEM_R_NO_START_LINE)), openssl_category()};
}

// Returns the password to OpenSSL during one call; exceptions of the password's function must not
// pass through OpenSSL.
class password_prompt {
 public:
  explicit password_prompt(const key_password& password) : password_(password) {}
  password_prompt(const password_prompt&) = delete;
  password_prompt& operator=(const password_prompt&) = delete;

  static int answer(char* buffer, int size, int, void* self) noexcept {
    return static_cast<password_prompt*>(self)->fill(buffer, size);
  }

  // After a key could not be read.
  [[noreturn]] void fail(const std::string& operation) const {
    if (failure_) std::rethrow_exception(failure_);
    const std::error_code reason = detail::take_openssl_error();
    if (!asked_) detail::throw_error(reason, operation);
    detail::throw_error(password_.ask() ? ssl_errc::wrong_password : ssl_errc::password_missing,
                        operation);
  }

 private:
  int fill(char* buffer, int size) noexcept {
    asked_ = true;
    if (!password_.ask()) return -1;
    try {
      const std::string word = password_.ask()();
      if (word.size() > static_cast<std::size_t>(size)) {
        throw std::invalid_argument("password cannot be longer than " + std::to_string(size) +
                                    " bytes");
      }
      word.copy(buffer, word.size());
      return static_cast<int>(word.size());
    } catch (...) {
      failure_ = std::current_exception();
      return -1;
    }
  }

  const key_password& password_;
  bool asked_ = false;
  std::exception_ptr failure_;
};

struct credentials {
  detail::certificate_handle certificate;
  detail::chain_handle chain;
  detail::key_handle key;
};

credentials read_credentials(const source& certificates, const source& key,
                             const key_password& password) {
  credentials result;
  password_prompt prompt(password);
  ERR_clear_error();
  result.certificate.reset(
      PEM_read_bio_X509_AUX(certificates.bio.get(), nullptr, password_prompt::answer, &prompt));
  if (!result.certificate) prompt.fail(certificates.operation);
  result.chain.reset(detail::made(sk_X509_new_null()));
  while (detail::certificate_handle above{
      PEM_read_bio_X509(certificates.bio.get(), nullptr, password_prompt::answer, &prompt)}) {
    // Not covered: OpenSSL fails here only without memory.
    if (sk_X509_push(result.chain.get(), above.get()) == 0) detail::throw_no_memory();
    (void)above.release();
  }
  const std::error_code end = detail::take_openssl_error();
  if (end != no_start_line()) detail::throw_error(end, certificates.operation);
  result.key.reset(
      PEM_read_bio_PrivateKey(key.bio.get(), nullptr, password_prompt::answer, &prompt));
  if (!result.key) prompt.fail(key.operation);
  if (X509_check_private_key(result.certificate.get(), result.key.get()) != 1)
    detail::throw_openssl_error(key.operation);
  return result;
}

void install(detail::tls_context& context, const credentials& given, const std::string& operation) {
  const std::lock_guard<std::mutex> lock(context.mutex);
  constexpr int replace = 1;
  if (SSL_CTX_use_cert_and_key(context.get(), given.certificate.get(), given.key.get(),
                               given.chain.get(), replace) != 1) {
    detail::throw_openssl_error(operation);
  }
}

detail::infos_handle read_authorities(const source& from) {
  ERR_clear_error();
  detail::infos_handle found(PEM_X509_INFO_read_bio(
      from.bio.get(), nullptr, [](char*, int, int, void*) { return -1; }, nullptr));
  if (!found) detail::throw_openssl_error(from.operation);
  for (int i = 0; i < sk_X509_INFO_num(found.get()); ++i) {
    const X509_INFO* info = sk_X509_INFO_value(found.get(), i);
    if (info->x509 != nullptr || info->crl != nullptr) return found;
  }
  detail::throw_error(no_start_line(), from.operation);
}

// This fails only without memory.
void trust(X509_STORE* store, const detail::infos_handle& found) {
  for (int i = 0; i < sk_X509_INFO_num(found.get()); ++i) {
    const X509_INFO* info = sk_X509_INFO_value(found.get(), i);
    if ((info->x509 != nullptr && X509_STORE_add_cert(store, info->x509) != 1) ||
        (info->crl != nullptr && X509_STORE_add_crl(store, info->crl) != 1)) {
      detail::throw_openssl_error("load_verify_locations");
    }
  }
}

std::filesystem::path native_path(const std::string& path) {
#ifdef __cpp_lib_char8_t  // C++20, which deprecates u8path()
  return std::filesystem::path(std::u8string(path.begin(), path.end()));
#else
  return std::filesystem::u8path(path);
#endif
}

void check_folder(const std::string& path, const std::string& operation) {
  std::error_code ec;
  const std::filesystem::file_status found = std::filesystem::status(native_path(path), ec);
  if (found.type() == std::filesystem::file_type::not_found)
    ec = std::make_error_code(std::errc::no_such_file_or_directory);
  else if (!ec && found.type() != std::filesystem::file_type::directory)
    ec = std::make_error_code(std::errc::not_a_directory);
  if (ec) detail::throw_error(ec, operation);
}

bool has_files(const char* folder) {
  std::error_code ec;
  const std::filesystem::directory_iterator first(native_path(folder), ec);
  return !ec && first != std::filesystem::directory_iterator();
}

const char* environment(const char* name) noexcept {
  const char* value = std::getenv(name);
  return value != nullptr && *value != '\0' ? value : nullptr;
}

}  // namespace

void ssl_context::load_cert_chain(const file_path& certfile,
                                  const std::optional<file_path>& keyfile,
                                  const key_password& password) {
  const char* operation = "load_cert_chain";
  const std::string certificate = path_of(certfile, operation);
  const std::string key = keyfile ? path_of(*keyfile, operation) : certificate;
  const credentials read = read_credentials(file_source_of(certificate, operation),
                                            file_source_of(key, operation), password);
  install(*context_, read, operation);
}

void ssl_context::load_cert_chain_data(const text& certificates, const text& key,
                                       const key_password& password) {
  const char* operation = "load_cert_chain_data";
  const credentials read = read_credentials(text_source(certificates.view(), operation),
                                            text_source(key.view(), operation), password);
  install(*context_, read, operation);
}

void ssl_context::load_verify_locations(const std::optional<file_path>& cafile,
                                        const std::optional<file_path>& capath,
                                        const std::optional<text>& cadata) {
  const char* operation = "load_verify_locations";
  if (!cafile && !capath && !cadata)
    throw std::invalid_argument(
        "load_verify_locations: cafile, capath and cadata cannot be all omitted");
  detail::infos_handle of_file;
  detail::infos_handle of_text;
  std::string folder;
  if (cafile) of_file = read_authorities(file_source_of(path_of(*cafile, operation), operation));
  if (capath) {
    folder = path_of(*capath, operation);
    check_folder(folder, std::string(operation) + " '" + folder + "'");
  }
  if (cadata)
    of_text = read_authorities(text_source(cadata->view(), "load_verify_locations (cadata)"));

  const std::lock_guard<std::mutex> lock(context_->mutex);
  X509_STORE* store = SSL_CTX_get_cert_store(context_->get());
  if (capath) {
    ERR_clear_error();
    if (SSL_CTX_load_verify_dir(context_->get(), folder.c_str()) != 1)
      detail::throw_openssl_error(std::string(operation) + " '" + folder + "'");
    context_->has_folder = context_->has_folder || has_files(folder.c_str());
  }
  trust(store, of_file);
  trust(store, of_text);
  ERR_clear_error();  // calls that succeed may leave errors
  context_->next_generation();
}

void ssl_context::load_default_certs() {
  const char* operation = "load_default_certs";
  // OpenSSL ignores a missing file, also one that the environment names.
  if (const char* file = environment(X509_get_default_cert_file_env()))
    (void)read_authorities(file_source_of(file, operation));
  const char* folders = environment(X509_get_default_cert_dir_env());
  const std::lock_guard<std::mutex> lock(context_->mutex);
  ERR_clear_error();
  if (SSL_CTX_set_default_verify_paths(context_->get()) != 1)
    detail::throw_openssl_error(operation);
  // Not covered: the systems of the tests have certificates in this folder.
  if (folders != nullptr || has_files(X509_get_default_cert_dir())) context_->has_folder = true;
  detail::trust_system(SSL_CTX_get_cert_store(context_->get()));
  ERR_clear_error();
  context_->next_generation();
}

}  // namespace v1
}  // namespace pysock
