#include "CVectorList.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

struct link {
    struct link *next, *previous;
};

struct vector {
    struct link link; // first: a link is a vector
    uint32_t index;
    int64_t messages;
    char name[32];
};

struct cvectorlist {
    struct link head;
    pthread_spinlock_t lock;
};

struct cvectorlist *cvectorlist_create(void) {
    struct cvectorlist *self = calloc(1, sizeof *self);
    if (!self) return NULL;
    self->head.next = self->head.previous = &self->head;
    pthread_spin_init(&self->lock, PTHREAD_PROCESS_PRIVATE);
    return self;
}

static void unlink_and_free(struct link *link) {
    link->previous->next = link->next;
    link->next->previous = link->previous;
    free(link);
}

void cvectorlist_destroy(struct cvectorlist *self) {
    while (self->head.next != &self->head) unlink_and_free(self->head.next);
    pthread_spin_destroy(&self->lock);
    free(self);
}

int cvectorlist_add(struct cvectorlist *self, uint32_t index, const char *name) {
    struct vector *vector = calloc(1, sizeof *vector);
    if (!vector) return -1;
    vector->index = index;
    strncpy(vector->name, name, sizeof vector->name - 1);
    pthread_spin_lock(&self->lock);
    vector->link.previous = self->head.previous;
    vector->link.next = &self->head;
    self->head.previous->next = &vector->link;
    self->head.previous = &vector->link;
    pthread_spin_unlock(&self->lock);
    return 0;
}

static struct vector *walk(struct cvectorlist *self, uint32_t index) {
    for (struct link *link = self->head.next; link != &self->head; link = link->next)
        if (((struct vector *)link)->index == index) return (struct vector *)link;
    return NULL;
}

int64_t cvectorlist_find(struct cvectorlist *self, uint32_t index) {
    pthread_spin_lock(&self->lock);
    struct vector *vector = walk(self, index);
    int64_t messages = vector ? vector->messages : -1;
    pthread_spin_unlock(&self->lock);
    return messages;
}

int cvectorlist_remove(struct cvectorlist *self, uint32_t index) {
    pthread_spin_lock(&self->lock);
    struct vector *vector = walk(self, index);
    if (vector) unlink_and_free(&vector->link);
    pthread_spin_unlock(&self->lock);
    return vector ? 0 : -1;
}
