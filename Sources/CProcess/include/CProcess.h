#ifndef TOLLBOOK_CPROCESS_H
#define TOLLBOOK_CPROCESS_H

// What Swift cannot call: prctl takes a variable number of arguments.

// Has the kernel write no core of this process, and lets no other process of the same user attach to it or read its
// memory (PR_SET_DUMPABLE, prctl(2)). A crash writes no backtrace. Returns 0, or -1 where the kernel does not know it.
int tollbook_forbid_dumps(void);

#endif
