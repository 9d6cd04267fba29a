// SPDX-License-Identifier: MIT
// refused: undeclared_name
#ifdef CASE
int a = undeclared_name;  // error in clang: other words
#else
int a = 1;
#endif
