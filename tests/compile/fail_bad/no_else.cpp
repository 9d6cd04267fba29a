// SPDX-License-Identifier: MIT
// refused: without an #else
#ifdef CASE
int a = undeclared_name;  // error: undeclared_name
#endif
