// The buffers that a loop has to give out: what all loops of a driver use.
#pragma once

#include <stdint.h>
#include <stdlib.h>

enum { buffer_shift = 11 };

// Numbers of the buffers that are nobody's.
struct free_stack {
    uint32_t *numbers;
    uint32_t count;
};

static inline void free_stack_push(struct free_stack *stack, uint32_t number) {
    stack->numbers[stack->count++] = number;
}

static inline uint32_t free_stack_pop(struct free_stack *stack) { return stack->numbers[--stack->count]; }

static inline void free_stack_fill(struct free_stack *stack, uint32_t buffers) {
    stack->numbers = malloc(buffers * sizeof *stack->numbers);
    if (!stack->numbers) abort();
    for (stack->count = 0; stack->count < buffers;) free_stack_push(stack, stack->count);
}

static inline uint32_t smaller(uint32_t a, uint32_t b) { return a < b ? a : b; }
