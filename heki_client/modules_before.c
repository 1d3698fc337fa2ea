// SPDX-License-Identifier: GPL-2.0-only
/*
 * Modules that were there before lock: those whose file the client has seen, or was offered, are
 * validated; all others are recorded as unverified.
 *
 * Everything here runs before end of boot, while VTL0 is trusted. The offered file is parsed only
 * to find out which module it is of; VTL1 judges it.
 *
 * Locks: client_modules_lock, then the kernel's module_mutex. An entry of the list keeps the memory
 * of its module in place: who frees it waits for client_modules_lock.
 */
#include <linux/elf.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/vmalloc.h>

#include "modules.h"

static struct list_head *kernel_modules;
static struct mutex *kernel_modules_lock;
static bool direct;

int client_modules_before_init(void)
{
	kernel_modules = (struct list_head *)client_symbol("modules");
	kernel_modules_lock = (struct mutex *)client_symbol("module_mutex");
	if (kernel_modules && kernel_modules_lock)
		return 0;
	pr_err("this kernel has no list of modules\n");
	return -ENOENT;
}

bool client_modules_direct(void)
{
	return direct;
}

/* Enter what is loaded into the list, and all of it into @order, oldest first. */
static int enter_loaded(struct list_head *order)
{
	struct client_module *m;
	struct module *mod;
	int err = 0;

	mutex_lock(kernel_modules_lock);
	list_for_each_entry_reverse(mod, kernel_modules, list) {
		if (mod->state != MODULE_STATE_LIVE && mod->state != MODULE_STATE_COMING)
			continue;
		m = client_module_find(mod);
		if (!m)
			m = client_module_new(mod);
		if (!m) {
			err = -ENOMEM;
			break;
		}
		m->live = mod->state == MODULE_STATE_LIVE;
		list_add_tail(&m->order, order);
	}
	mutex_unlock(kernel_modules_lock);
	return err;
}

/* Return: 0, or why VTL1 has nothing of this module */
static int send_loaded(struct client_module *m)
{
	u32 flags = client_module_has_init(m) ? 0 : HEKI_MODULE_LIVE;
	int err;

	if (m->elf) {
		err = client_module_send(m, m->elf, m->elf_size, flags);
		vfree(m->elf);
		m->elf = NULL;
		if (!err)
			return 0;
		client_module_refused(m, err);
		client_count(CLIENT_COUNT_modules_reported);
	}
	err = client_module_send(m, NULL, 0, flags | HEKI_MODULE_UNVERIFIED);
	if (err)
		client_module_refused(m, err);
	return err;
}

int client_modules_loaded_before(void)
{
	struct client_module *m, *next;
	LIST_HEAD(order);
	int err;

	mutex_lock(&client_modules_lock);
	err = enter_loaded(&order);
	list_for_each_entry_safe(m, next, &order, order) {
		if (err || send_loaded(m))
			client_module_drop(m);
	}
	direct = !err;
	mutex_unlock(&client_modules_lock);
	return err;
}

/* A section of an ELF file that lies within it, or NULL. */
static const Elf64_Shdr *elf_section(const void *elf, size_t n, unsigned int i)
{
	const Elf64_Ehdr *header = elf;
	const Elf64_Shdr *section;

	if (i >= header->e_shnum || header->e_shoff > n ||
	    (n - header->e_shoff) / sizeof(*section) <= i)
		return NULL;
	section = elf + header->e_shoff + i * sizeof(*section);
	if (section->sh_type == SHT_NOBITS || section->sh_offset > n ||
	    section->sh_size > n - section->sh_offset)
		return NULL;
	return section;
}

static const Elf64_Shdr *elf_find(const void *elf, size_t n, const char *name)
{
	const Elf64_Ehdr *header = elf;
	const Elf64_Shdr *names, *section;
	size_t length = strlen(name) + 1;
	unsigned int i;

	if (n < sizeof(*header) || memcmp(header->e_ident, ELFMAG, SELFMAG) ||
	    header->e_ident[EI_CLASS] != ELFCLASS64 || header->e_shentsize != sizeof(*section) ||
	    !IS_ALIGNED(header->e_shoff, 8))
		return NULL;
	names = elf_section(elf, n, header->e_shstrndx);
	if (!names)
		return NULL;
	for (i = 1; i < header->e_shnum; i++) {
		section = elf_section(elf, n, i);
		if (section && section->sh_name < names->sh_size &&
		    length <= names->sh_size - section->sh_name &&
		    !memcmp(elf + names->sh_offset + section->sh_name, name, length))
			return section;
	}
	return NULL;
}

/* The module's name by its .modinfo; NULL when there is none. */
static const char *elf_module_name(const void *elf, size_t n)
{
	const Elf64_Shdr *section = elf_find(elf, n, ".modinfo");
	const char *p, *end;

	if (!section || !section->sh_size)
		return NULL;
	p = elf + section->sh_offset;
	end = p + section->sh_size;
	if (end[-1])
		return NULL;
	for (; p < end; p += strlen(p) + 1) {
		if (!strncmp(p, "name=", 5))
			return p + 5;
	}
	return NULL;
}

static struct client_module *enter_named(const char *name)
{
	struct client_module *m = NULL;
	struct module *mod;

	mutex_lock(kernel_modules_lock);
	list_for_each_entry(mod, kernel_modules, list) {
		if (mod->state != MODULE_STATE_LIVE || strcmp(mod->name, name))
			continue;
		m = client_module_find(mod);
		if (!m)
			m = client_module_new(mod);
		/* Or the end of its init memory would pass for the end of all of it. */
		if (m)
			m->live = true;
		break;
	}
	mutex_unlock(kernel_modules_lock);
	return m;
}

int client_modules_offer(const void *elf, size_t n)
{
	const char *name = elf_module_name(elf, n);
	struct client_module *m;
	void *copy;
	int err = 0;

	if (!name)
		return -ENOEXEC;
	copy = vmalloc(n);
	if (!copy)
		return -ENOMEM;
	memcpy(copy, elf, n);
	mutex_lock(&client_modules_lock);
	m = direct ? NULL : enter_named(name);
	if (!m) {
		err = direct ? -EPERM : -ENOENT;
	} else {
		swap(m->elf, copy);
		m->elf_size = n;
	}
	mutex_unlock(&client_modules_lock);
	vfree(copy);
	return err;
}
