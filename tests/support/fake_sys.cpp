// SPDX-License-Identifier: MIT
#include "support/fake_sys.hpp"

#include <stdexcept>

#include "support/fake_data.hpp"
#include "support/fake_world.hpp"
#if __has_include(<sys/un.h>)
#include <sys/un.h>  // sockaddr_un
#endif

namespace fake {

using namespace inner;

socket_address inet(std::array<unsigned char, 4> host, int port) {
  sockaddr_in made{};
  made.sin_family = AF_INET;
  made.sin_port = htons(static_cast<std::uint16_t>(port));
  std::memcpy(&made.sin_addr, host.data(), host.size());
  return to_address(made);
}

socket_address inet6(std::array<unsigned char, 16> host, int port, std::uint32_t flowinfo,
                     std::uint32_t scope_id) {
  sockaddr_in6 made{};
  made.sin6_family = AF_INET6;
  made.sin6_port = htons(static_cast<std::uint16_t>(port));
  made.sin6_flowinfo = htonl(flowinfo);
  made.sin6_scope_id = scope_id;
  std::memcpy(&made.sin6_addr, host.data(), host.size());
  return to_address(made);
}

socket_address unix_path(std::string_view path) {
  sockaddr_un made{};
  made.sun_family = AF_UNIX;
  std::memcpy(made.sun_path, path.data(), std::min(path.size(), sizeof made.sun_path));
  const bool terminated =
      !path.empty() && path.front() != '\0' && path.size() < sizeof made.sun_path;
  return to_address(made, offsetof(sockaddr_un, sun_path) +
                              std::min(path.size() + (terminated ? 1 : 0), sizeof made.sun_path));
}

std::string to_string(const sockaddr* address, socklen_t size) {
  if (address == nullptr || static_cast<std::size_t>(size) < offsetof(sockaddr, sa_data))
    return "null";
  char host[64];
  if (address->sa_family == AF_INET) {
    const auto in = as<sockaddr_in>(address, size);
    unsigned char b[4];
    std::memcpy(b, &in.sin_addr, sizeof b);
    std::snprintf(host, sizeof host, "%d.%d.%d.%d:%d", b[0], b[1], b[2], b[3], ntohs(in.sin_port));
    return host;
  }
  if (address->sa_family == AF_INET6) {
    const auto in6 = as<sockaddr_in6>(address, size);
    unsigned char b[16];
    std::memcpy(b, &in6.sin6_addr, sizeof b);
    std::string out = "[";
    for (std::size_t i = 0; i < sizeof b; i += 2) {
      std::snprintf(host, sizeof host, i == 0 ? "%x" : ":%x",
                    static_cast<unsigned>(b[i] * 256 + b[i + 1]));
      out += host;
    }
    out += "]:" + std::to_string(ntohs(in6.sin6_port));
    return in6.sin6_scope_id == 0 ? out : out + "%" + std::to_string(in6.sin6_scope_id);
  }
  if (address->sa_family == AF_UNIX) {
    std::string path(reinterpret_cast<const char*>(address), static_cast<std::size_t>(size));
    path.erase(0, offsetof(sockaddr_un, sun_path));
    if (!path.empty() && path.front() == '\0') return "unix:@" + path.substr(1);
    return "unix:" + path.substr(0, path.find('\0'));
  }
  return "family " + std::to_string(address->sa_family) + ", " + std::to_string(size) + " bytes";
}

std::string to_string(const socket_address& address) {
  return to_string(address.data(), address.size());
}

step fails(int error) {
  step s;
  s.error = error;
  return s;
}

step succeeds() { return {}; }
step returns(std::int64_t value) { return succeeds().returning(value); }
step takes(std::size_t bytes) { return returns(static_cast<std::int64_t>(bytes)); }

step gives(std::string bytes) {
  step s;
  s.data = std::move(bytes);
  s.has_data = true;
  return s;
}

step gives(socket_address address) { return succeeds().from(std::move(address)); }
step sets(int option) {
  return gives(std::string(reinterpret_cast<const char*>(&option), sizeof option));
}
step ready() { return returns(1); }
step ready_after(span time) { return ready().after(time); }
step ready(std::vector<handle> handles) {
  step s;
  s.handles = std::move(handles);
  return s;
}
step reports(std::vector<report> results) {
  step s;
  s.reports = std::move(results);
  return s;
}
step wakes() { return returns(sys::woken); }
step times_out() { return returns(0); }

step resolves(std::vector<socket_address> addresses) {
  step s;
  s.addresses = std::move(addresses);
  return s;
}

step knows(sys::host_entry host) {
  step s;
  s.host = std::move(host);
  return s;
}

step describes(int family, int type, int proto) {
  step s;
  s.family = family;
  s.type = type;
  s.proto = proto;
  return s;
}

step names(std::string host, std::string service) {
  step s = gives(std::move(host));
  s.more = std::move(service);
  return s;
}

void on(const std::string& function, std::vector<step> steps) {
  if (functions.count(function) == 0)
    throw std::invalid_argument("the seam has no function " + function);
  std::deque<step>& script = state().scripts[function];
  for (step& s : steps) script.push_back(std::move(s));
}

void direct(director directing) { state().directing = std::move(directing); }

std::string printing::text(event e) {
  std::string out;
  const auto add = [e, &out](event one, const char* name) {
    if (sys::contains(e, one)) out += (out.empty() ? "" : "|") + std::string(name);
  };
  add(event::read, "read");
  add(event::write, "write");
  add(event::connect, "connect");
  return out.empty() ? "error" : out;
}

std::string printing::join(const char* function, std::initializer_list<std::string> arguments) {
  std::string out = std::string(function) + "(";
  for (const std::string& argument : arguments)
    out += (&argument == arguments.begin() ? "" : ", ") + argument;
  return out + ")";
}

const lines& log() { return state().log; }

lines log(const std::string& function) {
  lines found;
  for (const std::string& line : log()) {
    if (line.compare(0, function.size() + 1, function + "(") == 0) found.push_back(line);
  }
  return found;
}

std::size_t count(const std::string& function) { return log(function).size(); }
void clear_log() { state().log.clear(); }
const std::vector<sent_message>& sent_messages() { return state().sent; }

std::string sent() {
  std::string all;
  for (const sent_message& m : sent_messages()) all += m.data;
  return all;
}

std::int64_t clock() { return state().clock; }
std::chrono::nanoseconds elapsed() { return std::chrono::nanoseconds(clock() - first_instant); }
void advance(span time) { state().clock += time.nanoseconds(); }
int clock_reads() { return state().clock_reads; }

handle adopt(int family, int type, int proto) {
  return open_new(describe_new(family, type, proto, false));
}

handle adopt_file(std::string content) {
  auto what = std::make_shared<description>();
  what->is = kind::file;
  what->content = std::move(content);
  return open_new(std::move(what));
}

void add_file(const std::string& path, std::string content) {
  state().files[path] = std::move(content);
}
void set_interfaces(std::vector<sys::interface_entry> interfaces) {
  state().interfaces = std::move(interfaces);
}

void run_held_thread() { std::exchange(state().held_thread, nullptr)(); }
void set_process_id(std::int64_t id) { state().process_id = id; }
void at_process_id(std::function<void()> action) { state().at_process_id = std::move(action); }
bool is_awake(handle h) { return is_open(h) && at(h).is_awake; }
bool is_open(handle h) { return state().open.count(h) != 0; }
bool is_nonblocking(handle h) { return is_open(h) && at(h).nonblocking; }
bool is_inheritable(handle h) { return is_open(h) && state().open.at(h).inheritable; }

std::string option(handle h, int level, int name) {
  if (!is_open(h)) return {};
  const auto& options = at(h).options;
  const auto found = options.find({level, name});
  return found == options.end() ? std::string() : found->second;
}

int open_count() { return static_cast<int>(state().open.size()); }
const std::vector<handle>& opened() { return state().opened; }
const std::vector<handle>& closed() { return state().closed; }

void fail_nth_open(int n, int error) { state().failing_open = {n, error}; }
void fail_nth_call(int n, int error) { state().failing_call = {n, error}; }
bool failure_fired() { return state().failure_fired; }

const lines& errors() { return state().errors; }

lines unused() {
  lines left;
  for (const auto& [function, script] : state().scripts) {
    const auto steps = std::count_if(script.begin(), script.end(),
                                     [](const step& s) { return !s.forever || !s.used; });
    if (steps != 0)
      left.push_back(function + ": " + std::to_string(steps) +
                     (steps == 1 ? " step left" : " steps left"));
  }
  return left;
}

bool all_consumed() { return unused().empty(); }
int addrinfo_count() { return static_cast<int>(state().lists.size()); }

lines problems() {
  lines all = errors();
  for (std::string& line : unused()) all.push_back(std::move(line));
  for (const auto& [h, what] : state().open) all.push_back(called("still open", h));
  if (state().poll_sets != 0) all.push_back(called("poll sets not closed", state().poll_sets));
  if (addrinfo_count() != 0) all.push_back(called("addrinfo lists not freed", addrinfo_count()));
  return all;
}

void reset() { state() = world(); }

}  // namespace fake

// ---- the seam ----

namespace pysock {
inline namespace v1 {
namespace detail {

using namespace fake;

int sys::last_error() noexcept { return state().last_error; }

sys::failure sys::classify(int error) noexcept {
  if (error == EINTR) return failure::interrupted;
  if (error == EAGAIN || error == EWOULDBLOCK) return failure::would_block;
  return failure::other;
}

bool sys::connect_pending(int error) noexcept { return error == EINPROGRESS; }

sys::error_numbers sys::numbers() noexcept {
  error_numbers known{};
  known.bad_descriptor = EBADF;
  known.would_block = EWOULDBLOCK;
  known.interrupted = EINTR;
  known.not_socket = ENOTSOCK;
  known.is_connected = EISCONN;
  known.not_connected = ENOTCONN;
  known.connection_refused = ECONNREFUSED;
#ifdef ESHUTDOWN
  known.shut_down = ESHUTDOWN;
#else
  known.shut_down = EPIPE;
#endif
  known.family_not_supported = EAFNOSUPPORT;
  return known;
}

const std::error_category& sys::category() noexcept {
  // The category with errno's numbers.
  const bool system =
      std::error_code(ECONNREFUSED, std::system_category()) == std::errc::connection_refused;
  return system ? std::system_category() : std::generic_category();
}

const char* sys::number_label() noexcept { return "Errno"; }

std::string sys::gai_message(int error) { return name_of(gai_errors, error, "Unknown error"); }
std::string sys::herror_message(int error) {
  return name_of(herrors, error, "Unknown resolver error");
}

std::int64_t sys::now() noexcept {
  ++state().clock_reads;
  state().last_error = stale_error;
  return state().clock;
}

std::int64_t sys::process_id() noexcept {
  if (const auto action = std::exchange(state().at_process_id, nullptr)) action();
  return state().process_id;
}

native_handle_type sys::socket(int family, int type, int proto, bool nonblocking) noexcept {
  const turn t = begin("socket", family, type, proto, nonblocking);
  if (t.failed) return t.result();
  if (const int error = opening_error()) return -error;
  return open_new(describe_new(family, type, proto, nonblocking));
}

int sys::socketpair(int family, int type, int proto, bool nonblocking,
                    native_handle_type (&out)[2]) noexcept {
  const turn t = begin("socketpair", family, type, proto, nonblocking);
  if (t.failed) return t.result();
  if (const int error = opening_error()) return -error;
  for (native_handle_type& end : out) {
    end = open_new(describe_new(family, type, proto, nonblocking));
    at(end).peer = unnamed(family);
  }
  return 0;
}

native_handle_type sys::accept(native_handle_type s, sockaddr* address, socklen_t* size,
                               bool nonblocking) noexcept {
  const turn t = begin_on("accept", s, nonblocking);
  if (t.failed) return t.result();
  if (const int error = opening_error()) return -error;
  const description& listener = at(s);
  const socket_address from =
      t.plan.addresses ? t.plan.addresses->front() : unnamed(listener.family);
  auto made = describe_new(listener.family, listener.type, listener.proto, nonblocking);
  made->peer = from;
  made->local = listener.local;
  store(from, address, size);
  return open_new(std::move(made));
}

native_handle_type sys::duplicate(native_handle_type s) noexcept {
  const turn t = begin_on(kind::any, "duplicate", s);
  if (t.failed) return t.result();
  if (const int error = opening_error()) return -error;
  return open_new(state().open.at(s).what);
}

int sys::close(native_handle_type s) noexcept { return close_one("close", s, kind::socket); }

int sys::set_nonblocking(native_handle_type s, bool on) noexcept {
  const turn t = begin_on("set_nonblocking", s, on);
  if (!t.failed) at(s).nonblocking = on;
  return t.result();
}

int sys::get_nonblocking(native_handle_type s) noexcept {
  const turn t = begin_on(kind::any, "get_nonblocking", s);
  return t.failed ? t.result() : t.result(at(s).nonblocking ? 1 : 0);
}

int sys::get_inheritable(native_handle_type s) noexcept {
  const turn t = begin_on(kind::any, "get_inheritable", s);
  return t.failed ? t.result() : t.result(state().open.at(s).inheritable ? 1 : 0);
}

int sys::set_inheritable(native_handle_type s, bool on) noexcept {
  const turn t = begin_on(kind::any, "set_inheritable", s, on);
  if (!t.failed) state().open.at(s).inheritable = on;
  return t.result();
}

int sys::describe(native_handle_type s, int& family, int& type, int& proto) noexcept {
  const turn t = begin_on("describe", s);
  if (t.failed) return t.result();
  const bool scripted = t.plan.type != 0;
  family = scripted ? t.plan.family : at(s).family;
  type = scripted ? t.plan.type : at(s).type;
  proto = scripted ? t.plan.proto : at(s).proto;
  return 0;
}

bool sys::strip_type_flags(int& type) noexcept {
#ifdef SOCK_NONBLOCK
  const bool nonblocking = (type & SOCK_NONBLOCK) != 0;
  type &= ~(SOCK_NONBLOCK | SOCK_CLOEXEC);
  return nonblocking;
#else
  return type < 0;
#endif
}

#ifdef FROM_PROTOCOL_INFO
// The bytes are those of the handle; fromshare() duplicates it.
int sys::share(native_handle_type s, unsigned long /*process_id*/, std::string& out) {
  const turn t = begin_on("share", s);
  if (t.failed) return t.result();
  out.assign(sizeof(::WSAPROTOCOL_INFOW), '\0');
  std::memcpy(out.data(), &s, sizeof s);
  return 0;
}

native_handle_type sys::fromshare(const void* shared) noexcept {
  native_handle_type s = invalid_handle;
  std::memcpy(&s, shared, sizeof s);
  return duplicate(s);
}
#endif

#ifdef SIO_RCVALL
int sys::ioctl(native_handle_type s, unsigned long control, const void* /*value*/,
               std::size_t size) noexcept {
  return begin_on("ioctl", s, control, size).result();
}
#endif

int sys::bind(native_handle_type s, const sockaddr* address, socklen_t size) noexcept {
  const turn t = begin_on("bind", s, to_string(address, size));
  if (!t.failed) at(s).local = to_address(address, size);
  return t.result();
}

int sys::listen(native_handle_type s, int backlog) noexcept {
  return begin_on("listen", s, backlog).result();
}

int sys::connect(native_handle_type s, const sockaddr* address, socklen_t size) noexcept {
  const turn t = begin_on("connect", s, to_string(address, size));
  if (!t.failed || connect_pending(t.error)) remember_peer(s, to_address(address, size));
  return t.result();
}

int sys::shutdown(native_handle_type s, int how) noexcept {
  return begin_on("shutdown", s, how).result();
}

int sys::getsockname(native_handle_type s, sockaddr* address, socklen_t* size) noexcept {
  const turn t = begin_on("getsockname", s);
  if (t.failed) return t.result();
  const description& d = at(s);
  return give_address(t, d.local.bytes.empty() ? unnamed(d.family) : d.local, address, size);
}

int sys::getpeername(native_handle_type s, sockaddr* address, socklen_t* size) noexcept {
  turn t = begin_on("getpeername", s);
  if (t.failed) return t.result();
  const description& d = at(s);
  if (!d.peer && !t.plan.addresses) t = fail_with(ENOTCONN);
  return give_address(t, d.peer.value_or(socket_address()), address, size);
}

int sys::getsockopt(native_handle_type s, int level, int name, void* value,
                    socklen_t* size) noexcept {
  const turn t = begin_on("getsockopt", s, level, name);
  if (t.failed) return t.result();
  std::string bytes = t.plan.has_data ? t.plan.data : option(s, level, name);
  if (bytes.empty() && !t.plan.has_data)
    bytes.assign(std::min<std::size_t>(*size, sizeof(int)), '\0');
  bytes.resize(std::min<std::size_t>(bytes.size(), *size));
  if (!bytes.empty()) std::memcpy(value, bytes.data(), bytes.size());
  *size = static_cast<socklen_t>(bytes.size());
  return t.result();
}

int sys::setsockopt(native_handle_type s, int level, int name, const void* value,
                    socklen_t size) noexcept {
  const turn t = begin_on("setsockopt", s, level, name, size);
  if (!t.failed && value != nullptr) at(s).options[{level, name}] = bytes_at(value, size);
  return t.result();
}

int sys::poll(native_handle_type s, event events, int milliseconds,
              native_handle_type wake) noexcept {
  note(wake < 0 ? called("poll", s, events, milliseconds)
                : called("poll", s, events, milliseconds, wake));
  if (const std::optional<turn> t = planned()) return t->result();
  if (const std::optional<turn> t = refuse("poll", s, kind::any)) return t->result();
  state().last_error = stale_error;
  if (is_awake(wake)) return woken;
  if (at(s).is == kind::wake && (at(s).is_awake || milliseconds == 0)) return at(s).is_awake;
  return wait_for_event(milliseconds);
}

// A scripted failure happens after the time given in the step.
int sys::pause(int milliseconds, native_handle_type wake) noexcept {
  const turn t = wake < 0 ? begin("pause", milliseconds) : begin("pause", milliseconds, wake);
  if (is_awake(wake)) return woken;
  if (!t.failed) state().clock += std::int64_t{milliseconds} * 1000000;
  return t.result();
}

int sys::open_wake(native_handle_type (&ends)[2]) noexcept {
  const turn t = begin("open_wake");
  if (t.failed) return t.result();
  if (const int error = opening_error()) return -error;
  auto what = describe_new(0, 0, 0, true);
  what->is = kind::wake;
  ends[0] = ends[1] = open_new(std::move(what));
  return 0;
}

void sys::close_wake(const native_handle_type (&ends)[2]) noexcept {
  if (state().open.erase(ends[0]) == 0) wrong(called("close_wake", ends[0]) + ": not open");
  state().closed.push_back(ends[0]);
}

// Keeps the error number, as the system's does.
void sys::wake(native_handle_type writing_end) noexcept {
  if (is_open(writing_end)) at(writing_end).is_awake = true;
}

void sys::clear_wake(native_handle_type reading_end) noexcept {
  if (is_open(reading_end)) at(reading_end).is_awake = false;
}

int sys::run_detached(void (*function)(void*) noexcept, void* argument) noexcept {
  const turn t = begin("run_detached");
  if (t.failed) return t.result();
  if (t.plan.value)
    state().held_thread = [=] { function(argument); };
  else
    function(argument);
  return 0;
}

class sys::poll_set {
 public:
  std::map<handle, std::pair<event, std::uint32_t>> all;
};

int sys::open_poll_set(poll_set*& out) {
  const turn t = begin("open_poll_set");
  if (t.failed) return t.result();
  if (const int error = opening_error()) return -error;
  ++state().poll_sets;
  out = new poll_set;
  return 0;
}

void sys::close_poll_set(poll_set* set) noexcept {
  --state().poll_sets;
  delete set;
}

native_handle_type sys::poll_set_handle(const poll_set& /*set*/) noexcept { return invalid_handle; }

int sys::change_poll_set(poll_set& set, native_handle_type s, event before, event after,
                         std::uint32_t generation) {
  const turn t = begin_on(kind::any, "change_poll_set", s, before, after);
  if (t.failed) return t.result();
  if (after == event::error)
    set.all.erase(s);
  else
    set.all[s] = {after, generation};
  return 0;
}

int sys::wait_poll_set(poll_set& set, std::vector<poll_result>& out, int milliseconds) {
  note(called("wait_poll_set", milliseconds));
  if (const std::optional<turn> t = planned()) return t->result();
  out.clear();
  for (const auto& [s, what] : set.all) {
    if (is_awake(s)) out.push_back({s, what.second, what.first});
  }
  if (!out.empty()) return 1;
  const std::deque<step>& script = script_of("wait_poll_set");
  const step next = script.empty() ? step() : script.front();
  const std::optional<std::vector<handle>>& wanted = next.handles;
  const int result = wait_for_event(milliseconds, "wait_poll_set");
  if (result <= 0) return result;
  if (next.reports) {
    for (const report& one : *next.reports)
      out.push_back({one.on, set.all.at(one.on).second, one.events});
    return static_cast<int>(out.size());
  }
  for (const auto& [s, what] : set.all) {
    const bool is_wanted = !wanted || std::find(wanted->begin(), wanted->end(), s) != wanted->end();
    if (is_wanted && is_open(s) && at(s).is != kind::wake)
      out.push_back({s, what.second, what.first});
  }
  return static_cast<int>(out.size());
}

std::ptrdiff_t sys::send(native_handle_type s, const void* data, std::size_t size, int flags) {
  return minus_one(
      send_some(begin_on("send", s, size, flags), {s, bytes_at(data, size), "null", ""}));
}

std::ptrdiff_t sys::sendto(native_handle_type s, const void* data, std::size_t size, int flags,
                           const sockaddr* address, socklen_t address_size) {
  const std::string to = to_string(address, address_size);
  return minus_one(
      send_some(begin_on("sendto", s, size, flags, to), {s, bytes_at(data, size), to, ""}));
}

std::ptrdiff_t sys::send_now(native_handle_type s, const void* data, std::size_t size) noexcept {
  return send_some(begin_on("send_now", s, size), {s, bytes_at(data, size), "null", ""});
}

std::ptrdiff_t sys::recv(native_handle_type s, void* data, std::size_t size, int flags) {
  return minus_one(receive_into(begin_on("recv", s, size, flags), "recv", s, data, size, flags));
}

std::ptrdiff_t sys::recvfrom(native_handle_type s, void* data, std::size_t size, int flags,
                             sockaddr* address, socklen_t* address_size) {
  turn t = begin_on("recvfrom", s, size, flags);
  if (!t.failed)
    store(t.plan.addresses ? t.plan.addresses->front() : socket_address(), address, address_size);
  return minus_one(receive_into(std::move(t), "recvfrom", s, data, size, flags));
}

std::ptrdiff_t sys::recv_now(native_handle_type s, void* data, std::size_t size) noexcept {
  return receive_into(begin_on("recv_now", s, size), "recv_now", s, data, size, 0);
}

std::size_t sys::max_buffers() noexcept { return 1024; }

std::ptrdiff_t sys::sendmsg(native_handle_type s, const message& m, int flags) noexcept {
  const std::string to = to_string(m.address, m.address_size);
  std::string data;
  for (std::size_t i = 0; i < m.buffer_count; ++i)
    data += bytes_at(base_of(m.buffers[i], 0), size_of(m.buffers[i], 0));
  const turn t = begin_on("sendmsg", s, data.size(), m.control_size, flags, to);
  if (m.buffer_count == 0) return fail_with(EMSGSIZE).result();  // as POSIX allows
  return send_some(t, {s, std::move(data), to, bytes_at(m.control, m.control_size)});
}

std::ptrdiff_t sys::recvmsg(native_handle_type s, message& m, int flags) noexcept {
  const std::size_t size = total(m);
  turn t = begin_on("recvmsg", s, size, m.control_size, flags);
  if (t.failed) return t.result();
  if (m.buffer_count == 0) return fail_with(EMSGSIZE).result();  // as POSIX allows
  if (const int error = t.plan.descriptors != 0 ? opening_error() : 0) return -error;
  const bool truncated = at(s).type != SOCK_STREAM && t.plan.data.size() > size;
  const std::string got = receive(t, "recvmsg", s, size, flags);
  std::size_t placed = 0;
  for (std::size_t i = 0; placed < got.size(); ++i) {
    const std::size_t piece = std::min(size_of(m.buffers[i], 0), got.size() - placed);
    if (piece != 0) std::memcpy(base_of(m.buffers[i], 0), got.data() + placed, piece);
    placed += piece;
  }
  m.flags = t.plan.flags;
  if (truncated) m.flags |= MSG_TRUNC;
  receive_control(t.plan, m, flags);
  socklen_t address_size = m.address_size;
  store(t.plan.addresses ? t.plan.addresses->front() : socket_address(), m.address, &address_size);
  m.address_size = m.address != nullptr ? address_size : 0;
  return static_cast<std::ptrdiff_t>(t.plan.value.value_or(static_cast<std::int64_t>(got.size())));
}

int sys::cloexec_flag() noexcept {
#ifdef MSG_CMSG_CLOEXEC
  return MSG_CMSG_CLOEXEC;
#else
  return 0;
#endif
}

std::ptrdiff_t sys::sendfile(native_handle_type s, native_handle_type file, std::uint64_t offset,
                             std::size_t count) noexcept {
  const turn t = begin_on("sendfile", s, file, offset, count);
  if (t.failed) return t.result();
  if (const std::optional<turn> bad = refuse("sendfile", file, kind::any)) return bad->result();
  if (t.plan.has_data) return static_cast<std::ptrdiff_t>(t.plan.value.value_or(0));
  return send_some(t, {s, content_of(file, offset, count), "null", ""});
}

int sys::block_sigpipe() noexcept { return 0; }
void sys::restore_sigpipe(int, bool) noexcept {}

bool sys::sendfile_unsupported(int error) noexcept {
  return error == EINVAL || error == ENOSYS || error == ENOTSUP || error == EOPNOTSUPP ||
         error == ESPIPE;
}

native_handle_type sys::open_file(const char* path) noexcept {
  const turn t = begin("open_file", path);
  if (t.failed) return t.result();
  if (const int error = opening_error()) return -error;
  const auto found = state().files.find(path);
  if (found == state().files.end()) return fail_with(ENOENT).result();
  auto what = std::make_shared<description>();
  what->is = kind::file;
  what->content = found->second;
  return open_new(std::move(what));
}

int sys::close_file(native_handle_type file) noexcept {
  return close_one("close_file", file, kind::file);
}

std::int64_t sys::file_size(native_handle_type file) noexcept {
  const turn t = begin_on(kind::any, "file_size", file);
  if (t.failed) return t.result();
  return t.plan.value.value_or(static_cast<std::int64_t>(at(file).content.size()));
}

std::ptrdiff_t sys::read_file(native_handle_type file, void* data, std::size_t size,
                              std::uint64_t offset) noexcept {
  const turn t = begin_on(kind::any, "read_file", file, size, offset);
  if (t.failed) return t.result();
  std::string got = t.plan.has_data ? t.plan.data.substr(0, size) : content_of(file, offset, size);
  if (t.plan.value) got.resize(std::min(got.size(), static_cast<std::size_t>(*t.plan.value)));
  if (!got.empty()) std::memcpy(data, got.data(), got.size());
  return static_cast<std::ptrdiff_t>(got.size());
}

native_handle_type sys::file_handle(void*) noexcept {
  const turn t = begin("file_handle");
  if (!t.failed && !t.plan.value) return fail_with(EBADF).result();
  return t.failed ? t.result() : static_cast<native_handle_type>(*t.plan.value);
}

int sys::seek_file(void* /*c_file*/, std::int64_t offset) noexcept {
  return begin("seek_file", offset).result();
}

int sys::answered_protocol(int usual) noexcept { return usual; }

sys::resolver_status sys::getaddrinfo(const char* host, const char* service, const addrinfo* hints,
                                      addrinfo** results) noexcept {
  const addrinfo want = hints != nullptr ? *hints : addrinfo{};
  // A name is not a numeric host, and uses no step.
  const std::string_view asked(host != nullptr ? host : "");
  const bool is_name = asked.substr(0, asked.find('%')).find_first_not_of("0123456789abcdef.:") !=
                       std::string_view::npos;
  if ((want.ai_flags & AI_NUMERICHOST) != 0 && is_name) {
    note(called("getaddrinfo", host, service, want.ai_family, want.ai_socktype, want.ai_protocol,
                want.ai_flags));
    if (const std::optional<turn> t = planned()) return resolver_failure(*t);
    return {EAI_NONAME, false};
  }
  const turn t = begin("getaddrinfo", host, service, want.ai_family, want.ai_socktype,
                       want.ai_protocol, want.ai_flags);
  if (t.failed) return resolver_failure(t);
  const std::vector<socket_address> found =
      t.plan.addresses.value_or(std::vector{default_host(host, want.ai_family, want.ai_flags)});
  *results = make_list(found, want, port_named(service), t.plan.data);
  return {};
}

void sys::freeaddrinfo(addrinfo* results) noexcept {
  if (state().lists.erase(results) == 0) wrong("freeaddrinfo of what is no list");
}

sys::resolver_status sys::getnameinfo(const sockaddr* address, socklen_t size, char* host,
                                      std::size_t host_size, char* service,
                                      std::size_t service_size, int flags) noexcept {
  const std::string text = to_string(address, size);
  const turn t = begin("getnameinfo", text, flags);
  if (t.failed) return resolver_failure(t);
  const std::size_t colon = text.rfind(':');
  copy_text(t.plan.has_data ? t.plan.data : text.substr(0, colon), host, host_size);
  copy_text(t.plan.has_data ? t.plan.more : text.substr(colon + 1), service, service_size);
  return {};
}

int sys::gethostbyname(const char* name, int family, host_entry& out) {
  return give_host(begin("gethostbyname", name, family), name, family, out);
}

int sys::gethostbyaddr(const void*, std::size_t size, int family, host_entry& out) {
  return give_host(begin("gethostbyaddr", size, family), "localhost", family, out);
}

int sys::getservbyname(const char* name, const char* proto, int& port) {
  const turn t = begin("getservbyname", name, proto);
  port = t.result(number_of(services, name, -1));
  return t.failed ? -state().last_error : port >= 0;
}

int sys::getservbyport(int port, const char* proto, std::string& name) {
  const turn t = begin("getservbyport", port, proto);
  name = t.plan.has_data ? t.plan.data : name_of(services, port, "");
  return t.failed ? -state().last_error : !name.empty();
}

int sys::getprotobyname(const char* name, int& number) {
  const turn t = begin("getprotobyname", name);
  number = t.result(number_of(protocols, name, -1));
  return t.failed ? -state().last_error : number >= 0;
}

int sys::gethostname(std::string& out) {
  const turn t = begin("gethostname");
  if (t.failed) return -state().last_error;
  out = t.plan.has_data ? t.plan.data : "fakehost";
  return 0;
}

int sys::sethostname(const char* name, std::size_t size) noexcept {
  return begin("sethostname", bytes_at(name, size)).failed ? -state().last_error : 0;
}

int sys::if_nameindex(std::vector<interface_entry>& out) {
  if (begin("if_nameindex").failed) return -state().last_error;
  out = state().interfaces;
  return 0;
}

std::int64_t sys::if_nametoindex(const char* name) noexcept {
  if (begin("if_nametoindex", name).failed) return -state().last_error;
  for (const interface_entry& entry : state().interfaces) {
    if (entry.name == name) return entry.index;
  }
  return -ENODEV;
}

int sys::if_indextoname(unsigned index, std::string& out) {
  if (begin("if_indextoname", index).failed) return -state().last_error;
  for (const interface_entry& entry : state().interfaces) {
    if (entry.index != index) continue;
    out = entry.name;
    return 0;
  }
  return -ENXIO;
}

}  // namespace detail
}  // namespace v1
}  // namespace pysock
