/* SPDX-License-Identifier: MIT */
/*++

Module Name:

    buffer.c

Abstract:

    Memory that the adapter knows by logical addresses. All local SGEs are built from these and
    carry the privileged token of the protection domain.

--*/
#include "rsock.h"
#include "buffer.tmh"

static
VOID
RSockLamCompletion(
    _In_ PVOID Context,
    _In_ NTSTATUS Status
    )
{
    PRSOCK_COMPLETION Completion = (PRSOCK_COMPLETION)Context;

    Completion->Status = Status;
    KeSetEvent(&Completion->Event, IO_NO_INCREMENT, FALSE);
}

static
NTSTATUS
RSockMapBuffer(
    _In_ PRSOCK_ADAPTER Adapter,
    _Inout_ PRSOCK_BUFFER Buffer
    )
{
    const NDK_ADAPTER_DISPATCH *Dispatch = Adapter->NdkAdapter->Dispatch;
    RSOCK_COMPLETION Completion;
    ULONG Size = 0;
    NTSTATUS Status;

    RSockInitializeCompletion(&Completion);
    Status = Dispatch->NdkBuildLAM(
        Adapter->NdkAdapter, Buffer->Mdl, Buffer->Length, RSockLamCompletion, &Completion, NULL,
        &Size, &Buffer->Fbo);
    Status = RSockWait(&Completion, Status);
    if (Status != STATUS_BUFFER_TOO_SMALL) {
        return NT_SUCCESS(Status) ? STATUS_UNSUCCESSFUL : Status;
    }

    Buffer->Lam = ExAllocatePoolWithTag(NonPagedPoolNx, Size, RSOCK_TAG);
    if (Buffer->Lam == NULL) {
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    RSockInitializeCompletion(&Completion);
    Status = Dispatch->NdkBuildLAM(
        Adapter->NdkAdapter, Buffer->Mdl, Buffer->Length, RSockLamCompletion, &Completion,
        Buffer->Lam, &Size, &Buffer->Fbo);
    Status = RSockWait(&Completion, Status);
    if (!NT_SUCCESS(Status)) {
        ExFreePoolWithTag(Buffer->Lam, RSOCK_TAG);
        Buffer->Lam = NULL;
        return Status;
    }
    Buffer->NdkAdapter = Adapter->NdkAdapter;
    return STATUS_SUCCESS;
}

_Use_decl_annotations_
NTSTATUS
RSockAllocateBuffer(
    PRSOCK_ADAPTER Adapter,
    ULONG Length,
    PRSOCK_BUFFER Buffer
    )
{
    NTSTATUS Status = STATUS_INSUFFICIENT_RESOURCES;

    RtlZeroMemory(Buffer, sizeof(*Buffer));
    Buffer->Length = Length;
    Buffer->Data = ExAllocatePool2(POOL_FLAG_NON_PAGED, Length, RSOCK_TAG);
    if (Buffer->Data == NULL) {
        goto Exit;
    }
    Buffer->Mdl = IoAllocateMdl(Buffer->Data, Length, FALSE, FALSE, NULL);
    if (Buffer->Mdl == NULL) {
        goto Exit;
    }
    MmBuildMdlForNonPagedPool(Buffer->Mdl);
    Status = RSockMapBuffer(Adapter, Buffer);

Exit:
    if (!NT_SUCCESS(Status)) {
        RSockFail("RSockAllocateBuffer", Status);
        RSockFreeBuffer(Buffer);
    }
    return Status;
}

_Use_decl_annotations_
VOID
RSockFreeBuffer(
    PRSOCK_BUFFER Buffer
    )
{
    if (Buffer->Lam != NULL) {
        Buffer->NdkAdapter->Dispatch->NdkReleaseLAM(Buffer->NdkAdapter, Buffer->Lam);
        ExFreePoolWithTag(Buffer->Lam, RSOCK_TAG);
    }
    if (Buffer->Mdl != NULL) {
        IoFreeMdl(Buffer->Mdl);
    }
    if (Buffer->Data != NULL) {
        ExFreePoolWithTag(Buffer->Data, RSOCK_TAG);
    }
    RtlZeroMemory(Buffer, sizeof(*Buffer));
}

_Use_decl_annotations_
ULONG
RSockBuildSgl(
    const RSOCK_BUFFER *Buffer,
    ULONG Offset,
    ULONG Length,
    UINT32 Token,
    NDK_SGE *Sgl,
    ULONG SgeCount
    )
{
    ULONG Position = Buffer->Fbo + Offset;
    ULONG Count = 0;

    NT_ASSERT(Offset + Length <= Buffer->Length);
    while (Length > 0) {
        ULONG InPage = Position % PAGE_SIZE;
        ULONG Piece = min(Length, PAGE_SIZE - InPage);
        LONGLONG Logical = Buffer->Lam->AdapterPageArray[Position / PAGE_SIZE].QuadPart + InPage;

        if (Count > 0 &&
            Sgl[Count - 1].LogicalAddress.QuadPart + Sgl[Count - 1].Length == Logical) {
            Sgl[Count - 1].Length += Piece;
        } else {
            if (Count == SgeCount) {
                return 0;
            }
            Sgl[Count].LogicalAddress.QuadPart = Logical;
            Sgl[Count].Length = Piece;
            Sgl[Count].MemoryRegionToken = Token;
            Count++;
        }
        Position += Piece;
        Length -= Piece;
    }
    return Count;
}
