/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the files of the client share.
 *
 * The client runs in the kernel that is protected.  Until end of boot it is trusted; from then on
 * nothing that it believes counts for VTL1, and everything that it shows of protection is read
 * back from VTL1.
 */
#ifndef HEKI_CLIENT_H
#define HEKI_CLIENT_H

#include <linux/atomic.h>
#include <linux/ftrace.h>
#include <linux/types.h>

#include <heki/heki.h>

#undef pr_fmt
#define pr_fmt(fmt) "heki_client: " fmt

struct module;
struct seq_file;

enum client_mode {
	CLIENT_OFF,
	CLIENT_AUDIT, /* refusals are reported; what VTL1 cannot stop goes through */
	CLIENT_ENFORCE /* refusals are final */
};

/* What becomes of a module that VTL1 does not accept. */
enum client_modules_policy {
	CLIENT_MODULES_REPORT, /* it is loaded all the same, and reported */
	CLIENT_MODULES_ENFORCE /* it is vetoed */
};

/* What becomes of a request to patch protected text where VTL1 lists no site for it. */
enum client_patches_policy {
	CLIENT_PATCHES_REPORT, /* made in audit; VTL1's refusals are reported */
	CLIENT_PATCHES_TRACING, /* function tracers work; all else is refused */
	CLIENT_PATCHES_STRICT /* refused where the kernel's interface can fail */
};

/* What this kernel may execute. */
enum client_exec_policy {
	CLIENT_EXEC_JIT, /* what VTL1 protects, and what nobody does */
	CLIENT_EXEC_STRICT /* what VTL1 protects */
};

enum client_phase {
	CLIENT_BOOTING, /* early load: until the return of mark_rodata_ro */
	CLIENT_WAITING, /* late load: until HEKI_IOC_LOCK */
	CLIENT_LOCKING, /* the lock sequence runs */
	CLIENT_LOCKED, /* end of boot is over */
	CLIENT_FAILED /* the lock sequence was refused: the system is not protected */
};

/* X(name): counters of the client, shown in "counters" as client_NAME. */
#define CLIENT_COUNTERS(X)                                                                         \
	X(calls) /* entries into VTL1 */                                                           \
	X(calls_continued) /* of these, that ended with EAGAIN */                                  \
	X(calls_waited) /* of these, that found VTL1 busy and were made again */                   \
	X(calls_failed)                                                                            \
	X(reports) /* client_report() */                                                           \
	X(modules_seen) /* files at load_module */                                                 \
	X(modules_vetoed)                                                                          \
	X(modules_reported) /* refused by VTL1, loaded all the same */                             \
	X(pokes) /* calls of __text_poke */                                                        \
	X(pokes_unprotected) /* of text that VTL1 does not protect */                              \
	X(pokes_kept) /* left out: of memory for BPF programs, with exec=strict */                 \
	X(pokes_allowed) /* written by VTL1 */                                                     \
	X(pokes_batched) /* of pokes_allowed: by a batch */                                        \
	X(batches) /* that VTL1 has written */                                                     \
	X(batches_refused) /* their pokes were then made one by one */                             \
	X(pokes_refused)                                                                           \
	X(pokes_unlisted) /* of pokes_refused: VTL1 knows no such site */                          \
	X(patches_refused) /* kprobes, tracers, BPF, live patches, by patches=strict */            \
	X(kexec_validated)                                                                         \
	X(kexec_refused)

enum client_counter {
#define CLIENT_COUNTER_ENUM(name) CLIENT_COUNT_##name,
	CLIENT_COUNTERS(CLIENT_COUNTER_ENUM)
#undef CLIENT_COUNTER_ENUM
	CLIENT_COUNTER_COUNT
};

/**
 * struct client - state of the client
 * @mode:     never changes after load but to a stricter one
 * @modules:  the same
 * @patches:  the same
 * @exec:     the same
 * @phase:    see client_phase(); written by the lock sequence alone
 * @early:    loaded during initcalls
 * @text_protected: with the grade enforce, from PROTECT_MEMORY on: only VTL1 can patch text
 * @grade:    of VTL1, from QUERY
 * @features: of VTL1, from QUERY
 * @counters: by enum client_counter
 */
struct client {
	enum client_mode mode;
	enum client_modules_policy modules;
	enum client_patches_policy patches;
	enum client_exec_policy exec;
	enum client_phase phase;
	bool early;
	bool text_protected;
	u32 grade;
	u64 features;
	atomic64_t counters[CLIENT_COUNTER_COUNT];
};

extern struct client client;

static inline enum client_phase client_phase(void)
{
	/* Pairs with the release of the lock sequence: what it has sent is done. */
	return smp_load_acquire(&client.phase);
}

static inline bool client_locked(void)
{
	return client_phase() == CLIENT_LOCKED;
}

/* VTL1 stops what it refuses: to go on without it would be a fault. */
static inline bool client_enforced(void)
{
	return client.grade == HEKI_GRADE_ENFORCE;
}

/* Refusals are final, because it was asked for or because VTL1 makes them so. */
static inline bool client_final(void)
{
	return READ_ONCE(client.mode) == CLIENT_ENFORCE || client_enforced();
}

/* VTL1 offers what the mode asks for. */
static inline bool client_mode_met(void)
{
	return READ_ONCE(client.mode) != CLIENT_ENFORCE || client_enforced();
}

static inline void client_count(enum client_counter counter)
{
	atomic64_inc(&client.counters[counter]);
}

static inline void client_count_many(enum client_counter counter, unsigned int n)
{
	atomic64_add(n, &client.counters[counter]);
}

/* main.c: names of the policies in force. */
const char *client_mode_name(void);
const char *client_modules_policy_name(void);
const char *client_patches_policy_name(void);
const char *client_exec_policy_name(void);

/* lookup.c */

/**
 * client_symbol() - address of a symbol of the kernel, exported or not
 * @name: its name
 *
 * To call a function found so, use a static call (DEFINE_STATIC_CALL_NULL, static_call_update): its
 * ENDBR may be sealed, an indirect call would fault.
 *
 * Return: the address, or 0
 */
unsigned long client_symbol(const char *name);

/* transport.c */

/**
 * client_call() - make one vtlcall
 * @id: HEKI_CALL_*
 * @p0: first parameter
 * @p1: second parameter
 * @p2: third parameter
 *
 * Calls of HEKI_CONTEXT_ATOMIC may be made in any context but NMI, all others only where sleeping
 * is allowed. A long call is continued until it has come to its end, interrupts on and other tasks
 * let in between two entries; it waits when other long calls have taken all of VTL1's slots.
 *
 * Return: VTL1's result: >= 0, or -errno
 */
int client_call(u32 id, u64 p0, u64 p1, u64 p2);

/* The same for a call of HEKI_CONTEXT_ATOMIC. */
int client_call_atomic(u32 id, u64 p0, u64 p1, u64 p2);

/**
 * client_refusal() - why did VTL1 refuse a call?
 * @id:     HEKI_CALL_* that has just failed; 0 for any
 * @record: filled with the newest refusal of this call in VTL1's log
 *
 * May sleep.
 *
 * Return: whether there is one
 */
bool client_refusal(u32 id, struct heki_log_record *record);

/* ranges.c */

/**
 * struct client_ranges - ranges of this kernel, as a chain of heki_pages
 * @first: first page, NULL while empty
 * @last:  last page
 * @count: ranges in all pages
 */
struct client_ranges {
	struct heki_page *first;
	struct heki_page *last;
	u64 count;
};

void client_ranges_init(struct client_ranges *ranges);

/**
 * client_ranges_add() - append memory
 * @ranges:     the chain
 * @va:         start: vmalloc area, module area, kernel image or direct map; any alignment
 * @size:       bytes; 0 adds nothing
 * @attributes: attributes of the ranges
 *
 * Cut at page boundaries; neighbours are merged only when virtual and physical addresses both run
 * on and the attributes are equal. May sleep.
 *
 * Return: 0, -ENOMEM, or -EFAULT for memory that is not mapped
 */
int client_ranges_add(struct client_ranges *ranges, const void *va, size_t size, u64 attributes);

/* Physical address of a byte of such memory; 0 when it is not mapped. */
phys_addr_t client_phys(unsigned long va);

/**
 * client_ranges_call() - make a call that takes a chain
 * @ranges: the chain, not empty
 * @id:     HEKI_CALL_*
 * @p2:     third parameter
 *
 * Return: as client_call()
 */
int client_ranges_call(struct client_ranges *ranges, u32 id, u64 p2);

/* Free the chain (not what it describes) and make it empty. */
void client_ranges_free(struct client_ranges *ranges);

/* patch_sites.c */

/**
 * client_patch_sites_module() - collect the patch sites of a module that VTL1 gets no file of
 * @ranges: receives the ranges of the buffer, as HEKI_MOD_PATCH
 * @mod:    the module, live
 * @text:   its text
 * @size:   bytes of it
 * @buffer: the buffer; to be freed with vfree() after the call, on errors too
 *
 * Takes ftrace_lock and text_mutex.
 *
 * Return: 0 or -errno
 */
int client_patch_sites_module(struct client_ranges *ranges, const struct module *mod,
			      const void *text, size_t size, void **buffer);

/* report.c */

/**
 * client_report() - tell of something that was refused or is not as it should be
 * @what:  stable name of the event: "module", "poke", "patching", "kexec", "violation", "lock",
 *         "registers", "vtl1", "power"
 * @name:  what it is about: a module, a symbol; or "-"
 * @error: -errno
 * @text:  details for people, without kernel addresses
 *
 * Rate-limited message, tracepoint heki:heki_refusal, audit record, counter. Any context but NMI.
 */
void client_report(const char *what, const char *name, int error, const char *text);

/**
 * client_trace_module() - tracepoint heki:heki_module
 * @name:   of the module
 * @event:  "validated", "refused", "init_freed", "unloaded"
 * @result: of the call
 */
void client_trace_module(const char *name, const char *event, int result);

/* hooks.c */

/**
 * struct client_hook - a function of the kernel that is taken over
 * @symbol:      its name
 * @replacement: runs in its stead, in its context, with its arguments; calls the original by a
 *               static call of @address
 * @address:     where the original goes on, behind its call of ftrace: what is entered there is
 *               not taken over again; found before anything is switched on
 * @ops:         of one with an ftrace_ops of its own: IPMODIFY and PERMANENT
 * @own:         that one is on
 * @list:        hooks in place
 */
struct client_hook {
	const char *symbol;
	void *replacement;
	unsigned long address;
	struct ftrace_ops ops;
	bool own;
	struct list_head list;
};

/**
 * client_hook_add() - take a function over together with others
 * @hook:    symbol and replacement are set
 * @prepare: as for client_hook_install()
 *
 * Only while client_hooks_init() runs, which switches all of them on at its end; they are switched
 * off before any of them is removed.
 *
 * Return: 0, -ENOENT when there is no such function, -EOPNOTSUPP when ftrace does not reach it
 */
int client_hook_add(struct client_hook *hook, void (*prepare)(struct client_hook *hook));

/**
 * client_hook_install() - take a function over at once
 * @hook:    symbol and replacement are set
 * @prepare: called with hook->address known and the hook still off, to point the static call of
 *           the original there; may be NULL
 *
 * Return: 0, -ENOENT when there is no such function, or the error of ftrace
 */
int client_hook_install(struct client_hook *hook, void (*prepare)(struct client_hook *hook));

/* No call is inside the replacement any more when this returns. A hook not in place is ignored. */
void client_hook_remove(struct client_hook *hook);

/* Print "hooks=NAME,NAME" for those in place. */
void client_hooks_show(struct seq_file *m);

/* Memory that is executed and never changes again. */
#define CLIENT_TEXT_ATTRIBUTES (HEKI_ATTR_READ | HEKI_ATTR_EXEC | HEKI_ATTR_IMMUTABLE)

/* exec.c */

/* Whether this kernel executes only what VTL1 protects. */
bool client_exec_strict(void);

/**
 * client_exec_protect() - what is executable already, for PROTECT_MEMORY
 * @ranges: receives it; nothing without exec=strict
 *
 * Return: 0 or -errno
 */
int client_exec_protect(struct client_ranges *ranges);

/* With exec=strict, from the begin of the lock sequence on: nothing new is to become executable. */
bool client_exec_closed(void);

/* Is this in memory for BPF programs that was there then? VTL1 keeps it; any context. */
bool client_exec_kept(unsigned long address);

/* The client goes, which it does only where nothing was protected for good. */
void client_exec_exit(void);

/* Tell VTL1 the policies: 0, or -EOPNOTSUPP when it cannot hold one of them. */
int client_exec_send(void);

/**
 * client_hooks_protect() - the trampolines of the hooks, for PROTECT_MEMORY
 * @ranges: receives their pages
 *
 * ftrace makes one for each ops and changes it no more; one is never freed while its ops is on. What
 * probes execute (policy.c) lies in a page that the kernel's other probes share: it is left out.
 *
 * Return: 0 or -errno
 */
int client_hooks_protect(struct client_ranges *ranges);

/* The hooks of modules, text patches and kexec; made at load, before anything is sent. */
int client_hooks_init(void);
void client_hooks_exit(void);

/* modules.c */

/**
 * client_modules_loaded_before() - send the modules that were loaded before the client
 *
 * Made once by the lock sequence. Those that were offered and validated are left out, all others
 * (this client and its transport included) are sent as unverified.
 *
 * Return: 0 or -errno
 */
int client_modules_loaded_before(void);

/**
 * client_modules_offer() - give the file of a module that was loaded before the client
 * @elf: its file, uncompressed, with the signature; copied
 * @n:   bytes
 *
 * Before lock only. VTL1 judges it in the lock sequence, when it has the kernel's symbols and
 * everything that the module depends on; what it refuses is reported and recorded as unverified.
 *
 * Return: 0, -ENOENT when no such module is loaded, -ENOEXEC when the file is no module, -EPERM
 * after lock
 */
int client_modules_offer(const void *elf, size_t n);

#endif /* HEKI_CLIENT_H */
