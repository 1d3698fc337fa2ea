// SPDX-License-Identifier: GPL-2.0-only
/*
 * Modules: from the file at load_module() to the moment when the memory goes.
 *
 * - load_module() is taken over: the file is copied there, before the loader changes it, and the
 *   copy is dropped when the load ends, however it ends.
 * - The last notifier at COMING sends the module; all rewriting at load time has been done then.
 *   A refusal is the error that insmod sees, when the policy says so.
 * - At LIVE ro_after_init is sealed and init memory is given back by VTL1.
 * - module_memfree() or execmem_free() is taken over: core memory is given back
 *   before the kernel frees it, after a failed load init memory as well.
 *
 * Modules that come before VTL1 knows the kernel's symbols wait for the lock sequence.
 *
 * Locks: client_modules_lock, then the kernel's module_mutex; loads_lock is innermost. The list is
 * read under RCU by text patches and by the check of every address that is freed.
 */
#include <linux/delay.h>
#include <linux/limits.h>
#include <linux/notifier.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/static_call.h>
#include <linux/vmalloc.h>

#include "hooks.h"
#include "modules.h"

/* A module that is used by one that is just going: its own end is waited for. */
#define BUSY_TRIES 100
#define BUSY_WAIT_MS 20

DEFINE_MUTEX(client_modules_lock);
LIST_HEAD(client_modules_list);

/**
 * struct load - a call of load_module(), on its stack
 * @list: all of them
 * @task: who makes it
 * @elf:  vmalloc copy of the file, NULL once taken
 * @size: its size
 * @err:  why there is no copy
 */
struct load {
	struct list_head list;
	struct task_struct *task;
	void *elf;
	size_t size;
	int err;
};

static bool stopped; /* loads go on without their files */
static LIST_HEAD(loads);
static DEFINE_SPINLOCK(loads_lock);

static int load_prototype(struct compat_load_info *info, const char __user *args, int flags)
{
	return -EOPNOTSUPP;
}

static void free_prototype(void *memory)
{
}

DEFINE_STATIC_CALL(load_original, load_prototype);
DEFINE_STATIC_CALL(free_original, free_prototype);

struct client_module *client_module_new(struct module *mod)
{
	struct client_module *m = kzalloc(sizeof(*m), GFP_KERNEL);

	if (!m)
		return NULL;
	m->mod = mod;
	strscpy(m->name, mod->name, sizeof(m->name));
	compat_module_memory(mod, m->mem);
	list_add_tail_rcu(&m->list, &client_modules_list);
	return m;
}

void client_module_drop(struct client_module *m)
{
	list_del_rcu(&m->list);
	vfree(m->elf);
	kfree_rcu(m, rcu);
}

struct client_module *client_module_find(const struct module *mod)
{
	struct client_module *m;

	list_for_each_entry(m, &client_modules_list, list) {
		if (m->mod == mod)
			return m;
	}
	return NULL;
}

static bool memory_has(const struct compat_memory *memory, unsigned long address, size_t n)
{
	unsigned long base = (unsigned long)READ_ONCE(memory->base);
	size_t size = READ_ONCE(memory->size);

	return address >= base && address - base < size && n <= size - (address - base);
}

static const struct client_module *module_of_text(unsigned long address, size_t n)
{
	const struct client_module *m;

	list_for_each_entry_rcu(m, &client_modules_list, list) {
		if (memory_has(&m->mem[HEKI_MOD_TEXT], address, n) ||
		    memory_has(&m->mem[HEKI_MOD_INIT_TEXT], address, n))
			return m;
	}
	return NULL;
}

bool client_modules_text(unsigned long address, size_t n)
{
	bool found;

	rcu_read_lock();
	found = module_of_text(address, n);
	rcu_read_unlock();
	return found;
}

bool client_modules_text_sent(unsigned long address, size_t n)
{
	const struct client_module *m;
	bool sent;

	rcu_read_lock();
	m = module_of_text(address, n);
	sent = m && READ_ONCE(m->token);
	rcu_read_unlock();
	return sent;
}

/* What happens to a module while it is loaded */

static void load_begin(struct load *load, const struct compat_load_info *info)
{
	client_count(CLIENT_COUNT_modules_seen);
	load->task = current;
	load->size = info->len;
	if (info->len > HEKI_ELF_MAX) {
		load->err = -ERANGE;
	} else if (info->len) {
		load->elf = vmalloc(info->len);
		if (load->elf)
			memcpy(load->elf, info->hdr, info->len);
		else
			load->err = -ENOMEM;
	}
	spin_lock(&loads_lock);
	list_add(&load->list, &loads);
	spin_unlock(&loads_lock);
}

static void load_end(struct load *load)
{
	spin_lock(&loads_lock);
	list_del(&load->list);
	spin_unlock(&loads_lock);
	vfree(load->elf);
}

/* The load that this task makes; NULL when it did not come by load_module(). */
static struct load *load_of_current(void)
{
	struct load *load, *found = NULL;

	spin_lock(&loads_lock);
	list_for_each_entry(load, &loads, list) {
		if (load->task == current) {
			found = load;
			break;
		}
	}
	spin_unlock(&loads_lock);
	return found;
}

static int load_replacement(struct compat_load_info *info, const char __user *args, int flags)
{
	int cookie = client_hook_enter(), ret;
	struct load load = {};

	load_begin(&load, info);
	ret = static_call(load_original)(info, args, flags);
	if (ret == -EKEYREJECTED && load.elf && client_locked())
		client_module_judge(load.elf, load.size);
	load_end(&load);
	client_hook_leave(cookie);
	return ret;
}

/* Return: what becomes of a module that was not accepted: 0, or the error of the veto. */
static int module_verdict(int err)
{
	if (client.modules == CLIENT_MODULES_ENFORCE || client.mode == CLIENT_ENFORCE) {
		client_count(CLIENT_COUNT_modules_vetoed);
		return err;
	}
	client_count(CLIENT_COUNT_modules_reported);
	return 0;
}

/*
 * The lock sequence finds modules whose load has begun but has not come to the notifier, and enters
 * them without their file: that is undone, or VTL1 would see the same memory twice.
 */
static void module_forget(const struct module *mod)
{
	struct client_module *m = client_module_find(mod);

	if (!m)
		return;
	if (m->token)
		client_call(HEKI_CALL_UNLOAD_MODULE, m->token, 0, 0);
	client_module_drop(m);
}

/* Return: an entry that is to be sent now; NULL with *@err 0 when it waits for the lock sequence */
static struct client_module *module_enter(struct module *mod, struct load *load, int *err)
{
	struct client_module *m;

	mutex_lock(&client_modules_lock);
	module_forget(mod);
	m = client_module_new(mod);
	*err = m ? 0 : -ENOMEM;
	if (m && !client_modules_direct()) {
		if (load) {
			m->elf = load->elf;
			m->elf_size = load->size;
			load->elf = NULL;
		}
		m = NULL;
	}
	mutex_unlock(&client_modules_lock);
	return m;
}

/* Return: 0 or why it was not accepted, which has been reported */
static int module_send(struct client_module *m, struct load *load)
{
	int err = load ? load->err : -ENODATA;

	if (err) {
		client_report("module", m->name, err, "there is no copy of its file");
		return err;
	}
	err = client_module_send(m, load->elf, load->size, 0);
	if (err)
		client_module_refused(m, err);
	vfree(load->elf);
	load->elf = NULL;
	return err;
}

static int module_coming(struct module *mod)
{
	struct load *load = load_of_current();
	struct client_module *m;
	int err;

	if (client_phase() == CLIENT_FAILED || (!load && READ_ONCE(stopped)))
		return 0;
	/* It is entered before it is sent: from then on its text is patched by VTL1. */
	m = module_enter(mod, load, &err);
	if (!m)
		return err ? module_verdict(err) : 0;
	err = module_send(m, load);
	if (!err)
		return 0;
	mutex_lock(&client_modules_lock);
	client_module_drop(m);
	mutex_unlock(&client_modules_lock);
	return module_verdict(err);
}

static void module_seal(const struct client_module *m)
{
	int err = client_call(HEKI_CALL_FREE_MODULE_INIT, m->token, 0, 0);

	client_trace_module(m->name, "init_freed", err);
	if (err < 0)
		client_report("module", m->name, err, "sealing at the end of init");
}

/*
 * All init memory goes at once: its frames are given back now, the kernel frees it later, in up to
 * three pieces. ro_after_init is final.
 */
static void init_gone(struct client_module *m)
{
	unsigned int type;

	if (m->token)
		module_seal(m);
	for (type = HEKI_MOD_INIT_TEXT; type <= HEKI_MOD_INIT_RODATA; type++) {
		WRITE_ONCE(m->mem[type].size, 0);
		WRITE_ONCE(m->mem[type].base, NULL);
	}
}

/* One that waits for the lock sequence keeps its init memory until that is freed. */
static void module_live(struct module *mod)
{
	struct client_module *m;

	mutex_lock(&client_modules_lock);
	m = client_module_find(mod);
	if (m) {
		m->live = true;
		if (m->token)
			init_gone(m);
	}
	mutex_unlock(&client_modules_lock);
}

static int module_notify(struct notifier_block *block, unsigned long state, void *data)
{
	if (state == MODULE_STATE_COMING)
		return notifier_from_errno(module_coming(data));
	if (state == MODULE_STATE_LIVE)
		module_live(data);
	return NOTIFY_DONE;
}

/* Last of all: jump labels, static calls and tracing have been set up by other notifiers. */
static struct notifier_block notifier = {
	.notifier_call = module_notify,
	.priority = INT_MIN,
};

/* What happens when memory goes */

static bool memory_starts(const struct client_module *m, const void *p, unsigned int first,
			  unsigned int last)
{
	unsigned int type;

	for (type = first; type <= last; type++) {
		if (m->mem[type].base == p)
			return true;
	}
	return false;
}

static struct client_module *module_at(const void *p)
{
	struct client_module *m;

	list_for_each_entry_rcu(m, &client_modules_list, list,
				lockdep_is_held(&client_modules_lock)) {
		if (memory_starts(m, p, HEKI_MOD_TEXT, HEKI_MOD_INIT_RODATA))
			return m;
	}
	return NULL;
}

/* Return: false: VTL1 holds it to be in use, try again */
static bool module_gone(struct client_module *m, bool last_try)
{
	int err = 0;

	if (m->token)
		err = client_call(HEKI_CALL_UNLOAD_MODULE, m->token, 0, 0);
	if (err == -EBUSY && !last_try)
		return false;
	client_trace_module(m->name, "unloaded", err);
	if (err < 0)
		client_report("module", m->name, err, "unloading");
	client_module_drop(m);
	return true;
}

/*
 * Init memory of a live module is freed by a work item, maybe after its core memory. Init memory of
 * a module that never went live is freed when its load has failed: then all of it goes.
 */
static bool memory_going(const void *p, bool last_try)
{
	struct client_module *m;
	bool done = true;

	mutex_lock(&client_modules_lock);
	m = module_at(p);
	if (m && m->live && memory_starts(m, p, HEKI_MOD_INIT_TEXT, HEKI_MOD_INIT_RODATA))
		init_gone(m);
	else if (m)
		done = module_gone(m, last_try);
	mutex_unlock(&client_modules_lock);
	return done;
}

static bool memory_known(const void *p)
{
	bool known;

	rcu_read_lock();
	known = p && module_at(p);
	rcu_read_unlock();
	return known;
}

static void free_replacement(void *memory)
{
	int cookie = client_hook_enter();
	unsigned int tries;

	if (client_exec_kept((unsigned long)memory))
		goto out;
	if (memory_known(memory)) {
		for (tries = 1; !memory_going(memory, tries == BUSY_TRIES); tries++)
			msleep(BUSY_WAIT_MS);
	}
	static_call(free_original)(memory);
out:
	client_hook_leave(cookie);
}

static struct client_hook load_hook = {
	.symbol = "load_module",
	.replacement = load_replacement,
};

static struct client_hook free_hook = {
	.replacement = free_replacement,
};

static void load_prepare(struct client_hook *hook)
{
	static_call_update(load_original, (typeof(&load_prototype))hook->address);
}

static void free_prepare(struct client_hook *hook)
{
	static_call_update(free_original, (typeof(&free_prototype))hook->address);
}

int client_modules_init(void)
{
	int err;

	err = client_module_send_init();
	if (!err)
		err = client_modules_before_init();
	if (err)
		return err;
	free_hook.symbol = client_symbol("execmem_free") ? "execmem_free" : "module_memfree";
	err = client_hook_add(&free_hook, free_prepare);
	if (err)
		return err;
	err = client_hook_add(&load_hook, load_prepare);
	if (err)
		goto free;
	err = register_module_notifier(&notifier);
	if (err)
		goto load;
	return 0;
load:
	client_hook_remove(&load_hook);
free:
	client_hook_remove(&free_hook);
	return err;
}

void client_modules_stop(void)
{
	WRITE_ONCE(stopped, true);
}

void client_modules_exit(void)
{
	struct client_module *m, *next;

	unregister_module_notifier(&notifier);
	client_hook_remove(&load_hook);
	client_hook_remove(&free_hook);
	mutex_lock(&client_modules_lock);
	list_for_each_entry_safe(m, next, &client_modules_list, list)
		client_module_drop(m);
	mutex_unlock(&client_modules_lock);
	rcu_barrier();
}
