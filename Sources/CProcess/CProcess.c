#include "CProcess.h"

#ifdef __linux__
#include <signal.h>
#include <sys/prctl.h>

int tollbook_forbid_dumps(void) {
  // Swift's runtime writes a backtrace when a process crashes, from a second process that reads the first one's memory.
  // It would wait for ever for what it may not read, so a crash ends the process as it does without the runtime.
  static const int crashes[] = {SIGABRT, SIGBUS, SIGFPE, SIGILL, SIGQUIT, SIGSEGV, SIGTRAP};
  for (unsigned index = 0; index < sizeof crashes / sizeof crashes[0]; index++) {
    signal(crashes[index], SIG_DFL);
  }
  return prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
}
#else
int tollbook_forbid_dumps(void) { return -1; }
#endif
