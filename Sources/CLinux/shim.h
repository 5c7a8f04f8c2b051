#pragma once
#include <sys/prctl.h>

/* prctl(2) is variadic, which Swift does not import. */
static inline int clinux_forbid_dumps(void) { return prctl(PR_SET_DUMPABLE, 0, 0, 0, 0); }
