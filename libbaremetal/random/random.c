// The random number generator: ChaCha20 with fast key erasure, and the pool that its key comes from.
// SPDX-License-Identifier: MIT
// @optimize balance
//
// Each refill makes a new key out of the generator's own output and wipes what it hands out, so a look into
// memory tells nothing about earlier numbers. Entropy is folded in as key = ChaCha20(key xor data): whoever
// does not know the key before cannot steer the key after.
#include "../base/early.h"
#include "../base/start.h"
#include "chacha.h"

#include <baremetal/assert.h>
#include <baremetal/cpu.h>
#include <baremetal/lock.h>
#include <baremetal/log.h>
#include <baremetal/random.h>
#include <stdatomic.h>

enum {
    KEY_WORDS = 8,
    BLOCK_WORDS = 16,
    BUFFER_BLOCKS = 4,
    READY_BITS = 256,
    CPU_WORDS = 4,      // 64-bit words taken from RDSEED or RDRAND
    RDRAND_TRIES = 10,  // Intel SDM volume 1 section 7.3.17.1
    RDSEED_TRIES = 100, // may well be empty for a moment (section 7.3.17.2)
    JITTER_SAMPLES = 32
};

static struct {
    struct bm_spinlock lock;
    uint32_t state[BLOCK_WORDS]; // key in words 4 … 11
    unsigned char buffer[BUFFER_BLOCKS * BLOCK_WORDS * 4];
    unsigned left; // bytes at the end of the buffer that are still to hand out
    _Atomic(unsigned) bits;
} pool;

void *memcpy(void *restrict to, const void *restrict from, size_t size);
void *memset(void *to, int value, size_t size);

// Overwrites what must not stay in memory; the compiler may not leave it out.
static void wipe(void *data, size_t size)
{
    memset(data, 0, size);
    __asm__ volatile("" ::"r"(data) : "memory");
}

static bool rdseed(uint64_t *value)
{
    bool valid;
    __asm__ volatile("rdseed %0; setc %1" : "=r"(*value), "=qm"(valid)::"cc");
    return valid;
}

static bool rdrand(uint64_t *value)
{
    bool valid;
    __asm__ volatile("rdrand %0; setc %1" : "=r"(*value), "=qm"(valid)::"cc");
    return valid;
}

// What the CPU's generators and its clock say now, into the key, so that the clones of a snapshot go apart
// and a key that leaked is of no use for long. Nothing is lost where they say nothing new; nothing waits.
static void stir(void)
{
    const struct bm_cpu_features *cpu = bm_cpu_features_get();
    for (unsigned i = 0; i < KEY_WORDS; i += 2) {
        uint64_t value;
        if (!(cpu->rdseed && rdseed(&value)) && !(cpu->rdrand && rdrand(&value)))
            value = bm_cpu_tsc();
        pool.state[4 + i] ^= (uint32_t)value;
        pool.state[5 + i] ^= (uint32_t)(value >> 32);
    }
}

// The next numbers. The first key's worth of them becomes the new key.
static void refill(void)
{
    stir();
    for (unsigned i = 0; i < BUFFER_BLOCKS; i++) {
        pool.state[12] = i;
        bm_chacha_block(pool.state, (uint32_t *)(void *)(pool.buffer + i * BLOCK_WORDS * 4));
    }
    memcpy(pool.state + 4, pool.buffer, KEY_WORDS * 4);
    wipe(pool.buffer, KEY_WORDS * 4);
    pool.left = sizeof pool.buffer - KEY_WORDS * 4;
}

// Folds up to 32 bytes into the key. What the buffer still holds comes from the old key and goes.
static void mix(const void *data, size_t size)
{
    uint32_t words[BLOCK_WORDS] = {0};
    memcpy(words, data, size);
    for (unsigned i = 0; i < KEY_WORDS; i++)
        pool.state[4 + i] ^= words[i];
    pool.state[12] = (uint32_t)size | 1u << 31; // never a block of refill's
    bm_chacha_block(pool.state, words);
    memcpy(pool.state + 4, words, KEY_WORDS * 4);
    wipe(words, sizeof words);
    pool.left = 0;
}

void bm_random_add(const char *source, const void *data, size_t size, unsigned entropy_bits)
{
    const unsigned char *bytes = data;
    BM_ASSERT_NO_HANDLER();
    BM_ASSERT(entropy_bits <= 8 * size, "bytes are worth at most eight bits of entropy each");
    bm_spinlock_acquire(&pool.lock);
    uint64_t moment = bm_cpu_tsc();
    mix(&moment, sizeof moment);
    while (size) {
        size_t part = size < KEY_WORDS * 4 ? size : KEY_WORDS * 4;
        mix(bytes, part);
        bytes += part;
        size -= part;
    }
    unsigned bits = atomic_load(&pool.bits);
    bits = entropy_bits > READY_BITS - bits ? READY_BITS : bits + entropy_bits;
    atomic_store(&pool.bits, bits);
    bm_spinlock_release(&pool.lock);
    bm_log_debug("random", "%u bits from %s", entropy_bits, source);
}

bool bm_random_ready(void)
{
    return atomic_load(&pool.bits) >= READY_BITS;
}

void bm_random_fill(void *buffer, size_t size)
{
    unsigned char *to = buffer;
    BM_ASSERT_NO_HANDLER();
    bm_spinlock_acquire(&pool.lock);
    while (size) {
        if (pool.left == 0)
            refill();
        size_t part = size < pool.left ? size : pool.left;
        unsigned char *from = pool.buffer + sizeof pool.buffer - pool.left;
        memcpy(to, from, part);
        wipe(from, part);
        pool.left -= (unsigned)part;
        to += part;
        size -= part;
    }
    bm_spinlock_release(&pool.lock);
}

uint64_t bm_random_u64(void)
{
    uint64_t value;
    bm_random_fill(&value, sizeof value);
    return value;
}

// Takes words from a CPU instruction. One that fails too often, repeats itself, or gives all zeros or ones
// (processors with that defect exist) is not believed.
static void add_from_cpu(const char *name, bool (*take)(uint64_t *value), unsigned tries)
{
    uint64_t words[CPU_WORDS];
    for (unsigned i = 0; i < CPU_WORDS; i++) {
        unsigned left = tries;
        while (!take(&words[i])) {
            if (--left == 0) {
                bm_log_info("random", "%s gives nothing", name);
                return;
            }
            __builtin_ia32_pause();
        }
        if (words[i] == 0 || words[i] == UINT64_MAX || (i && words[i] == words[i - 1])) {
            bm_log_warn("random", "%s is defective and not used", name);
            return;
        }
    }
    bm_random_add(name, words, sizeof words, sizeof words * 8);
    wipe(words, sizeof words);
}

// What differs from boot to boot without a source: the moment, and how long port accesses take. Worth
// something, counted as nothing.
static void add_timing(void)
{
    uint64_t words[4] = {bm_boot_early_state.seed, bm_cpu_tsc(), (uint64_t)(uintptr_t)&pool, 0};
    for (unsigned i = 0; i < JITTER_SAMPLES; i++) {
        bm_port_in8(0x61);
        words[3] = (words[3] << 7 | words[3] >> 57) ^ bm_cpu_tsc();
    }
    bm_random_add("timing", words, sizeof words, 0);
}

void bm_random_start(void)
{
    const struct bm_cpu_features *cpu = bm_cpu_features_get();
    add_timing();
    if (cpu->rdseed)
        add_from_cpu("rdseed", rdseed, RDSEED_TRIES);
    if (cpu->rdrand)
        add_from_cpu("rdrand", rdrand, RDRAND_TRIES);
}

void bm_random_check(void)
{
    if (!bm_random_ready())
        bm_log_warn(
            "random",
            "NO ENTROPY SOURCE: this machine has neither RDSEED nor RDRAND nor a random number device "
            "(QEMU: -device virtio-rng-pci, on microvm virtio-rng-device); keys and random numbers can be "
            "guessed");
}
