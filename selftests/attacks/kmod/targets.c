// SPDX-License-Identifier: GPL-2.0-only
/*
 * Bytes to attack.  Each can be changed for a while without harm: nobody runs or reads it meanwhile.
 */
#include <linux/cache.h>
#include <linux/io.h>
#include <linux/jump_label.h>
#include <linux/kernel.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/reboot.h>
#include <asm/desc_defs.h>
#include <asm/realmode.h>

#include "attacks.h"

#define PADDING 0xcc
#define PADDING_RUN 4
#define PADDING_SEARCH 4096

/* Between functions, in front of one that is called once in a machine's life. */
unsigned long target_text(void)
{
	const u8 *text = (const u8 *)kernel_restart;
	unsigned int i, run = 0;

	for (i = 0; i < PADDING_SEARCH; i++) {
		run = text[i] == PADDING ? run + 1 : 0;
		if (run == PADDING_RUN)
			return (unsigned long)text + i;
	}
	return 0;
}

/* The NUL behind the digits. */
unsigned long target_rodata(void)
{
	return (unsigned long)hex_asc_upper + 16;
}

/* A number that is no system call. */
unsigned long target_syscall_table(void)
{
	unsigned long table = symbol("sys_call_table");

	return table ? table + 400 * sizeof(void *) : 0;
}

/* What a gate has no use for. */
unsigned long target_idt(void)
{
	unsigned long table = symbol("idt_table");

	return table ? table + offsetof(gate_desc, reserved) : 0;
}

unsigned long target_ksymtab(void)
{
	return symbol("__start___ksymtab");
}

unsigned long target_jump_table(void)
{
	unsigned long table = symbol("__start___jump_table");

	return table ? table + offsetof(struct jump_entry, target) : 0;
}

/* Read at boot alone. */
unsigned long target_ro_after_init(void)
{
	return symbol("rodata_enabled");
}

/* Where a CPU starts, the last byte of that code's page. */
unsigned long target_trampoline(void)
{
	struct real_mode_header **header = pointer("real_mode_header");

	return header && *header ? (unsigned long)__va((*header)->text_start) | ~PAGE_MASK : 0;
}

static noinline int never_called(int x)
{
	return x * 3;
}

unsigned long target_own_text(void)
{
	return (unsigned long)never_called;
}

static const u8 constants[] = "a constant of this module";

unsigned long target_own_rodata(void)
{
	return (unsigned long)constants;
}

static u8 sealed[16] __ro_after_init = { 1 };

unsigned long target_own_ro_after_init(void)
{
	return (unsigned long)sealed;
}

/* A stock module, whose functions and tables nobody uses. */
unsigned long target_module_text(void)
{
	return symbol("nls_cp866:uni2char");
}

unsigned long target_module_rodata(void)
{
	return symbol("nls_cp866:charset2uni");
}

/* Runs when the client is unloaded, which it is not. */
unsigned long target_client_text(void)
{
	return symbol("heki_client:client_text_patch_exit");
}

/* Read while the client locks. */
unsigned long target_client_rodata(void)
{
	return symbol("heki_client:lock_steps");
}

/* Of no use once the lock sequence is over. */
unsigned long target_client_data(void)
{
	return symbol("heki_client:certs_sent");
}

#define ENDBR 0xfa1e0ff3u
#define CALL 0xe8

/* The page of the trampoline that the kernel's text patching is taken over by; its last byte. */
unsigned long target_client_hook(void)
{
	unsigned long at = symbol("__text_poke"), to;

	if (!at)
		return 0;
	at += *(u32 *)at == ENDBR ? 4 : 0;
	if (*(u8 *)at != CALL)
		return 0;
	to = at + 5 + *(s32 *)(at + 1);
	return to | ~PAGE_MASK;
}
