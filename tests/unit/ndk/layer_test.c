/* SPDX-License-Identifier: MIT */
/* Layers: who is asked, in which order, with what; and what an adapter shows to them. */
#include "ndk/layer.h"

#include "base/alloc.h"
#include "ndk/adapter.h"
#include "plat/linux/linux.h"
#include "support/unit.h"

/* ---- two layers that write down what they are told ---- */

static char story[256];

static void tell(const char *name, const char *what)
{
    size_t at = strlen(story);

    snprintf(story + at, sizeof story - at, "%s.%s ", name, what);
}

struct fake {
    const char *name;
    NTSTATUS result;
    bool stays_out, keeps;
};
static struct fake outer_fake, inner_fake;

static NTSTATUS fake_open(struct fake *f, void **state, char *text)
{
    tell(f->name, "open");
    if (!NT_SUCCESS(f->result)) {
        snprintf(text, NDK_LAYER_TEXT, "%s refuses", f->name);
        return f->result;
    }
    *state = f->stays_out ? NULL : f;
    return STATUS_SUCCESS;
}

static NTSTATUS outer_open(char *(*env)(const char *), void **state, char text[NDK_LAYER_TEXT])
{
    (void)env;
    return fake_open(&outer_fake, state, text);
}

static NTSTATUS inner_open(char *(*env)(const char *), void **state, char text[NDK_LAYER_TEXT])
{
    (void)env;
    return fake_open(&inner_fake, state, text);
}

static void fake_wrap(void *state, struct ndk_object *o)
{
    struct fake *f = state;

    assert_non_null(o->Dispatch);
    tell(f->name, o->Header.ObjectType == NdkObjectTypeAdapter ? "wrap(adapter)" : "wrap");
}

static void fake_closing(void *state, NDK_ADAPTER *adapter, const char *function)
{
    struct fake *f = state;

    assert_non_null(adapter);
    tell(f->name, function);
}

static void fake_closed(void *state)
{
    tell(((struct fake *)state)->name, "closed");
}

static bool fake_keep(void *state, struct ndk_object *o)
{
    struct fake *f = state;

    tell(f->name, "keep");
    if (f->keeps)
        ndk_layer_free_object(o);
    return f->keeps;
}

static const struct ndk_layer outer = {
    .name = "outer",
    .open = outer_open,
    .wrap = fake_wrap,
    .closing = fake_closing,
    .closed = fake_closed,
    .keep = fake_keep,
};
static const struct ndk_layer inner = {
    .name = "inner",
    .open = inner_open,
    .wrap = fake_wrap,
    .closed = fake_closed,
};
static const struct ndk_layer *const both[] = {&outer, &inner, NULL};

static char *no_environment(const char *name)
{
    (void)name;
    return NULL;
}

static int begin(void **state)
{
    (void)state;
    story[0] = '\0';
    outer_fake = (struct fake){.name = "outer"};
    inner_fake = (struct fake){.name = "inner"};
    return 0;
}

/* ---- cases ---- */

static void the_list_is_opened_from_the_outside(void **state)
{
    struct ndk_layers *l;
    struct ndk_object o = {.Dispatch = &o};
    char text[NDK_LAYER_TEXT];

    (void)state;
    assert_int_equal(ndk_layers_open(both, no_environment, &l, text), STATUS_SUCCESS);
    ndk_layers_wrap(l, &o);
    assert_false(ndk_layers_keep(l, &o));
    ndk_layers_closed(l);
    assert_string_equal(
        story, "outer.open inner.open inner.wrap outer.wrap outer.keep inner.closed outer.closed ");
}

static void a_layer_may_stay_out(void **state)
{
    struct ndk_layers *l;
    struct ndk_object o = {.Dispatch = &o};
    char text[NDK_LAYER_TEXT];

    (void)state;
    outer_fake.stays_out = true;
    assert_int_equal(ndk_layers_open(both, no_environment, &l, text), STATUS_SUCCESS);
    ndk_layers_wrap(l, &o);
    ndk_layers_closed(l);
    assert_string_equal(story, "outer.open inner.open inner.wrap inner.closed ");
}

static void without_layers_there_is_nothing(void **state)
{
    struct ndk_object o = {.Dispatch = &o};
    struct ndk_layers *l = (struct ndk_layers *)(void *)&o;
    char text[NDK_LAYER_TEXT];

    (void)state;
    outer_fake.stays_out = inner_fake.stays_out = true;
    assert_int_equal(ndk_layers_open(both, no_environment, &l, text), STATUS_SUCCESS);
    assert_null(l);
    assert_int_equal(ndk_layers_open(NULL, no_environment, &l, text), STATUS_SUCCESS);
    assert_null(l);
    ndk_layers_wrap(NULL, &o);
    ndk_layers_closing(NULL, NULL, "close");
    assert_false(ndk_layers_keep(NULL, &o));
    ndk_layers_closed(NULL);
}

static void a_refusal_closes_what_was_open(void **state)
{
    struct ndk_layers *l;
    char text[NDK_LAYER_TEXT];

    (void)state;
    inner_fake.result = STATUS_INVALID_PARAMETER;
    assert_int_equal(ndk_layers_open(both, no_environment, &l, text), STATUS_INVALID_PARAMETER);
    assert_null(l);
    assert_string_equal(text, "inner refuses");
    assert_string_equal(story, "outer.open inner.open outer.closed ");
}

static void an_adapter_shows_its_objects(void **state)
{
    struct plat_linux_options plat_options = {0};
    struct plat *plat = plat_linux_create(&plat_options);
    struct rnic_options options;
    struct ndk_layers *l;
    NDK_ADAPTER *adapter;
    NDK_PD *pd;
    char text[NDK_LAYER_TEXT];
    size_t live;

    (void)state;
    assert_non_null(plat);
    live = sn_alloc_live_count();
    outer_fake.keeps = true;
    rnic_options_init(&options);
    assert_int_equal(ndk_layers_open(both, no_environment, &l, text), STATUS_SUCCESS);
    assert_int_equal(ndk_adapter_open_layered(plat, &options, l, &adapter), STATUS_SUCCESS);
    assert_string_equal(story, "outer.open inner.open inner.wrap(adapter) outer.wrap(adapter) ");
    story[0] = '\0';
    assert_int_equal(adapter->Dispatch->NdkCreatePd(
                         adapter, (NDK_FN_CREATE_COMPLETION)(void (*)(void))begin, NULL, &pd),
        STATUS_SUCCESS);
    assert_string_equal(story, "inner.wrap outer.wrap ");
    story[0] = '\0';
    assert_int_equal(pd->Dispatch->NdkClosePd(&pd->Header, NULL, NULL), STATUS_SUCCESS);
    assert_string_equal(story, "outer.keep ");
    story[0] = '\0';
    ndk_adapter_close(adapter, "bye");
    assert_string_equal(story, "outer.bye inner.closed outer.closed ");
    assert_int_equal(sn_alloc_live_count(), live);
    plat_linux_destroy(plat);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(the_list_is_opened_from_the_outside, begin),
        cmocka_unit_test_setup(a_layer_may_stay_out, begin),
        cmocka_unit_test_setup(without_layers_there_is_nothing, begin),
        cmocka_unit_test_setup(a_refusal_closes_what_was_open, begin),
        cmocka_unit_test_setup(an_adapter_shows_its_objects, begin),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
