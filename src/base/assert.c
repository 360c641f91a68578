/* SPDX-License-Identifier: MIT */
#include "base/assert.h"

#include <stdio.h>
#include <stdlib.h>

void sn_assert_failed(const char *what, const char *file, int line)
{
    fprintf(stderr, "softndk: internal error: \"%s\" does not hold at %s:%d\n", what, file, line);
    abort();
}
