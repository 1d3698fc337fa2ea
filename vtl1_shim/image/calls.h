/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * Calls of VTL0's.
 */
#ifndef VTL1_IMAGE_CALLS_H
#define VTL1_IMAGE_CALLS_H

#include <heki/image.h>

#include "vp.h"

/**
 * struct image_call - a call
 * @id:    call id
 * @serve: serves it; a result >= 0, or minus a named error
 */
struct image_call {
	uint64_t id;
	int (*serve)(struct vp *vp, const struct vtl0_regs *regs);
};

/*
 * An entry of the call table, which the linker makes of all objects: what is not linked into an
 * image is not served.
 */
#define IMAGE_CALL(number, function)                                                               \
	static const struct image_call function##_entry                                            \
		__attribute__((section(".image.calls"), used)) = { number, function }

/**
 * calls_enter() - serve the call that VTL0 has made, and set its result
 * @vp: the VP that runs this
 *
 * A fault on the way is the call's refusal.
 */
void calls_enter(struct vp *vp);

#endif /* VTL1_IMAGE_CALLS_H */
