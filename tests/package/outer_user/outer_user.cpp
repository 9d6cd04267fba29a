// SPDX-License-Identifier: MIT
int outer_port();

int main() { return outer_port() > 0 ? 0 : 1; }
