/* SPDX-License-Identifier: GPL-2.0-only */
/* The guest of the kexec tests. */
#ifndef SELFTESTS_HOST_KEXEC_GUEST_H
#define SELFTESTS_HOST_KEXEC_GUEST_H

#include "kimage.h"

/* Its kernel. */
extern struct kernel kexec_kernel;

/* KEXEC_VALIDATE that is expected to fail: leaves all as after the slot was emptied. */
int kexec_refused(struct image *m);
/* A booted guest that trusts kexecca.der for kexec. */
struct guest *kexec_boot(void);
void kexec_end(struct guest *g);
/* Whether no page of the image can be written by VTL0, or each of them. */
bool kexec_frozen(const struct image *m);
bool kexec_free(const struct image *m);

#endif /* SELFTESTS_HOST_KEXEC_GUEST_H */
