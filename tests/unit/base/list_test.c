/* SPDX-License-Identifier: MIT */
#include "base/list.h"
#include "support/unit.h"

struct item {
    int before;
    struct sn_list link;
    int id;
};

static struct item *item_of(struct sn_list *node)
{
    return SN_CONTAINER_OF(node, struct item, link);
}

/* Forwards and backwards, the ids in `want`, ended by -1. */
static void assert_holds(const struct sn_list *head, const int *want)
{
    const struct sn_list *node = head;
    int n = 0;

    while (want[n] >= 0) {
        node = node->next;
        assert_ptr_not_equal(node, head);
        assert_int_equal(item_of((struct sn_list *)(uintptr_t)node)->id, want[n]);
        assert_ptr_equal(node->next->prev, node);
        assert_ptr_equal(node->prev->next, node);
        n++;
    }
    assert_ptr_equal(node->next, head);
    assert_ptr_equal(head->prev, node);
    assert_int_equal(sn_list_is_empty(head), n == 0);
}

static void init_items(struct sn_list *head, struct item *items, int n)
{
    sn_list_init(head);
    for (int i = 0; i < n; i++) {
        items[i].id = i;
        sn_list_push_back(head, &items[i].link);
    }
}

static void an_empty_list_gives_nothing(void **state)
{
    struct sn_list head;

    (void)state;
    sn_list_init(&head);
    assert_true(sn_list_is_empty(&head));
    assert_null(sn_list_pop_front(&head));
    assert_true(sn_list_is_empty(&head));
}

static void first_in_first_out(void **state)
{
    struct sn_list head;
    struct item items[3];

    (void)state;
    init_items(&head, items, 3);
    assert_holds(&head, (const int[]){0, 1, 2, -1});
    for (int i = 0; i < 3; i++)
        assert_int_equal(item_of(sn_list_pop_front(&head))->id, i);
    assert_null(sn_list_pop_front(&head));
}

static void any_one_can_be_removed_and_again(void **state)
{
    static const int rest[3][3] = {{1, 2, -1}, {0, 2, -1}, {0, 1, -1}};
    struct sn_list head;
    struct item items[3];

    (void)state;
    for (int out = 0; out < 3; out++) {
        init_items(&head, items, 3);
        sn_list_remove(&items[out].link);
        assert_holds(&head, rest[out]);
        sn_list_remove(&items[out].link);
        assert_holds(&head, rest[out]);
        assert_true(sn_list_is_empty(&items[out].link));
    }
}

static void what_was_popped_can_be_pushed_again(void **state)
{
    struct sn_list head;
    struct item items[2];

    (void)state;
    init_items(&head, items, 2);
    sn_list_push_back(&head, sn_list_pop_front(&head));
    assert_holds(&head, (const int[]){1, 0, -1});
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_empty_list_gives_nothing),
        cmocka_unit_test(first_in_first_out),
        cmocka_unit_test(any_one_can_be_removed_and_again),
        cmocka_unit_test(what_was_popped_can_be_pushed_again),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
