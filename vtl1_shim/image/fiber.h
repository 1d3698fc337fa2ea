/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * Fibers: stacks on which a call can stop in the middle, to be resumed by any VP.
 */
#ifndef VTL1_IMAGE_FIBER_H
#define VTL1_IMAGE_FIBER_H

#include "types.h"

#define FIBER_STACK_PAGES 8

/**
 * struct fiber - a stack and who runs on it
 * @inner: stack pointer while it is suspended
 * @outer: that of whoever has resumed it
 * @stack: end of its stack
 * @index: passed to fiber_main()
 * @done:  fiber_main() has returned
 */
struct fiber {
	uint64_t inner;
	uint64_t outer;
	uint8_t *stack;
	uint32_t index;
	bool done;
};

/* Let it begin with fiber_main() at its next resume. */
void fiber_start(struct fiber *f);

/* Run it until it suspends itself (false) or fiber_main() has returned (true). */
bool fiber_resume(struct fiber *f);

/* Made on the fiber itself. */
void fiber_suspend(struct fiber *f);

/* What fibers do; with the fiber's index. */
void fiber_main(uint32_t index);

/**
 * fiber_switch() - go to another stack
 * @from: receives the stack pointer that is left
 * @to:   stack pointer to go on with
 */
void fiber_switch(uint64_t *from, uint64_t to);

/* stubs.S: where a fiber begins, its struct in RBX. */
void fiber_entry(void);

/* What that calls. */
__attribute__((noreturn)) void fiber_begin(struct fiber *f);

#endif /* VTL1_IMAGE_FIBER_H */
