#pragma once
#include "CDlopenNote.h"

#include <spawn.h>
#include <sys/epoll.h>
#include <sys/types.h>

/* What Swift's own view of glibc leaves out, because it is not compiled with _GNU_SOURCE. */

/* memfd_create(2), and MFD_CLOEXEC. */
extern int memfd_create(const char *name, unsigned int flags);
extern const unsigned int clinux_close_on_exec;

/* posix_spawn_file_actions_addclosefrom_np(3), and POSIX_SPAWN_SETSID. */
extern int posix_spawn_file_actions_addclosefrom_np(posix_spawn_file_actions_t *actions, int from);
extern const short clinux_spawn_setsid;

/* timerfd_create(2); its own header would define timespec a second time. */
struct itimerspec;
extern int timerfd_create(int clock, int flags);
extern int timerfd_settime(
    int timer, int flags, const struct itimerspec *next, struct itimerspec *former);

/* Makes core dumps and debuggers of other processes impossible (PR_SET_DUMPABLE); prctl(2) is
   variadic, which Swift does not import. */
int clinux_forbid_dumps(void);

/* The user at the other end of a Unix socket (unix(7), SO_PEERCRED), or -1. */
long clinux_peer_user(int socket);
