/* SPDX-License-Identifier: MIT */
/*
 * The verifier writes its reports to a file (SOFTNDK_VERIFY_LOG); here that is a pipe, and what
 * comes out of it goes to stderr with lines of the driver's sources in its stacks.
 */
#ifndef TOOLS_NDKRUN_RELAY_H
#define TOOLS_NDKRUN_RELAY_H

/* Does nothing if the user names a file himself, or if there is no pipe to be had: then the reports
 * are as the verifier writes them. Before the first adapter is opened. */
void relay_start(void);
/* Waits, for a moment at most, until everything written so far is out. Any thread, also in a
 * handler of a signal. */
void relay_flush(void);

#endif
