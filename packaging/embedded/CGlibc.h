#pragma once
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

/* Swift imports no variadic functions, no macros with code, and no variables that may change. */
static inline int cglibc_open(const char *path, int flags) { return open(path, flags); }
static inline int cglibc_fcntl(int file, int command) { return fcntl(file, command); }
static inline int cglibc_errno(void) { return errno; }
static inline char *_Nullable *_Nonnull cglibc_environment(void) {
  extern char **environ;
  return environ;
}
/* The command line (start.c). */
extern char *_Nullable *_Nonnull const cglibc_arguments;
