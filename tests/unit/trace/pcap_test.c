/* SPDX-License-Identifier: MIT */
/* What the capture file holds, packet by packet. */
#include "trace/pcap.h"

#include "unit/trace/reader.h"

static const struct plat_addr four_a = {.family = 4, .port = 1111, .ip = {127, 0, 0, 1}},
                              four_b = {.family = 4, .port = 2222, .ip = {127, 0, 0, 2}},
                              six_a = {.family = 6, .port = 1111, .ip = {[15] = 1}},
                              six_b = {.family = 6, .port = 2222, .ip = {0xfe, 0x80, [15] = 9}};

static char path[64], why[200];
static uint8_t octets[200000];

static int setup(void **state)
{
    struct pcap_out *o;

    capture_path(path, "pcap");
    for (size_t i = 0; i < sizeof(octets); i++)
        octets[i] = (uint8_t)(i * 7 + i / 251);
    assert_int_equal(pcap_out_open(path, &o, why, sizeof(why)), SN_OK);
    *state = o;
    return 0;
}

static struct packets *finish(void **state)
{
    pcap_out_close(*state);
    *state = NULL;
    return packets_read(path);
}

static void both_families_have_handshake_data_and_end(void **state)
{
    struct packets *all;

    for (unsigned is_6 = 0; is_6 < 2; is_6++) {
        struct pcap_flow *f;
        struct sn_cspan v[3] = {{octets, 3}, {octets + 3, 0}, {octets + 3, 8}};

        if (is_6)
            setup(state);
        f = pcap_flow_open(*state, is_6 ? &six_a : &four_a, is_6 ? &six_b : &four_b, PCAP_A);
        pcap_flow_sent(f, PCAP_A, v, 11);
        pcap_flow_received(f, PCAP_A, v, 2); /* less than the spans hold */
        pcap_flow_fin(f, PCAP_A);
        pcap_flow_fin(f, PCAP_A); /* once */
        pcap_flow_fin(f, PCAP_B);
        pcap_flow_reset(f, PCAP_B); /* too late to matter */
        pcap_flow_close(f);
        all = finish(state);
        packet_expect(all, 0, SYN, 1111, 0);
        packet_expect(all, 1, SYN | ACK, 2222, 0);
        packet_expect(all, 2, ACK, 1111, 0);
        packet_expect(all, 3, ACK | PSH, 1111, 11);
        assert_int_equal(all->at[3].first, octets[0]);
        assert_int_equal(all->at[3].last, octets[10]);
        packet_expect(all, 4, ACK | PSH, 2222, 2);
        assert_int_equal(all->at[4].last, octets[1]);
        packet_expect(all, 5, FIN | ACK, 1111, 0);
        packet_expect(all, 6, ACK, 2222, 0);
        packet_expect(all, 7, FIN | ACK, 2222, 0);
        packet_expect(all, 8, ACK, 1111, 0);
        assert_int_equal(all->count, 9);
        free(all);
    }
    setup(state);
    free(finish(state));
}

/* An IP packet has 65535 octets at most: what is longer becomes several. */
static void long_writes_are_cut(void **state)
{
    static const struct {
        size_t n, packets, last;
    } cases[] = {{64999, 1, 64999}, {65000, 1, 65000}, {65001, 2, 1}, {200000, 4, 5000}};

    pcap_out_close(*state);
    for (size_t i = 0; i < SN_ARRAY_COUNT(cases); i++) {
        struct sn_cspan v[2] = {{octets, 1000}, {octets + 1000, cases[i].n - 1000}};
        struct packets *all;
        struct pcap_flow *f;
        unsigned last;

        setup(state);
        f = pcap_flow_open(*state, &six_b, &six_a, PCAP_B);
        pcap_flow_sent(f, PCAP_B, v, cases[i].n);
        pcap_flow_close(f);
        all = finish(state);
        assert_int_equal(all->count, 3 + cases[i].packets);
        for (unsigned k = 3; k + 1 < all->count; k++)
            packet_expect(all, k, ACK | PSH, 2222, 65000);
        last = all->count - 1;
        packet_expect(all, last, ACK | PSH, 2222, cases[i].last);
        assert_int_equal(all->at[last].last, octets[cases[i].n - 1]);
        free(all);
    }
    setup(state);
}

/* Both ends here: what one sends is not written once more when the other receives it. */
static void a_flow_with_both_ends_here_is_one(void **state)
{
    struct sn_cspan v = {octets, 10};
    struct pcap_flow *a = pcap_flow_open(*state, &four_a, &four_b, PCAP_A), *b, *other;
    struct packets *all;

    pcap_flow_sent(a, PCAP_A, &v, 10);
    b = pcap_flow_open(*state, &four_b, &four_a, PCAP_B);
    assert_ptr_equal(a, b);
    pcap_flow_received(b, PCAP_B, &v, 10);
    pcap_flow_sent(b, PCAP_B, &v, 4);
    pcap_flow_received(a, PCAP_A, &v, 4);
    pcap_flow_close(a);
    pcap_flow_fin(b, PCAP_B);
    pcap_flow_close(b);
    /* The same addresses again are another connection. */
    other = pcap_flow_open(*state, &four_b, &four_a, PCAP_B);
    pcap_flow_received(other, PCAP_B, &v, 1);
    pcap_flow_close(other);
    all = finish(state);
    packet_expect(all, 3, ACK | PSH, 1111, 10);
    packet_expect(all, 4, ACK | PSH, 2222, 4);
    packet_expect(all, 5, FIN | ACK, 2222, 0);
    assert_int_equal(all->at[7].flags, SYN);
    assert_int_equal(all->at[10].n, 1);
    assert_int_equal(all->count, 11);
    free(all);
    setup(state);
}

static void a_reset_ends_a_flow(void **state)
{
    struct sn_cspan v = {octets, 10};
    struct pcap_flow *f = pcap_flow_open(*state, &four_a, &four_b, PCAP_A), *silent;
    struct packets *all;

    pcap_flow_sent(f, PCAP_A, &v, 10);
    pcap_flow_fin(f, PCAP_A);
    pcap_flow_reset(f, PCAP_B);
    pcap_flow_reset(f, PCAP_B);
    pcap_flow_fin(f, PCAP_B);
    pcap_flow_close(f);
    /* A connection without an octet is not worth a packet. */
    silent = pcap_flow_open(*state, &four_a, &four_b, PCAP_A);
    pcap_flow_fin(silent, PCAP_A);
    pcap_flow_reset(silent, PCAP_B);
    pcap_flow_close(silent);
    pcap_flow_close(NULL);
    all = finish(state);
    packet_expect(all, 4, FIN | ACK, 1111, 0);
    packet_expect(all, 6, RST | ACK, 2222, 0);
    assert_int_equal(all->count, 7);
    free(all);
    setup(state);
}

static void names_are_checked_and_may_hold_the_process(void **state)
{
    struct pcap_out *o = NULL;
    char numbered[64], expected[80], too_long[5000];

    (void)state;
    memset(too_long, 'x', sizeof(too_long) - 1);
    too_long[sizeof(too_long) - 1] = '\0';
    assert_int_equal(pcap_out_open("", &o, why, sizeof(why)), SN_INVALID);
    assert_int_equal(pcap_out_open(too_long, &o, why, sizeof(why)), SN_INVALID);
    assert_non_null(strstr(why, "too long"));
    assert_int_equal(pcap_out_open("/nowhere/x.pcap", &o, why, sizeof(why)), SN_INVALID);
    assert_non_null(strstr(why, "/nowhere/x.pcap"));
    assert_null(o);
    pcap_out_close(NULL);

    snprintf(numbered, sizeof(numbered), "/tmp/softndk-%%p-%%-n.pcap");
    snprintf(expected, sizeof(expected), "/tmp/softndk-%ld-%%-n.pcap", (long)getpid());
    assert_int_equal(pcap_out_open(numbered, &o, why, sizeof(why)), SN_OK);
    pcap_out_close(o);
    assert_int_equal(unlink(expected), 0);
}

static int teardown(void **state)
{
    pcap_out_close(*state);
    unlink(path);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(both_families_have_handshake_data_and_end, setup, teardown),
        cmocka_unit_test_setup_teardown(long_writes_are_cut, setup, teardown),
        cmocka_unit_test_setup_teardown(a_flow_with_both_ends_here_is_one, setup, teardown),
        cmocka_unit_test_setup_teardown(a_reset_ends_a_flow, setup, teardown),
        cmocka_unit_test_setup_teardown(
            names_are_checked_and_may_hold_the_process, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
