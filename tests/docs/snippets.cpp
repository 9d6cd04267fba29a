// SPDX-License-Identifier: MIT
// Runs one block of the documentation by its name; without a name, lists all.
#include "snippets.hpp"

#include <map>

namespace {

std::map<std::string, void (*)()>& all() {
  static std::map<std::string, void (*)()> snippets;
  return snippets;
}

}  // namespace

docs::snippet::snippet(const char* name, void (*run)()) { all().emplace(name, run); }

void docs::fail(const char* condition) {
  throw std::runtime_error(std::string("check failed: ") + condition);
}

int main(int argc, char** argv) try {
  if (argc > 1)
    all().at(argv[1])();
  else
    for (const auto& [name, run] : all()) std::cout << name << '\n';
} catch (const std::exception& e) {
  std::cerr << e.what() << '\n';
  return 1;
}
