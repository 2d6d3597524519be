# Disks of a program's data: ext4 by mke2fs and debugfs, EROFS by mkfs.erofs, with or without a partition table.
# SPDX-License-Identifier: MIT
import os
import pathlib
import re
import shutil
import tempfile
import uuid

from . import tools

MIB = 1 << 20
SECTOR = 512
ALIGN = MIB                     # of the partition; as much stands behind it, for the second GPT
BLOCK = 4096
LINUX_FILE_SYSTEM = "0FC63DAF-8483-4772-8E79-3D69D8477DE4"
# All that mke2fs takes from the host's /etc/mke2fs.conf otherwise.
CONFIGURATION = """[defaults]
base_features = sparse_super,large_file,filetype,resize_inode,dir_index,ext_attr
default_mntopts = acl,user_xattr
blocksize = 4096
inode_size = 256
inode_ratio = 16384
enable_periodic_fsck = 0
[fs_types]
ext4 = {
features = has_journal,extent,huge_file,flex_bg,metadata_csum,64bit,dir_nlink,extra_isize
}
"""
# erofs_fs.h: struct erofs_super_block, at byte 1024.
EROFS_SUPER, EROFS_CHECKSUM, EROFS_COMPAT, EROFS_VOLUME = 1024, 4, 8, 64
EROFS_HAS_CHECKSUM, EROFS_VOLUME_SIZE = 1, 16


def read_list(path):
    """Path on the disk and file of the host, sorted, from lines "path|file"."""
    lines = (line.rstrip("\n").split("|", 1) for line in open(path, encoding="utf-8") if line.strip())
    placed = sorted((tuple(line) for line in lines), key=lambda pair: pair[0].encode())
    for (name, _), (following, file) in zip(placed, placed[1:]):
        if name == following:
            raise tools.DiskError(f"two files have the path {name} on the disk; one of them is {file}")
    names = {name for name, _ in placed}
    for name in names:
        for folder in pathlib.PurePosixPath(name).parents:
            if str(folder) in names:
                raise tools.DiskError(f"{folder} is a file on the disk, and a folder for {name}")
    return placed


def folders_of(placed):
    return sorted({str(folder) for name, _ in placed for folder in pathlib.PurePosixPath(name).parents if str(folder) != "/"})


def stage(placed, tree):
    """Copies of the files, whose names, modes and times do not depend on the host's."""
    for folder in folders_of(placed):
        (tree / folder.lstrip("/")).mkdir(mode=0o755)
    for name, file in placed:
        copy = tree / name.lstrip("/")
        shutil.copyfile(file, copy)
        copy.chmod(0o755 if os.access(file, os.X_OK) else 0o644)


def debugfs_script(placed, tree):
    yield from (f'mkdir "{folder}"' for folder in folders_of(placed))
    for name, _ in placed:
        yield f'write "{tree}{name}" "{name}"'


def make_ext4(options, placed, folder, output):
    """mke2fs -d would take owners and times of change from the host, and names in its order; debugfs takes what it is told."""
    identity = uuid.UUID(options.uuid)
    configuration, tree = folder / "mke2fs.conf", folder / "tree"
    configuration.write_text(CONFIGURATION)
    fixed = {"MKE2FS_CONFIG": str(configuration), "E2FSPROGS_FAKE_TIME": str(tools.epoch())}
    with open(output, "wb") as disk:
        disk.truncate(options.size * MIB)
    tools.run("mkfs.ext4", "-q", "-F", "-m", 0, "-U", identity, "-L", options.label, "-E",
              f"hash_seed={identity},root_owner=0:0,lazy_itable_init=0,lazy_journal_init=0,nodiscard", output, **fixed)
    script = folder / "script"
    script.write_text("".join(line + "\n" for line in debugfs_script(placed, tree)))
    said = tools.run("debugfs", "-w", "-f", script, output, errors=True, **fixed)
    wrong = [line for line in said.splitlines() if line and not line.startswith("debugfs ")]
    if any("Could not allocate" in line or "No free space" in line for line in wrong):
        raise tools.DiskError(f"the files do not fit into {options.size} MiB; say a larger SIZE")
    if wrong:
        raise tools.DiskError("debugfs failed:\n" + "\n".join(wrong))


def crc32c(data):
    """Without the inversion at the end, as EROFS has it."""
    value = 0xFFFFFFFF
    for byte in data:
        value ^= byte
        for _ in range(8):
            value = value >> 1 ^ (0x82F63B78 if value & 1 else 0)
    return value


def name_erofs(image, label):
    """The volume's name, which mkfs.erofs of Debian 12 cannot write."""
    super_block = bytearray(image[EROFS_SUPER:BLOCK])
    super_block[EROFS_VOLUME:EROFS_VOLUME + EROFS_VOLUME_SIZE] = label.encode().ljust(EROFS_VOLUME_SIZE, b"\0")
    if super_block[EROFS_COMPAT] & EROFS_HAS_CHECKSUM:
        super_block[EROFS_CHECKSUM:EROFS_CHECKSUM + 4] = bytes(4)
        super_block[EROFS_CHECKSUM:EROFS_CHECKSUM + 4] = crc32c(super_block).to_bytes(4, "little")
    image[EROFS_SUPER:BLOCK] = super_block


def make_erofs(options, placed, folder, output):
    tools.run("mkfs.erofs", "--quiet", f"-T{tools.epoch()}", f"-U{uuid.UUID(options.uuid)}", "--all-root", output, folder / "tree")
    image = bytearray(pathlib.Path(output).read_bytes())
    name_erofs(image, options.label)
    pathlib.Path(output).write_bytes(image)


FILE_SYSTEMS = {"ext4": make_ext4, "erofs": make_erofs}


def make_partition(options, contents, output):
    """A GPT disk whose only partition holds the file system."""
    size = tools.round_up(os.path.getsize(contents), MIB)
    identity = uuid.UUID(options.uuid)
    with open(output, "wb") as disk:
        disk.truncate(ALIGN + size + ALIGN)
    script = (f"label: gpt\nlabel-id: {tools.identity('data disk', identity.bytes)}\nunit: sectors\n\n"
              f"start={ALIGN // SECTOR}, size={size // SECTOR}, type={LINUX_FILE_SYSTEM}, uuid={tools.identity('data', identity.bytes)}")
    tools.run("sfdisk", "--quiet", "--no-reread", "--no-tell-kernel", output, text=script + "\n")
    copy_sparse(contents, output, ALIGN)


def copy_sparse(source, output, offset):
    """Blocks of zeros stay holes."""
    with open(source, "rb") as read, open(output, "r+b") as write:
        while piece := read.read(MIB):
            if piece.strip(b"\0"):
                write.seek(offset)
                write.write(piece)
            offset += len(piece)


def label(text):
    if not re.fullmatch(r"[ -~]{0,16}", text):
        raise tools.DiskError(f"the label is '{text}'; it must be at most 16 printable ASCII characters")
    return text


def make(options, output):
    """Writes the disk: options.file_system, size (MiB, of ext4), label, uuid, list, partition."""
    label(options.label)
    placed = read_list(options.list)
    with tempfile.TemporaryDirectory(prefix="bm-data-") as name:
        folder = pathlib.Path(name)
        tree = folder / "tree"
        tree.mkdir(mode=0o755)
        stage(placed, tree)
        contents = folder / "contents" if options.partition else output
        FILE_SYSTEMS[options.file_system](options, placed, folder, contents)
        if options.partition:
            make_partition(options, contents, output)
