// SPDX-License-Identifier: GPL-2.0-only
/*
 * Fibers on ucontext. AddressSanitizer is told of each switch where it is there; without it the
 * weak functions below do nothing.
 */
#include <stdint.h>
#include <stdlib.h>

#include "fiber.h"

#define STACK_SIZE (256u << 10) /* sanitizers want more than the 16 KiB of a kernel */

#pragma weak __sanitizer_start_switch_fiber
#pragma weak __sanitizer_finish_switch_fiber
void __sanitizer_start_switch_fiber(void **fake, const void *bottom, size_t size);
void __sanitizer_finish_switch_fiber(void *fake, const void **bottom, size_t *size);

static void leave(void **fake, const void *bottom, size_t size)
{
	if (__sanitizer_start_switch_fiber)
		__sanitizer_start_switch_fiber(fake, bottom, size);
}

static void arrive(void *fake, const void **bottom, size_t *size)
{
	if (__sanitizer_finish_switch_fiber)
		__sanitizer_finish_switch_fiber(fake, bottom, size);
}

/*
 * What swapcontext() does. AddressSanitizer warns of every use of that one, also of those that it
 * is told of.
 */
static void switch_to(ucontext_t *from, const ucontext_t *to)
{
	from->uc_link = NULL;
	getcontext(from);
	/* It returns twice; what says so must not be in a register. */
	if (from->uc_link)
		return;
	from->uc_link = from;
	setcontext(to);
}

/* makecontext() passes ints. */
static void begin(unsigned int high, unsigned int low)
{
	struct fiber *f = (struct fiber *)((uintptr_t)high << 32 | low);

	arrive(NULL, &f->bottom, &f->size);
	f->run(f->context);
	f->done = true;
	leave(NULL, f->bottom, f->size);
	setcontext(&f->outer);
}

int fiber_start(struct fiber *f, void (*run)(void *context), void *context)
{
	uintptr_t self = (uintptr_t)f;

	if (!f->stack)
		f->stack = malloc(STACK_SIZE);
	if (!f->stack || getcontext(&f->inner))
		return -1;
	f->run = run;
	f->context = context;
	f->done = false;
	f->fake = NULL;
	f->inner.uc_stack.ss_sp = f->stack;
	f->inner.uc_stack.ss_size = STACK_SIZE;
	f->inner.uc_link = NULL;
	makecontext(&f->inner, (void (*)(void))begin, 2, (unsigned int)(self >> 32),
		    (unsigned int)self);
	return 0;
}

bool fiber_resume(struct fiber *f)
{
	void *fake = NULL;

	leave(&fake, f->stack, STACK_SIZE);
	switch_to(&f->outer, &f->inner);
	arrive(fake, NULL, NULL);
	return f->done;
}

void fiber_suspend(struct fiber *f)
{
	leave(&f->fake, f->bottom, f->size);
	switch_to(&f->inner, &f->outer);
	arrive(f->fake, &f->bottom, &f->size);
}

void fiber_destroy(struct fiber *f)
{
	free(f->stack);
	f->stack = NULL;
}
