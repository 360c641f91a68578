/* SPDX-License-Identifier: MIT */
/*
 * The system calls of the data path, without the C library's wrappers. Those are cancellation
 * points: in a program with threads each call pays two locked instructions for it, and a consumer's
 * thread that is cancelled in one would leave with a lane in its hands. Results and errno as of the
 * function without the prefix. ThreadSanitizer learns from the wrappers what a socket orders, so it
 * gets them.
 */
#ifndef SN_PLAT_LINUX_SYS_H
#define SN_PLAT_LINUX_SYS_H

#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#if defined(__SANITIZE_THREAD__)
#define LIN_SYS_WRAPPERS 1
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define LIN_SYS_WRAPPERS 1
#endif
#endif

#ifdef LIN_SYS_WRAPPERS
static inline ssize_t lin_sys_recv(int fd, void *p, size_t n)
{
    return recv(fd, p, n, 0);
}

static inline ssize_t lin_sys_recvmsg(int fd, struct msghdr *msg)
{
    return recvmsg(fd, msg, 0);
}

static inline ssize_t lin_sys_send(int fd, const void *p, size_t n)
{
    return send(fd, p, n, MSG_NOSIGNAL);
}

static inline ssize_t lin_sys_sendmsg(int fd, const struct msghdr *msg)
{
    return sendmsg(fd, msg, MSG_NOSIGNAL);
}

static inline ssize_t lin_sys_write(int fd, const void *p, size_t n)
{
    return write(fd, p, n);
}

/* What is ready now. */
static inline int lin_sys_epoll_look(int fd, struct epoll_event *events, int max)
{
    return epoll_wait(fd, events, max, 0);
}
#else
static inline ssize_t lin_sys_recv(int fd, void *p, size_t n)
{
    return syscall(SYS_recvfrom, fd, p, n, 0, NULL, NULL);
}

static inline ssize_t lin_sys_recvmsg(int fd, struct msghdr *msg)
{
    return syscall(SYS_recvmsg, fd, msg, 0);
}

static inline ssize_t lin_sys_send(int fd, const void *p, size_t n)
{
    return syscall(SYS_sendto, fd, p, n, MSG_NOSIGNAL, NULL, 0);
}

static inline ssize_t lin_sys_sendmsg(int fd, const struct msghdr *msg)
{
    return syscall(SYS_sendmsg, fd, msg, MSG_NOSIGNAL);
}

static inline ssize_t lin_sys_write(int fd, const void *p, size_t n)
{
    return syscall(SYS_write, fd, p, n);
}

/* What is ready now. */
static inline int lin_sys_epoll_look(int fd, struct epoll_event *events, int max)
{
    return (int)syscall(SYS_epoll_pwait, fd, events, max, 0, NULL, 0);
}
#endif

#endif
