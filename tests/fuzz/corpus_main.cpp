// SPDX-License-Identifier: MIT
// Runs a fuzz target once for each file of a folder: PROGRAM FOLDER. For builds without libFuzzer,
// which has its own main.
#include <filesystem>
#include <fstream>
#include <iterator>

#include "fuzz.hpp"

int main(int, char** arguments) {
  int count = 0;
  for (const auto& entry : std::filesystem::directory_iterator(arguments[1])) {
    std::printf("%s\n", entry.path().filename().string().c_str());
    std::fflush(stdout);
    std::ifstream file(entry.path(), std::ios::binary);
    const std::string bytes{std::istreambuf_iterator<char>(file), {}};
    LLVMFuzzerTestOneInput(reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size());
    ++count;
  }
  return count == 0 ? 1 : 0;
}
