/* SPDX-License-Identifier: MIT */
#include "sim/op.h"

#include <stdlib.h>

#include "sim/world.h"

struct op *op_new(struct world *w, struct actor *a, enum op_kind kind)
{
    struct op *op = calloc(1, sizeof *op);

    if (w->ops_count == w->ops_room) {
        w->ops_room = w->ops_room == 0 ? 256 : 2 * w->ops_room;
        w->ops = realloc(w->ops, w->ops_room * sizeof *w->ops);
    }
    op->world = w;
    op->actor = a;
    op->kind = kind;
    op->id = w->ops_count;
    w->ops[w->ops_count++] = op;
    return op;
}

void op_free(struct op *op)
{
    free(op->data);
    free(op);
}

const char *op_name(const struct op *op)
{
    static const char *const names[] = {
        [OP_SEND] = "Send",
        [OP_WRITE] = "Write",
        [OP_READ] = "Read",
        [OP_FAST] = "FastRegister",
        [OP_BIND] = "Bind",
        [OP_INVALIDATE] = "Invalidate",
        [OP_RECEIVE] = "Receive",
    };

    return names[op->kind];
}

static bool has_sink(const struct op *op)
{
    return op->kind == OP_READ || op->kind == OP_RECEIVE;
}

static void use(struct grant *g, int by)
{
    if (g != NULL)
        g->users += (uint32_t)by;
}

void op_hold(struct op *op)
{
    uint32_t at = 0;

    op->is_local_held = true;
    for (uint32_t i = 0; i < op->sges; i++) {
        const struct place *p = &op->local[i];

        use(p->via, 1);
        if (has_sink(op)) {
            op->sink[i].piece = p->piece;
            op->sink[i].via = p->via;
            op->sink[i].fresh = op->data != NULL ? op->data + at : NULL;
            op->sink[i].fresh_len = op->data != NULL ? p->piece.len : 0;
            op->sink[i].is_any = op->domain != NULL;
            shadow_claim(&op->sink[i]);
        } else {
            shadow_share(&p->piece);
        }
        at += p->piece.len;
    }
    if (!op->has_remote)
        return;
    op->is_remote_held = true;
    use(op->remote.via, 1);
    if (op->kind == OP_WRITE) {
        op->target.piece = op->remote.piece;
        op->target.via = op->remote.via;
        op->target.fresh = op->data;
        op->target.fresh_len = op->len;
        shadow_claim(&op->target);
    } else {
        shadow_share(&op->remote.piece);
    }
}

void op_release_local(struct op *op, bool is_ok)
{
    if (!op->is_local_held)
        return;
    op->is_local_held = false;
    for (uint32_t i = 0; i < op->sges; i++) {
        use(op->local[i].via, -1);
        if (!has_sink(op))
            shadow_unshare(&op->local[i].piece);
        else if (is_ok)
            shadow_delivered(&op->sink[i], op_name(op));
        else
            shadow_settled(&op->sink[i], op_name(op));
    }
}

void op_release_remote(struct op *op, bool is_delivered)
{
    if (!op->is_remote_held)
        return;
    op->is_remote_held = false;
    use(op->remote.via, -1);
    if (op->kind != OP_WRITE)
        shadow_unshare(&op->remote.piece);
    else if (is_delivered)
        shadow_delivered(&op->target, "Write");
    else
        shadow_settled(&op->target, "Write");
}

void op_expect(struct op *receive, const struct op *message)
{
    uint32_t at = 0;

    for (uint32_t i = 0; i < receive->sges; i++) {
        struct claim *c = &receive->sink[i];

        c->is_any = false;
        c->fresh = message->data != NULL ? message->data + at : NULL;
        c->fresh_len = at < message->len ? message->len - at : 0;
        at += c->piece.len;
    }
}
