// SPDX-License-Identifier: GPL-2.0-only
/*
 * The records of VTL1's lists as text.
 *
 * What is shown is VTL1's; a value that this client does not know is shown as its number.
 */
#include <linux/ctype.h>
#include <linux/kernel.h>
#include <linux/string.h>

#include "show.h"

void show_text(struct seq_file *m, const char *key, const char *text, size_t size)
{
	size_t i, n = strnlen(text, size);

	seq_printf(m, "%s=", key);
	for (i = 0; i < n; i++) {
		u8 c = text[i];

		if (c <= ' ' || c == '%' || c == 0x7f)
			seq_printf(m, "%%%02X", c);
		else
			seq_putc(m, c);
	}
}

void show_bytes(struct seq_file *m, const char *key, const u8 *bytes, size_t n)
{
	seq_printf(m, " %s=%*phN", key, (int)n, bytes);
}

static void show_hex(struct seq_file *m, const char *key, u64 value)
{
	seq_printf(m, " %s=%#llx", key, value);
}

static void show_number(struct seq_file *m, const char *key, u64 value)
{
	seq_printf(m, " %s=%llu", key, value);
}

/* A name out of a table, or the number. */
static void show_name(struct seq_file *m, const char *key, const char *const *names, size_t n,
		      u64 value)
{
	if (value < n && names[value])
		seq_printf(m, " %s=%s", key, names[value]);
	else
		show_number(m, key, value);
}

static const char *const memory_names[HEKI_MOD_MEM_TYPES] = {
	[HEKI_MOD_TEXT] = "text",
	[HEKI_MOD_DATA] = "data",
	[HEKI_MOD_RODATA] = "rodata",
	[HEKI_MOD_RO_AFTER_INIT] = "ro_after_init",
	[HEKI_MOD_INIT_TEXT] = "init_text",
	[HEKI_MOD_INIT_DATA] = "init_data",
	[HEKI_MOD_INIT_RODATA] = "init_rodata",
};

static const char *const owner_names[] = {
	[HEKI_OWNER_KERNEL - HEKI_OWNER_KERNEL] = "kernel",
	[HEKI_OWNER_KEXEC - HEKI_OWNER_KERNEL] = "kexec",
	[HEKI_OWNER_CRASH - HEKI_OWNER_KERNEL] = "crash",
	[HEKI_OWNER_RING - HEKI_OWNER_KERNEL] = "ring",
	[HEKI_OWNER_TRAMPOLINE - HEKI_OWNER_KERNEL] = "trampoline",
};

static void show_owner(struct seq_file *m, u32 owner)
{
	if (owner >= HEKI_OWNER_KERNEL && owner - HEKI_OWNER_KERNEL < ARRAY_SIZE(owner_names))
		seq_printf(m, " owner=%s", owner_names[owner - HEKI_OWNER_KERNEL]);
	else
		show_number(m, "owner", owner);
}

static const char *const state_names[] = {
	[HEKI_MODULE_STATE_VALIDATING] = "validating",
	[HEKI_MODULE_STATE_COMING] = "coming",
	[HEKI_MODULE_STATE_READY] = "ready",
};

static void module_flags(struct seq_file *m, u32 flags)
{
	bool both = (flags & HEKI_MODULE_LIVE) && (flags & HEKI_MODULE_UNVERIFIED);

	seq_printf(m, " flags=%s%s%s", flags & HEKI_MODULE_LIVE ? "live" : "", both ? "," : "",
		   flags & HEKI_MODULE_UNVERIFIED ? "unverified" : "");
}

static void show_module(struct seq_file *m, const void *entry)
{
	const struct heki_list_module *mod = entry;
	size_t i;

	show_text(m, "name", mod->name, sizeof(mod->name));
	show_number(m, "token", mod->token);
	show_name(m, "state", state_names, ARRAY_SIZE(state_names), mod->state);
	module_flags(m, mod->flags);
	for (i = 0; i < HEKI_MOD_MEM_TYPES; i++)
		seq_printf(m, " pages_%s=%u", memory_names[i], mod->pages[i]);
	show_number(m, "relocations", mod->relocations);
	show_number(m, "sites", mod->sites);
	show_number(m, "patches", mod->patches);
	show_number(m, "exports", mod->exports);
	show_number(m, "users", mod->users);
	show_number(m, "text_bytes", mod->text_bytes);
	show_bytes(m, "sha256", mod->sha256, sizeof(mod->sha256));
	if (mod->signer == U32_MAX)
		seq_puts(m, " signer=none");
	else
		show_number(m, "signer", mod->signer);
}

static const char *const account_names[HEKI_ACCOUNT_COUNT] = {
	[HEKI_ACCOUNT_ELF] = "elf",
	[HEKI_ACCOUNT_RELOCATED] = "relocated",
	[HEKI_ACCOUNT_SORTED] = "sorted",
	[HEKI_ACCOUNT_PADDING] = "padding",
	[HEKI_ACCOUNT_ALTERNATIVE] = "alternative",
	[HEKI_ACCOUNT_PARAVIRT] = "paravirt",
	[HEKI_ACCOUNT_RETPOLINE] = "retpoline",
	[HEKI_ACCOUNT_RETURN] = "return",
	[HEKI_ACCOUNT_CALL] = "call",
	[HEKI_ACCOUNT_ENDBR] = "endbr",
	[HEKI_ACCOUNT_SMP_LOCK] = "smp_lock",
	[HEKI_ACCOUNT_MCOUNT] = "mcount",
	[HEKI_ACCOUNT_STATIC_CALL] = "static_call",
	[HEKI_ACCOUNT_JUMP_LABEL] = "jump_label",
};

static void show_account(struct seq_file *m, const void *entry)
{
	const struct heki_list_account *account = entry;
	size_t i;

	show_text(m, "name", account->name, sizeof(account->name));
	show_number(m, "token", account->token);
	module_flags(m, account->flags);
	for (i = 0; i < HEKI_MOD_MEM_TYPES; i++)
		seq_printf(m, " compared_%s=%u", memory_names[i], account->memory[i]);
	for (i = 0; i < HEKI_ACCOUNT_COUNT; i++)
		seq_printf(m, " %s=%u", account_names[i], account->bytes[i]);
}

static const char *const set_names[] = {
	[HEKI_CERTS_SYSTEM] = "system",
	[HEKI_CERTS_SECONDARY] = "secondary",
	[HEKI_CERTS_KEXEC] = "kexec",
	[HEKI_CERTS_REVOKED] = "revoked",
};

static void show_cert(struct seq_file *m, const void *entry)
{
	const struct heki_list_cert *cert = entry;

	if (cert->set < ARRAY_SIZE(set_names))
		seq_printf(m, "set=%s", set_names[cert->set]);
	else
		seq_printf(m, "set=%u", cert->set);
	show_number(m, "der_size", cert->der_size);
	show_bytes(m, "sha256", cert->sha256, sizeof(cert->sha256));
	seq_putc(m, ' ');
	show_text(m, "subject", cert->subject, sizeof(cert->subject));
}

static void show_frame(struct seq_file *m, const void *entry)
{
	const struct heki_list_frame *frame = entry;
	u8 a = frame->attributes;

	seq_printf(m, "pa=%#llx", frame->pa);
	show_owner(m, frame->owner);
	seq_printf(m, " attributes=%s%s%s%s", a & HEKI_ATTR_READ ? "r" : "",
		   a & HEKI_ATTR_WRITE ? "w" : "", a & HEKI_ATTR_EXEC ? "x" : "",
		   a & HEKI_ATTR_IMMUTABLE ? "i" : "");
	if (frame->kind == 0xff)
		seq_puts(m, " kind=none");
	else
		show_name(m, "kind", memory_names, ARRAY_SIZE(memory_names), frame->kind);
	show_number(m, "hashed", frame->hashed);
}

static const char *patch_type(u32 type)
{
	switch (type) {
	case HEKI_PATCH_JUMP_LABEL:
		return "jump_label";
	case HEKI_PATCH_STATIC_CALL:
		return "static_call";
	case HEKI_PATCH_MCOUNT:
		return "mcount";
	case HEKI_PATCH_TRACER_CALL:
		return "tracer_call";
	case HEKI_PATCH_SMP_LOCK:
		return "smp_lock";
	default:
		return NULL;
	}
}

static void show_patch(struct seq_file *m, const void *entry)
{
	const struct heki_list_patch *site = entry;
	const char *type = patch_type(site->type);
	u8 size = min_t(u8, site->patch.size, HEKI_POKE_MAX);

	seq_printf(m, "pa=%#llx", site->patch.pa[0]);
	show_hex(m, "next_pa", site->patch.pa[1]);
	show_number(m, "size", site->patch.size);
	show_bytes(m, "code", site->patch.code, size);
	if (type)
		seq_printf(m, " type=%s", type);
	else
		show_number(m, "type", site->type);
	show_owner(m, site->owner);
	show_bytes(m, "current", site->there, size);
}

static void show_vp(struct seq_file *m, const void *entry)
{
	const struct heki_list_vp *vp = entry;

	seq_printf(m, "vp=%u starts=%u", vp->vp, vp->starts);
	show_hex(m, "cr0", vp->regs.cr0);
	show_hex(m, "cr4", vp->regs.cr4);
	show_hex(m, "efer", vp->regs.efer);
	show_hex(m, "apic_base", vp->regs.apic_base);
	show_hex(m, "sysenter_cs", vp->regs.sysenter_cs);
	show_hex(m, "sysenter_eip", vp->regs.sysenter_eip);
	show_hex(m, "sysenter_esp", vp->regs.sysenter_esp);
	show_hex(m, "star", vp->regs.star);
	show_hex(m, "lstar", vp->regs.lstar);
	show_hex(m, "cstar", vp->regs.cstar);
	show_hex(m, "sfmask", vp->regs.sfmask);
}

static const char *const event_names[] = {
	[HEKI_LOG_REFUSAL] = "refusal",
	[HEKI_LOG_END_OF_BOOT] = "end_of_boot",
	[HEKI_LOG_MODULE] = "module",
	[HEKI_LOG_UNLOAD] = "unload",
	[HEKI_LOG_KEXEC] = "kexec",
	[HEKI_LOG_KEY] = "key",
	[HEKI_LOG_VIOLATION] = "violation",
	[HEKI_LOG_TRUNCATED] = "truncated",
	[HEKI_LOG_INTERCEPT] = "intercept",
	[HEKI_LOG_FAULT] = "fault",
};

static void show_log(struct seq_file *m, const void *entry)
{
	const struct heki_log_record *record = entry;

	seq_printf(m, "seq=%llu time_ns=%llu", record->seq, record->time_ns);
	show_name(m, "event", event_names, ARRAY_SIZE(event_names), record->event);
	if (record->call && *client_call_name(record->call) == '?')
		show_number(m, "call", record->call);
	else
		seq_printf(m, " call=%s", record->call ? client_call_name(record->call) : "none");
	if (*client_error_name(record->error) == '?')
		show_number(m, "error", record->error);
	else
		seq_printf(m, " error=%s", client_error_name(record->error));
	show_hex(m, "address", record->address);
	show_number(m, "vp", record->vp);
	seq_putc(m, ' ');
	show_text(m, "name", record->name, sizeof(record->name));
	seq_putc(m, ' ');
	show_text(m, "text", record->text, sizeof(record->text));
	show_number(m, "omitted", record->omitted);
}

const struct show_list show_lists[] = {
	{ "modules", HEKI_LIST_MODULES, 0444, sizeof(struct heki_list_module), show_module },
	{ "certs", HEKI_LIST_CERTS, 0444, sizeof(struct heki_list_cert), show_cert },
	{ "protections", HEKI_LIST_FRAMES, 0400, sizeof(struct heki_list_frame), show_frame },
	{ "patches", HEKI_LIST_PATCHES, 0400, sizeof(struct heki_list_patch), show_patch },
	{ "registers", HEKI_LIST_VPS, 0400, sizeof(struct heki_list_vp), show_vp },
	{ "accounts", HEKI_LIST_ACCOUNTS, 0444, sizeof(struct heki_list_account), show_account },
	{ "log", HEKI_LIST_LOG, 0400, sizeof(struct heki_log_record), show_log },
};

const size_t show_lists_count = ARRAY_SIZE(show_lists);
