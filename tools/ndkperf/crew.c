/* SPDX-License-Identifier: MIT */
#include "ndkperf/crew.h"

#include <pthread.h>
#include <stdlib.h>

#include "common/tool.h"

struct member {
    struct crew *crew;
    uint32_t number;
    pthread_t thread;
};

struct crew {
    void (*work)(void *context, uint32_t i);
    void *context;
    uint32_t started;
    struct member members[];
};

static void *run_member(void *context)
{
    const struct member *m = context;

    m->crew->work(m->crew->context, m->number);
    return NULL;
}

/* Members from `first` on. */
static struct crew *start(
    uint32_t first, uint32_t n, void (*work)(void *context, uint32_t i), void *context)
{
    struct crew *c = calloc(1, sizeof *c + (n - first) * sizeof c->members[0]);
    bool is_complete = c != NULL;

    if (c == NULL) {
        tool_fail(TOOL_FAILED, "memory is short");
        return NULL;
    }
    c->work = work;
    c->context = context;
    for (uint32_t i = first; is_complete && i < n; i++) {
        struct member *m = &c->members[c->started];

        m->crew = c;
        m->number = i;
        is_complete = pthread_create(&m->thread, NULL, run_member, m) == 0;
        c->started += is_complete;
    }
    if (!is_complete)
        tool_fail(TOOL_FAILED, "no thread number %u; ask for fewer with --threads",
            (unsigned)(first + c->started));
    return c;
}

void crew_join(struct crew *c)
{
    for (uint32_t i = 0; i < c->started; i++)
        pthread_join(c->members[i].thread, NULL);
    free(c);
}

struct crew *crew_start(uint32_t n, void (*work)(void *context, uint32_t i), void *context)
{
    struct crew *c = start(0, n, work, context);

    if (c != NULL && c->started == 0 && n > 0) {
        crew_join(c);
        return NULL;
    }
    return c;
}

bool crew_run(uint32_t n, void (*work)(void *context, uint32_t i), void *context)
{
    struct crew *c = n > 1 ? start(1, n, work, context) : NULL;
    bool is_complete = n == 1 || (c != NULL && c->started == n - 1);

    work(context, 0);
    if (c != NULL)
        crew_join(c);
    return is_complete;
}
