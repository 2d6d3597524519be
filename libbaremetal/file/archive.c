// Archives in memory: cpio (newc) and ustar.
// SPDX-License-Identifier: MIT
#include "archive.h"

#include "service.h"

#include <baremetal/error.h>
#include <baremetal/file.h>

enum {
    CPIO_HEADER = 110,
    CPIO_FIELD = 8,
    CPIO_FIELDS = 13,
    BLOCK = 512, // of tar
    TAR_MAGIC = 257,
    NAME_SIZE = sizeof((struct bm_archive_entry *)0)->name
};

// The fields of newc, in their order.
enum { INO, MODE, OWNER, GROUP, LINKS, MODIFIED, SIZE, MAJOR, MINOR, RDEV_MAJOR, RDEV_MINOR, NAME, CHECK };

static int fail(struct bm_archive *archive, const char *why)
{
    archive->why = why;
    return -BM_EIO;
}

static bool equal(const void *bytes, const char *text)
{
    return __builtin_memcmp(bytes, text, bm_text_length(text)) == 0;
}

static bool is_cpio(const struct bm_archive *archive)
{
    const uint8_t *at = archive->bytes + archive->at;
    return archive->size - archive->at >= CPIO_HEADER && (equal(at, "070701") || equal(at, "070702"));
}

int bm_archive_begin(struct bm_archive *archive, const void *bytes, size_t size)
{
    *archive = (struct bm_archive){.bytes = bytes, .size = size};
    archive->tar = size >= BLOCK && equal(archive->bytes + TAR_MAGIC, "ustar");
    if (archive->tar || is_cpio(archive))
        return 0;
    bool compressed =
        size > 2 && (equal(bytes, "\x1f\x8b") || equal(bytes, "BZ") || equal(bytes, "\x28\xb5"));
    return fail(archive, compressed ? "is compressed: unpack it first" : "is neither cpio (newc) nor ustar");
}

// Copies a text of at most `size` bytes, which ends at a NUL; false: it is too long, or has a NUL in it.
static bool copy(char to[NAME_SIZE], const void *text, size_t size)
{
    size_t length = 0;
    while (length < size && ((const char *)text)[length])
        length++;
    if (length >= NAME_SIZE)
        return false;
    __builtin_memcpy(to, text, length);
    to[length] = 0;
    return true;
}

static bool is_type(uint32_t mode)
{
    switch (mode & BM_FILE_TYPE) {
    case BM_FILE_REGULAR:
    case BM_FILE_DIRECTORY:
    case BM_FILE_LINK:
    case BM_FILE_CHARACTER:
    case BM_FILE_BLOCK:
    case BM_FILE_PIPE:
    case BM_FILE_SOCKET:
        return true;
    default:
        return false;
    }
}

// --- cpio ---

static bool cpio_fields(const uint8_t *header, uint32_t fields[CPIO_FIELDS])
{
    const uint8_t *at = header + 6;
    for (unsigned i = 0; i < CPIO_FIELDS; i++) {
        fields[i] = 0;
        for (unsigned digit = 0; digit < CPIO_FIELD; digit++, at++) {
            unsigned small = *at | 32u, value = 16;
            if (*at >= '0' && *at <= '9')
                value = *at - (unsigned)'0';
            else if (small >= 'a' && small <= 'f')
                value = small - 'a' + 10;
            if (value == 16)
                return false;
            fields[i] = fields[i] << 4 | value;
        }
    }
    return true;
}

static size_t padded(size_t size, size_t unit)
{
    return (size + unit - 1) & ~(unit - 1);
}

// Over zeros to the next archive; false: there is none.
static bool cpio_follows(struct bm_archive *archive)
{
    while (archive->at < archive->size && !archive->bytes[archive->at])
        archive->at++;
    return archive->at < archive->size;
}

static bool has_sum(const uint8_t *data, size_t size, uint32_t wanted)
{
    uint32_t sum = 0;
    for (size_t i = 0; i < size; i++)
        sum += data[i];
    return sum == wanted;
}

// Puts the fields together with name and data, which lie within the archive.
static int cpio_entry(struct bm_archive *archive, const uint32_t fields[CPIO_FIELDS], const uint8_t *name,
                      const uint8_t *data, bool sums, struct bm_archive_entry *entry)
{
    bool link = (fields[MODE] & BM_FILE_TYPE) == BM_FILE_LINK;
    bool regular = (fields[MODE] & BM_FILE_TYPE) == BM_FILE_REGULAR;
    entry->mode = fields[MODE];
    entry->owner = fields[OWNER];
    entry->group = fields[GROUP];
    entry->modified = fields[MODIFIED];
    entry->data = data;
    entry->size = regular ? fields[SIZE] : 0;
    entry->special = bm_device_number(fields[RDEV_MAJOR] & 0xfff, fields[RDEV_MINOR]);
    entry->hard = false;
    entry->number = regular && fields[LINKS] > 1 ? fields[INO] : 0;
    entry->device = (uint64_t)fields[MAJOR] << 32 | fields[MINOR];
    entry->target[0] = 0;
    if (!is_type(fields[MODE]) || !copy(entry->name, name, fields[NAME] - 1) ||
        (link && !copy(entry->target, data, fields[SIZE])))
        return fail(archive, "has an entry of no known type, or with too long a name");
    if (sums && regular && !has_sum(data, fields[SIZE], fields[CHECK]))
        return fail(archive, "has a file whose sum is wrong");
    return 1;
}

static int cpio_next(struct bm_archive *archive, struct bm_archive_entry *entry)
{
    static const char trailer[] = "TRAILER!!!";
    for (;;) {
        if (!cpio_follows(archive))
            return 0;
        uint32_t fields[CPIO_FIELDS];
        if (archive->at % 4 || !is_cpio(archive))
            return fail(archive, "ends within a header, or has something else behind a file");
        const uint8_t *header = archive->bytes + archive->at;
        size_t left = archive->size - archive->at;
        if (!cpio_fields(header, fields))
            return fail(archive, "has a field that is no number");
        size_t begin = padded((size_t)CPIO_HEADER + fields[NAME], 4), end = begin + fields[SIZE];
        if (fields[NAME] < 2 || begin > left || end > left || header[CPIO_HEADER + fields[NAME] - 1])
            return fail(archive, "has a name or a file that is longer than it");
        archive->at += padded(end, 4) < left ? padded(end, 4) : left;
        if (fields[NAME] == sizeof trailer && equal(header + CPIO_HEADER, trailer))
            continue;
        return cpio_entry(archive, fields, header + CPIO_HEADER, header + begin, header[5] == '2', entry);
    }
}

// --- tar ---

// Octal digits with spaces around them, or a number of 63 bits with the first bit set (GNU tar).
static bool tar_number(const uint8_t *field, size_t size, uint64_t *number)
{
    size_t i = 0;
    *number = 0;
    if (*field & 0x80) {
        for (i = 1; i < size; i++) {
            if (*number >> 55)
                return false;
            *number = *number << 8 | field[i];
        }
        return !(*field & 0x7f);
    }
    while (i < size && field[i] == ' ')
        i++;
    for (; i < size && field[i] >= '0' && field[i] <= '7'; i++) {
        if (*number >> 60)
            return false;
        *number = *number << 3 | (uint64_t)(field[i] - '0');
    }
    return i == size || !field[i] || field[i] == ' ';
}

// The sum of a header's bytes, as if the sum itself were spaces.
static bool tar_sum(const uint8_t *header)
{
    enum { BEGIN = 148, FIELD = 8 };
    uint64_t wanted, sum = 0;
    for (unsigned i = 0; i < BLOCK; i++)
        sum += i >= BEGIN && i < BEGIN + FIELD ? ' ' : header[i];
    return tar_number(header + BEGIN, FIELD, &wanted) && sum == wanted;
}

// Records of pax: "length key=value\n".
static bool tar_records(struct bm_archive *archive, const uint8_t *data, size_t size)
{
    for (size_t at = 0; at < size;) {
        size_t length = 0, key = at;
        while (key < size && data[key] >= '0' && data[key] <= '9' && length < size)
            length = length * 10 + (size_t)(data[key++] - '0');
        if (key == size || data[key++] != ' ' || length > size - at || at + length <= key ||
            data[at + length - 1] != '\n')
            return false;
        const char *text = (const char *)data + key;
        size_t left = at + length - 1 - key;
        if (left >= 5 && equal(text, "path=")) {
            archive->long_name = text + 5;
            archive->long_name_length = left - 5;
        } else if (left >= 9 && equal(text, "linkpath=")) {
            archive->long_target = text + 9;
            archive->long_target_length = left - 9;
        }
        at += length;
    }
    return true;
}

static bool tar_names(const struct bm_archive *archive, const uint8_t *header, struct bm_archive_entry *entry)
{
    enum { NAME_FIELD = 100, TARGET = 157, PREFIX = 345, PREFIX_FIELD = 155 };
    bool posix = header[TAR_MAGIC + 5] == 0; // GNU's own has other things in place of the prefix
    if (archive->long_target ? !copy(entry->target, archive->long_target, archive->long_target_length)
                             : !copy(entry->target, header + TARGET, NAME_FIELD))
        return false;
    if (archive->long_name)
        return copy(entry->name, archive->long_name, archive->long_name_length);
    char *end = entry->name;
    if (posix && header[PREFIX]) {
        copy(entry->name, header + PREFIX, PREFIX_FIELD);
        end += bm_text_length(entry->name);
        *end++ = '/';
    }
    char name[NAME_FIELD + 1] = {0};
    __builtin_memcpy(name, header, NAME_FIELD);
    size_t length = bm_text_length(name);
    __builtin_memcpy(end, name, length + 1);
    return true;
}

static uint32_t tar_type(uint8_t flag)
{
    switch (flag) {
    case '2':
        return BM_FILE_LINK;
    case '3':
        return BM_FILE_CHARACTER;
    case '4':
        return BM_FILE_BLOCK;
    case '5':
        return BM_FILE_DIRECTORY;
    case '6':
        return BM_FILE_PIPE;
    default: // '0', '1', '7', NUL, and what POSIX says of unknown ones
        return BM_FILE_REGULAR;
    }
}

static int tar_entry(struct bm_archive *archive, const uint8_t *header, uint64_t size,
                     struct bm_archive_entry *entry)
{
    enum {
        MODE_AT = 100,
        OWNER_AT = 108,
        GROUP_AT = 116,
        TIME_AT = 136,
        MAJOR_AT = 329,
        MINOR_AT = 337,
        FLAG = 156
    };
    uint64_t mode, owner, group, modified, major = 0, minor = 0;
    uint32_t type = tar_type(header[FLAG]);
    bool device = type == BM_FILE_CHARACTER || type == BM_FILE_BLOCK;
    if (!tar_number(header + MODE_AT, 8, &mode) || !tar_number(header + OWNER_AT, 8, &owner) ||
        !tar_number(header + GROUP_AT, 8, &group) || !tar_number(header + TIME_AT, 12, &modified) ||
        (device && (!tar_number(header + MAJOR_AT, 8, &major) || !tar_number(header + MINOR_AT, 8, &minor))))
        return fail(archive, "has a field that is no number");
    if (!tar_names(archive, header, entry))
        return fail(archive, "has too long a name");
    archive->long_name = archive->long_target = NULL;
    entry->mode = type | (mode & 07777);
    entry->owner = (uint32_t)owner;
    entry->group = (uint32_t)group;
    entry->modified = (int64_t)modified;
    entry->data = header + BLOCK;
    entry->size = type == BM_FILE_REGULAR && header[FLAG] != '1' ? size : 0;
    entry->special = bm_device_number(major & 0xfff, (unsigned)minor);
    entry->hard = header[FLAG] == '1';
    entry->number = entry->device = 0;
    return 1;
}

static bool is_zero(const uint8_t *block)
{
    unsigned i = 0;
    while (i < BLOCK && !block[i])
        i++;
    return i == BLOCK;
}

// Whether a header only tells of the next one, which is noted.
static int tar_before(struct bm_archive *archive, const uint8_t *header, uint64_t size)
{
    enum { FLAG = 156 };
    const char *text = (const char *)header + BLOCK;
    switch (header[FLAG]) {
    case 'L':
        archive->long_name = text;
        archive->long_name_length = size;
        return 1;
    case 'K':
        archive->long_target = text;
        archive->long_target_length = size;
        return 1;
    case 'x':
        return tar_records(archive, header + BLOCK, size)
                   ? 1
                   : fail(archive, "has a record of pax that is wrong");
    case 'g':
        return 1;
    default:
        return 0;
    }
}

static int tar_next(struct bm_archive *archive, struct bm_archive_entry *entry)
{
    enum { SIZE_AT = 124 };
    for (;;) {
        uint64_t size;
        const uint8_t *header = archive->bytes + archive->at;
        size_t left = archive->size - archive->at;
        if (left < BLOCK || is_zero(header))
            return 0;
        if (!equal(header + TAR_MAGIC, "ustar") || !tar_sum(header))
            return fail(archive, "has a header whose sum is wrong");
        if (!tar_number(header + SIZE_AT, 12, &size) || size > left - BLOCK)
            return fail(archive, "has a file that is longer than it");
        size_t next = BLOCK + padded(size, BLOCK);
        archive->at += next < left ? next : left;
        int before = tar_before(archive, header, size);
        if (before <= 0)
            return before < 0 ? before : tar_entry(archive, header, size, entry);
    }
}

int bm_archive_next(struct bm_archive *archive, struct bm_archive_entry *entry)
{
    return archive->tar ? tar_next(archive, entry) : cpio_next(archive, entry);
}
