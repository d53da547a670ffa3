#include <lmdb.h>
#include <sys/types.h>

/* Linux: takes blocks for a file; see `man 2 fallocate`. The C library declares it only for GNU sources, which Swift's
   are not. */
int fallocate(int file, int mode, off_t start, off_t length);
