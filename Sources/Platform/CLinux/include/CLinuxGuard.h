// Mappings of files that somebody else can truncate. An access behind the end of the file raises SIGBUS (mmap(2)); where
// the address lies in a guarded range, the handler puts anonymous memory there and the access goes on.
#pragma once

// What a descriptor is, as far as mapping it is concerned.
struct clinux_file {
    unsigned long long device;
    unsigned long long inode;
    long long size;
    // A file that is nowhere but in memory, so that no access to it waits for a disk, or for whoever serves the file.
    int is_memory;
    int is_readable;
    int is_writable;
    // Nobody can make it shorter (F_SEAL_SHRINK).
    int is_sealed;
};

// 0, or a negated errno. Never waits. Of what is no memory, nothing else is told.
int clinux_describe_file(int descriptor, struct clinux_file *file);

// Maps `size` bytes of the file from its beginning, shared, and guards them. The address, or 0 with `*error`: an errno.
void *clinux_map_guarded(int descriptor, unsigned long size, int writable, int *error);

// A stretch of a shared mapping of this process: whole pages.
struct clinux_piece {
    void *start;
    unsigned long size;
};

// Maps pieces of shared mappings once more, one behind the other, and guards that. The address, or 0 with `*error`.
void *clinux_join_guarded(const struct clinux_piece *pieces, int count, int *error);

// Ends the mapping and the guard.
void clinux_unmap_guarded(void *address, unsigned long size);

// Whether pages of the mapping at `address` were gone when somebody needed them: all of it is anonymous memory since.
int clinux_is_broken(const void *address);

// How many mappings of this process broke so far. It costs one load.
unsigned long clinux_broken_count(void);
