#include "CProcess.h"

#ifdef __linux__
#include <sys/prctl.h>

int tollbook_forbid_dumps(void) { return prctl(PR_SET_DUMPABLE, 0, 0, 0, 0); }

int tollbook_is_dumpable(void) { return prctl(PR_GET_DUMPABLE, 0, 0, 0, 0); }
#else
int tollbook_forbid_dumps(void) { return -1; }

int tollbook_is_dumpable(void) { return -1; }
#endif
