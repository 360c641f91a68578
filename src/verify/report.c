/* SPDX-License-Identifier: MIT */
#include "verify/report.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "kenv/bugcheck.h"

enum { PLACES_MAX = 1024, TEXT_MAX = 16384 };

/* A rule that was broken at one place. */
struct place {
    enum verify_rule rule;
    uint64_t stack;
    uint32_t times;
};

static struct {
    pthread_mutex_t lock; /* guards everything below */
    struct place places[PLACES_MAX];
    uint32_t places_count;
    int fd;                  /* of the log */
    uint32_t log_users;      /* adapters */
    uint32_t told;           /* violations that the last totals told of */
    char text[TEXT_MAX + 1]; /* the report that is being written */
} reports = {.lock = PTHREAD_MUTEX_INITIALIZER, .fd = STDERR_FILENO};

static struct sn_a32 counts[VERIFY_RULE_COUNT];

/* ---- log ---- */

bool verify_log_begin(const char *path)
{
    bool is_open = true;

    pthread_mutex_lock(&reports.lock);
    if (reports.log_users == 0 && path != NULL) {
        int fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);

        is_open = fd >= 0;
        if (is_open)
            reports.fd = fd;
    }
    reports.log_users += is_open;
    pthread_mutex_unlock(&reports.lock);
    return is_open;
}

/* The whole text at once, so that processes with one log do not mix. */
static void put(const char *text, size_t n)
{
    while (n > 0) {
        ssize_t done = write(reports.fd, text, n);

        if (done <= 0)
            return;
        text += done;
        n -= (size_t)done;
    }
}

void verify_log_end(void)
{
    size_t n;

    pthread_mutex_lock(&reports.lock);
    if (--reports.log_users == 0) {
        n = (size_t)snprintf(reports.text, TEXT_MAX, "softndk verifier: ");
        n += verify_totals(reports.text + n, TEXT_MAX - n - 1);
        if (verify_count(VERIFY_RULE_COUNT) != reports.told) {
            reports.told = verify_count(VERIFY_RULE_COUNT);
            reports.text[n++] = '\n';
            put(reports.text, n);
        }
        if (reports.fd != STDERR_FILENO)
            close(reports.fd);
        reports.fd = STDERR_FILENO;
    }
    pthread_mutex_unlock(&reports.lock);
}

/* ---- counts ---- */

uint32_t verify_count(enum verify_rule rule)
{
    uint32_t sum = 0;

    if (rule != VERIFY_RULE_COUNT)
        return sn_a32_load_relaxed(&counts[rule]);
    for (int i = 0; i < VERIFY_RULE_COUNT; i++)
        sum += sn_a32_load_relaxed(&counts[i]);
    return sum;
}

size_t verify_totals(char *out, size_t room)
{
    size_t at = 0;

    out[0] = '\0';
    for (int i = 0; i < VERIFY_RULE_COUNT && room - at > 64; i++) {
        uint32_t n = sn_a32_load_relaxed(&counts[i]);

        if (n != 0)
            at += (size_t)snprintf(out + at, room - at, "%s%u %sof %s", at == 0 ? "" : ", ", n,
                at != 0  ? ""
                : n == 1 ? "violation "
                         : "violations ",
                verify_rules[i].id);
    }
    return at;
}

/* ---- text ---- */

/* Grows at the end of reports.text. */
struct text {
    size_t at;
};

static void add(struct text *t, const char *format, ...) SN_PRINTF(2, 3);
static void add(struct text *t, const char *format, ...)
{
    va_list arguments;
    int n;

    va_start(arguments, format);
    /* NOLINTNEXTLINE(clang-analyzer-valist.Uninitialized): it is, by the line above */
    n = vsnprintf(reports.text + t->at, TEXT_MAX - t->at, format, arguments);
    va_end(arguments);
    if (n > 0)
        t->at = t->at + (size_t)n < TEXT_MAX ? t->at + (size_t)n : TEXT_MAX - 1;
}

static void add_stack(
    struct text *t, const char *title, const struct verify_stack *s, const char *from)
{
    add(t, "%s\n", title);
    t->at += verify_stack_print(s, from, "            ", reports.text + t->at, TEXT_MAX - t->at);
}

/* The function that an object comes from. */
static const char *made_by(const struct verify_obj *o)
{
    return o->type == NdkObjectTypeAdapter ? "SoftNdkOpenAdapter"
           : o->is_from_event              ? "verify_connect_event"
                                           : "NdkCreate*";
}

static void add_object(struct text *t, const char *title, struct verify_obj *o)
{
    enum verify_state state = verify_state_of(o);

    add(t, "%s %s %p (number %llu of this process), %s\n", title, verify_type_name(o->type),
        (void *)o->pub, (unsigned long long)o->serial, verify_state_name(state));
    add_stack(t,
        o->is_from_event ? "          which a connect event delivered at"
                         : "          which was created at",
        &o->born, made_by(o));
    if (state == VERIFY_CLOSING || state == VERIFY_GONE)
        add_stack(t, "          and closed at", &o->closed, NULL);
}

size_t verify_object_text(struct verify_obj *o, char *out, size_t room)
{
    int n = snprintf(out, room, "%s %p (number %llu of this process), %s, created at\n",
        verify_type_name(o->type), (void *)o->pub, (unsigned long long)o->serial,
        verify_state_name(verify_state_of(o)));
    size_t at = n < 0 ? 0 : (size_t)n < room ? (size_t)n : room - 1;

    return at + verify_stack_print(&o->born, made_by(o), "    ", out + at, room - at);
}

static void add_context(struct text *t, const char *call)
{
    const struct verify_callback *cb = verify_callback_now();

    add(t, "  call    %s, thread %u, IRQL %u", call, verify_thread(), kenv_irql_now);
    if (cb != NULL)
        add(t, ", in %s of the %s %p", cb->name, verify_type_name(cb->o->type), (void *)cb->o->pub);
    add(t, "\n");
}

static void write_report(const struct verify_rule_row *row, struct verify_obj *o,
    struct verify_obj *other, const char *call, const char *found, const struct verify_stack *s)
{
    struct text t = {0};

    add(&t, "\n==== softndk verifier: %s%s ====\n", row->id,
        row->seen == VERIFY_RISKY ? " (legal, but risky)" : "");
    add(&t, "  rule    %s\n", row->sentence);
    add(&t, "  found   %s\n", found);
    add_context(&t, call);
    add_stack(&t, "  stack", s, call);
    if (o != NULL)
        add_object(&t, "  object ", o);
    if (other != NULL && other != o)
        add_object(&t, "  and     the", other);
    add(&t, "  to do   %s\n", row->advice);
    add(&t, "  page    %s\n", row->page);
    if (row->bugcheck != 0)
        add(&t, "  Windows would likely stop with 0x%08X %s\n", row->bugcheck,
            verify_bugcheck_name(row->bugcheck));
    put(reports.text, t.at);
}

/* True: this rule was not broken here before. When the table is full, all are new. */
static bool is_new(enum verify_rule rule, uint64_t stack)
{
    for (uint32_t i = 0; i < reports.places_count; i++) {
        struct place *p = &reports.places[i];

        if (p->rule == rule && p->stack == stack) {
            p->times++;
            return false;
        }
    }
    if (reports.places_count < PLACES_MAX)
        reports.places[reports.places_count++] = (struct place){rule, stack, 1};
    return true;
}

void verify_report(enum verify_rule rule, struct verify_obj *o, struct verify_obj *other,
    const char *call, const char *format, ...)
{
    const struct verify_rule_row *row = &verify_rules[rule];
    const struct verify_settings *settings = &o->adapter->settings;
    struct verify_stack stack;
    char found[512];
    va_list arguments;

    if (row->seen == VERIFY_RISKY && !settings->risky)
        return;
    va_start(arguments, format);
    /* NOLINTNEXTLINE(clang-analyzer-valist.Uninitialized): it is, by the line above */
    vsnprintf(found, sizeof found, format, arguments);
    va_end(arguments);
    verify_stack_take(&stack, 0);
    sn_a32_fetch_add(&counts[rule], 1);
    pthread_mutex_lock(&reports.lock);
    if (is_new(rule, verify_stack_hash(&stack)))
        write_report(row, o, other, call, found, &stack);
    pthread_mutex_unlock(&reports.lock);
    if (settings->mode == VERIFY_BREAK && row->seen != VERIFY_RISKY)
        kenv_bugcheck(row->bugcheck != 0 ? row->bugcheck : DRIVER_VERIFIER_DETECTED_VIOLATION,
            (ULONG_PTR)o->pub, other != NULL ? (ULONG_PTR)other->pub : 0, 0, 0, "%s: %s (%s: %s)",
            row->id, row->sentence, call, found);
}
