// The superblock of ext4: what a file system says of itself, checked.
// SPDX-License-Identifier: MIT
#include "ext4_core.h"

#include <baremetal/error.h>

enum {
    INCOMPAT_KNOWN = EXT4_INCOMPAT_FILETYPE | EXT4_INCOMPAT_RECOVER | EXT4_INCOMPAT_META_BG |
                     EXT4_INCOMPAT_EXTENTS | EXT4_INCOMPAT_64BIT | EXT4_INCOMPAT_FLEX_BG |
                     EXT4_INCOMPAT_CSUM_SEED | EXT4_INCOMPAT_LARGEDIR,
    RO_KNOWN = EXT4_RO_SPARSE_SUPER | EXT4_RO_LARGE_FILE | EXT4_RO_HUGE_FILE | EXT4_RO_GDT_CSUM |
               EXT4_RO_DIR_NLINK | EXT4_RO_EXTRA_ISIZE | EXT4_RO_METADATA_CSUM | EXT4_RO_ORPHAN_PRESENT,
    OLD_FIRST_INODE = 11,
    OLD_INODE_SIZE = 128,
    BLOCK_BITS_MIN = 10,
    BLOCK_BITS_MAX = 12,
    CRC32C = 1,
    FLEX_BITS_MAX = 31
};

static int refuse(int error, const char *sentence, const char **why)
{
    *why = sentence;
    return error;
}

static const struct {
    uint32_t feature;
    const char *sentence;
} refusals[] = {
    {EXT4_INCOMPAT_COMPRESSION, "it has compressed files (compression)"},
    {EXT4_INCOMPAT_JOURNAL_DEVICE, "it is the journal of another file system (journal_dev)"},
    {EXT4_INCOMPAT_MMP, "several machines may mount it (mmp): tune2fs -O ^mmp"},
    {EXT4_INCOMPAT_EA_INODE, "it has attributes in inodes (ea_inode)"},
    {EXT4_INCOMPAT_DIRDATA, "it has data in directories (dirdata)"},
    {EXT4_INCOMPAT_INLINE_DATA, "it has data in inodes (inline_data)"},
    {EXT4_INCOMPAT_ENCRYPT, "it has encrypted files (encrypt)"},
    {EXT4_INCOMPAT_CASEFOLD, "it has names without regard to case (casefold)"},
};

static int parse_features(const uint8_t *bytes, struct ext4_super *super, const char **why)
{
    if (ext4_get32(bytes + EXT4_S_REVISION) == 0) // without features
        return 0;
    super->compat = ext4_get32(bytes + EXT4_S_COMPAT);
    super->incompat = ext4_get32(bytes + EXT4_S_INCOMPAT);
    super->ro_compat = ext4_get32(bytes + EXT4_S_RO_COMPAT);
    for (unsigned i = 0; i < sizeof refusals / sizeof *refusals; i++)
        if (super->incompat & refusals[i].feature)
            return refuse(-BM_EOPNOTSUPP, refusals[i].sentence, why);
    if (super->incompat & ~(uint32_t)INCOMPAT_KNOWN)
        return refuse(-BM_EOPNOTSUPP, "it has an incompatible feature that is not known here", why);
    if (super->ro_compat & EXT4_RO_METADATA_CSUM && super->ro_compat & EXT4_RO_GDT_CSUM)
        return refuse(-BM_EIO, "it has two kinds of checksums of groups", why);
    return 0;
}

static int parse_checksum(const uint8_t *bytes, struct ext4_super *super, const char **why)
{
    super->seed = super->incompat & EXT4_INCOMPAT_CSUM_SEED
                      ? ext4_get32(bytes + EXT4_S_CHECKSUM_SEED)
                      : bm_ext4_crc32c(~0u, super->uuid, sizeof super->uuid);
    if (!(super->ro_compat & EXT4_RO_METADATA_CSUM))
        return 0;
    if (bytes[EXT4_S_CHECKSUM_TYPE] != CRC32C)
        return refuse(-BM_EOPNOTSUPP, "its kind of checksums is not known here", why);
    if (bm_ext4_crc32c(~0u, bytes, EXT4_S_CHECKSUM) != ext4_get32(bytes + EXT4_S_CHECKSUM))
        return refuse(-BM_EIO, "the checksum of its superblock is wrong", why);
    return 0;
}

static int parse_sizes(const uint8_t *bytes, struct ext4_super *super, const char **why)
{
    bool old = ext4_get32(bytes + EXT4_S_REVISION) == 0;
    uint32_t bits = ext4_get32(bytes + EXT4_S_BLOCK_BITS);
    if (bits > BLOCK_BITS_MAX - BLOCK_BITS_MIN)
        return refuse(-BM_EOPNOTSUPP, "its blocks have more than 4096 bytes", why);
    super->block_bits = bits + BLOCK_BITS_MIN;
    super->block_size = 1u << super->block_bits;
    if (!(super->ro_compat & EXT4_RO_BIGALLOC) && ext4_get32(bytes + EXT4_S_CLUSTER_BITS) != bits)
        return refuse(-BM_EIO, "its clusters are not as large as its blocks", why);
    super->inode_size = old ? OLD_INODE_SIZE : ext4_get16(bytes + EXT4_S_INODE_SIZE);
    super->first_inode = old ? OLD_FIRST_INODE : ext4_get32(bytes + EXT4_S_FIRST_INODE);
    if (super->inode_size < OLD_INODE_SIZE || super->inode_size > super->block_size ||
        super->inode_size & (super->inode_size - 1))
        return refuse(-BM_EIO, "the size of its inodes is wrong", why);
    bool wide = super->incompat & EXT4_INCOMPAT_64BIT;
    super->descriptor_size = wide ? ext4_get16(bytes + EXT4_S_DESCRIPTOR_SIZE) : EXT4_G_SIZE;
    if (wide && (super->descriptor_size < EXT4_G_SIZE_64 || super->descriptor_size > super->block_size ||
                 super->descriptor_size & (super->descriptor_size - 1)))
        return refuse(-BM_EIO, "the size of its descriptors is wrong", why);
    return 0;
}

static int parse_counts(const uint8_t *bytes, uint64_t size, struct ext4_super *super, const char **why)
{
    bool wide = super->incompat & EXT4_INCOMPAT_64BIT;
    super->blocks =
        ext4_get64(ext4_get32(bytes + EXT4_S_BLOCKS), wide ? ext4_get32(bytes + EXT4_S_BLOCKS_HIGH) : 0);
    super->first_data = ext4_get32(bytes + EXT4_S_FIRST_DATA);
    super->group_blocks = ext4_get32(bytes + EXT4_S_GROUP_BLOCKS);
    super->group_inodes = ext4_get32(bytes + EXT4_S_GROUP_INODES);
    super->inodes = ext4_get32(bytes + EXT4_S_INODES);
    if (super->first_data != (super->block_bits == BLOCK_BITS_MIN) &&
        !(super->ro_compat & EXT4_RO_BIGALLOC && super->first_data == 0))
        return refuse(-BM_EIO, "its first block is wrong", why);
    if (super->blocks <= super->first_data)
        return refuse(-BM_EIO, "it has no blocks", why);
    if (super->blocks > size >> super->block_bits)
        return refuse(-BM_EIO, "it is larger than the disk", why);
    uint32_t bits = 8 * super->block_size, clusters = 1;
    if (super->ro_compat & EXT4_RO_BIGALLOC) {
        uint32_t cluster = ext4_get32(bytes + EXT4_S_CLUSTER_BITS);
        if (cluster < super->block_bits - BLOCK_BITS_MIN || cluster > 16)
            return refuse(-BM_EIO, "the size of its clusters is wrong", why);
        clusters = 1u << (cluster - (super->block_bits - BLOCK_BITS_MIN));
    }
    if (super->group_blocks < 8 || super->group_blocks % 8 || super->group_blocks / clusters > bits)
        return refuse(-BM_EIO, "the size of its groups is wrong", why);
    if (super->group_inodes == 0 || super->group_inodes > bits || super->group_inodes % 8)
        return refuse(-BM_EIO, "the number of inodes in its groups is wrong", why);
    uint64_t groups = (super->blocks - super->first_data + super->group_blocks - 1) / super->group_blocks;
    if (groups > UINT32_MAX || groups * super->group_inodes != super->inodes)
        return refuse(-BM_EIO, "its groups and inodes do not go together", why);
    super->groups = (uint32_t)groups;
    if (super->first_inode < OLD_FIRST_INODE || super->first_inode > super->inodes)
        return refuse(-BM_EIO, "its first inode is wrong", why);
    return 0;
}

static void parse_rest(const uint8_t *bytes, struct ext4_super *super)
{
    uint32_t flags = ext4_get32(bytes + EXT4_S_FLAGS);
    for (unsigned i = 0; i < 4; i++)
        super->hash_seed[i] = ext4_get32(bytes + EXT4_S_HASH_SEED + 4 * i);
    super->hash = bytes[EXT4_S_HASH];
    super->hash_unsigned = flags & EXT4_FLAG_UNSIGNED_HASH ? EXT4_HASH_UNSIGNED : 0;
    if (super->compat & EXT4_COMPAT_JOURNAL)
        super->journal = ext4_get32(bytes + EXT4_S_JOURNAL);
    super->last_orphan = ext4_get32(bytes + EXT4_S_LAST_ORPHAN);
    if (super->compat & EXT4_COMPAT_ORPHAN_FILE)
        super->orphan_file = ext4_get32(bytes + EXT4_S_ORPHAN_FILE);
    super->first_meta_group =
        super->incompat & EXT4_INCOMPAT_META_BG ? ext4_get32(bytes + EXT4_S_FIRST_META_GROUP) : UINT32_MAX;
    super->backups[0] = ext4_get32(bytes + EXT4_S_BACKUPS);
    super->backups[1] = ext4_get32(bytes + EXT4_S_BACKUPS + 4);
    super->want_extra = ext4_get16(bytes + EXT4_S_WANT_EXTRA);
    super->state = ext4_get16(bytes + EXT4_S_STATE);
    super->flex_bits = super->incompat & EXT4_INCOMPAT_FLEX_BG ? bytes[EXT4_S_FLEX_BITS] : 0;
    if (super->flex_bits > FLEX_BITS_MAX)
        super->flex_bits = 0;
}

int bm_ext4_super_parse(const uint8_t *bytes, uint64_t size, struct ext4_super *super, const char **why)
{
    *super = (struct ext4_super){0};
    if (ext4_get16(bytes + EXT4_S_MAGIC) != EXT4_MAGIC)
        return -BM_ENODEV;
    __builtin_memcpy(super->uuid, bytes + EXT4_S_UUID, sizeof super->uuid);
    __builtin_memcpy(super->label, bytes + EXT4_S_LABEL, sizeof super->label - 1);
    if (ext4_get32(bytes + EXT4_S_REVISION) > 1)
        return refuse(-BM_EOPNOTSUPP, "its revision is not known here", why);
    int error = parse_features(bytes, super, why);
    if (!error)
        error = parse_checksum(bytes, super, why);
    if (!error)
        error = parse_sizes(bytes, super, why);
    if (!error)
        error = parse_counts(bytes, size, super, why);
    if (!error)
        parse_rest(bytes, super);
    return error;
}

static const struct {
    uint32_t feature;
    const char *sentence;
} only_read[] = {
    {EXT4_RO_QUOTA, "it counts what users have (quota): tune2fs -O ^quota"},
    {EXT4_RO_BIGALLOC, "its clusters have several blocks (bigalloc)"},
    {EXT4_RO_READONLY, "it says so (read-only)"},
    {EXT4_RO_PROJECT, "it counts what projects have (project): tune2fs -O ^project"},
    {EXT4_RO_SHARED_BLOCKS, "its files share blocks (shared_blocks)"},
    {EXT4_RO_VERITY, "it has files that are sealed (verity)"},
};

const char *bm_ext4_super_read_only(const struct ext4_super *super)
{
    for (unsigned i = 0; i < sizeof only_read / sizeof *only_read; i++)
        if (super->ro_compat & only_read[i].feature)
            return only_read[i].sentence;
    if (super->ro_compat & ~(uint32_t)RO_KNOWN)
        return "it has a feature that is not known here";
    if (super->state & EXT4_STATE_ERRORS)
        return "it has errors: e2fsck is to repair it";
    return NULL;
}
