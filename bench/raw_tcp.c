/* SPDX-License-Identifier: MIT */
/*
 * What the machine allows: two processes and one TCP connection over loopback, with no protocol at
 * all. ./dev perf prints our figures beside these, taken in the same run.
 *
 *   bench_raw_tcp lat [--size N] [--seconds S]   half the round trip, both sides spin on
 *                                                non-blocking sockets; N is 64 unless given
 *   bench_raw_tcp bw  [--size N] [--seconds S]   one direction, N octets per send; N is 1048576
 *                                                unless given
 *
 * Each side stays on a processor of its own, where there are two.
 *
 * Prints one JSON object in the form of `ndkperf --json`. Exit status 0, 2 for usage, 3 if the
 * connection cannot be made.
 */
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sched.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define SIZE_MAX_BYTES (16UL * 1024 * 1024)
#define SAMPLES_MAX    4000000UL

static uint64_t now_ns(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

/* Moves exactly n octets, spinning while the socket has none. False when the peer is gone. */
static bool move_all(int fd, char *buffer, size_t n, bool sending)
{
    size_t done = 0;

    while (done < n) {
        ssize_t moved = sending ? send(fd, buffer + done, n - done, MSG_NOSIGNAL | MSG_DONTWAIT)
                                : recv(fd, buffer + done, n - done, MSG_DONTWAIT);

        if (moved > 0)
            done += (size_t)moved;
        else if (moved == 0 || (errno != EAGAIN && errno != EINTR))
            return false;
    }
    return true;
}

static int compare_u32(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

    return (x > y) - (x < y);
}

static int run_lat(int fd, char *buffer, size_t size, double seconds)
{
    uint32_t *sample = calloc(SAMPLES_MAX, sizeof(*sample));
    size_t count = 0, warm_up = 1000;
    uint64_t end = 0;

    if (sample == NULL)
        return 1;
    for (;;) {
        uint64_t before = now_ns(), after;

        if (!move_all(fd, buffer, size, true) || !move_all(fd, buffer, size, false))
            break;
        after = now_ns();
        if (warm_up > 0) {
            warm_up--;
            end = after + (uint64_t)(seconds * 1e9);
            continue;
        }
        sample[count++] = (uint32_t)(after - before);
        if (after >= end || count == SAMPLES_MAX)
            break;
    }
    if (count == 0) {
        free(sample);
        return 1;
    }
    qsort(sample, count, sizeof(*sample), compare_u32);
    printf("{\"results\":[{\"op\":\"raw\",\"metric\":\"lat\",\"size\":%zu,\"iters\":%zu,"
           "\"lat_us\":{\"min\":%.3f,\"median\":%.3f,\"p99\":%.3f,\"max\":%.3f}}]}\n",
        size, count, sample[0] / 2e3, sample[count / 2] / 2e3, sample[count * 99 / 100] / 2e3,
        sample[count - 1] / 2e3);
    free(sample);
    return 0;
}

static int run_bw(int fd, char *buffer, size_t size, double seconds)
{
    uint64_t begin = now_ns(), end = begin + (uint64_t)(seconds * 1e9), sent = 0;
    char last;

    while (now_ns() < end) {
        size_t done = 0;

        while (done < size) {
            ssize_t n = send(fd, buffer + done, size - done, MSG_NOSIGNAL);

            if (n <= 0)
                return 1;
            done += (size_t)n;
        }
        sent += size;
    }
    /* The other side answers the end of the stream when it has read everything. */
    shutdown(fd, SHUT_WR);
    if (recv(fd, &last, 1, 0) != 1)
        return 1;
    printf("{\"results\":[{\"op\":\"raw\",\"metric\":\"bw\",\"size\":%zu,\"bw_gbytes_s\":%.6f}]}\n",
        size, (double)sent / (double)(now_ns() - begin));
    return 0;
}

/* The other process: echoes, or swallows and answers the end with one octet. */
static void serve(int fd, char *buffer, size_t size, bool echo)
{
    if (echo) {
        while (move_all(fd, buffer, size, false) && move_all(fd, buffer, size, true))
            ;
        return;
    }
    while (recv(fd, buffer, size, 0) > 0)
        ;
    send(fd, "", 1, MSG_NOSIGNAL);
}

/* A connected pair over loopback; false after a sentence. */
static bool connect_pair(int pair[2])
{
    struct sockaddr_in address = {.sin_family = AF_INET};
    socklen_t length = sizeof(address);
    int listener = socket(AF_INET, SOCK_STREAM, 0), on = 1;

    pair[0] = socket(AF_INET, SOCK_STREAM, 0);
    pair[1] = -1;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (listener >= 0 && pair[0] >= 0 &&
        bind(listener, (const struct sockaddr *)&address, length) == 0 &&
        listen(listener, 1) == 0 &&
        getsockname(listener, (struct sockaddr *)&address, &length) == 0 &&
        connect(pair[0], (const struct sockaddr *)&address, length) == 0)
        pair[1] = accept(listener, NULL, NULL);
    if (pair[1] < 0) {
        fprintf(stderr, "bench_raw_tcp: no TCP connection over 127.0.0.1: %s\n", strerror(errno));
        return false;
    }
    close(listener);
    for (int i = 0; i < 2; i++)
        setsockopt(pair[i], IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    return true;
}

/* Keeps this process on the n-th processor (from 0) that it may use; there may be only one. */
static void stay_on(unsigned n)
{
    cpu_set_t may, only;

    if (sched_getaffinity(0, sizeof may, &may) != 0 || CPU_COUNT(&may) < 2)
        return;
    CPU_ZERO(&only);
    for (size_t cpu = 0; cpu < CPU_SETSIZE; cpu++) {
        if (CPU_ISSET(cpu, &may) && n-- == 0)
            CPU_SET(cpu, &only);
    }
    sched_setaffinity(0, sizeof only, &only);
}

struct arguments {
    bool is_lat;
    size_t size;
    double seconds;
};

/* False: the command line is wrong. */
static bool read_arguments(int argc, char **argv, struct arguments *a)
{
    if (argc < 2 || argc % 2 != 0 || (strcmp(argv[1], "lat") != 0 && strcmp(argv[1], "bw") != 0))
        return false;
    a->is_lat = strcmp(argv[1], "lat") == 0;
    a->size = a->is_lat ? 64 : 1 << 20;
    a->seconds = 1;
    for (int i = 2; i < argc; i += 2) {
        char *end;

        if (strcmp(argv[i], "--size") == 0)
            a->size = strtoul(argv[i + 1], &end, 10);
        else if (strcmp(argv[i], "--seconds") == 0)
            a->seconds = strtod(argv[i + 1], &end);
        else
            return false;
        if (*end != '\0' || *argv[i + 1] == '\0')
            return false;
    }
    return a->size > 0 && a->size <= SIZE_MAX_BYTES && a->seconds > 0 && a->seconds <= 600;
}

int main(int argc, char **argv)
{
    struct arguments a;
    char *buffer;
    int pair[2], result;
    pid_t child;

    if (!read_arguments(argc, argv, &a)) {
        fprintf(stderr, "usage: bench_raw_tcp lat|bw [--size N] [--seconds S]\n");
        return 2;
    }
    buffer = calloc(1, a.size);
    if (buffer == NULL || !connect_pair(pair))
        return 3;
    child = fork();
    if (child < 0) {
        fprintf(stderr, "bench_raw_tcp: no second process: %s\n", strerror(errno));
        return 3;
    }
    if (child == 0) {
        close(pair[0]);
        stay_on(1);
        serve(pair[1], buffer, a.size, a.is_lat);
        _exit(0);
    }
    close(pair[1]);
    stay_on(0);
    result = a.is_lat ? run_lat(pair[0], buffer, a.size, a.seconds)
                      : run_bw(pair[0], buffer, a.size, a.seconds);
    close(pair[0]);
    waitpid(child, NULL, 0);
    if (result != 0)
        fprintf(stderr, "bench_raw_tcp: the connection ended early or memory is short\n");
    free(buffer);
    return result;
}
