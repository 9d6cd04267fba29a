// SPDX-License-Identifier: MIT
// refused: not at the lines of the case
#ifdef CASE
#define BROKEN  // error: undeclared_name
#else
int a = 1;
#endif
#if defined(BROKEN)
int a = undeclared_name;
#endif
