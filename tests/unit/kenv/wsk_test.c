/* SPDX-License-Identifier: MIT */
/* The provider behind WSK is replaced: this file defines the two functions that WSK calls. */
#include "support/unit.h"

#include "base/alloc.h"
#include "support/death.h"

#include <pthread.h>
#include <softndk.h>
#include <wskndk.h>

static struct {
    NET_IFINDEX index;
    NDK_VERSION version;
    const SOFTNDK_OPTIONS *options;
    NTSTATUS result;
    NDK_ADAPTER adapter;
    int opened, closed;
} fake;

NTSTATUS SoftNdkOpenAdapter(NET_IFINDEX IfIndex, NDK_VERSION Version,
    const SOFTNDK_OPTIONS *Options, NDK_ADAPTER **ppAdapter)
{
    fake.index = IfIndex;
    fake.version = Version;
    fake.options = Options;
    if (!NT_SUCCESS(fake.result))
        return fake.result;
    fake.opened++;
    *ppAdapter = &fake.adapter;
    return fake.result;
}

VOID SoftNdkCloseAdapter(NDK_ADAPTER *pAdapter)
{
    assert_ptr_equal(pAdapter, &fake.adapter);
    fake.closed++;
}

static const WSK_CLIENT_DISPATCH client_dispatch = {MAKE_WSK_VERSION(1, 0), 0, NULL};
static WSK_CLIENT_NPI client_npi = {NULL, &client_dispatch};
static const NDK_VERSION version = {1, 2};

static int reset(void **state)
{
    (void)state;
    memset(&fake, 0, sizeof(fake));
    return 0;
}

static void the_whole_way(void **state)
{
    WSK_PROVIDER_NDK_DISPATCH ndk;
    WSK_REGISTRATION registration;
    WSK_PROVIDER_NPI npi;
    NDK_ADAPTER *adapter = NULL;
    SIZE_T size = 0;

    (void)state;
    assert_int_equal(WskRegister(&client_npi, &registration), STATUS_SUCCESS);
    assert_int_equal(WskCaptureProviderNPI(&registration, WSK_INFINITE_WAIT, &npi), STATUS_SUCCESS);
    assert_int_equal(npi.Dispatch->Version, MAKE_WSK_VERSION(1, 0));
    assert_int_equal(
        npi.Dispatch->WskControlClient(npi.Client, WSKNDK_GET_WSK_PROVIDER_NDK_DISPATCH, 0, NULL,
            sizeof(ndk), &ndk, &size, NULL),
        STATUS_SUCCESS);
    assert_int_equal(size, sizeof(ndk));
    assert_int_equal(ndk.WskOpenNdkAdapter(npi.Client, version, 7, &adapter), STATUS_SUCCESS);
    assert_ptr_equal(adapter, &fake.adapter);
    assert_int_equal(fake.index, 7);
    assert_int_equal(fake.version.Major, 1);
    assert_int_equal(fake.version.Minor, 2);
    assert_null(fake.options);
    ndk.WskCloseNdkAdapter(npi.Client, adapter);
    assert_int_equal(fake.closed, 1);
    WskReleaseProviderNPI(&registration);
    WskDeregister(&registration);
    assert_int_equal(sn_alloc_live_count(), 0);
}

/* [NDKPI WskControlClient] */
static void control_codes_and_sizes(void **state)
{
    WSK_PROVIDER_NDK_DISPATCH ndk;
    WSK_REGISTRATION registration;
    WSK_PROVIDER_NPI npi;
    const ULONG code = WSKNDK_GET_WSK_PROVIDER_NDK_DISPATCH;
    PFN_WSK_CONTROL_CLIENT control;

    (void)state;
    WskRegister(&client_npi, &registration);
    WskCaptureProviderNPI(&registration, WSK_NO_WAIT, &npi);
    control = npi.Dispatch->WskControlClient;
    /* The size of a pointer, which a real consumer once passed. */
    assert_int_equal(
        control(npi.Client, code, 0, NULL, 8, &ndk, NULL, NULL), STATUS_INVALID_PARAMETER);
    assert_int_equal(
        control(npi.Client, code, 0, NULL, 24, &ndk, NULL, NULL), STATUS_INVALID_PARAMETER);
    assert_int_equal(
        control(npi.Client, code, 0, NULL, 16, NULL, NULL, NULL), STATUS_INVALID_PARAMETER);
    assert_int_equal(
        control(npi.Client, code, 4, &ndk, 16, &ndk, NULL, NULL), STATUS_INVALID_PARAMETER);
    assert_int_equal(control(NULL, code, 0, NULL, 16, &ndk, NULL, NULL), STATUS_INVALID_PARAMETER);
    assert_int_equal(
        control(npi.Client, code + 1, 0, NULL, 16, &ndk, NULL, NULL), STATUS_NOT_SUPPORTED);
    assert_int_equal(control(npi.Client, code, 0, NULL, 16, &ndk, NULL, NULL), STATUS_SUCCESS);
    assert_int_equal(ndk.WskOpenNdkAdapter(NULL, version, 0, NULL), STATUS_INVALID_PARAMETER);
    assert_int_equal(fake.opened, 0);
    WskReleaseProviderNPI(&registration);
    WskDeregister(&registration);
}

static void a_failed_open_is_passed_on(void **state)
{
    WSK_PROVIDER_NDK_DISPATCH ndk;
    WSK_REGISTRATION registration;
    WSK_PROVIDER_NPI npi;
    NDK_ADAPTER *adapter = NULL;

    (void)state;
    WskRegister(&client_npi, &registration);
    WskCaptureProviderNPI(&registration, 100, &npi);
    npi.Dispatch->WskControlClient(
        npi.Client, WSKNDK_GET_WSK_PROVIDER_NDK_DISPATCH, 0, NULL, 16, &ndk, NULL, NULL);
    fake.result = NDIS_STATUS_BAD_VERSION;
    assert_int_equal(
        ndk.WskOpenNdkAdapter(npi.Client, version, 0, &adapter), NDIS_STATUS_BAD_VERSION);
    assert_null(adapter);
    WskReleaseProviderNPI(&registration); /* does not wait: nothing is open */
    WskDeregister(&registration);
}

static void sockets_are_not_there(void **state)
{
    WSK_REGISTRATION registration;
    WSK_PROVIDER_NPI npi;

    (void)state;
    WskRegister(&client_npi, &registration);
    WskCaptureProviderNPI(&registration, WSK_NO_WAIT, &npi);
    assert_int_equal(
        npi.Dispatch->WskSocket(npi.Client, AF_INET, 1, 6, 0, NULL, NULL, NULL, NULL, NULL, NULL),
        STATUS_INVALID_PARAMETER); /* no IRP */
    assert_int_equal(npi.Dispatch->WskSocketConnect(
                         npi.Client, 1, 6, NULL, NULL, 0, NULL, NULL, NULL, NULL, NULL, NULL),
        STATUS_INVALID_PARAMETER);
    assert_int_equal(npi.Dispatch->WskGetAddressInfo(
                         npi.Client, NULL, NULL, 0, NULL, NULL, NULL, NULL, NULL, NULL),
        STATUS_NOT_SUPPORTED);
    assert_int_equal(
        npi.Dispatch->WskGetNameInfo(npi.Client, NULL, 0, NULL, NULL, 0, NULL, NULL, NULL),
        STATUS_NOT_SUPPORTED);
    npi.Dispatch->WskFreeAddressInfo(npi.Client, NULL);
    WskReleaseProviderNPI(&registration);
    WskDeregister(&registration);
}

static void what_is_refused(void **state)
{
    static const WSK_CLIENT_DISPATCH future = {MAKE_WSK_VERSION(2, 0), 0, NULL};
    WSK_CLIENT_NPI no_dispatch = {NULL, NULL}, newer = {NULL, &future};
    WSK_REGISTRATION registration = {0, NULL, 0};
    WSK_PROVIDER_NPI npi;

    (void)state;
    assert_int_equal(WskRegister(NULL, &registration), STATUS_INVALID_PARAMETER);
    assert_int_equal(WskRegister(&no_dispatch, &registration), STATUS_INVALID_PARAMETER);
    assert_int_equal(WskRegister(&client_npi, NULL), STATUS_INVALID_PARAMETER);
    assert_int_equal(
        WskCaptureProviderNPI(&registration, WSK_NO_WAIT, &npi), STATUS_INVALID_PARAMETER);
    assert_int_equal(WskRegister(&newer, &registration), STATUS_SUCCESS);
    assert_int_equal(WskCaptureProviderNPI(&registration, WSK_NO_WAIT, &npi), STATUS_NOINTERFACE);
    assert_int_equal(
        WskCaptureProviderNPI(&registration, WSK_NO_WAIT, NULL), STATUS_INVALID_PARAMETER);
    WskDeregister(&registration);
}

struct other {
    WSK_REGISTRATION *registration;
    WSK_PROVIDER_NDK_DISPATCH ndk;
    PWSK_CLIENT client;
    volatile LONG done;
};

static void *release(void *arg)
{
    struct other *other = arg;

    WskReleaseProviderNPI(other->registration);
    InterlockedExchange(&other->done, 1);
    return NULL;
}

static void *deregister(void *arg)
{
    struct other *other = arg;

    WskDeregister(other->registration);
    InterlockedExchange(&other->done, 1);
    return NULL;
}

static void let_it_wait(void)
{
    LARGE_INTEGER t = {.QuadPart = -100000};

    KeDelayExecutionThread(KernelMode, FALSE, &t);
}

/* Release waits for the adapters, deregistration for the release. */
static void waits_for_what_is_in_use(void **state)
{
    WSK_REGISTRATION registration;
    struct other other = {.registration = &registration};
    WSK_PROVIDER_NPI npi;
    NDK_ADAPTER *adapter;
    pthread_t thread;

    (void)state;
    WskRegister(&client_npi, &registration);
    WskCaptureProviderNPI(&registration, WSK_NO_WAIT, &npi);
    WskCaptureProviderNPI(&registration, WSK_NO_WAIT, &npi);
    npi.Dispatch->WskControlClient(
        npi.Client, WSKNDK_GET_WSK_PROVIDER_NDK_DISPATCH, 0, NULL, 16, &other.ndk, NULL, NULL);
    assert_int_equal(other.ndk.WskOpenNdkAdapter(npi.Client, version, 0, &adapter), STATUS_SUCCESS);
    WskReleaseProviderNPI(&registration); /* not the last capture: does not wait */
    assert_int_equal(pthread_create(&thread, NULL, release, &other), 0);
    let_it_wait();
    assert_int_equal(ReadAcquire(&other.done), 0);
    other.ndk.WskCloseNdkAdapter(npi.Client, adapter);
    pthread_join(thread, NULL);

    WskCaptureProviderNPI(&registration, WSK_NO_WAIT, &npi);
    other.done = 0;
    assert_int_equal(pthread_create(&thread, NULL, deregister, &other), 0);
    let_it_wait();
    assert_int_equal(ReadAcquire(&other.done), 0);
    WskReleaseProviderNPI(&registration);
    pthread_join(thread, NULL);
    assert_int_equal(sn_alloc_live_count(), 0);
}

static void release_without_capture(void *arg)
{
    WSK_REGISTRATION registration;

    (void)arg;
    WskRegister(&client_npi, &registration);
    WskReleaseProviderNPI(&registration);
}

static void deregister_twice(void *arg)
{
    WSK_REGISTRATION registration;

    (void)arg;
    WskRegister(&client_npi, &registration);
    WskDeregister(&registration);
    WskDeregister(&registration);
}

static void register_at_dispatch(void *arg)
{
    WSK_REGISTRATION registration;

    (void)arg;
    KeRaiseIrqlToDpcLevel();
    WskRegister(&client_npi, &registration);
}

static void misuse_is_a_bugcheck(void **state)
{
    static const struct {
        void (*fn)(void *arg);
        const char *wants;
    } cases[] = {
        {release_without_capture, "without a capture"},
        {deregister_twice, "is not a registration"},
        {register_at_dispatch, "WskRegister was called at IRQL 2"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAYSIZE(cases); i++) {
        char text[4096];

        assert_int_equal(death_of(cases[i].fn, NULL, text, sizeof(text)), SIGABRT);
        assert_non_null(strstr(text, cases[i].wants));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(the_whole_way, reset),
        cmocka_unit_test_setup(control_codes_and_sizes, reset),
        cmocka_unit_test_setup(a_failed_open_is_passed_on, reset),
        cmocka_unit_test_setup(sockets_are_not_there, reset),
        cmocka_unit_test_setup(what_is_refused, reset),
        cmocka_unit_test_setup(waits_for_what_is_in_use, reset),
        cmocka_unit_test_setup(misuse_is_a_bugcheck, reset),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
