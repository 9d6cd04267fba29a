// SPDX-License-Identifier: MIT
// refused: undeclared_name
#ifdef CASE
int a = undeclared_name;  // error: undeclared_name
#else
int a = undeclared_name;
#endif
