#pragma once
#include <zlib.h>
/// CRC-32 as zlib's `crc32_z`, some five times as fast where the processor multiplies without carries.
///
/// Folding by 64 bytes, then 16, and zlib for the rest. Source of method and constants: Gopal et al., "Fast CRC Computation for
/// Generic Polynomials Using PCLMULQDQ Instruction", Intel 2009, for the reflected polynomial 0xEDB88320.
#if defined(__x86_64__)
typedef long long icegate_v2 __attribute__((__vector_size__(16), __aligned__(1)));
typedef long long icegate_v2a __attribute__((__vector_size__(16)));
__attribute__((__target__("pclmul,sse4.1"))) static inline icegate_v2a
icegate_fold(icegate_v2a part, icegate_v2a next, icegate_v2a by) {
  return __builtin_ia32_pclmulqdq128(part, by, 0x00) ^ __builtin_ia32_pclmulqdq128(part, by, 0x11) ^ next;
}
__attribute__((__target__("pclmul,sse4.1"), __noinline__, __unused__)) static unsigned int
icegate_crc32_folded(unsigned int crc, const unsigned char *from, size_t count) {
  // count is a multiple of 16 and at least 64.
  const icegate_v2a by64 = {0x0154442bd4LL, 0x01c6e41596LL}, by16 = {0x01751997d0LL, 0x00ccaa009eLL};
  const icegate_v2a last = {0x0163cd6124LL, 0}, barrett = {0x01db710641LL, 0x01f7011641LL};
  const icegate_v2a low32 = {0xFFFFFFFFLL, 0xFFFFFFFFLL};
  const icegate_v2 *at = (const icegate_v2 *)from;
  icegate_v2a a = at[0], b = at[1], c = at[2], d = at[3];
  a ^= (icegate_v2a){(long long)(~crc & 0xFFFFFFFFu), 0};
  at += 4;
  count -= 64;
  for (; count >= 64; count -= 64, at += 4) {
    a = icegate_fold(a, at[0], by64);
    b = icegate_fold(b, at[1], by64);
    c = icegate_fold(c, at[2], by64);
    d = icegate_fold(d, at[3], by64);
  }
  a = icegate_fold(a, b, by16);
  a = icegate_fold(a, c, by16);
  a = icegate_fold(a, d, by16);
  for (; count >= 16; count -= 16, at += 1) a = icegate_fold(a, at[0], by16);
  // 128 bits to 96, to 64, to 32.
  a = (icegate_v2a){a[1], 0} ^ __builtin_ia32_pclmulqdq128(a, by16, 0x10);
  icegate_v2a high = {(long long)(((unsigned long long)a[0] >> 32) | ((unsigned long long)a[1] << 32)),
                      (long long)((unsigned long long)a[1] >> 32)};
  a = high ^ __builtin_ia32_pclmulqdq128(a & low32, last, 0x00);
  icegate_v2a quotient = __builtin_ia32_pclmulqdq128(a & low32, barrett, 0x10) & low32;
  a ^= __builtin_ia32_pclmulqdq128(quotient, barrett, 0x00);
  return ~(unsigned int)((unsigned long long)a[0] >> 32);
}
#endif
static inline unsigned long icegate_crc32(unsigned long crc, const unsigned char *from, size_t count) {
#if defined(__x86_64__)
  if (count >= 64 && __builtin_cpu_supports("pclmul") && __builtin_cpu_supports("sse4.1")) {
    size_t folded = count & ~(size_t)15;
    crc = icegate_crc32_folded((unsigned int)crc, from, folded);
    from += folded;
    count -= folded;
  }
#endif
  return count ? crc32_z(crc, from, count) : crc;
}
