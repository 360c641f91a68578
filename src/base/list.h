/* SPDX-License-Identifier: MIT */
/* Doubly linked intrusive list with a sentinel. No locking of its own. */
#ifndef SN_BASE_LIST_H
#define SN_BASE_LIST_H

#include <stdbool.h>
#include <stddef.h>

#include "base/attr.h"

struct sn_list {
    struct sn_list *next, *prev;
};

static inline void sn_list_init(struct sn_list *head)
{
    head->next = head->prev = head;
}

static inline bool sn_list_is_empty(const struct sn_list *head)
{
    return head->next == head;
}

static inline void sn_list_push_back(struct sn_list *head, struct sn_list *node)
{
    node->prev = head->prev;
    node->next = head;
    head->prev->next = node;
    head->prev = node;
}

/* Removes the node and leaves it an empty list of its own: a second removal is harmless. */
static inline void sn_list_remove(struct sn_list *node)
{
    node->prev->next = node->next;
    node->next->prev = node->prev;
    sn_list_init(node);
}

/* Oldest node, removed; NULL if the list is empty. */
static inline struct sn_list *sn_list_pop_front(struct sn_list *head)
{
    struct sn_list *node = head->next;

    if (node == head)
        return NULL;
    sn_list_remove(node);
    return node;
}

#endif
