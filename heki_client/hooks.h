/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the files behind the hooks share: modules, text patches, policy, kexec, power.
 */
#ifndef HEKI_CLIENT_HOOKS_H
#define HEKI_CLIENT_HOOKS_H

#include <linux/srcu.h>

#include "client.h"

extern struct srcu_struct client_hooks_srcu;

/**
 * client_hook_enter() - a replacement begins
 *
 * Every replacement brackets all that it does, the original included, by enter and leave, so that
 * client_hook_remove() can wait for it. May be made with interrupts off, not in NMI.
 *
 * Return: what client_hook_leave() takes
 */
static inline int client_hook_enter(void) __acquires(&client_hooks_srcu)
{
	return srcu_read_lock(&client_hooks_srcu);
}

static inline void client_hook_leave(int cookie) __releases(&client_hooks_srcu)
{
	srcu_read_unlock(&client_hooks_srcu, cookie);
}

/* modules.c */
int client_modules_init(void);
void client_modules_exit(void);
/* From now on load_module() is not taken over: a module that comes without a copy of its file is let be. */
void client_modules_stop(void);

/**
 * client_modules_text() - is this text of a module that VTL1 knows?
 * @address: first byte
 * @n:       bytes
 *
 * Any context.
 */
bool client_modules_text(unsigned long address, size_t n);

/* The same for a module that VTL1 has taken. */
bool client_modules_text_sent(unsigned long address, size_t n);

/* text_patch.c */
int client_text_patch_init(void);
void client_text_patch_exit(void);

/* policy.c */
int client_policy_init(void);
void client_policy_exit(void);
/* Print the names of the functions that are taken over by probes, each after a separator. */
void client_policy_show(struct seq_file *m, const char *separator);

/* Is one of these probes at this address? */
bool client_policy_probe(const void *address);

/* Add the pages in which these probes have instructions executed. */
int client_policy_slots(struct client_ranges *ranges);

/* kexec.c */
int client_kexec_init(void);
void client_kexec_exit(void);

/* power.c */
int client_power_init(void);
void client_power_exit(void);

#endif /* HEKI_CLIENT_HOOKS_H */
