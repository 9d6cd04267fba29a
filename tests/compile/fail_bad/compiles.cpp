// SPDX-License-Identifier: MIT
// refused: compiles, and must not
#ifdef CASE
int a = 1;  // error: nothing is wrong here
#else
int a = 2;
#endif
