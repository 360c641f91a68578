/* SPDX-License-Identifier: MIT */
#include "support/unit.h"

#include "support/death.h"

#include <pthread.h>
#include <wdm.h>

static void *release_late(void *lock)
{
    /* Not before the remover has closed the door: until then new holders are let in. */
    while (IoAcquireRemoveLock(lock, lock) == STATUS_SUCCESS)
        IoReleaseRemoveLock(lock, lock);
    IoReleaseRemoveLock(lock, NULL);
    return NULL;
}

static void waits_for_holders(void **state)
{
    IO_REMOVE_LOCK lock;
    pthread_t thread;

    (void)state;
    IoInitializeRemoveLock(&lock, 'kcoL', 1, 2);
    assert_int_equal(IoAcquireRemoveLock(&lock, NULL), STATUS_SUCCESS); /* the other thread's */
    assert_int_equal(IoAcquireRemoveLock(&lock, NULL), STATUS_SUCCESS);
    assert_int_equal(pthread_create(&thread, NULL, release_late, &lock), 0);
    IoReleaseRemoveLockAndWait(&lock, NULL);
    assert_int_equal(IoAcquireRemoveLock(&lock, NULL), STATUS_DELETE_PENDING);
    assert_int_equal(pthread_join(thread, NULL), 0);
}

static void release_too_often(void *unused)
{
    IO_REMOVE_LOCK lock;

    (void)unused;
    IoInitializeRemoveLock(&lock, 0, 0, 0);
    IoReleaseRemoveLock(&lock, NULL);
    IoReleaseRemoveLock(&lock, NULL);
}

static void misuse(void **state)
{
    char text[8192];

    (void)state;
    assert_int_equal(death_of(release_too_often, NULL, text, sizeof(text)), SIGABRT);
    assert_non_null(strstr(text, "more often than acquired"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(misuse),
        cmocka_unit_test(waits_for_holders),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
