// The counter-example to the vectors service: the books of a mana driver whose vectors came one by one, as the kernel patch
// had them before its review: a list under a spin lock, in the order of arrival, walked to find a vector.
#pragma once

#include <stdint.h>

struct cvectorlist;

struct cvectorlist *cvectorlist_create(void);
void cvectorlist_destroy(struct cvectorlist *self);

// Appends vector `index` with its name; 0, or -1 without memory.
int cvectorlist_add(struct cvectorlist *self, uint32_t index, const char *name);
// Walks to vector `index`: its messages so far, or -1 if there is none.
int64_t cvectorlist_find(struct cvectorlist *self, uint32_t index);
// Walks to vector `index`, unlinks and frees it; 0, or -1 if there is none.
int cvectorlist_remove(struct cvectorlist *self, uint32_t index);
