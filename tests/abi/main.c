/* SPDX-License-Identifier: MIT */
/*
 * The layouts were checked when this program compiled. What is left for run time: how values that
 * were laid down through the headers lie in memory, octet by octet.
 */
#include <ndkpi.h>
#include <stdio.h>
#include <string.h>

static int failures;

static void expect(const char *what, const void *is, const void *should, size_t n)
{
    if (memcmp(is, should, n) == 0)
        return;
    printf("abi: %s does not lie in memory as documented\n", what);
    failures++;
}

static void check_sge(void)
{
    static const unsigned char want[16] = {0x88, 0x77, 0x66, 0x55, 0x44, 0x33, 0x22, 0x11, 0x04,
        0x03, 0x02, 0x01, 0x0d, 0x0c, 0x0b, 0x0a};
    NDK_SGE sge;

    memset(&sge, 0xff, sizeof(sge));
    sge.VirtualAddress = (PVOID)0x1122334455667788u;
    sge.Length = 0x01020304;
    sge.MemoryRegionToken = 0x0a0b0c0d;
    expect("NDK_SGE by VirtualAddress", &sge, want, sizeof(want));
    memset(&sge, 0xff, sizeof(sge));
    sge.LogicalAddress.QuadPart = 0x1122334455667788;
    sge.Length = 0x01020304;
    sge.MemoryRegionToken = 0x0a0b0c0d;
    expect("NDK_SGE by LogicalAddress", &sge, want, sizeof(want));
}

static void check_result(void)
{
    static const unsigned char want[8] = {0x00, 0x80, 0x00, 0x00, 0x04, 0x03, 0x02, 0x01};
    NDK_RESULT_EX result;

    memset(&result, 0xff, sizeof(result));
    result.Type = NdkOperationTypeReceiveAndInvalidate;
    result.ProviderErrorCode = 0x01020304;
    expect("NDK_RESULT_EX.Type", (const char *)&result + 0x18, "\x01\x80\x00\x00", 4);
    expect("NDK_RESULT_EX.ProviderErrorCode", (const char *)&result + 0x1c, want + 4, 4);
    if ((result.Type & NdkOperationTypeReceive) == 0) {
        printf("abi: ReceiveAndInvalidate lacks the receive bit\n");
        failures++;
    }
}

int main(void)
{
    check_sge();
    check_result();
    printf("abi: %d differences\n", failures);
    return failures != 0;
}
