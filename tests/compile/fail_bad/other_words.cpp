// SPDX-License-Identifier: MIT
// refused: not with 'conversion'
#ifdef CASE
int a = undeclared_name;  // error: conversion
#else
int a = 1;
#endif
