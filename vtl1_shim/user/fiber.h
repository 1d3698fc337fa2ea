/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Fibers of the userspace host: a stack each, switched to and from on any thread.
 */
#ifndef HEKI_USER_FIBER_H
#define HEKI_USER_FIBER_H

#include <stdbool.h>
#include <stddef.h>
#include <ucontext.h>

/**
 * struct fiber - a function that can stop in the middle
 * @run:     the function
 * @context: passed to it
 * @inner:   where it goes on
 * @outer:   where fiber_resume() goes on
 * @stack:   its stack, kept for the next function
 * @done:    the function has returned
 * @fake:    of AddressSanitizer, for the fiber while it is suspended
 * @bottom:  stack of the thread that resumed it, for AddressSanitizer
 * @size:    its bytes
 */
struct fiber {
	void (*run)(void *context);
	void *context;
	ucontext_t inner;
	ucontext_t outer;
	void *stack;
	bool done;
	void *fake;
	const void *bottom;
	size_t size;
};

/* Let it begin with @run at its next resume: 0, or -1 when there is no memory for a stack. */
int fiber_start(struct fiber *f, void (*run)(void *context), void *context);

/* Run it until it suspends itself (false) or its function has returned (true). */
bool fiber_resume(struct fiber *f);

/* Made on the fiber itself. */
void fiber_suspend(struct fiber *f);

/* Free its stack; it is not running. */
void fiber_destroy(struct fiber *f);

#endif /* HEKI_USER_FIBER_H */
