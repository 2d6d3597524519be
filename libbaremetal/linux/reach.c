// What a call may move to or from the program's memory.
// SPDX-License-Identifier: MIT
//
// In images of Linux executables, and where programs map files, whose pages may end.
//
// What can be reached only in part is moved in part, as on Linux: of files and disks each byte, of others
// what fills whole pages, of sockets nothing.
#include "reach.h"
#include "../file/service.h"
#include "../space/space.h"
#include "linux.h"

#include <baremetal/inode.h>
#include <baremetal/memory.h>

const char bm_linux_reach_linked = 1;

// A program that is linked with the kernel has memory of its own elsewhere, too, which is trusted.
static bool reaches(uint64_t address, uint64_t size, bool into)
{
    if (bm_executable_map_text)
        return bm_space_reachable(address, size, into);
    return !bm_space_backing || !bm_space_holds(address) || bm_space_reachable(address, size, into);
}

// The bytes that can be reached before the first one that cannot.
static uint64_t begin_of(uint64_t address, uint64_t size, bool into)
{
    uint64_t at = address, end = address + size < address ? UINT64_MAX : address + size;
    while (at < end && reaches(at, 1, into))
        at = (at | (BM_PAGE_SIZE - 1)) + 1;
    return (at < end ? at : end) - address;
}

// Page by page; a path that is too long is refused by its length. What a Linux executable passes has been
// looked at.
int bm_path_reach(const char *path)
{
    if (bm_executable_map_text)
        return 0;
    for (size_t at = 0; at < BM_PATH_MAX; at++) {
        uint64_t address = (uint64_t)path + at;
        if ((!at || !(address & (BM_PAGE_SIZE - 1))) && !reaches(address, 1, false))
            return -BM_EFAULT;
        if (!path[at])
            break;
    }
    return 0;
}

// How much of that is moved.
static uint64_t part_of(const struct bm_file *file, uint64_t bytes)
{
    if (file->ops->socket)
        return 0;
    return file->inode && file->inode->type != BM_FILE_PIPE ? bytes : bytes & ~(BM_PAGE_SIZE - 1);
}

long bm_linux_reach(const struct bm_file *file, const void *data, size_t size, bool into)
{
    uint64_t address = (uint64_t)data;
    if (!size || reaches(address, size, into))
        return (long)size;
    uint64_t part = part_of(file, begin_of(address, size, into));
    return part ? (long)part : -BM_EFAULT;
}

int bm_linux_reach_pieces(const struct bm_file *file, struct bm_linux_pieces *what, bool into)
{
    uint64_t bytes = 0;
    int i = 0;
    if (what->count < 0 || what->count > BM_PIECES_MAX)
        return 0; // is refused
    const struct bm_file_piece *pieces = what->pieces;
    for (int each = 0; each < what->count; each++)
        if (pieces[each].size > INT64_MAX)
            return 0; // too
    while (i < what->count && (!pieces[i].size || reaches((uint64_t)pieces[i].data, pieces[i].size, into)))
        bytes += pieces[i++].size;
    if (i == what->count)
        return 0;
    if (part_of(file, bytes)) {
        what->count = i;
        return 0;
    }
    long part = bm_linux_reach(file, pieces[i].data, pieces[i].size, into);
    if (part < 0 || bytes)
        return -BM_EFAULT;
    what->one = (struct bm_file_piece){pieces[i].data, (size_t)part};
    what->pieces = &what->one;
    what->count = 1;
    return 0;
}

int bm_linux_reach_message(const struct bm_file *file, const struct bm_socket_message *message, bool into)
{
    struct bm_linux_pieces what = {.pieces = message->pieces,
                                   .count = message->count > BM_PIECES_MAX ? -1 : (int)message->count};
    return bm_executable_map_text ? 0
                                  : bm_linux_reach_pieces(file, &what, into); // is looked at before the call
}
