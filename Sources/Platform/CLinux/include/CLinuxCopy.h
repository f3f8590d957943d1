// Copies between this program's memory and addresses that a caller gave, which may not be memory at all. As a kernel does
// it: what cannot be accessed is an error, not a signal. process_vm_readv(2) on the own process.
#pragma once

// Copies `size` bytes from `theirs` to `own`. The bytes copied, which end where `theirs` does, or a negated errno: -EFAULT if
// there is none.
long clinux_copy_from_caller(void *own, const void *theirs, unsigned long size);

// The same from `own` to `theirs`.
long clinux_copy_to_caller(void *theirs, const void *own, unsigned long size);
