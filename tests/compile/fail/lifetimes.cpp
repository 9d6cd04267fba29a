// SPDX-License-Identifier: MIT
#include <pysock/fdpass.hpp>
#include <pysock/socket.hpp>
#include <string>
#include <vector>

void use(const pysock::const_bytes&);
void use(const pysock::mutable_bytes&);
void use(const pysock::text&);
void use(const pysock::const_buffers&);
#if defined(SCM_RIGHTS)
void use(const pysock::native_handles&);
#endif
void use(const pysock::file_source&);
void use(const pysock::control_message&);
void use(const pysock::ancillary_view&);
void use(const pysock::ancillary_view::iterator&);

void cases() {
  const std::string head = "head";
  std::vector<char> body = {1, 2};
  const pysock::ancillary_data ancdata = {{1, 2, 3}};

#ifdef CONST_BYTES_OF_TEMPORARY_STRING
  const pysock::const_bytes bytes = std::string("x");  // error in clang: temporary
#else
  const pysock::const_bytes bytes = head;
#endif
  use(bytes);

#ifdef CONST_BYTES_OF_TEMPORARY_VECTOR
  const pysock::const_bytes more(std::vector<char>{1, 2});  // error in clang: temporary
#else
  const pysock::const_bytes more(body);
#endif
  use(more);

#ifdef TEXT_OF_TEMPORARY_STRING
  const pysock::text name = std::string("x");  // error in clang: temporary
#else
  const pysock::text name = head;
#endif
  use(name);

#ifdef CONST_BUFFERS_OF_NAMED_LIST
  const pysock::const_buffers buffers{head, body};  // error in clang: array backing
#else
  const pysock::const_bytes pieces[] = {head, body};
  const pysock::const_buffers buffers(pieces);
#endif
  use(buffers);

#ifdef CONST_BUFFERS_OF_TEMPORARY_STRING
  const pysock::const_buffers single{std::string("x")};  // error in clang: array backing
#else
  const pysock::const_bytes piece[] = {head};
  const pysock::const_buffers single(piece);
#endif
  use(single);

#ifdef CONST_BUFFERS_OF_TEMPORARY_VECTOR
  const pysock::const_buffers all(std::vector<std::string>{"x"});  // error in clang: temporary
#else
  const std::vector<std::string> strings = {"x"};
  const pysock::const_buffers all(strings);
#endif
  use(all);

#if defined(SCM_RIGHTS)
  const std::vector<int> fds = {1};
#ifdef NATIVE_HANDLES_OF_NAMED_LIST
  const pysock::native_handles listed{1, 2};  // error in clang: array backing
#else
  const pysock::native_handles listed(fds);
#endif
  use(listed);

#ifdef NATIVE_HANDLES_OF_TEMPORARY_VECTOR
  const pysock::native_handles handles(std::vector<int>{1});  // error in clang: temporary
#else
  const pysock::native_handles handles(fds.data(), fds.size());
#endif
  use(handles);
#endif

#ifdef FILE_SOURCE_OF_TEMPORARY_STRING
  const pysock::file_source source = std::string("x");  // error in clang: temporary
#else
  const pysock::file_source source = head;
#endif
  use(source);

#ifdef CONTROL_MESSAGE_OF_TEMPORARY_STRING
  const pysock::control_message message(1, 2, std::string("x"));  // error in clang: temporary
#else
  const pysock::control_message message(1, 2, head);
#endif
  use(message);

#ifdef ANCILLARY_VIEW_OF_TEMPORARY
  const auto view = pysock::ancillary_data{{1, 2, 3}}.view();  // error in clang: temporary
#else
  const auto view = ancdata.view();
#endif
  use(view);

#ifdef ANCILLARY_ITERATOR_OF_TEMPORARY
  const auto first = pysock::ancillary_data{{1, 2, 3}}.begin();  // error in clang: temporary
#else
  const auto first = ancdata.begin();
#endif
  use(first);
}

pysock::const_bytes bytes_of_array() {
#ifdef CONST_BYTES_OF_LOCAL_ARRAY
  char local[2] = {1, 2};
  return local;  // error in clang: stack memory
#else
  static char lasting[2] = {1, 2};
  return lasting;
#endif
}

pysock::mutable_bytes space_in_vector() {
#ifdef MUTABLE_BYTES_OF_LOCAL_VECTOR
  std::vector<char> local(2);
  return local;  // error in clang: stack memory
#else
  static std::vector<char> lasting(2);
  return lasting;
#endif
}

// These must not cause a warning: views of views, pointers, literals, copies, and temporaries that
// live as long as the call that uses them.
pysock::const_bytes viewed(std::string_view view) { return view; }
pysock::const_bytes pointed(const char* c_string) { return c_string; }
pysock::const_bytes sized(const char* data, std::size_t size) { return {data, size}; }
pysock::const_bytes filled(pysock::mutable_bytes bytes) { return bytes; }
pysock::const_bytes literal() { return "literal"; }
pysock::text named(std::string_view view) { return view; }
pysock::file_source path(const char* c_string) { return c_string; }
pysock::control_message number() { return {1, 2, 5}; }
pysock::control_message handles() { return {1, 2, {5, 6}}; }
void used_at_once() {
  use(pysock::const_buffers({std::string("x"), "y"}));
  use(pysock::file_source(std::string("x")));
  use(pysock::control_message(1, 2, std::string("x")));
  const pysock::control_message copied(1, 2, std::vector<int>{1, 2});
  use(copied);
}
