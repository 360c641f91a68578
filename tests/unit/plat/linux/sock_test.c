/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include "unit/plat/linux/rig.h"

static void test_addresses_there_and_back(void **state)
{
    static const struct plat_addr cases[] = {
        {.family = 4, .port = 4420, .ip = {127, 0, 0, 1}},
        {.family = 4, .port = 0},
        {.family = 6, .port = 65535, .ip = {0xfe, 0x80, [15] = 3}, .scope = 7},
    };
    struct sockaddr_storage ss;
    struct plat_addr back;

    (void)state;
    for (size_t i = 0; i < SN_ARRAY_COUNT(cases); i++) {
        assert_true(lin_addr_to_sys(&cases[i], &ss) > 0);
        lin_addr_from_sys(&ss, &back);
        assert_true(plat_addr_equal(&cases[i], &back));
    }
    back = (struct plat_addr){0};
    assert_int_equal(lin_addr_to_sys(&back, &ss), 0);
    lin_addr_from_sys(&ss, &back);
    assert_int_equal(back.family, 0);
}

static void test_errno(void **state)
{
    (void)state;
    assert_int_equal(lin_status_from_errno(0), SN_OK);
    assert_int_equal(lin_status_from_errno(ECONNREFUSED), SN_REFUSED);
    assert_int_equal(lin_status_from_errno(EPIPE), SN_RESET);
    assert_int_equal(lin_status_from_errno(ETIMEDOUT), SN_TIMED_OUT);
    assert_int_equal(lin_status_from_errno(EMFILE), SN_NO_MEMORY);
    assert_int_equal(lin_status_from_errno(ELIBBAD), SN_INTERNAL);
}

static void test_sockets_close_on_exec_and_do_not_block(void **state)
{
    int fd = lin_sock_create(4);

    (void)state;
    assert_true(fd >= 0);
    assert_true((fcntl(fd, F_GETFD) & FD_CLOEXEC) != 0);
    assert_true((fcntl(fd, F_GETFL) & O_NONBLOCK) != 0);
    close(fd);
}

static void test_bind_to_a_port_of_ours(void **state)
{
    struct rig *r = *state;
    struct lin_plat *lp = lin_plat_of(r->plat);
    struct plat_addr at = rig_loopback(4), a, b;
    int one = lin_sock_create(4), two = lin_sock_create(4);

    assert_int_equal(lin_sock_bind(lp, one, &at, LIN_BIND_SHARED, 0, &a), SN_OK);
    assert_int_equal(lin_sock_bind(lp, two, &at, LIN_BIND_SHARED, 0, &b), SN_OK);
    assert_in_range(a.port, PLAT_PORT_FIRST, PLAT_PORT_LAST);
    assert_in_range(b.port, PLAT_PORT_FIRST, PLAT_PORT_LAST);
    assert_int_not_equal(a.port, b.port);
    close(one);
    close(two);
}

enum { CHILD_RIGHT, CHILD_WRONG, CHILD_CANNOT, PORTS = PLAT_PORT_LAST - PLAT_PORT_FIRST + 1 };

/* In a network of its own, where it may take all ports: as connections do that have ended. */
static int bind_where_all_ports_are_taken(struct lin_plat *lp)
{
    struct plat_addr at = {.family = 4}, bound;
    struct rlimit files;

    if (getrlimit(RLIMIT_NOFILE, &files) != 0 || files.rlim_max < PORTS + 100)
        return CHILD_CANNOT;
    files.rlim_cur = files.rlim_max;
    if (setrlimit(RLIMIT_NOFILE, &files) != 0 ||
        (unshare(CLONE_NEWNET) != 0 && unshare(CLONE_NEWUSER | CLONE_NEWNET) != 0))
        return CHILD_CANNOT;
    for (uint32_t i = 0; i < PORTS; i++) {
        struct plat_addr each = {.family = 4, .port = (uint16_t)(PLAT_PORT_FIRST + i)};

        if (lin_sock_bind(lp, lin_sock_create(4), &each, LIN_BIND_SHARED, 0, &bound) != SN_OK)
            return CHILD_WRONG;
    }
    if (lin_sock_bind(lp, lin_sock_create(4), &at, LIN_BIND_EXCLUSIVE, 0, &bound) != SN_NO_PORTS ||
        lin_sock_bind(lp, lin_sock_create(4), &at, LIN_BIND_SHARED, 50000, &bound) != SN_OK)
        return CHILD_WRONG;
    return bound.port >= PLAT_PORT_FIRST && bound.port != 50000 ? CHILD_RIGHT : CHILD_WRONG;
}

static void test_a_connection_shares_a_port_when_none_is_free(void **state)
{
    struct rig *r = *state;
    int result;
    pid_t child = fork();

    assert_true(child >= 0);
    if (child == 0)
        _exit(bind_where_all_ports_are_taken(lin_plat_of(r->plat)));
    assert_int_equal(waitpid(child, &result, 0), child);
    assert_true(WIFEXITED(result));
    if (WEXITSTATUS(result) == CHILD_CANNOT) {
        print_message("no network of our own, or too few files: not tested\n");
        skip();
    }
    assert_int_equal(WEXITSTATUS(result), CHILD_RIGHT);
}

static void test_exclusive_and_shared(void **state)
{
    struct rig *r = *state;
    struct lin_plat *lp = lin_plat_of(r->plat);
    struct plat_addr at = rig_loopback(4), a, b;
    int one = lin_sock_create(4), two = lin_sock_create(4), three = lin_sock_create(4);

    assert_int_equal(lin_sock_bind(lp, one, &at, LIN_BIND_EXCLUSIVE, 0, &a), SN_OK);
    assert_int_equal(lin_sock_bind(lp, two, &a, LIN_BIND_EXCLUSIVE, 0, &b), SN_ADDRESS_IN_USE);
    assert_int_equal(lin_sock_bind(lp, three, &a, LIN_BIND_SHARED, 0, &b), SN_OK);
    assert_int_equal(b.port, a.port);
    close(one);
    close(two);
    close(three);
}

static void test_not_a_local_address(void **state)
{
    struct rig *r = *state;
    const struct plat_addr foreign = {.family = 4, .ip = {192, 0, 2, 1}};
    struct plat_addr b;
    int fd = lin_sock_create(4);

    assert_int_equal(lin_sock_bind(lin_plat_of(r->plat), fd, &foreign, LIN_BIND_SHARED, 0, &b),
        SN_ADDRESS_INVALID);
    close(fd);
}

static int buffer_of(int fd, int name)
{
    int value = 0;
    socklen_t len = sizeof(value);

    assert_int_equal(getsockopt(fd, SOL_SOCKET, name, &value, &len), 0);
    return value;
}

static void test_buffers_are_set_unless_the_kernel_does_better(void **state)
{
    struct rig *r = *state;
    struct lin_plat *lp = lin_plat_of(r->plat);
    const struct plat_pipe_options some = {.socket_buffer = 64 * 1024};
    const struct plat_pipe_options huge = {.socket_buffer = 1u << 30};
    int fd = lin_sock_create(4), before;

    lp->socket_buffer_max[0] = 100 * 1024;
    lp->has_better_tuning[0] = true;
    lin_sock_set_buffers(lp, fd, &some);
    assert_int_equal(buffer_of(fd, SO_SNDBUF), 2 * 64 * 1024);
    before = buffer_of(fd, SO_SNDBUF);
    lin_sock_set_buffers(lp, fd, NULL);
    lin_sock_set_buffers(lp, fd, &huge);
    assert_int_equal(buffer_of(fd, SO_SNDBUF), before);
    lp->has_better_tuning[0] = false;
    lin_sock_set_buffers(lp, fd, &huge);
    assert_int_equal(buffer_of(fd, SO_SNDBUF), 2 * 100 * 1024);
    close(fd);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_addresses_there_and_back),
        cmocka_unit_test(test_errno),
        cmocka_unit_test(test_sockets_close_on_exec_and_do_not_block),
        RIG_TEST(test_bind_to_a_port_of_ours),
        RIG_TEST(test_a_connection_shares_a_port_when_none_is_free),
        RIG_TEST(test_exclusive_and_shared),
        RIG_TEST(test_not_a_local_address),
        RIG_TEST(test_buffers_are_set_unless_the_kernel_does_better),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
