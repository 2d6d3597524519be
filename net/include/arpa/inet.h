// Internet addresses as text, and byte order.
// SPDX-License-Identifier: MIT
#pragma once

#include <netinet/in.h>

#ifdef __cplusplus
extern "C" {
#endif

in_addr_t inet_addr(const char *text);                    // INADDR_NONE when it is no address
int inet_aton(const char *text, struct in_addr *address); // 1, or 0 when it is no address
char *inet_ntoa(struct in_addr address);                  // in a buffer of this thread, until the next call
const char *inet_ntop(int family, const void *__restrict address, char *__restrict text, socklen_t size);
int inet_pton(int family, const char *__restrict text, void *__restrict address);

#ifdef __cplusplus
}
#endif
