// Counts what the process takes from the heap: the program's malloc stands in front of glibc's.
#pragma once
#include <stdint.h>

// Calls of malloc, calloc, realloc and their aligned relatives since the start.
uint64_t counted_allocations(void);
