#define _GNU_SOURCE
#include "CLinux.h"

#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>

const unsigned int clinux_close_on_exec = MFD_CLOEXEC;
const short clinux_spawn_setsid = POSIX_SPAWN_SETSID;

int clinux_forbid_dumps(void) { return prctl(PR_SET_DUMPABLE, 0, 0, 0, 0); }

long clinux_peer_user(int socket) {
  struct ucred peer;
  socklen_t length = sizeof peer;
  if (getsockopt(socket, SOL_SOCKET, SO_PEERCRED, &peer, &length) != 0) return -1;
  return (long)peer.uid;
}
