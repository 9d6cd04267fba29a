// SPDX-License-Identifier: MIT
// The declarations of Apple's header that src/ssl/system_trust_macos.cpp uses.
#pragma once

#include <cstdint>

using Boolean = unsigned char;
using SInt32 = std::int32_t;
using CFIndex = long;
using CFTypeRef = const void*;
using CFArrayRef = const struct fake_array*;
using CFDataRef = const struct fake_data*;
using CFDictionaryRef = const struct fake_dictionary*;
using CFNumberRef = const struct fake_number*;
using CFStringRef = const struct fake_string*;

enum CFNumberType : CFIndex { kCFNumberSInt32Type = 3 };

extern "C" {
CFIndex CFArrayGetCount(CFArrayRef array);
const void* CFArrayGetValueAtIndex(CFArrayRef array, CFIndex index);
const unsigned char* CFDataGetBytePtr(CFDataRef data);
CFIndex CFDataGetLength(CFDataRef data);
const void* CFDictionaryGetValue(CFDictionaryRef dictionary, const void* key);
Boolean CFEqual(CFTypeRef left, CFTypeRef right);
Boolean CFNumberGetValue(CFNumberRef number, CFNumberType type, void* value);
void CFRelease(CFTypeRef object);
}
