// What newlib's own files call to read TZ.
// SPDX-License-Identifier: MIT
#include <time.h>

struct _reent;
void _tzset_r(struct _reent *state);
void _tzset_unlocked_r(struct _reent *state);

void _tzset_r(struct _reent *state)
{
    (void)state;
    tzset();
}

void _tzset_unlocked_r(struct _reent *state)
{
    (void)state;
    tzset();
}
