/* SPDX-License-Identifier: MIT */
#include "ndkrun/relay.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include "ndkrun/annotate.h"

static int read_end = -1;   /* the other end stays open until the process ends */
static atomic_bool is_busy; /* a line was read and is not yet out */

static void *relay(void *context)
{
    static struct annotate a;
    FILE *in = context;
    char line[ANNOTATE_LINE_MAX];

    while (fgets(line, (int)sizeof line, in) != NULL) {
        atomic_store(&is_busy, true);
        line[strcspn(line, "\n")] = '\0';
        annotate_line(&a, line);
        atomic_store(&is_busy, false);
    }
    annotate_end(&a);
    fclose(in);
    return NULL;
}

void relay_start(void)
{
    int ends[2];
    char path[32];
    pthread_t thread;
    FILE *in;

    if (getenv("SOFTNDK_VERIFY_LOG") != NULL || pipe2(ends, O_CLOEXEC) != 0)
        return;
    in = fdopen(ends[0], "r");
    if (in != NULL)
        setvbuf(in, NULL, _IONBF, 0); /* what is not read is in the pipe, see relay_flush */
    snprintf(path, sizeof path, "/proc/self/fd/%d", ends[1]);
    if (in == NULL || access(path, W_OK) != 0 || pthread_create(&thread, NULL, relay, in) != 0) {
        close(ends[1]);
        if (in != NULL)
            fclose(in);
        return;
    }
    pthread_detach(thread);
    read_end = ends[0];
    setenv("SOFTNDK_VERIFY_LOG", path, 1);
}

void relay_flush(void)
{
    const struct timespec pause = {0, 5000000};
    int waiting = 0, quiet = 0;

    /* Twice in a row: a line may be between the pipe and the thread. */
    for (int i = 0; i < 600 && read_end >= 0 && quiet < 2; i++) {
        bool is_quiet = ioctl(read_end, FIONREAD, &waiting) == 0 && waiting == 0;

        quiet = is_quiet && !atomic_load(&is_busy) ? quiet + 1 : 0;
        nanosleep(&pause, NULL);
    }
}
