/* SPDX-License-Identifier: MIT */
#include "ndkrun/crash.h"

#include <dirent.h>
#include <execinfo.h>
#include <pthread.h>
#include <signal.h>
#include <softndk_driver.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <ucontext.h>
#include <unistd.h>

#include "ndkrun/log.h"
#include "ndkrun/relay.h"
#include "ndkrun/report.h"
#include "ndkrun/stack.h"

enum { FRAMES_MAX = 48, ALT_STACK_SIZE = 256 * 1024 };

static char *alt_stack;

/* ---- Signals ------------------------------------------------------------------------------- */

static void *program_counter(const void *context)
{
    const ucontext_t *c = context;

#if defined(__x86_64__)
    return (void *)(uintptr_t)c->uc_mcontext.gregs[REG_RIP];
#elif defined(__aarch64__)
    return (void *)(uintptr_t)c->uc_mcontext.pc;
#else
    return (void *)(uintptr_t)(c != NULL ? 0 : 1);
#endif
}

/* The frames from the one that was interrupted on. */
static size_t interrupted_frames(void *pc, void **frames)
{
    int count = backtrace(frames, FRAMES_MAX);

    for (int i = 0; i < count; i++) {
        if (frames[i] == pc) {
            memmove(frames, frames + i, (size_t)(count - i) * sizeof *frames);
            return (size_t)(count - i);
        }
    }
    /* A call through a wild pointer: the caller follows the handler's and the kernel's frames. */
    if (count > 2) {
        memmove(frames + 1, frames + 3, (size_t)(count - 3) * sizeof *frames);
        frames[0] = pc;
        return (size_t)(count - 2);
    }
    return count < 0 ? 0 : (size_t)count;
}

struct crash {
    ULONG code;
    const char *name;
    const char *what;
};

static struct crash crash_of(int number, const siginfo_t *info, const void *pc, KIRQL irql)
{
    uintptr_t address = (uintptr_t)info->si_addr;

    if (number == SIGFPE)
        return (struct crash){0x7F, "UNEXPECTED_KERNEL_MODE_TRAP", "a division by zero"};
    if (number == SIGILL)
        return (struct crash){
            0x1E, "KMODE_EXCEPTION_NOT_HANDLED", "an instruction that does not exist"};
    if (address == (uintptr_t)pc && address < 4096)
        return (struct crash){0xD1, "DRIVER_IRQL_NOT_LESS_OR_EQUAL",
            "a call through a NULL pointer: a callback that was not given, or an object that was "
            "never initialised"};
    if (irql >= DISPATCH_LEVEL)
        return (struct crash){0xD1, "DRIVER_IRQL_NOT_LESS_OR_EQUAL",
            address < 4096 ? "an access through a NULL pointer at DISPATCH_LEVEL or above"
                           : "an access to memory that is not there, at DISPATCH_LEVEL or above"};
    return (struct crash){address < 4096 ? 0x7E : 0x50,
        address < 4096 ? "SYSTEM_THREAD_EXCEPTION_NOT_HANDLED" : "PAGE_FAULT_IN_NONPAGED_AREA",
        address < 4096 ? "an access through a NULL pointer"
                       : "an access to memory that is not "
                         "there"};
}

static void on_crash(int number, siginfo_t *info, void *context)
{
    void *frames[FRAMES_MAX], *pc = program_counter(context);
    KIRQL irql = KeGetCurrentIrql();
    struct crash crash = crash_of(number, info, pc, irql);

    /* Nothing here is safe in a handler, and nothing can be lost by it. */
    relay_flush();
    fflush(stdout);
    fprintf(stderr, "\nndkrun: BUGCHECK 0x%08X %s\n  what: %s, address %p\n  IRQL: %s\n",
        crash.code, crash.name, crash.what, info->si_addr, log_irql_name(irql));
    fprintf(stderr, "  the call:\n");
    stack_print(stderr, frames, interrupted_frames(pc, frames));
    fprintf(stderr, "  For more, run it under a debugger (gdb --args ndkrun ...) or compile the "
                    "driver with ndkcc --asan.\n\n");
    /* SA_RESETHAND: the instruction runs again and ends the process by default. */
}

void crash_start(bool has_sanitizer)
{
    static const int numbers[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL};
    struct sigaction action;
    stack_t stack;
    void *frames[1];

    (void)backtrace(frames, 1); /* loads the unwinder now, not in a handler */
    if (has_sanitizer)
        return;
    alt_stack = malloc(ALT_STACK_SIZE);
    if (alt_stack != NULL) {
        stack = (stack_t){.ss_sp = alt_stack, .ss_size = ALT_STACK_SIZE};
        sigaltstack(&stack, NULL);
    }
    memset(&action, 0, sizeof action);
    action.sa_sigaction = on_crash;
    sigemptyset(&action.sa_mask);
    action.sa_flags = (int)(SA_SIGINFO | SA_RESETHAND | SA_ONSTACK);
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++)
        sigaction(numbers[i], &action, NULL);
}

/* ---- Watchdog ------------------------------------------------------------------------------ */

static pthread_mutex_t watch_lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t watch_changed;
static pthread_t watch_thread;
static atomic_bool is_watching; /* set under watch_lock */
static bool has_thread;
static const char *watched;
static double watched_seconds;

/* What a thread does, taken by its own signal handler. */
static struct {
    atomic_bool is_taken;
    void *frames[FRAMES_MAX];
    size_t count;
    KIRQL irql;
} look;

static void on_look(int number, siginfo_t *info, void *context)
{
    (void)number;
    (void)info;
    look.count = interrupted_frames(program_counter(context), look.frames);
    look.irql = KeGetCurrentIrql();
    atomic_store(&look.is_taken, true);
}

static bool look_at(pid_t thread)
{
    const struct timespec pause = {0, 1000000};

    atomic_store(&look.is_taken, false);
    if (syscall(SYS_tgkill, getpid(), thread, SIGUSR2) != 0)
        return false;
    for (int i = 0; i < 1000 && !atomic_load(&look.is_taken); i++)
        nanosleep(&pause, NULL);
    return atomic_load(&look.is_taken);
}

static void print_threads(void)
{
    DIR *threads = opendir("/proc/self/task");
    const struct dirent *entry;

    while (
        threads != NULL && (entry = readdir(threads)) != NULL) { /* NOLINT(concurrency-mt-unsafe) */
        pid_t thread = (pid_t)strtol(entry->d_name, NULL, 10);

        if (thread <= 0 || thread == (pid_t)syscall(SYS_gettid) || !look_at(thread))
            continue;
        if (thread != getpid() && !stack_has_driver(look.frames, look.count))
            continue;
        fprintf(stderr, "  thread %d, at %s:\n", (int)thread, log_irql_name(look.irql));
        stack_print(stderr, look.frames, look.count);
    }
    if (threads != NULL)
        closedir(threads);
}

static void report_hang(void)
{
    relay_flush();
    fflush(stdout);
    fprintf(
        stderr, "\nndkrun: HANG: %s has not returned for %g seconds\n", watched, watched_seconds);
    fprintf(stderr, "  do:   look for what it waits for: a completion that never comes, an object "
                    "that was not closed,\n        an event that nobody sets. --patience SECONDS "
                    "waits longer.\n");
    print_threads();
    report_leaks(NULL, "still there is");
    report_ndk_objects("still open are");
    fputc('\n', stderr);
    _exit(1);
}

static void *watch(void *context)
{
    struct timespec end;
    bool is_late = false;

    (void)context;
    clock_gettime(CLOCK_MONOTONIC, &end);
    end.tv_sec += (time_t)watched_seconds + 1;
    pthread_mutex_lock(&watch_lock);
    while (is_watching && !is_late)
        is_late = pthread_cond_timedwait(&watch_changed, &watch_lock, &end) != 0;
    is_late = is_late && is_watching;
    pthread_mutex_unlock(&watch_lock);
    if (is_late)
        report_hang();
    return NULL;
}

void crash_watch_begin(const char *what, double seconds)
{
    struct sigaction action;
    pthread_condattr_t attributes;

    memset(&action, 0, sizeof action);
    action.sa_sigaction = on_look;
    sigemptyset(&action.sa_mask);
    action.sa_flags = (int)(SA_SIGINFO | SA_RESTART);
    sigaction(SIGUSR2, &action, NULL);
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&watch_changed, &attributes);
    pthread_condattr_destroy(&attributes);
    watched = what;
    watched_seconds = seconds;
    is_watching = true;
    has_thread = pthread_create(&watch_thread, NULL, watch, NULL) == 0;
}

void crash_watch_end(void)
{
    pthread_mutex_lock(&watch_lock);
    is_watching = false;
    pthread_cond_signal(&watch_changed);
    pthread_mutex_unlock(&watch_lock);
    if (has_thread)
        pthread_join(watch_thread, NULL);
    pthread_cond_destroy(&watch_changed);
}
