// The old name of <poll.h>.
// SPDX-License-Identifier: MIT
#include <poll.h>
