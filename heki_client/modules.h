/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Modules as the client knows them; shared by modules.c and its helpers.
 */
#ifndef HEKI_CLIENT_MODULES_H
#define HEKI_CLIENT_MODULES_H

#include <linux/rculist.h>

#include "client.h"
#include "compat.h"

/**
 * struct client_module - a module whose memory VTL1 protects, or will
 * @list:  all of them, in the order of loading; RCU
 * @rcu:   for freeing
 * @order: while modules are sent that were there before lock
 * @mod:   the kernel's; valid until its core memory goes
 * @name:  a copy of its name
 * @mem:   where it lies; the init types are cleared when init memory goes. Recorded at COMING
 *         because the kernel forgets the addresses of init memory before it frees it.
 * @token: VTL1's, 0 before it has accepted the module
 * @live:  its init function has succeeded
 * @elf:   vmalloc copy of its file while it waits for lock, or NULL
 * @elf_size: its size
 */
struct client_module {
	struct list_head list;
	struct rcu_head rcu;
	struct list_head order;
	struct module *mod;
	char name[MODULE_NAME_LEN];
	struct compat_memory mem[HEKI_MOD_MEM_TYPES];
	int token;
	bool live;
	void *elf;
	size_t elf_size;
};

/* Init memory is there. */
static inline bool client_module_has_init(const struct client_module *m)
{
	return m->mem[HEKI_MOD_INIT_TEXT].size || m->mem[HEKI_MOD_INIT_DATA].size ||
	       m->mem[HEKI_MOD_INIT_RODATA].size;
}

/* module_send.c */

int client_module_send_init(void);

/**
 * client_module_send() - have VTL1 validate a module
 * @m:     mem says what is sent
 * @elf:   its file; NULL with HEKI_MODULE_UNVERIFIED
 * @size:  bytes
 * @flags: HEKI_MODULE_*
 *
 * On success m->token is set. Sleeps; takes text_mutex.
 *
 * Return: 0 or -errno
 */
int client_module_send(struct client_module *m, const void *elf, size_t size, u32 flags);

/**
 * client_module_judge() - have VTL1 judge a file that the kernel has refused by its signature
 * @elf:  the file
 * @size: bytes
 *
 * For the log: VTL1 names the module and its own reason.
 */
void client_module_judge(const void *elf, size_t size);

/**
 * client_module_refused() - report that a module was not accepted
 * @m:   the module
 * @err: -errno
 */
void client_module_refused(const struct client_module *m, int err);

/* modules.c */

/* Guards the list, and what is sent of modules but VALIDATE at COMING. Before module_mutex. */
extern struct mutex client_modules_lock;
extern struct list_head client_modules_list;

/* The rest under client_modules_lock. */

/* A new entry of the list for a module, its memory taken from @mod; NULL without memory. */
struct client_module *client_module_new(struct module *mod);
/* Take an entry off the list and free it. */
void client_module_drop(struct client_module *m);
struct client_module *client_module_find(const struct module *mod);

/* modules_before.c */

int client_modules_before_init(void);

/**
 * client_modules_direct() - are modules sent as they come?
 *
 * Not before VTL1 has the kernel's symbols: until then they are kept for
 * client_modules_loaded_before(). Under client_modules_lock.
 */
bool client_modules_direct(void);

#endif /* HEKI_CLIENT_MODULES_H */
