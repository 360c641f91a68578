/* SPDX-License-Identifier: MIT */
/* Where the calling thread is. */
#ifndef SN_BASE_STACK_H
#define SN_BASE_STACK_H

/*
 * The return addresses of the calling thread, innermost first: frames[0] is in the caller. Returns
 * how many, at most max. Any thread; the first call of a process may load a library, so not in a
 * signal handler. Functions compiled without unwind tables end the list.
 */
unsigned sn_stack_take(void **frames, unsigned max);

#endif
