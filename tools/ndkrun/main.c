/* SPDX-License-Identifier: MIT */
/* ndkrun: runs kernel drivers that ndkcc made, and says what they did wrong. */
#include <signal.h>
#include <softndk.h>
#include <softndk_driver.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "common/args.h"
#include "ndkrun/crash.h"
#include "ndkrun/image.h"
#include "ndkrun/ioctl.h"
#include "ndkrun/log.h"
#include "ndkrun/relay.h"
#include "ndkrun/report.h"
#include "ndkrun/stack.h"

enum run_exit { RUN_CLEAN = 0, RUN_DIRTY = 1, RUN_USAGE = 2, RUN_NOT_LOADED = 3, RUN_REFUSED = 4 };

static const char help_usage[] =
    "usage: ndkrun DRIVER.so [DRIVER2.so ...] [OPTIONS]\n"
    "\n"
    "Loads drivers that ndkcc made, calls DriverEntry of each at PASSIVE_LEVEL, lets them work, "
    "calls\n"
    "DriverUnload in reverse order, and reports broken rules and everything that was left behind, "
    "each\n"
    "with its stack of creation. What the drivers print goes to stdout with time, thread and "
    "IRQL;\n"
    "reports go to stderr.\n"
    "\n"
    "  --seconds N           unload after N seconds\n"
    "  --until-idle          unload when no system thread, work item, DPC or timer was at work "
    "for a\n"
    "                        quarter of a second (the default; with --seconds: at the latest "
    "then)\n"
    "  --registry FILE       the registry: a text file as regedit exports it\n"
    "  --map OLD=NEW         where the driver says the address (or interface index) OLD, it gets "
    "NEW; may\n"
    "                        be repeated: --map 192.168.1.10=127.0.0.1 --map 12=1\n"
    "  --ioctl CODE[=HEX]    after DriverEntry, send this control code with these input octets to "
    "the\n"
    "                        (last) driver's first device and print the answer; may be repeated\n"
    "  --log FILE            write what the drivers print to FILE\n"
    "  --patience SECONDS    how long DriverEntry or DriverUnload may take before it counts as "
    "hung (60)\n";

static const char help_checks[] =
    "  --verify MODE         the consumer's side of NDK: off, warn (default) or break (abort at "
    "the first\n"
    "                        broken rule); as SOFTNDK_VERIFY\n"
    "  --schedule NAME       how NDK calls complete: lenient, pend (what may pend does), inline, "
    "hostile\n"
    "                        (anything that is allowed, by seed); as SOFTNDK_SCHEDULE\n"
    "  --faults SPEC         which calls fail; as SOFTNDK_FAULTS\n"
    "  --seed N              of --schedule hostile and --faults; the same seed repeats a run\n"
    "  --version, --help\n"
    "\n"
    "A driver made with ndkcc --asan or --tsan needs the sanitizer's run-time before anything "
    "else: ndkrun\n"
    "finds that out and starts itself again with it. Stacks show lines where addr2line "
    "(binutils) is\n"
    "installed. Under a debugger: gdb --args ndkrun DRIVER.so.\n"
    "\n"
    "Exit status: 0 clean; 1 a broken rule, something left behind, a hang, or a control code that "
    "failed;\n"
    "2 usage; 3 a driver was not loaded (it is none, or needs routines that softndk lacks: all are "
    "listed);\n"
    "4 a DriverEntry failed. A bugcheck or a crash ends ndkrun by its signal (128 + 6 or 11 in a "
    "shell).\n"
    "\n"
    "Examples:\n"
    "  ndkrun mydriver.so\n"
    "  ndkrun target.so initiator.so --registry settings.reg --seconds 10 --schedule hostile "
    "--seed 7\n"
    "  ndkrun mydriver.so --ioctl 0x222004=01000000 --until-idle\n";

struct options {
    double seconds; /* 0: not given */
    double patience;
    bool until_idle;
    const char *registry, *log, *faults;
    int verify, schedule;
    uint64_t seed;
    struct args_texts maps, ioctls;
};

static const char verify_names[] = "off warn break";
static const char schedule_names[] = "lenient pend inline hostile";

struct driver {
    struct image image;
    PSOFTNDK_DRV drv;
    bool is_started;
};

static volatile sig_atomic_t is_interrupted;

static void on_interrupt(int number)
{
    (void)number;
    is_interrupted = 1;
}

/* A second signal ends the process. */
static void catch_interrupts(void)
{
    struct sigaction action;

    memset(&action, 0, sizeof action);
    action.sa_handler = on_interrupt;
    sigemptyset(&action.sa_mask);
    action.sa_flags = (int)SA_RESETHAND;
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
}

static double now_seconds(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* ---- Settings that the library reads from the environment ---------------------------------- */

/* The nth of words with blanks between. */
static void word_number(const char *words, int n, char *out, size_t size)
{
    for (; n > 0; n--)
        words = strchr(words, ' ') + 1;
    snprintf(out, size, "%.*s", (int)strcspn(words, " "), words);
}

static void set_environment(const struct options *o)
{
    char name[16], text[1024];
    size_t used = 0;

    if (o->verify >= 0 || getenv("SOFTNDK_VERIFY") == NULL) {
        word_number(verify_names, o->verify >= 0 ? o->verify : 1, name, sizeof name);
        setenv("SOFTNDK_VERIFY", name, 1);
    }
    if (o->schedule >= 0) {
        word_number(schedule_names, o->schedule, name, sizeof name);
        snprintf(text, sizeof text, "%s", name);
        if (o->seed != 0)
            snprintf(text, sizeof text, "%s:%llu", name, (unsigned long long)o->seed);
        setenv("SOFTNDK_SCHEDULE", text, 1);
    }
    if (o->faults != NULL) {
        snprintf(text, sizeof text, "%s", o->faults);
        if (o->seed != 0)
            snprintf(text, sizeof text, "seed=%llu,%s", (unsigned long long)o->seed, o->faults);
        setenv("SOFTNDK_FAULTS", text, 1);
    }
    for (size_t i = 0; i < o->maps.count && used < sizeof text; i++)
        used += (size_t)snprintf(
            text + used, sizeof text - used, "%s%s", i == 0 ? "" : ",", o->maps.value[i]);
    if (o->maps.count > 0)
        setenv("SOFTNDK_MAP", text, 1);
}

static bool load_registry(const char *path)
{
    char error[512] = "";

    if (path == NULL)
        return true;
    if (NT_SUCCESS(SoftNdkDrvRegistryLoad(path, error, sizeof error)))
        return true;
    report_say("--registry %s: %s", path, error[0] != '\0' ? error : "the file cannot be read");
    return false;
}

/* ---- The run ------------------------------------------------------------------------------- */

static bool load_all(struct driver *drivers, size_t count, const char *const *paths)
{
    bool is_complete = true;

    for (size_t i = 0; i < count; i++)
        is_complete = image_check(&drivers[i].image, paths[i]) && is_complete;
    for (size_t i = 0; i < count && is_complete; i++) {
        is_complete = image_load(&drivers[i].image);
        if (is_complete)
            stack_add_driver(drivers[i].image.path, drivers[i].image.start);
    }
    return is_complete;
}

static bool start(struct driver *d, double patience)
{
    SOFTNDK_DRV_PARAMETERS parameters = {
        .Size = sizeof parameters,
        .Name = d->image.name,
        .Entry = d->image.entry,
        .ImageStart = d->image.start,
        .ImageSize = d->image.size,
    };
    char what[128];
    NTSTATUS status = SoftNdkDrvCreate(&parameters, &d->drv);

    if (!NT_SUCCESS(status)) {
        report_say("%s: no driver object: %s", d->image.name, SoftNdkStatusName(status));
        return false;
    }
    snprintf(what, sizeof what, "DriverEntry of %s", d->image.name);
    crash_watch_begin(what, patience);
    status = SoftNdkDrvStart(d->drv);
    crash_watch_end();
    d->is_started = NT_SUCCESS(status);
    if (!d->is_started)
        report_say("%s returned %s (0x%08X)", what, SoftNdkStatusName(status), (unsigned)status);
    return d->is_started;
}

/* Until the time is over, an interrupt, or nothing is at work any more. */
static void let_work(const struct options *o)
{
    bool until_idle = o->until_idle || o->seconds <= 0;
    double end = now_seconds() + o->seconds;
    unsigned quiet = 0;

    while (!is_interrupted && quiet < 5 && (o->seconds <= 0 || now_seconds() < end)) {
        usleep(50000);
        if (until_idle)
            quiet = SoftNdkDrvWaitIdle(0) ? quiet + 1 : 0;
    }
}

static bool stop(struct driver *d, double patience)
{
    char what[128];
    NTSTATUS status;

    snprintf(what, sizeof what, "DriverUnload of %s", d->image.name);
    crash_watch_begin(what, patience);
    status = SoftNdkDrvStop(d->drv);
    crash_watch_end();
    if (NT_SUCCESS(status))
        return true;
    report_say("%s cannot be unloaded: DriverEntry set no DriverUnload", d->image.name);
    return false;
}

/* Unloads what was started, in reverse order. Returns how much is wrong. */
static size_t end_all(struct driver *drivers, size_t count, const struct options *o)
{
    size_t wrong = 0, leaks = 0;

    for (size_t i = count; i > 0; i--)
        if (drivers[i - 1].is_started && !stop(&drivers[i - 1], o->patience))
            wrong++;
    (void)SoftNdkDrvWaitIdle(5000); /* what still runs then is reported */
    for (size_t i = 0; i < count; i++) {
        char head[96];

        snprintf(head, sizeof head, "LEAK: %s left behind", drivers[i].image.name);
        if (drivers[i].drv != NULL)
            leaks += report_leaks(drivers[i].drv, head);
    }
    leaks += report_ndk_objects("LEAK: left open are");
    wrong += leaks;
    relay_flush();
    if (report_rule_count() > 0)
        report_say("%zu rule%s broken", report_rule_count(), report_rule_count() == 1 ? "" : "s");
    if (leaks > 0)
        report_say("%zu thing%s left behind", leaks, leaks == 1 ? "" : "s");
    return wrong + report_rule_count();
}

static int run(struct driver *drivers, size_t count, const struct options *o)
{
    double began = now_seconds();
    size_t started = 0, wrong = 0;

    while (started < count && start(&drivers[started], o->patience))
        started++;
    if (started == count) {
        for (size_t i = 0; i < o->ioctls.count; i++)
            wrong += !ioctl_send(drivers[count - 1].drv, o->ioctls.value[i]);
        let_work(o);
    }
    wrong += end_all(drivers, count, o);
    relay_flush();
    log_end();
    if (started < count)
        return RUN_REFUSED;
    if (wrong == 0)
        report_say("clean: %zu driver%s, %.1f seconds, %llu lines", count, count == 1 ? "" : "s",
            now_seconds() - began, (unsigned long long)log_line_count());
    return wrong == 0 ? RUN_CLEAN : RUN_DIRTY;
}

static int prepare_and_run(char **argv, const struct args_result *rest, const struct options *o)
{
    struct driver drivers[ARGS_REST_MAX];
    bool has_sanitizer = image_sanitizer(argv, rest->rest, rest->rest_count);

    memset(drivers, 0, sizeof drivers);
    set_environment(o);
    /* The sentence about a wrong SPEC comes from the library. */
    if (!load_registry(o->registry) || !NT_SUCCESS(SoftNdkBeginFaults()))
        return RUN_USAGE;
    for (size_t i = 0; i < o->ioctls.count; i++)
        if (!ioctl_is_valid(o->ioctls.value[i])) {
            report_say("--ioctl %s: expected CODE or CODE=HEX, as in 0x222004=01000000",
                o->ioctls.value[i]);
            return RUN_USAGE;
        }
    if (!load_all(drivers, rest->rest_count, rest->rest))
        return RUN_NOT_LOADED;
    if (!log_start(o->log)) {
        report_say("--log %s: the file cannot be written", o->log);
        return RUN_USAGE;
    }
    catch_interrupts();
    report_start();
    relay_start();
    crash_start(has_sanitizer);
    return run(drivers, rest->rest_count, o);
}

int main(int argc, char **argv)
{
    struct options o = {.verify = -1, .schedule = -1, .patience = 60};
    const struct args_option options[] = {
        {"--seconds", ARGS_SECONDS, &o.seconds, 0, 86400, NULL},
        {"--until-idle", ARGS_FLAG, &o.until_idle, 0, 0, NULL},
        {"--registry", ARGS_TEXT, &o.registry, 0, 0, NULL},
        {"--map", ARGS_TEXTS, &o.maps, 0, 0, NULL},
        {"--ioctl", ARGS_TEXTS, &o.ioctls, 0, 0, NULL},
        {"--log", ARGS_TEXT, &o.log, 0, 0, NULL},
        {"--patience", ARGS_SECONDS, &o.patience, 0, 86400, NULL},
        {"--verify", ARGS_CHOICE, &o.verify, 0, 0, verify_names},
        {"--schedule", ARGS_CHOICE, &o.schedule, 0, 0, schedule_names},
        {"--faults", ARGS_TEXT, &o.faults, 0, 0, NULL},
        {"--seed", ARGS_NUMBER, &o.seed, 1, UINT64_MAX, NULL},
    };
    struct args_result result;

    setvbuf(stdout, NULL, _IOLBF, 0);
    if (!args_parse(options, sizeof options / sizeof options[0], argc, argv, &result)) {
        report_say("%s", result.error);
        return RUN_USAGE;
    }
    if (result.wants_help) {
        printf("%s%s", help_usage, help_checks);
        return RUN_CLEAN;
    }
    if (result.wants_version) {
        printf("ndkrun %s\n", SOFTNDK_TOOL_VERSION);
        return RUN_CLEAN;
    }
    if (result.rest_count == 0) {
        report_say("no driver is named; --help shows the usage");
        return RUN_USAGE;
    }
    return prepare_and_run(argv, &result, &o);
}

/* Read by a sanitizer's run-time, when one is in the process; the user's ASAN_OPTIONS win. What a
 * driver leaves behind is reported by ndkrun itself. */
const char *__asan_default_options(void);
__attribute__((visibility("default"))) const char *__asan_default_options(void)
{
    return "detect_stack_use_after_return=1:detect_leaks=0:handle_abort=0";
}
