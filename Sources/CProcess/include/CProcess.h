#ifndef TOLLBOOK_CPROCESS_H
#define TOLLBOOK_CPROCESS_H

// What Swift cannot call itself: prctl takes a variable number of arguments.

// Has the kernel write no core of this process, and lets no other process of the same user attach to it or read its
// memory (PR_SET_DUMPABLE, prctl(2)). Returns 0, or -1 where the kernel does not know it.
int tollbook_forbid_dumps(void);

// Whether the kernel may write a core of this process: 1, 0, or -1 if it is not known.
int tollbook_is_dumpable(void);

#endif
