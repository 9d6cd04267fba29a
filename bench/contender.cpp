// SPDX-License-Identifier: MIT
// The main program of every measured program.
#include "contender.hpp"

#include <cstring>

int main(int argc, char** argv) {
  const std::vector<bench::workload> known = bench::workloads();
  if (argc != 3) {
    for (const bench::workload& one : known) std::puts(one.name);
    return argc == 1 ? 0 : 2;
  }
  for (const bench::workload& one : known) {
    if (std::strcmp(one.name, argv[1]) != 0) continue;
    bench::meter measure(std::atol(argv[2]));
    one.run(measure);
    std::printf("%lld\n", static_cast<long long>(measure.elapsed().count()));
    return 0;
  }
  std::fprintf(stderr, "no such workload: %s\n", argv[1]);
  return 2;
}
