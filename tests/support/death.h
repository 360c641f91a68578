/* SPDX-License-Identifier: MIT */
/* Runs a function that should abort the process, in a child, and says how the child ended. */
#ifndef TESTS_SUPPORT_DEATH_H
#define TESTS_SUPPORT_DEATH_H

#include <signal.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

/*
 * The signal that ended fn(arg), 0 if it returned, -1 if the child could not be started. What it
 * wrote to standard error is in text[0..n), terminated by a zero.
 */
static inline int death_of(void (*fn)(void *arg), void *arg, char *text, size_t n)
{
    int ends[2], status = 0;
    size_t at = 0;
    ssize_t got;
    pid_t child;

    if (pipe(ends) != 0)
        return -1;
    child = fork();
    if (child < 0)
        return -1;
    if (child == 0) {
        dup2(ends[1], STDERR_FILENO);
        close(ends[0]);
        close(ends[1]);
        signal(SIGABRT, SIG_DFL); /* cmocka catches it */
        fn(arg);
        _exit(0);
    }
    close(ends[1]);
    while (at + 1 < n && (got = read(ends[0], text + at, n - 1 - at)) > 0)
        at += (size_t)got;
    text[at] = 0;
    close(ends[0]);
    if (waitpid(child, &status, 0) != child)
        return -1;
    return WIFSIGNALED(status) ? WTERMSIG(status) : 0;
}

#endif
