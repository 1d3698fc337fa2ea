// SPDX-License-Identifier: GPL-2.0-only
/*
 * What HEKI says that it does not stop.
 */
#include <linux/kdebug.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/notifier.h>
#include <linux/string.h>
#include <linux/vmalloc.h>
#include <asm/nospec-branch.h>
#include <asm/pgtable.h>

#include <heki/heki.h>

#include "attacks.h"

#define ANSWER 42

/* mov $42, %eax; ret */
static const u8 answer_code[] = { 0xb8, ANSWER, 0, 0, 0, 0xc3 };

/* The third argument is 0. */
static int run_code(unsigned long code)
{
	unsigned long third = 0;
	int answer;

	asm volatile(ANNOTATE_RETPOLINE_SAFE "call *%[code]"
		     : "=a"(answer), "+d"(third), ASM_CALL_CONSTRAINT : [code] "r"(code)
		     : "rcx", "rsi", "rdi", "r8", "r9", "r10", "r11", "memory", "cc");
	return answer;
}

/* Where a jump to the page faults, it returns as if it had been a call. */
static unsigned long fresh_at;

static int fresh_told(struct notifier_block *block, unsigned long event, void *data)
{
	struct die_args *args = data;

	if (event != DIE_GPF || !fresh_at || args->regs->ip != fresh_at)
		return NOTIFY_DONE;
	args->regs->ip = *(unsigned long *)args->regs->sp;
	args->regs->sp += sizeof(unsigned long);
	args->regs->ax = 0;
	return NOTIFY_STOP;
}

static struct notifier_block fresh_block = { .notifier_call = fresh_told };

/* What the code at @at returns, 0 when it cannot be run. */
static int run_at(unsigned long at)
{
	int answer;

	fresh_at = at;
	register_die_notifier(&fresh_block);
	answer = run_code(at);
	unregister_die_notifier(&fresh_block);
	fresh_at = 0;
	return answer;
}

/* New code in a page that is mapped at @page; the effect is that it runs. */
static int code_run(u8 *page, struct result *result)
{
	int (*exec)(unsigned long at, int pages) = pointer("set_memory_x");
	int (*nx)(unsigned long at, int pages) = pointer("set_memory_nx");

	if (!page || !exec || !nx)
		return -ENOENT;
	result->address = physical((unsigned long)page);
	memcpy(page, answer_code, sizeof(answer_code));
	result->error = exec((unsigned long)page, 1);
	if (!result->error)
		result->effect = run_at((unsigned long)page) == ANSWER;
	nx((unsigned long)page, 1);
	return 0;
}

static int fresh_run(const struct attack *attack, struct result *result)
{
	u8 *page = vmalloc(PAGE_SIZE);
	int error = code_run(page, result);

	vfree(page);
	return error;
}

/*
 * A page of the start-up code of this module, kept when its memory goes: it was executable once, and is to be
 * again with other code.
 */
static struct page *init_page;

void keep_init_page(unsigned long at)
{
	init_page = pfn_to_page(PHYS_PFN(physical(at)));
	get_page(init_page);
}

static int init_text_run(const struct attack *attack, struct result *result)
{
	u8 *page = init_page ? vmap(&init_page, 1, VM_MAP, PAGE_KERNEL) : NULL;
	int error = code_run(page, result);

	vunmap(page);
	return error;
}

/* Another page in the place of a module's read-only data, by its page table. */
static int remap_run(const struct attack *attack, struct result *result)
{
	unsigned long at = target_own_rodata();
	u8 *copy = (u8 *)__get_free_page(GFP_KERNEL), before = *(volatile u8 *)at;
	unsigned int level;
	pte_t *pte = lookup_address(at, &level), old;

	if (!copy || !pte || level != PG_LEVEL_4K) {
		free_page((unsigned long)copy);
		return -ENOENT;
	}
	result->address = physical(at);
	memcpy(copy, (void *)(at & PAGE_MASK), PAGE_SIZE);
	copy[offset_in_page(at)] ^= 1;
	old = *pte;
	WRITE_ONCE(pte->pte, (old.pte & ~PTE_PFN_MASK) | __pa(copy));
	asm volatile("invlpg (%0)" : : "r"(at) : "memory");
	result->effect = *(volatile u8 *)at != before;
	WRITE_ONCE(pte->pte, old.pte);
	asm volatile("invlpg (%0)" : : "r"(at) : "memory");
	free_page((unsigned long)copy);
	return 0;
}

/* A module is unloaded in VTL1's eyes alone; the argument is its token. Then its text is anybody's. */
static int release_run(const struct attack *attack, struct result *result)
{
	unsigned long at = symbol("nls_cp865:uni2char");
	int error, answer;
	u8 before;

	if (!at)
		return -ENOENT;
	before = *(volatile u8 *)at;
	result->address = argument();
	error = call_vtl1(HEKI_CALL_UNLOAD_MODULE, argument(), 0, 0, &answer);
	if (error)
		return error;
	result->error = write_by_vmap(at, before ^ 1);
	result->effect = *(volatile u8 *)at != before;
	if (result->effect)
		write_by_vmap(at, before);
	return 0;
}

/* The client's place in the chain of those who are told of modules. */
static struct notifier_block **link;
static struct notifier_block *unlinked;

static struct notifier_block **link_find(void)
{
	struct blocking_notifier_head *chain = pointer("module_notify_list");
	unsigned long start = symbol("heki_client:client_text_patch_exit") & ~0xfffffffull;
	struct notifier_block **at;
	char name[128];

	if (!chain || !start)
		return NULL;
	for (at = &chain->head; *at; at = &(*at)->next) {
		snprintf(name, sizeof(name), "%ps", (*at)->notifier_call);
		if (strstr(name, "[heki_client]"))
			return at;
	}
	return NULL;
}

static int unlink_run(const struct attack *attack, struct result *result)
{
	link = link_find();
	if (!link)
		return -ENODEV;
	unlinked = *link;
	WRITE_ONCE(*link, unlinked->next);
	result->effect = true;
	return 0;
}

static void unlink_undo(const struct attack *attack)
{
	WRITE_ONCE(*link, unlinked);
}

static int link_run(const struct attack *attack, struct result *result)
{
	unlink_undo(attack);
	return 0;
}

/*
 * Of a module that the client has not been told of: its own start and end are left out, one of its functions
 * is called afterwards.
 */
static int startless_told(struct notifier_block *block, unsigned long state, void *data)
{
	struct module *module = data;

	if (state == MODULE_STATE_COMING) {
		module->init = NULL;
		module->exit = NULL;
	}
	return NOTIFY_OK;
}

static struct notifier_block startless_block = {
	.notifier_call = startless_told,
	.priority = INT_MAX,
};

static int startless_run(const struct attack *attack, struct result *result)
{
	int error = unlink_run(attack, result);

	return error ? error : register_module_notifier(&startless_block);
}

/* The effect is that it runs: it returns the error of a buffer without room. */
static int startless_end(const struct attack *attack, struct result *result)
{
	unsigned long at = symbol("nls_cp865:uni2char");

	unregister_module_notifier(&startless_block);
	if (!at)
		return -ENOENT;
	result->address = physical(at);
	result->effect = run_at(at);
	return 0;
}

const struct attack residual_attacks[] = {
	{ "code-fresh-page", fresh_run, NULL, NULL },
	{ "code-fresh-page-strict", fresh_run, NULL, NULL },
	{ "code-init-text", init_text_run, NULL, NULL },
	{ "code-init-text-strict", init_text_run, NULL, NULL },
	{ "remap-rodata", remap_run, NULL, NULL },
	{ "token-release", release_run, NULL, NULL },
	{ "notifier-unlink", unlink_run, unlink_undo, NULL },
	{ "notifier-unlink-strict", startless_run, NULL, NULL },
	{ "notifier-unlink-end", startless_end, NULL, NULL },
	{ "notifier-link", link_run, NULL, NULL },
	{ }
};
