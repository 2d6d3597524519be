// Directory streams on the file service.
// SPDX-License-Identifier: MIT
#include "../descriptor.h"
#include "files.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct bm_directory {
    struct bm_file *file; // of the descriptor, with a reference
    int descriptor;
    struct dirent entry; // what readdir returned last
    struct bm_inode_entry next;
};

DIR *fdopendir(int descriptor)
{
    struct bm_file *file = bm_posix_find(descriptor, O_RDONLY);
    if (!file)
        return NULL;
    DIR *directory = NULL;
    struct bm_file_status status;
    int error = bm_file_status_of(file, &status);
    if (error || (status.mode & BM_FILE_TYPE) != BM_FILE_DIRECTORY || !file->inode)
        errno = ENOTDIR;
    else
        directory = malloc(sizeof *directory);
    if (!directory) {
        bm_file_release(file);
        return NULL;
    }
    directory->file = file;
    directory->descriptor = descriptor;
    return directory;
}

DIR *opendir(const char *path)
{
    int descriptor = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *directory = descriptor < 0 ? NULL : fdopendir(descriptor);
    if (descriptor >= 0 && !directory) {
        int error = errno;
        close(descriptor);
        errno = error;
    }
    return directory;
}

struct dirent *readdir(DIR *directory)
{
    int result = bm_file_entry(directory->file, &directory->next);
    if (result < 0 && result != -ENOENT) // a directory that has been removed is empty
        errno = -result;
    if (result != 1)
        return NULL;
    directory->entry.d_ino = (ino_t)directory->next.number;
    directory->entry.d_type = (unsigned char)(directory->next.type >> 12);
    memcpy(directory->entry.d_name, directory->next.name, directory->next.length + 1);
    return &directory->entry;
}

void seekdir(DIR *directory, long place)
{
    directory->file->ops->seek(directory->file, place, SEEK_SET);
}

long telldir(DIR *directory)
{
    return (long)directory->file->ops->seek(directory->file, 0, SEEK_CUR);
}

void rewinddir(DIR *directory)
{
    seekdir(directory, 0);
}

int dirfd(DIR *directory)
{
    return directory->descriptor;
}

int closedir(DIR *directory)
{
    int descriptor = directory->descriptor;
    bm_file_release(directory->file);
    free(directory);
    return close(descriptor);
}

static int add(struct dirent ***list, size_t *count, const struct dirent *entry)
{
    struct dirent **longer = realloc(*list, (*count + 1) * sizeof *longer);
    if (!longer)
        return ENOMEM;
    *list = longer;
    longer[*count] = malloc(sizeof *entry);
    if (!longer[*count])
        return ENOMEM;
    *longer[(*count)++] = *entry;
    return 0;
}

int scandir(const char *path, struct dirent ***names, int (*wanted)(const struct dirent *),
            int (*compare)(const struct dirent **, const struct dirent **))
{
    DIR *directory = opendir(path);
    if (!directory)
        return -1;
    struct dirent **list = NULL, *entry;
    size_t count = 0;
    int error = 0;
    while (!error && (errno = 0, entry = readdir(directory)))
        if (!wanted || wanted(entry))
            error = add(&list, &count, entry);
    if (!error)
        error = errno;
    closedir(directory);
    if (error) {
        while (count)
            free(list[--count]);
        free(list);
        errno = error;
        return -1;
    }
    if (compare && count)
        qsort(list, count, sizeof *list, (int (*)(const void *, const void *))(void (*)(void))compare);
    *names = list;
    return (int)count;
}

int alphasort(const struct dirent **a, const struct dirent **b)
{
    return strcmp((*a)->d_name, (*b)->d_name);
}
