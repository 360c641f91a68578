/* SPDX-License-Identifier: MIT */
#include "ndk/obj.h"

#include <string.h>

#include "base/assert.h"
#include "kenv/bugcheck.h"
#include "kenv/irql.h"
#include "ndk/done.h"
#include "ndk/status_map.h"

void ndk_obj_publish(struct rnic_obj *o, NDK_OBJECT_TYPE type, const VOID *dispatch)
{
    struct ndk_object *pub = (struct ndk_object *)(void *)o->boundary;
    const struct ndk_adapter *adapter =
        (const struct ndk_adapter *)(void *)o->adapter->obj.boundary;

    pub->Header.Version = (NDK_VERSION){.Major = NDK_MAJOR, .Minor = NDK_MINOR};
    pub->Header.ObjectType = type;
    memset(&pub->Header.NdkReserved, 0, sizeof pub->Header.NdkReserved);
    pub->Dispatch = dispatch;
    ndk_layers_wrap(adapter->layers, pub);
}

NTSTATUS ndk_obj_close(NDK_OBJECT_HEADER *pNdkObject, NDK_FN_CLOSE_COMPLETION CloseCompletion,
    PVOID RequestContext, const char *function)
{
    struct rnic_obj *o = ndk_obj_of(pNdkObject);
    enum sn_status s;

    if (kenv_irql_now > DISPATCH_LEVEL)
        kenv_irql_violation(DISPATCH_LEVEL, function);
    s = rnic_obj_close(o, ndk_close_done(CloseCompletion, RequestContext));
    if (s == SN_BAD_STATE)
        kenv_bugcheck(DRIVER_VERIFIER_DETECTED_VIOLATION, (ULONG_PTR)pNdkObject, 0, 0, 0,
            "%s was called twice for the %s %p; close each object exactly once", function,
            rnic_kind_name(o->class->kind), (void *)pNdkObject);
    SN_ASSERT(s == SN_OK || s == SN_PENDING); /* a close cannot fail */
    return ndk_status(s);
}

NTSTATUS ndk_query_extension(NDK_OBJECT_HEADER *pNdkObject, GUID *ExtensionInterfaceID,
    NDK_VERSION ExtensionInterfaceVersion, NDK_EXTENSION_INTERFACE *pExtensionInterface)
{
    UNREFERENCED_PARAMETER(pNdkObject);
    UNREFERENCED_PARAMETER(ExtensionInterfaceVersion);
    if (kenv_irql_now > DISPATCH_LEVEL)
        kenv_irql_violation(DISPATCH_LEVEL, "NdkQueryExtension");
    if (ExtensionInterfaceID == NULL || pExtensionInterface == NULL)
        return STATUS_INVALID_PARAMETER;
    return STATUS_NOT_SUPPORTED;
}
