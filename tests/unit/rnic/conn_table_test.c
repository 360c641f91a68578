/* SPDX-License-Identifier: MIT */
/* Every state with every event, against a second listing: what is not listed changes nothing. */
#include "rnic/conn_table.h"

#include "base/bytes.h"
#include "support/unit.h"

#define S(x) RNIC_CONN_##x
#define E(x) RNIC_EV_##x

struct change {
    enum rnic_conn_state from;
    enum rnic_conn_event event;
    enum rnic_conn_state to;
};

/* The connection's life, told in order. */
static const struct change changes[] = {
    /* active */
    {S(IDLE), E(CONNECT), S(TCP)},
    {S(TCP), E(TCP_UP), S(WAIT_REPLY)},
    {S(TCP), E(SETUP_FAILED), S(FAILED)},
    {S(WAIT_REPLY), E(SETUP_FAILED), S(FAILED)},
    {S(WAIT_REPLY), E(RETRY), S(TCP)},
    {S(FAILED), E(CONNECT), S(TCP)},
    {S(WAIT_REPLY), E(PEER_ACCEPTS), S(ACCEPTED)},
    {S(ACCEPTED), E(PEER_GONE), S(GONE)},
    {S(ACCEPTED), E(REJECT), S(ENDED)},
    {S(ACCEPTED), E(COMPLETE), S(COMPLETING)},
    {S(COMPLETING), E(ESTABLISHED), S(CONNECTED)},
    {S(COMPLETING), E(ESTABLISH_FAILED), S(ENDED)},
    {S(COMPLETING), E(QP_ENDED), S(ENDED)},
    /* passive */
    {S(WAIT_REQUEST), E(REQUEST), S(REQUESTED)},
    {S(REQUESTED), E(PEER_GONE), S(GONE)},
    {S(REQUESTED), E(REJECT), S(ENDED)},
    {S(REQUESTED), E(ACCEPT), S(ACCEPTING)},
    {S(ACCEPTING), E(ESTABLISHED), S(CONNECTED)},
    {S(ACCEPTING), E(ESTABLISH_FAILED), S(ENDED)},
    {S(ACCEPTING), E(QP_ENDED), S(ENDED)},
    {S(ACCEPTING), E(PEER_FIN), S(ENDED)},
    /* both */
    {S(CONNECTED), E(PEER_FIN), S(CONNECTED)},
    {S(CONNECTED), E(QP_ENDED), S(LOST)},
    {S(CONNECTED), E(DISCONNECT), S(DISCONNECTING)},
    {S(DISCONNECTING), E(QP_ENDED), S(ENDED)},
    {S(DISCONNECTING), E(DISCONNECT_TIMEOUT), S(ENDED)},
};

static bool is_call(enum rnic_conn_event e)
{
    return e <= E(CLOSE);
}

static const struct change *find(enum rnic_conn_state s, enum rnic_conn_event e)
{
    for (size_t i = 0; i < SN_ARRAY_COUNT(changes); i++) {
        if (changes[i].from == s && changes[i].event == e)
            return &changes[i];
    }
    return NULL;
}

static struct rnic_conn_cell expected(enum rnic_conn_state s, enum rnic_conn_event e)
{
    const struct change *c = find(s, e);
    struct rnic_conn_cell cell = {(uint8_t)s, RNIC_CONN_IGNORE};

    if (c != NULL)
        return (struct rnic_conn_cell){(uint8_t)c->to, RNIC_CONN_GO};
    if (e == E(CLOSE) && s != S(CLOSED))
        return (struct rnic_conn_cell){S(CLOSED), RNIC_CONN_GO};
    if (s == S(LOST) && e == E(DISCONNECT)) /* the first call only: it crossed the loss */
        return (struct rnic_conn_cell){S(ENDED), RNIC_CONN_REFUSE_LOST};
    if (is_call(e))
        cell.act = RNIC_CONN_REFUSE;
    if (s == S(GONE) && (e == E(COMPLETE) || e == E(ACCEPT) || e == E(REJECT)))
        cell.act = RNIC_CONN_REFUSE_ABORTED;
    return cell;
}

static void every_cell(void **state)
{
    (void)state;
    for (int s = 0; s < RNIC_CONN_STATE_COUNT; s++) {
        for (int e = 0; e < RNIC_CONN_EVENT_COUNT; e++) {
            struct rnic_conn_cell got =
                rnic_conn_cell((enum rnic_conn_state)s, (enum rnic_conn_event)e);
            struct rnic_conn_cell want = expected((enum rnic_conn_state)s, (enum rnic_conn_event)e);

            if (got.next != want.next || got.act != want.act)
                fail_msg("%s in %s: next %s, act %d", rnic_conn_event_name((enum rnic_conn_event)e),
                    rnic_conn_state_name((enum rnic_conn_state)s),
                    rnic_conn_state_name((enum rnic_conn_state)got.next), got.act);
        }
    }
}

/* Nothing leads out of CLOSED, and everything leads into it. */
static void closed_is_final(void **state)
{
    (void)state;
    for (int i = 0; i < RNIC_CONN_STATE_COUNT; i++)
        assert_int_equal(rnic_conn_cell((enum rnic_conn_state)i, E(CLOSE)).next, S(CLOSED));
    for (int e = 0; e < RNIC_CONN_EVENT_COUNT; e++) {
        assert_int_equal(rnic_conn_cell(S(CLOSED), (enum rnic_conn_event)e).next, S(CLOSED));
        assert_int_not_equal(rnic_conn_cell(S(CLOSED), (enum rnic_conn_event)e).act, RNIC_CONN_GO);
    }
}

static void names(void **state)
{
    (void)state;
    for (int i = 0; i < RNIC_CONN_STATE_COUNT; i++)
        assert_true(strlen(rnic_conn_state_name((enum rnic_conn_state)i)) > 1);
    for (int i = 0; i < RNIC_CONN_EVENT_COUNT; i++)
        assert_true(strlen(rnic_conn_event_name((enum rnic_conn_event)i)) > 1);
    assert_string_equal(rnic_conn_state_name(RNIC_CONN_STATE_COUNT), "?");
    assert_string_equal(rnic_conn_event_name(RNIC_CONN_EVENT_COUNT), "?");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_cell),
        cmocka_unit_test(closed_is_final),
        cmocka_unit_test(names),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
