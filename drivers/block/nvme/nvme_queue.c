// The path of every request: into a queue pair of the NVMe controller, and back with its answer.
// SPDX-License-Identifier: MIT
#include "nvme.h"

#include <baremetal/error.h>
#include <baremetal/log.h>
#include <baremetal/time.h>

enum { FUA = 1 << 30, DEALLOCATE = 1 << 2 }; // of dword 12 (section 6.15), of dword 11 (section 6.7)

static struct nvme_pair *pair_of(struct bm_blockqueue *queue)
{
    return (struct nvme_pair *)queue;
}

static int stage_of(const struct nvme *self)
{
    return atomic_load_explicit(&self->stage, memory_order_acquire);
}

static uint64_t list_address(const struct nvme_pair *pair, const struct nvme_slot *slot)
{
    return pair->lists_address + (uint64_t)(slot - pair->slots) * NVME_LIST_SIZE;
}

// Says where the data lies (section 4.3): the first page, which may be a part, and the second, or a list of
// all but the first. Segments meet at pages' ends, or touch (block.h, `boundary`).
static bool pages_put(const struct nvme_pair *pair, const struct nvme_slot *slot,
                      struct nvme_command *command)
{
    const struct bm_block_request *request = slot->request;
    unsigned count = 0;
    for (unsigned i = 0; i < request->segment_count; i++) {
        uint64_t address = request->segments[i].address, end = address + request->segments[i].length;
        if (i == 0)
            command->prp1 = address;
        // What is left of a page that is in the list already.
        if (i == 0 || address % BM_PAGE_SIZE)
            address = (address | (BM_PAGE_SIZE - 1)) + 1;
        for (; address < end; address += BM_PAGE_SIZE) {
            if (count == NVME_LIST_MAX)
                return false;
            slot->list[count++] = address;
        }
    }
    if (count)
        command->prp2 = count == 1 ? slot->list[0] : list_address(pair, slot);
    return true;
}

// A discard's range lies where other requests have their list (section 6.7.1.1).
static void range_put(const struct nvme_pair *pair, const struct nvme_slot *slot,
                      struct nvme_command *command)
{
    slot->list[0] = (uint64_t)slot->request->count << 32;
    slot->list[1] = slot->request->disk_sector;
    command->prp1 = list_address(pair, slot);
    command->words[0] = 0; // one range
    command->words[1] = DEALLOCATE;
}

// Writes the slot's request as the next command. Under the lock.
static bool command_put(struct nvme_pair *pair, struct nvme_slot *slot)
{
    static const uint8_t opcodes[] = {[BM_BLOCK_READ] = NVME_READ,
                                      [BM_BLOCK_WRITE] = NVME_WRITE,
                                      [BM_BLOCK_FLUSH] = NVME_FLUSH,
                                      [BM_BLOCK_DISCARD] = NVME_DATASET,
                                      [BM_BLOCK_WRITE_ZEROES] = NVME_WRITE_ZEROES};
    const struct bm_block_request *request = slot->request;
    struct nvme_command *command = bm_nvme_command_new(&pair->rings);
    command->operation = opcodes[request->operation] | (uint32_t)(slot - pair->slots) << 16;
    command->namespace_id = pair->namespace_id;
    if (request->operation == BM_BLOCK_DISCARD) {
        range_put(pair, slot, command);
    } else if (request->operation != BM_BLOCK_FLUSH) {
        command->words[0] = (uint32_t)request->disk_sector;
        command->words[1] = (uint32_t)(request->disk_sector >> 32);
        command->words[2] = (request->count - 1) | (request->flags & BM_BLOCK_FUA ? FUA : 0);
        if (!pages_put(pair, slot, command))
            return false;
    }
    return true;
}

static void command_send(struct nvme_pair *pair, struct nvme_slot *slot)
{
    bm_nvme_command_add(&pair->rings);
    slot->tick = pair->tick;
    slot->attempts++;
}

static void slot_free(struct nvme_pair *pair, struct nvme_slot *slot)
{
    slot->request = NULL;
    slot->over = false;
    slot->next = pair->free;
    pair->free = (uint8_t)(slot - pair->slots);
    pair->busy--;
}

// While the controller is reset the request waits in its slot. Under the lock.
static int nvme_put(struct nvme_pair *pair, struct bm_block_request *request)
{
    if (pair->busy == pair->queue.depth)
        return -BM_EAGAIN;
    struct nvme_slot *slot = &pair->slots[pair->free];
    slot->request = request;
    slot->attempts = 0;
    if (!command_put(pair, slot)) {
        slot->request = NULL;
        return -BM_EINVAL;
    }
    if (pair->live)
        command_send(pair, slot);
    if (!pair->busy) // nobody has looked since who knows when
        pair->check = bm_time_monotonic() + NVME_CHECK;
    pair->free = slot->next;
    pair->busy++;
    return 0;
}

static int nvme_submit(struct bm_blockqueue *queue, struct bm_block_request *request)
{
    struct nvme_pair *pair = pair_of(queue);
    bm_spinlock_acquire(&pair->lock);
    int error = stage_of(pair->nvme) == NVME_DEAD ? -BM_ENODEV : nvme_put(pair, request);
    bm_spinlock_release(&pair->lock);
    return error;
}

static void nvme_kick(struct bm_blockqueue *queue)
{
    struct nvme_pair *pair = pair_of(queue);
    bm_spinlock_acquire(&pair->lock);
    if (pair->live)
        bm_nvme_rings_show(pair->nvme, &pair->rings);
    bm_spinlock_release(&pair->lock);
}

// A message that several queues share stays where it is.
static int nvme_aim(struct bm_blockqueue *queue, unsigned core)
{
    struct nvme_pair *pair = pair_of(queue);
    struct nvme *self = pair->nvme;
    if (self->interrupts == NVME_MESSAGES)
        return self->vectors < self->pair_count ? -BM_EBUSY
                                                : bm_pci_interrupt_aim(self->pci, pair->vector, core);
    return self->interrupts == NVME_LINE ? bm_pci_line_aim(self->pci, core) : 0;
}

const struct bm_blockdev_ops bm_nvme_ops = {.submit = nvme_submit, .kick = nvme_kick, .aim = nvme_aim};

// What a status means (section 4.6.1): bits 8:1 the code, bits 11:9 its type.
static int result_of(uint16_t status)
{
    enum { INVALID_OPCODE = 1 };
    unsigned code = status >> 1 & 0x7ff;
    return code == 0 ? 0 : code == INVALID_OPCODE ? -BM_ENXIO : -BM_EIO;
}

struct finished {
    struct bm_block_request *request;
    int result;
};

// Returns how many requests are over; *lied: there is an answer to none. Under the lock.
static unsigned answers_take(struct nvme_pair *pair, struct finished *finished, bool *lied)
{
    unsigned over = 0;
    while (over < NVME_BATCH && nvme_rings_ready(&pair->rings)) {
        struct nvme_completion answer = bm_nvme_rings_take(&pair->rings);
        struct nvme_slot *slot = &pair->slots[answer.identifier % NVME_DEPTH_MAX];
        if (answer.identifier >= pair->queue.depth || !slot->request || slot->over) {
            *lied = true;
            break;
        }
        finished[over].request = slot->request;
        finished[over++].result = result_of(answer.status);
        slot_free(pair, slot);
    }
    return over;
}

static bool nvme_take(struct nvme_pair *pair)
{
    struct finished finished[NVME_BATCH];
    bool lied = false;
    unsigned over = 0;
    bm_spinlock_acquire(&pair->lock);
    if (pair->live) {
        over = answers_take(pair, finished, &lied);
        bm_nvme_rings_taken(pair->nvme, &pair->rings);
        pair->live = !lied;
    }
    bm_spinlock_release(&pair->lock);
    if (lied) {
        bm_log_error(pair->nvme->pci->device.name, "answers what it was not asked");
        atomic_store(&pair->nvme->reset_wanted, true);
    }
    for (unsigned i = 0; i < over; i++)
        bm_block_done(&pair->queue, finished[i].request, finished[i].result);
    return over || lied;
}

// The requests that are over without an answer: all of a controller that is at its end.
static bool nvme_give_up(struct nvme_pair *pair)
{
    struct bm_block_request *over[NVME_BATCH];
    unsigned count = 0, i;
    bm_spinlock_acquire(&pair->lock);
    bool all = stage_of(pair->nvme) == NVME_DEAD;
    for (i = 0; i < pair->queue.depth && count < NVME_BATCH; i++) {
        struct nvme_slot *slot = &pair->slots[i];
        if (!slot->request || (!slot->over && !all))
            continue;
        over[count++] = slot->request;
        slot_free(pair, slot);
    }
    if (i == pair->queue.depth)
        pair->failing = false;
    bm_spinlock_release(&pair->lock);
    for (i = 0; i < count; i++)
        bm_block_done(&pair->queue, over[i], -BM_EIO);
    return count;
}

// Once a second: whether a request has waited for too long, or the controller has given up.
static bool nvme_check(struct nvme_pair *pair)
{
    struct nvme *self = pair->nvme;
    uint64_t now = bm_time_monotonic();
    if (now < pair->check)
        return false;
    bool late = false;
    bm_spinlock_acquire(&pair->lock);
    pair->check = now + NVME_CHECK;
    pair->tick++;
    for (unsigned i = 0; i < pair->queue.depth; i++) {
        const struct nvme_slot *slot = &pair->slots[i];
        late |= slot->request && !slot->over && (uint8_t)(pair->tick - slot->tick) >= NVME_AGE_MAX;
    }
    late &= pair->live;
    bm_spinlock_release(&pair->lock);
    uint32_t status = nvme_read(self, NVME_CSTS);
    bool wrong = (status & (NVME_CSTS_READY | NVME_CSTS_FATAL)) != NVME_CSTS_READY;
    if (!late && !wrong)
        return false;
    bm_log_warn(self->pci->device.name, "%s: it is reset",
                wrong ? "has stopped" : "has not answered for some seconds");
    atomic_store(&self->reset_wanted, true);
    return true;
}

static bool pair_poll(void *arg)
{
    struct nvme_pair *pair = arg;
    int stage = stage_of(pair->nvme);
    if (stage == NVME_DEAD || pair->failing)
        return nvme_give_up(pair);
    if (stage != NVME_LIVE || atomic_load_explicit(&pair->nvme->reset_wanted, memory_order_relaxed))
        return false;
    if (nvme_rings_ready(&pair->rings))
        return nvme_take(pair);
    return pair->busy && nvme_check(pair);
}

static bool pair_arm(void *arg)
{
    struct nvme_pair *pair = arg;
    struct nvme *self = pair->nvme;
    int stage = stage_of(self);
    if (self->interrupts == NVME_LINE && atomic_exchange(&self->line_raised, false))
        nvme_write(self, NVME_INTMC, 1);
    if (stage == NVME_DEAD)
        return pair->busy;
    return pair->failing || (stage == NVME_LIVE && nvme_rings_ready(&pair->rings) &&
                             !atomic_load_explicit(&self->reset_wanted, memory_order_relaxed));
}

static uint64_t pair_deadline(void *arg)
{
    const struct nvme_pair *pair = arg;
    const struct nvme *self = pair->nvme;
    if (!pair->busy)
        return UINT64_MAX;
    if (self->interrupts == NVME_POLLED || (self->interrupts == NVME_LINE && !self->line_works))
        return bm_time_monotonic() + NVME_POLL;
    return pair->check;
}

void bm_nvme_pair_stop(struct nvme_pair *pair)
{
    bm_spinlock_acquire(&pair->lock);
    pair->live = false;
    bm_spinlock_release(&pair->lock);
}

// What was sent as often as it may be fails; the rest is sent in any order, as the contract allows.
void bm_nvme_pair_restart(struct nvme_pair *pair)
{
    bm_spinlock_acquire(&pair->lock);
    bm_nvme_rings_reset(&pair->rings);
    for (unsigned i = 0; i < pair->queue.depth; i++) {
        struct nvme_slot *slot = &pair->slots[i];
        if (!slot->request || slot->over)
            continue;
        if (slot->attempts == NVME_ATTEMPTS_MAX || !command_put(pair, slot))
            slot->over = pair->failing = true;
        else
            command_send(pair, slot);
    }
    pair->live = true;
    pair->check = bm_time_monotonic() + NVME_CHECK;
    bm_nvme_rings_show(pair->nvme, &pair->rings);
    bm_spinlock_release(&pair->lock);
}

int bm_nvme_pair_create(struct nvme_pair *pair, struct nvme *self, struct nvme_namespace *space,
                        unsigned number)
{
    unsigned entries = self->entries_max < NVME_ENTRIES_MAX ? self->entries_max : NVME_ENTRIES_MAX;
    unsigned depth = entries - 1 < NVME_DEPTH_MAX ? entries - 1 : NVME_DEPTH_MAX;
    uint64_t *lists = bm_memory_permanent((size_t)depth * NVME_LIST_SIZE, BM_PAGE_SIZE);
    if (!lists || bm_nvme_rings_create(&pair->rings, number, entries))
        return -BM_ENOMEM;
    pair->nvme = self;
    pair->lists_address = bm_dma_address(lists);
    pair->queue.depth = pair->busy = (uint8_t)depth;
    for (unsigned i = depth; i--;) {
        pair->slots[i].list = lists + i * NVME_LIST_MAX;
        slot_free(pair, &pair->slots[i]);
    }
    pair->vector = self->vectors ? (uint16_t)((number - 1) % self->vectors) : 0;
    pair->queue.poller = (struct bm_poller){
        .name = "nvme queue", .poll = pair_poll, .arm = pair_arm, .deadline = pair_deadline, .arg = pair};
    bm_blockqueue_add(&space->blockdev, &pair->queue);
    self->pairs[self->pair_count++] = pair;
    return 0;
}
