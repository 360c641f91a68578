// SPDX-License-Identifier: MIT
// The headers between those of the C++ library, with a consumer's usual expressions.
#include <string>
#include <vector>

#include <ntstrsafe.h>
#include <softndk.h>
#include <wskndk.h>

#include <map>
#include <memory>

NTSTATUS headers_cplusplus(NDK_QP *qp, std::vector<NDK_SGE> &list);
NTSTATUS headers_cplusplus(NDK_QP *qp, std::vector<NDK_SGE> &list)
{
    SOFTNDK_OPTIONS options = SOFTNDK_OPTIONS_INIT;
    volatile LONG count = 0;
    const GUID guid = GUID_NDIS_NDK_STATE_INIT;
    NDIS_STRING keyword = NETWORK_DIRECT_KEYWORD;
    LIST_ENTRY head;

    InitializeListHead(&head);
    InterlockedIncrement(&count);
    if (options.Crc != SOFTNDK_OPTION_DEFAULT || !IsListEmpty(&head) || guid.Data1 == 0 ||
        keyword.Length == 0)
        return STATUS_UNSUCCESSFUL;
    return qp->Dispatch->NdkSend(qp, nullptr, list.data(), static_cast<ULONG>(list.size()),
        NDK_OP_FLAG_DEFER | NDK_OP_FLAG_SILENT_SUCCESS);
}
