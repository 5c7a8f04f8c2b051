#pragma once
#include <spawn.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/types.h>

/* prctl(2) is variadic, which Swift does not import. */
static inline int clinux_forbid_dumps(void) { return prctl(PR_SET_DUMPABLE, 0, 0, 0, 0); }

/* GNU extensions that Swift's own view of glibc leaves out (memfd_create(2), posix_spawn(3)). */
extern int memfd_create(const char *, unsigned int);
extern int posix_spawn_file_actions_addclosefrom_np(posix_spawn_file_actions_t *, int);
static const short clinux_spawn_setsid = 0x80;
static const unsigned int clinux_close_on_exec = 1;

/* timerfd_create(2), which Swift's Glibc leaves out; its own header would claim timespec. */
struct itimerspec;
extern int timerfd_create(int clock, int flags);
extern int timerfd_settime(
    int timer, int flags, const struct itimerspec *next, struct itimerspec *former);

/* The user at the other end of a Unix socket (unix(7), SO_PEERCRED), or -1. */
static inline long clinux_peer_user(int socket) {
  struct { pid_t pid; uid_t uid; gid_t gid; } peer;
  socklen_t length = sizeof peer;
  if (getsockopt(socket, SOL_SOCKET, 17, &peer, &length) != 0) return -1;
  return (long)peer.uid;
}
