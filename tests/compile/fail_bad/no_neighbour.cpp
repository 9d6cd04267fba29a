// SPDX-License-Identifier: MIT
// refused: without a neighbour
#ifdef CASE
int a = undeclared_name;  // error: undeclared_name
#else
#endif
