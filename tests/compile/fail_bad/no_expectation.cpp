// SPDX-License-Identifier: MIT
// refused: does not say which error
#ifdef CASE
int a = undeclared_name;
#else
int a = 1;
#endif
