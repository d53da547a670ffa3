#include <zlib.h>

/* zlib's initialisers are macros that pass the version and the size of the stream; Swift imports functions only. */
static inline int tollbook_deflate_init(z_stream *stream, int level) {
  return deflateInit2(stream, level, Z_DEFLATED, -15, 8, Z_DEFAULT_STRATEGY);
}
static inline int tollbook_inflate_init(z_stream *stream, int window_bits) {
  return inflateInit2(stream, window_bits);
}
