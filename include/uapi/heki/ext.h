/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note */
/*
 * Replies of the extensions QUERY, STATS, AUDIT and LIST.  Each fills one page of VTL0's, page
 * aligned and not protected.
 */
#ifndef _UAPI_HEKI_EXT_H
#define _UAPI_HEKI_EXT_H

#include "calls.h"
#include "data.h"
#include "errors.h"

/* Grade of protection. */
enum heki_grade {
	HEKI_GRADE_AUDIT = 1, /* finds mistakes; no security boundary */
	HEKI_GRADE_ENFORCE = 2 /* writes to protected frames fail */
};

/* Features of VTL1. */
#define HEKI_FEATURE_STATS (1ull << 0)
#define HEKI_FEATURE_AUDIT (1ull << 1)
#define HEKI_FEATURE_LIST (1ull << 2)
#define HEKI_FEATURE_REVOKE (1ull << 3)
#define HEKI_FEATURE_KEXEC_SEGMENTS (1ull << 4)
#define HEKI_FEATURE_PATCH_TYPES (1ull << 5) /* static calls and mcount sites */
#define HEKI_FEATURE_UNVERIFIED (1ull << 6) /* HEKI_MODULE_LIVE, HEKI_MODULE_UNVERIFIED */
#define HEKI_FEATURE_ACCOUNTS (1ull << 7) /* HEKI_LIST_ACCOUNTS */
#define HEKI_FEATURE_SNAPSHOT (1ull << 8) /* SNAPSHOT, FUNCTIONS, TRACERS, PV_OPS, TRACER_CALL */
#define HEKI_FEATURE_CONTINUE (1ull << 9) /* HEKI_QUERY_CONTINUES */
#define HEKI_FEATURE_SMP_LOCKS (1ull << 10) /* HEKI_PATCH_SMP_LOCK */
#define HEKI_FEATURE_PATCH_BATCH (1ull << 11) /* PATCH_TEXT_BATCH */
#define HEKI_FEATURE_POLICY (1ull << 12) /* SET_POLICY */
#define HEKI_FEATURE_EXEC_STRICT (1ull << 13) /* HEKI_POLICY_EXEC_STRICT */

/* Reply of QUERY.  With reply_pa 0 the call only returns HEKI_ABI_VERSION. */
struct heki_query_reply {
	uint32_t abi_version;
	uint32_t grade;
	uint64_t features;
	uint32_t calls; /* HEKI_CALL_COUNT */
	uint32_t errors; /* HEKI_ERROR_COUNT */
	uint32_t end_of_boot; /* 1 after SIGNAL_END_OF_BOOT */
	uint32_t policy; /* HEKI_POLICY_*, final after that */
	char host[32]; /* "vtl1_shim.ko", "vtl1.elf", "user" */
};
HEKI_ASSERT_SIZE(struct heki_query_reply, 64);

/* A budget of VTL1's: units in use, most ever in use, limit. */
struct heki_budget {
	uint32_t used;
	uint32_t peak;
	uint32_t limit;
};
HEKI_ASSERT_SIZE(struct heki_budget, 12);

enum heki_budget_index {
	HEKI_BUDGET_MODULES,
	HEKI_BUDGET_FRAMES, /* protected pages */
	HEKI_BUDGET_SYMBOLS,
	HEKI_BUDGET_PATCHES,
	HEKI_BUDGET_CERTS,
	HEKI_BUDGET_HASHES, /* blocklist */
	HEKI_BUDGET_DEPS, /* module dependencies */
	HEKI_BUDGET_SCRATCH_KIB, /* memory of running calls */
	HEKI_BUDGET_FUNCTIONS, /* function starts of the kernel */
	HEKI_BUDGET_MODULE_FUNCTIONS, /* of modules, in blocks of up to 12 */
	HEKI_BUDGET_SLOTS, /* long calls that are being served, between two entries too */
	HEKI_BUDGET_ENTRY_PAGES, /* work of one entry; used: of the last one */
	HEKI_BUDGET_COUNT
};

/* Reply of STATS. */
struct heki_stats_reply {
	uint64_t calls[32]; /* by enum heki_call_index */
	uint64_t refusals[32]; /* the same calls that failed */
	uint64_t errors[128]; /* by enum heki_error */
	struct heki_budget budgets[16]; /* by enum heki_budget_index */
	uint64_t pages_text; /* protected, executable */
	uint64_t pages_rodata; /* protected, read-only */
	uint64_t pages_data; /* owned by modules, writable */
	uint64_t pages_module; /* of these all, owned by modules */
	uint64_t symbols; /* kernel, plain */
	uint64_t symbols_gpl; /* kernel, GPL */
	uint64_t symbols_module;
	uint64_t patches_kernel;
	uint64_t patches_module;
	uint64_t patch_allowed; /* steps that were written, of PATCH_TEXT and PATCH_TEXT_BATCH */
	uint64_t patch_refused; /* a batch is refused for one of its steps */
	uint64_t modules_validated; /* ever */
	uint64_t modules_refused; /* ever */
	uint64_t modules_live;
	uint64_t modules_unverified; /* of modules_live */
	uint64_t relocations; /* recomputed and compared, ever */
	uint64_t sites; /* rewritten sites met, ever */
	uint64_t certs_system;
	uint64_t certs_secondary;
	uint64_t certs_kexec;
	uint64_t certs_revoked;
	uint64_t blocklist_hashes;
	uint64_t vps_locked; /* VPs whose registers are recorded */
	uint64_t kexec_slots; /* bit 0 normal, bit 1 crash: an image is validated */
	uint64_t audits; /* whole passes */
	uint64_t violations; /* ever found */
	uint64_t log_written;
	uint64_t log_dropped;
	uint64_t jump_labels_kernel; /* of patches_kernel */
	uint64_t continued; /* entries that ended with EAGAIN, ever */
	uint64_t abandoned; /* long calls that VTL0 did not continue, ever */
	uint32_t scratch_kib[32]; /* most scratch memory of one call, by enum heki_call_index */
	uint64_t log_omitted; /* refused text patches without a record, ever */
	uint64_t intercepts; /* what VTL0 was stopped at, ever */
	uint64_t reserved[47];
};
HEKI_ASSERT(sizeof(struct heki_stats_reply) <= HEKI_PAGE_SIZE);
HEKI_ASSERT(HEKI_CALL_COUNT <= 32);
HEKI_ASSERT(HEKI_ERROR_COUNT <= 128);
HEKI_ASSERT(HEKI_BUDGET_COUNT <= 16);

/*
 * Reply of one slice of AUDIT.  The call returns 0; the caller goes on with next_cursor until that
 * is 0.
 */
struct heki_audit_reply {
	uint64_t next_cursor;
	uint64_t pages_checked; /* in this slice */
	uint64_t sites_checked;
	uint64_t violations;
};
HEKI_ASSERT_SIZE(struct heki_audit_reply, 32);

/* What LIST lists. */
enum heki_list_kind {
	HEKI_LIST_MODULES = 1,
	HEKI_LIST_FRAMES = 2,
	HEKI_LIST_PATCHES = 3,
	HEKI_LIST_CERTS = 4,
	HEKI_LIST_VPS = 5,
	HEKI_LIST_LOG = 6, /* struct heki_log_record, from VTL1's own ring; cursor = first seq */
	HEKI_LIST_ACCOUNTS = 7 /* struct heki_list_account */
};

/* Head of a LIST reply; entries of entry_size bytes follow.  The call returns 0. */
struct heki_list_reply {
	uint64_t next_cursor; /* 0 at the end */
	uint32_t count;
	uint32_t entry_size;
};
HEKI_ASSERT_SIZE(struct heki_list_reply, 16);

enum heki_module_state {
	HEKI_MODULE_STATE_VALIDATING = 1,
	HEKI_MODULE_STATE_COMING = 2, /* validated, init memory still there */
	HEKI_MODULE_STATE_READY = 3 /* init memory freed */
};

struct heki_list_module {
	char name[HEKI_MODULE_NAME_LEN];
	uint32_t token;
	uint32_t state; /* enum heki_module_state */
	uint32_t flags; /* HEKI_MODULE_LIVE, HEKI_MODULE_UNVERIFIED */
	uint32_t pages[HEKI_MOD_MEM_TYPES]; /* by enum heki_module_memory_type, now */
	uint32_t relocations;
	uint32_t sites;
	uint32_t patches;
	uint32_t exports;
	uint32_t users; /* validated modules that depend on it */
	uint32_t text_bytes; /* compared bytes of executable sections */
	uint8_t sha256[32]; /* of the ELF, 0 when unverified */
	uint32_t signer; /* index of the certificate in LIST_CERTS, ~0 when none */
	uint32_t padding;
};
HEKI_ASSERT_SIZE(struct heki_list_module, 160);

/*
 * Why a byte of a module's memory may be what it was when the module was validated.  A byte belongs
 * to one account; one that several sites may rewrite belongs to that judged first.
 */
enum heki_account {
	HEKI_ACCOUNT_ELF = 0, /* as in the file */
	HEKI_ACCOUNT_RELOCATED = 1, /* written by a relocation and recomputed */
	HEKI_ACCOUNT_SORTED = 2, /* in a table that the kernel has sorted */
	HEKI_ACCOUNT_PADDING = 3, /* zero, between and behind sections */
	/* Rewritten by the kernel, and judged by value. */
	HEKI_ACCOUNT_ALTERNATIVE = 4,
	HEKI_ACCOUNT_PARAVIRT = 5,
	HEKI_ACCOUNT_RETPOLINE = 6,
	HEKI_ACCOUNT_RETURN = 7,
	HEKI_ACCOUNT_CALL = 8,
	HEKI_ACCOUNT_ENDBR = 9,
	HEKI_ACCOUNT_SMP_LOCK = 10,
	HEKI_ACCOUNT_MCOUNT = 11,
	HEKI_ACCOUNT_STATIC_CALL = 12, /* trampolines too */
	HEKI_ACCOUNT_JUMP_LABEL = 13,
	HEKI_ACCOUNT_COUNT
};

/*
 * The bytes of a module that were compared when it was validated: all of its executable and
 * read-only memory.  The sum of bytes is the sum of memory.  All 0 for an unverified module.
 */
struct heki_list_account {
	char name[HEKI_MODULE_NAME_LEN];
	uint32_t token;
	uint32_t flags; /* HEKI_MODULE_LIVE, HEKI_MODULE_UNVERIFIED */
	uint32_t memory[HEKI_MOD_MEM_TYPES]; /* by enum heki_module_memory_type */
	uint32_t padding;
	uint32_t bytes[20]; /* by enum heki_account */
};
HEKI_ASSERT_SIZE(struct heki_list_account, 176);
HEKI_ASSERT(HEKI_ACCOUNT_COUNT <= 20);

struct heki_list_frame {
	uint64_t pa;
	uint32_t owner; /* module token, or HEKI_OWNER_* */
	uint8_t attributes; /* HEKI_ATTR_* */
	uint8_t kind; /* module memory type; 0xff otherwise */
	uint8_t hashed; /* 1 when its contents are re-hashed by AUDIT */
	uint8_t padding;
};
HEKI_ASSERT_SIZE(struct heki_list_frame, 16);

/* Owners that are not modules. Module tokens start at 1 and are below 2^30. */
#define HEKI_OWNER_KERNEL 0x40000000u
#define HEKI_OWNER_KEXEC 0x40000001u /* normal slot */
#define HEKI_OWNER_CRASH 0x40000002u
#define HEKI_OWNER_RING 0x40000003u
#define HEKI_OWNER_TRAMPOLINE 0x40000004u

struct heki_list_patch {
	struct heki_patch patch; /* the precomputed code */
	uint32_t type; /* enum heki_patch_type */
	uint32_t owner;
	uint8_t there[HEKI_POKE_MAX]; /* what stands there now */
	uint8_t padding[3];
};
HEKI_ASSERT_SIZE(struct heki_list_patch, 40);

enum heki_cert_set {
	HEKI_CERTS_SYSTEM = 0,
	HEKI_CERTS_SECONDARY = 1,
	HEKI_CERTS_KEXEC = 2,
	HEKI_CERTS_REVOKED = 3
};

struct heki_list_cert {
	uint32_t set; /* enum heki_cert_set */
	uint32_t der_size;
	uint8_t sha256[32]; /* of the DER */
	char subject[88]; /* common name, NUL-padded, cut */
};
HEKI_ASSERT_SIZE(struct heki_list_cert, 128);

/* Control registers that LOCK_REGS records for a VP. */
struct heki_vp_regs {
	uint64_t cr0;
	uint64_t cr4;
	uint64_t efer;
	uint64_t apic_base;
	uint64_t sysenter_cs;
	uint64_t sysenter_eip;
	uint64_t sysenter_esp;
	uint64_t star;
	uint64_t lstar;
	uint64_t cstar;
	uint64_t sfmask;
};
HEKI_ASSERT_SIZE(struct heki_vp_regs, 88);

struct heki_list_vp {
	uint32_t vp;
	uint32_t starts; /* times LOCK_REGS was made for it */
	struct heki_vp_regs regs;
};
HEKI_ASSERT_SIZE(struct heki_list_vp, 96);

#endif /* _UAPI_HEKI_EXT_H */
