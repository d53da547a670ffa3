#ifndef TOLLBOOK_CRC32C_H
#define TOLLBOOK_CRC32C_H
#include <stddef.h>
#include <stdint.h>

/* CRC-32C (Castagnoli, RFC 3720 appendix B.4) of `length` bytes. With several pieces, pass the value of the
   pieces before as `previous`; the first piece takes 0. The check value of "123456789" is 0xe3069283. */
uint32_t tollbook_crc32c(uint32_t previous, const void *bytes, size_t length);
#endif
