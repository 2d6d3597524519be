// Input and output of several pieces: of files that take them in one call, and of those that do not.
// SPDX-License-Identifier: MIT
#include <baremetal/error.h>
#include <baremetal/file.h>

// How a transfer moves a piece.
struct transfer {
    struct bm_file *file;
    uint64_t offset; // of its first byte, when `placed`
    bool writing;
    bool placed; // at the offset instead of the file's position
};

static bool can_move(const struct transfer *transfer)
{
    const struct bm_file_ops *ops = transfer->file->ops;
    if (transfer->placed)
        return transfer->writing ? !!ops->write_at : !!ops->read_at;
    return transfer->writing ? !!ops->write : !!ops->read;
}

static long move(const struct transfer *transfer, void *data, size_t size, size_t done)
{
    struct bm_file *file = transfer->file;
    if (transfer->placed)
        return transfer->writing ? file->ops->write_at(file, data, size, transfer->offset + done)
                                 : file->ops->read_at(file, data, size, transfer->offset + done);
    return transfer->writing ? file->ops->write(file, data, size) : file->ops->read(file, data, size);
}

// Whether reading on would wait for what is not there yet, behind what has been read.
static bool would_wait(const struct transfer *transfer)
{
    struct bm_file *file = transfer->file;
    return !transfer->writing && !transfer->placed && file->ops->poll && !(file->ops->poll(file) & BM_POLLIN);
}

// Goes on until a piece is short, or nothing is there without waiting. What earlier pieces moved is a success
// even when a later one fails.
static long each(const struct transfer *transfer, const struct bm_file_piece *pieces, int count)
{
    size_t done = 0;
    for (int i = 0; i < count; i++) {
        const size_t left = BM_TRANSFER_MAX - done;
        const size_t size = pieces[i].size < left ? pieces[i].size : left;
        if (!size && count > 1)
            continue;
        if (done && would_wait(transfer))
            break;
        long part = move(transfer, pieces[i].data, size, done);
        if (part < 0)
            return done ? (long)done : part;
        done += (size_t)part;
        if ((size_t)part < pieces[i].size)
            break;
    }
    return (long)done;
}

// Whether there are not too many pieces, and their sizes add up to what a result can tell.
static bool is_valid(const struct bm_file_piece *pieces, int count)
{
    size_t total = 0;
    if (count < 0 || count > BM_PIECES_MAX)
        return false;
    for (int i = 0; i < count; i++)
        if (__builtin_add_overflow(total, pieces[i].size, &total) || total > INT64_MAX)
            return false;
    return true;
}

static long run(const struct transfer *transfer, const struct bm_file_piece *pieces, int count)
{
    const struct bm_file_ops *ops = transfer->file->ops;
    long (*whole)(struct bm_file *, const struct bm_file_piece *, int) =
        transfer->writing ? ops->writev : ops->readv;
    if (!is_valid(pieces, count))
        return -BM_EINVAL;
    if (whole && count && !transfer->placed)
        return whole(transfer->file, pieces, count);
    return can_move(transfer) ? each(transfer, pieces, count) : -BM_EINVAL;
}

long bm_file_readv(struct bm_file *file, const struct bm_file_piece *pieces, int count)
{
    return run(&(struct transfer){.file = file}, pieces, count);
}

long bm_file_writev(struct bm_file *file, const struct bm_file_piece *pieces, int count)
{
    return run(&(struct transfer){.file = file, .writing = true}, pieces, count);
}

long bm_file_readv_at(struct bm_file *file, const struct bm_file_piece *pieces, int count, uint64_t offset)
{
    return run(&(struct transfer){.file = file, .offset = offset, .placed = true}, pieces, count);
}

long bm_file_writev_at(struct bm_file *file, const struct bm_file_piece *pieces, int count, uint64_t offset)
{
    return run(&(struct transfer){.file = file, .offset = offset, .writing = true, .placed = true}, pieces,
               count);
}
