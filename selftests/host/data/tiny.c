// SPDX-License-Identifier: GPL-2.0-only
/*
 * A module with one of each: relocation types, exports, static keys, LOCK prefixes, init text,
 * ro_after_init.
 */
#include "module.h"

extern int printk(const char *format, ...);
extern void secret_gpl(void *p);

static const char message[] = "tiny";
static const char *const names[] = { message, message + 1 };
static int counter;
static int users;
static const char *current __ro_after_init = message;
static volatile char sealed[9000] __ro_after_init = "several pages";
static struct {
	long enabled;
	void *entries;
} key;

int tiny_add(int n)
{
	__asm__ volatile inline(LOCK_PREFIX "incl %0" : "+m"(users));
	if (STATIC_BRANCH(key))
		counter += n;
	printk(names[n & 1], counter);
	return counter;
}
EXPORT(tiny_add, "");

void tiny_gpl(void)
{
	if (STATIC_BRANCH(key))
		printk(current);
	secret_gpl(&counter);
}
EXPORT(tiny_gpl, "_gpl");

int __init init_module(void)
{
	current = names[1];
	sealed[counter & 1] = 's';
	__asm__ volatile inline(LOCK_PREFIX "incl %0" : "+m"(users));
	return tiny_add(1);
}

#ifdef BAD_RELOCATION
__asm__(".pushsection .rodata\n.short tiny_add\n.popsection\n");
#endif

#ifdef STRAY_LOCK
__asm__(".pushsection .text.stray, \"ax\"\nstray: nop\n.popsection\n"
	".pushsection .smp_locks, \"a\"\n.long stray - .\n.popsection\n");
#endif

#ifdef UNKNOWN_SYMBOL
extern int nobody_exports_this(void);
int (*pointer)(void) = nobody_exports_this;
#endif

void __exit cleanup_module(void)
{
	__asm__ volatile inline(LOCK_PREFIX "decl %0" : "+m"(users));
	tiny_gpl();
}

MODINFO(license, "GPL");
#ifndef NO_NAME
MODINFO(name, MODULE_NAME);
#endif
#ifdef LIVEPATCH
MODINFO(livepatch, "Y");
#endif
MODINFO(vermagic, "test SMP mod_unload ");
THIS_MODULE;
