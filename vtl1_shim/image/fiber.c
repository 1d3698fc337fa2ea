// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Fibers.
 *
 * Trust boundary: none, no input of VTL0's comes here. Locks: none; the core lets one VP at a time
 * run a fiber.
 */
#include "fiber.h"

/* As fiber_switch() leaves a stack: six registers and where to go on. */
struct first_frame {
	uint64_t r15;
	uint64_t r14;
	uint64_t r13;
	uint64_t r12;
	uint64_t rbp;
	uint64_t rbx;
	uint64_t rip;
	uint64_t end;
};

void fiber_start(struct fiber *f)
{
	struct first_frame *frame = (struct first_frame *)f->stack - 1;

	*frame = (struct first_frame){
		.rbx = pa_of(f).v,
		.rip = (uint64_t)(uintptr_t)fiber_entry,
	};
	f->inner = (uint64_t)(uintptr_t)frame;
	f->done = false;
}

bool fiber_resume(struct fiber *f)
{
	fiber_switch(&f->outer, f->inner);
	return f->done;
}

void fiber_suspend(struct fiber *f)
{
	fiber_switch(&f->inner, f->outer);
}

void fiber_begin(struct fiber *f)
{
	fiber_main(f->index);
	f->done = true;
	fiber_suspend(f);
	__builtin_trap();
}
