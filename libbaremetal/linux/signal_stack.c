// The stack for handlers that each thread may have (sigaltstack).
// SPDX-License-Identifier: MIT
#include "linux.h"
#include "signals.h"

enum { IN_USE = 1, DISABLED = 2, SIZE_MIN = 2048, AUTODISARM = (int)(1u << 31) };

bool bm_linux_stack_is_within(const struct bm_linux_signals *self, uint64_t pointer)
{
    uint64_t begin = (uint64_t)self->stack.address;
    return !(self->stack.flags & AUTODISARM) && pointer > begin && pointer - begin <= self->stack.size;
}

struct bm_linux_stack bm_linux_stack_at(const struct bm_linux_signals *self, uint64_t pointer)
{
    struct bm_linux_stack stack = self->stack;
    stack.flags &= AUTODISARM;
    if (!stack.size)
        stack.flags |= DISABLED;
    else if (bm_linux_stack_is_within(self, pointer))
        stack.flags |= IN_USE;
    return stack;
}

long bm_linux_stack_set(struct bm_linux_signals *self, const struct bm_linux_stack *wanted, uint64_t pointer)
{
    int mode = wanted->flags & ~AUTODISARM;
    if (bm_linux_stack_is_within(self, pointer))
        return -BM_EPERM;
    if (mode != 0 && mode != IN_USE && mode != DISABLED)
        return -BM_EINVAL;
    if (mode != DISABLED && wanted->size < SIZE_MIN)
        return -BM_ENOMEM;
    self->stack = mode == DISABLED ? (struct bm_linux_stack){0} : *wanted;
    self->stack.flags &= AUTODISARM;
    return 0;
}

void bm_linux_stack_entered(struct bm_linux_signals *self)
{
    if (self->stack.flags & AUTODISARM)
        self->stack = (struct bm_linux_stack){0};
}

long bm_linux_sigaltstack(const struct bm_linux_stack *wanted, struct bm_linux_stack *old)
{
    struct bm_linux_signals *self = bm_linux_signals_self();
    uint64_t here = (uint64_t)__builtin_frame_address(0);
    struct bm_linux_stack before = bm_linux_stack_at(self, here);
    long error = wanted ? bm_linux_stack_set(self, wanted, here) : 0;
    if (old && !error)
        *old = before;
    return error;
}
