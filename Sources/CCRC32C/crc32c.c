#include "crc32c.h"
#include <string.h>

static uint32_t table[256];

/* The byte-wise table of the reflected polynomial 0x82f63b78, made before main() so that no thread sees it half done. */
__attribute__((constructor)) static void fill_table(void) {
  for (uint32_t byte = 0; byte < 256; byte++) {
    uint32_t value = byte;
    for (int bit = 0; bit < 8; bit++) value = value & 1 ? (value >> 1) ^ 0x82f63b78u : value >> 1;
    table[byte] = value;
  }
}

static uint32_t portable(uint32_t state, const uint8_t *bytes, size_t length) {
  while (length--) state = table[(state ^ *bytes++) & 0xff] ^ (state >> 8);
  return state;
}

#if defined(__x86_64__)
#include <nmmintrin.h>

__attribute__((target("sse4.2"))) static uint32_t hardware(uint32_t state, const uint8_t *bytes, size_t length) {
  uint64_t wide = state;
  for (; length >= 8; bytes += 8, length -= 8) {
    uint64_t word;
    memcpy(&word, bytes, 8);
    wide = _mm_crc32_u64(wide, word);
  }
  state = (uint32_t)wide;
  while (length--) state = _mm_crc32_u8(state, *bytes++);
  return state;
}

static uint32_t advance(uint32_t state, const uint8_t *bytes, size_t length) {
  return __builtin_cpu_supports("sse4.2") ? hardware(state, bytes, length) : portable(state, bytes, length);
}
#else
static uint32_t advance(uint32_t state, const uint8_t *bytes, size_t length) {
  return portable(state, bytes, length);
}
#endif

uint32_t tollbook_crc32c(uint32_t previous, const void *bytes, size_t length) {
  return ~advance(~previous, bytes, length);
}
