// Any bytes as the replies of a 9P server: calls on its files stay within bounds, and nothing is left
// afterwards.
// SPDX-License-Identifier: MIT
// @includes tests/unit
// @sources libbaremetal/file/embedded.c libbaremetal/file/inode.c libbaremetal/file/mount.c
// @sources libbaremetal/file/open.c libbaremetal/file/path.c libbaremetal/file/path_open.c
// @sources libbaremetal/file/pool.c libbaremetal/file/table.c libbaremetal/file/tmpfs.c
// @sources libbaremetal/file/tmpfs_directory.c libbaremetal/file/tmpfs_mount.c
// @sources libbaremetal/file/tmpfs_pages.c libbaremetal/file/wait.c libbaremetal/file/walk.c
// @sources libbaremetal/file/working.c libbaremetal/file/writable.c
// @sources drivers/fs/virtio_9p/virtio_9p_files.c drivers/fs/virtio_9p/virtio_9p_session.c
// @sources libbaremetal/base/stack.c
//
// The input is one reply after the other, each behind a byte: how long it is, in pieces of four bytes; with
// the highest bit set the header is made right. Without input the version and the root are right, so that the
// rest is reached.
#include "file_host/file_host.h"

#include "../../drivers/fs/virtio_9p/virtio_9p.h"

const struct bm_embedded_file bm_embedded_files[] = {{0}};
const size_t bm_embedded_file_count = 0;
const char bm_disk_mount_linked = 1;

static const uint8_t *input;
static size_t input_left;

struct p9 *bm_p9_find(const char *tag)
{
    (void)tag;
    return NULL;
}

static long exchange(struct p9 *session, uint32_t size)
{
    static const uint8_t version[] = {0, 0, 1, 0, 8, 0, '9', 'P', '2', '0', '0', '0', '.', 'L'};
    static const uint8_t root[] = {0x80, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0};
    uint8_t *reply = malloc(P9_BUFFER);
    size_t length = 0;
    bool right = true;
    if (size > session->max || size < 7)
        abort();
    memset(reply, 0, P9_BUFFER);
    if (session->sent[4] == P9_VERSION || session->sent[4] == P9_ATTACH) {
        length = session->sent[4] == P9_VERSION ? sizeof version : sizeof root;
        memcpy(reply + 7, session->sent[4] == P9_VERSION ? version : root, length);
    } else if (input_left) {
        length = (size_t)(*input & 0x7f) * 4;
        right = *input & 0x80;
        input++, input_left--;
        if (length > input_left)
            length = input_left;
        memcpy(reply + (right ? 7 : 0), input, length);
        input += length, input_left -= length;
    } else {
        right = false;
    }
    if (right) {
        uint32_t whole = (uint32_t)length + 7;
        memcpy(reply, &whole, 4);
        reply[4] = session->sent[4] + 1;
        memcpy(reply + 5, session->sent + 5, 2);
        length = whole;
    }
    memcpy(session->received, reply, P9_BUFFER);
    free(reply);
    return (long)length;
}

static void use(struct bm_inode *inode, unsigned depth)
{
    static char buffer[100000];
    struct bm_file_status status;
    struct bm_inode *found;
    struct bm_inode_entry entry;
    bm_inode_status(inode, &status);
    if (inode->type == BM_FILE_LINK && inode->ops->target(inode, buffer, 100) > UINT16_MAX)
        abort();
    if (bm_inode_read(inode, buffer, sizeof buffer, 5) > (long)sizeof buffer)
        abort();
    uint64_t offset = 0;
    bm_inode_write(inode, buffer, 70000, &offset, true);
    inode->ops->sync(inode, true);
    if (inode->type != BM_FILE_DIRECTORY || !depth)
        return;
    uint64_t after = 2;
    for (unsigned i = 0; i < 20 && inode->ops->entry(inode, after, &entry) == 1; i++) {
        if (entry.length > BM_NAME_MAX || strlen(entry.name) != entry.length || entry.cookie < 3)
            abort();
        after = entry.cookie;
        if (inode->ops->lookup(inode, entry.name, entry.length, &found))
            continue;
        use(found, depth - 1);
        bm_inode_put(found);
    }
    struct bm_inode_new what = {.mode = BM_FILE_REGULAR | 0600};
    if (inode->ops->create(inode, "new", 3, &what, &found) == 0)
        bm_inode_put(found);
    inode->ops->unlink(inode, "new", 3, false);
    if (inode->ops->parent(inode, &found) == 0)
        bm_inode_put(found);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static uint8_t buffers[2][P9_BUFFER];
    struct p9 session = {.sent = buffers[0], .received = buffers[1], .exchange = exchange};
    int error;
    long before = frames_out;
    input = data;
    input_left = size;
    struct bm_mount *mount = bm_p9_mount(&session, &error);
    if (mount) {
        struct bm_mount_space space = {0};
        mount->space(mount, &space);
        use(mount->root, 2);
        bm_p9_unmount(mount);
    }
    if (frames_out != before)
        abort();
    return 0;
}
