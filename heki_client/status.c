// SPDX-License-Identifier: GPL-2.0-only
/*
 * /sys/kernel/security/heki/: what VTL1 says of itself, and the state of the client.
 *
 * The files tell VTL1's truth as long as this kernel is not under attack: who has its memory can
 * show anything here.
 */
#include <linux/cpumask.h>
#include <linux/fs.h>
#include <linux/gfp.h>
#include <linux/module.h>
#include <linux/security.h>
#include <linux/utsname.h>

#include <heki/device.h>

#include "show.h"

static const char *const phase_names[] = {
	[CLIENT_BOOTING] = "waiting",
	[CLIENT_WAITING] = "waiting",
	[CLIENT_LOCKING] = "waiting",
	[CLIENT_LOCKED] = "locked",
	[CLIENT_FAILED] = "failed",
};

static void show_query(struct seq_file *m, const struct heki_query_reply *q)
{
	seq_printf(m, "abi_version=%u\n", q->abi_version);
	seq_printf(m, "grade=%s\n", q->grade == HEKI_GRADE_ENFORCE ? "enforce" : "audit");
	seq_printf(m, "security_boundary=%s\n", q->grade == HEKI_GRADE_ENFORCE ? "yes" : "no");
	seq_printf(m, "features=%#llx\n", q->features);
	seq_printf(m, "calls=%u\nerrors=%u\n", q->calls, q->errors);
	seq_printf(m, "end_of_boot=%u\n", q->end_of_boot);
	show_text(m, "host", q->host, sizeof(q->host));
	seq_putc(m, '\n');
}

/* The plain numbers of STATS, in the order of the structure. */
#define STATS_FIELDS(X)                                                                            \
	X(pages_text)                                                                              \
	X(pages_rodata)                                                                            \
	X(pages_data)                                                                              \
	X(pages_module)                                                                            \
	X(symbols)                                                                                 \
	X(symbols_gpl)                                                                             \
	X(symbols_module)                                                                          \
	X(patches_kernel)                                                                          \
	X(patches_module)                                                                          \
	X(patch_allowed)                                                                           \
	X(patch_refused)                                                                           \
	X(modules_validated)                                                                       \
	X(modules_refused)                                                                         \
	X(modules_live)                                                                            \
	X(modules_unverified)                                                                      \
	X(relocations)                                                                             \
	X(sites)                                                                                   \
	X(certs_system)                                                                            \
	X(certs_secondary)                                                                         \
	X(certs_kexec)                                                                             \
	X(certs_revoked)                                                                           \
	X(blocklist_hashes)                                                                        \
	X(vps_locked)                                                                              \
	X(kexec_slots)                                                                             \
	X(audits)                                                                                  \
	X(violations)                                                                              \
	X(log_written)                                                                             \
	X(log_dropped)                                                                             \
	X(jump_labels_kernel)                                                                      \
	X(continued)                                                                               \
	X(abandoned)                                                                               \
	X(log_omitted)                                                                             \
	X(intercepts)

static void show_stats(struct seq_file *m, const struct heki_stats_reply *s)
{
#define STATS_SHOW(field) seq_printf(m, #field "=%llu\n", s->field);
	STATS_FIELDS(STATS_SHOW)
#undef STATS_SHOW
}

static u64 counter(enum client_counter index)
{
	return atomic64_read(&client.counters[index]);
}

static void show_client(struct seq_file *m)
{
	seq_printf(m, "mode=%s\n", client_mode_name());
	seq_printf(m, "modules_policy=%s\n", client_modules_policy_name());
	seq_printf(m, "patches_policy=%s\n", client_patches_policy_name());
	seq_printf(m, "exec_policy=%s\n", client_exec_policy_name());
	seq_printf(m, "load=%s\n", client.early ? "early" : "late");
	seq_printf(m, "phase=%s\n", phase_names[client_phase()]);
	seq_printf(m, "unload=%s\n", client_pinned() ? "refused" : "allowed");
	seq_printf(m, "transport=%s\n", client_transport_name());
	show_text(m, "kernel_release", init_utsname()->release, __NEW_UTS_LEN);
	seq_putc(m, '\n');
	seq_printf(m, "cpus_online=%u\n", num_online_cpus());
	seq_printf(m, "poke_unlisted=%llu\n", counter(CLIENT_COUNT_pokes_unlisted));
	seq_printf(m, "poke_refused=%llu\n", counter(CLIENT_COUNT_pokes_refused));
	client_hooks_show(m);
}

/* A page for a reply, VTL1 asked once; NULL when it does not answer. */
static void *reply_get(u32 id)
{
	void *page = (void *)get_zeroed_page(GFP_KERNEL);

	if (page && client_reply(id, 0, 0, page)) {
		free_page((unsigned long)page);
		return NULL;
	}
	return page;
}

static void reply_put(void *page)
{
	free_page((unsigned long)page);
}

static int status_show(struct seq_file *m, void *unused)
{
	void *query = reply_get(HEKI_CALL_QUERY), *stats = reply_get(HEKI_CALL_STATS);
	int error = query && stats ? 0 : -EIO;

	if (!error) {
		seq_printf(m, "heki-status %u\n", HEKI_SECURITYFS_VERSION);
		show_query(m, query);
		show_stats(m, stats);
		show_client(m);
	}
	reply_put(stats);
	reply_put(query);
	return error;
}
DEFINE_SHOW_ATTRIBUTE(status);

static void show_call_counters(struct seq_file *m, const struct heki_stats_reply *s)
{
#define CALL_COUNTERS(id, name, handler, phase, context, arguments)                                \
	seq_printf(m, "calls." #name "=%llu\n", s->calls[HEKI_INDEX_##name]);                      \
	seq_printf(m, "refusals." #name "=%llu\n", s->refusals[HEKI_INDEX_##name]);                \
	seq_printf(m, "scratch_kib." #name "=%u\n", s->scratch_kib[HEKI_INDEX_##name]);
	HEKI_CALLS(CALL_COUNTERS)
#undef CALL_COUNTERS
}

static void show_error_counters(struct seq_file *m, const struct heki_stats_reply *s)
{
#define ERROR_COUNTER(name, number, text)                                                          \
	seq_printf(m, "errors." #name "=%llu\n", s->errors[HEKI_E_##name]);
	HEKI_ERRORS(ERROR_COUNTER)
#undef ERROR_COUNTER
}

static const char *const budget_names[HEKI_BUDGET_COUNT] = {
	[HEKI_BUDGET_MODULES] = "modules",
	[HEKI_BUDGET_FRAMES] = "frames",
	[HEKI_BUDGET_SYMBOLS] = "symbols",
	[HEKI_BUDGET_PATCHES] = "patches",
	[HEKI_BUDGET_CERTS] = "certs",
	[HEKI_BUDGET_HASHES] = "hashes",
	[HEKI_BUDGET_DEPS] = "deps",
	[HEKI_BUDGET_SCRATCH_KIB] = "scratch_kib",
	[HEKI_BUDGET_FUNCTIONS] = "functions",
	[HEKI_BUDGET_MODULE_FUNCTIONS] = "module_functions",
	[HEKI_BUDGET_SLOTS] = "slots",
	[HEKI_BUDGET_ENTRY_PAGES] = "entry_pages",
};

static void show_budgets(struct seq_file *m, const struct heki_stats_reply *s)
{
	size_t i;

	for (i = 0; i < HEKI_BUDGET_COUNT; i++) {
		const struct heki_budget *budget = &s->budgets[i];

		seq_printf(m, "budget.%s.used=%u\n", budget_names[i], budget->used);
		seq_printf(m, "budget.%s.peak=%u\n", budget_names[i], budget->peak);
		seq_printf(m, "budget.%s.limit=%u\n", budget_names[i], budget->limit);
	}
}

static void show_client_counters(struct seq_file *m)
{
#define CLIENT_COUNTER(name) seq_printf(m, "client_" #name "=%llu\n", counter(CLIENT_COUNT_##name));
	CLIENT_COUNTERS(CLIENT_COUNTER)
#undef CLIENT_COUNTER
}

static int counters_show(struct seq_file *m, void *unused)
{
	void *stats = reply_get(HEKI_CALL_STATS);

	if (!stats)
		return -EIO;
	seq_printf(m, "heki-counters %u\n", HEKI_SECURITYFS_VERSION);
	show_call_counters(m, stats);
	show_error_counters(m, stats);
	show_budgets(m, stats);
	show_client_counters(m);
	reply_put(stats);
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(counters);

/* The directory, two files, and the lists: removed in reverse. */
#define FILES_MAX 16

static struct dentry *files[FILES_MAX];
static size_t files_count;

static int file_keep(struct dentry *file)
{
	if (IS_ERR(file))
		return PTR_ERR(file);
	files[files_count++] = file;
	return 0;
}

static int files_create(void)
{
	struct dentry *dir;
	int error;
	size_t i;

	error = file_keep(securityfs_create_dir(HEKI_SECURITYFS_DIR, NULL));
	if (error)
		return error;
	dir = files[0];
	error = file_keep(securityfs_create_file("status", 0444, dir, NULL, &status_fops));
	if (!error)
		error = file_keep(securityfs_create_file("counters", 0444, dir, NULL,
							 &counters_fops));
	for (i = 0; !error && i < show_lists_count; i++)
		error = file_keep(securityfs_create_file(show_lists[i].name, show_lists[i].mode,
							 dir, (void *)&show_lists[i],
							 &show_list_fops));
	return error;
}

int client_status_init(void)
{
	int error = files_create();

	if (error)
		client_status_exit();
	return error;
}

void client_status_exit(void)
{
	while (files_count)
		securityfs_remove(files[--files_count]);
}
