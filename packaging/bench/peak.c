/* Runs a program and prints its peak resident memory in kilobytes. A measuring program of its own
 * size, because the kernel counts what a child was before it became another program.
 * usage: peak PROGRAM ARGUMENT... */
#include <spawn.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/wait.h>

extern char **environ;

int main(int count, char **arguments)
{
    pid_t child;
    int status;
    struct rusage usage;
    if (count < 2 || posix_spawn(&child, arguments[1], NULL, NULL, arguments + 1, environ))
        return 127;
    if (wait4(child, &status, 0, &usage) != child || status) return 1;
    dprintf(2, "%ld\n", usage.ru_maxrss);
    return 0;
}
