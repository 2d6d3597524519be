// Directories: the embedded files' paths, read as a tree.
// SPDX-License-Identifier: MIT
//
// The files are sorted, so what lies below a directory stands together, and so does what lies below each of
// its directories.
#include "libc.h"

#include <dirent.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

struct bm_directory {
    size_t next;   // index of the file to look at
    size_t length; // of the prefix
    struct dirent entry;
    char prefix[PATH_MAX + 1]; // ends in a slash
};

DIR *opendir(const char *path)
{
    DIR *directory = malloc(sizeof *directory);
    int error = directory ? bm_path_resolve(path, directory->prefix) : ENOMEM;
    if (!error && !bm_embedded_is_directory(directory->prefix))
        error = bm_embedded_file_find(directory->prefix) ? ENOTDIR : ENOENT;
    if (error) {
        free(directory);
        errno = error;
        return NULL;
    }
    directory->length = strlen(directory->prefix);
    if (directory->length > 1) // the root is its own slash
        directory->prefix[directory->length++] = '/';
    directory->prefix[directory->length] = 0;
    rewinddir(directory);
    return directory;
}

// Fills the entry from the path's next part and moves behind all files that it stands for.
static bool take(DIR *directory)
{
    const char *name = bm_embedded_files[directory->next].path + directory->length;
    size_t size = strcspn(name, "/"), index = directory->next;
    bool below = name[size] == '/';
    directory->entry.d_ino = (ino_t)(index + 1);
    directory->entry.d_type = below ? DT_DIR : DT_REG;
    do
        directory->next++;
    while (below && directory->next < bm_embedded_file_count &&
           strncmp(bm_embedded_files[directory->next].path, bm_embedded_files[index].path,
                   directory->length + size + 1) == 0);
    if (size > NAME_MAX)
        return false;
    memcpy(directory->entry.d_name, name, size);
    directory->entry.d_name[size] = 0;
    return true;
}

struct dirent *readdir(DIR *directory)
{
    while (directory->next < bm_embedded_file_count &&
           strncmp(bm_embedded_files[directory->next].path, directory->prefix, directory->length) == 0)
        if (take(directory))
            return &directory->entry;
    return NULL;
}

void rewinddir(DIR *directory)
{
    directory->next = bm_embedded_first_from(directory->prefix);
}

long telldir(DIR *directory)
{
    return (long)directory->next;
}

void seekdir(DIR *directory, long place)
{
    directory->next = (size_t)place;
}

int closedir(DIR *directory)
{
    free(directory);
    return 0;
}
