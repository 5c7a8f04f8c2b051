#pragma once
#include <spawn.h>
#include <sys/prctl.h>

/* prctl(2) is variadic, which Swift does not import. */
static inline int clinux_forbid_dumps(void) { return prctl(PR_SET_DUMPABLE, 0, 0, 0, 0); }

/* GNU extensions that Swift's own view of <spawn.h> leaves out (posix_spawn(3), glibc 2.34). */
extern int posix_spawn_file_actions_addclosefrom_np(posix_spawn_file_actions_t *, int);
static const short clinux_spawn_setsid = 0x80;
