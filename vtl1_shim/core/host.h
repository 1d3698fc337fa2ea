/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * What a host gives to the core and what it calls.  The core reaches memory, hashes, signatures,
 * locks and registers only through these operations.
 */
#ifndef HEKI_CORE_HOST_H
#define HEKI_CORE_HOST_H

#include "base.h"

enum heki_hash {
	HEKI_SHA1, /* recognised, never accepted for a signature */
	HEKI_SHA256,
	HEKI_SHA384,
	HEKI_SHA512,
	HEKI_HASH_COUNT
};
#define HEKI_HASH_MAX 64

/*
 * A hash that is being computed, in a form of the host's own. It is plain memory: it holds no
 * resource, so that it may be kept from one call to the next, and be dropped at any time.
 */
#define HEKI_HASH_STATE 384
struct heki_hash_state {
	_Alignas(16) uint8_t opaque[HEKI_HASH_STATE];
};

/* Order: a holder of LOG may take nothing; a holder of TABLES may take LOG. */
enum heki_lock {
	HEKI_LOCK_TABLES,
	HEKI_LOCK_LOG,
	HEKI_LOCK_COUNT
};

/**
 * struct heki_host_ops - a host
 * @name:  shown in QUERY and status
 * @grade: what @protect means here
 * @read:  copy @n bytes of VTL0's memory in; 0, or -1 when a byte is not VTL0's RAM. Atomic.
 * @write: copy @n bytes out with VTL1's own right, whatever VTL0 may do there; 0 or -1. Atomic.
 *         The core checks before that the target is what it means to write.
 * @is_ram: whether all of [@pa, @pa + @n) is VTL0's RAM and none of it VTL1's own. Atomic.
 * @is_kexec_target: whether the kernel that follows this one may be put there: RAM, and none that
 *         VTL1 keeps when VTL0 ends. Atomic.
 * @ram:    the @i-th range of VTL0's RAM; false when there are no more. Atomic.
 * @splits_exec: whether @protect can let VTL0's users execute what its kernel may not. Atomic.
 * @protect: give VTL0 the access @attributes (HEKI_ATTR_*, without IMMUTABLE) to @pages pages;
 *         READ | WRITE | EXEC is the default access. 0, or -1 with nothing changed. Atomic.
 * @alloc: scratch memory for one call, aligned to 16; NULL when there is none. Sleeps.
 * @free:  give it back. Sleeps.
 * @lock:  take a short lock, interrupts off.
 * @unlock: drop it.
 * @time_ns: a monotonic clock, or 0.
 * @vp:    the virtual processor that makes the call.
 * @vp_enable: let VTL1 start on the CPU @cpu of VTL0's when that makes a call; 0, or -1.
 * @vp_up: whether VTL1 is (after the call: has been brought) up on the CPU @cpu of VTL0's; 0, or -1.
 * @vp_restarted: whether @vp was started again since the last call of this for it.
 * @read_regs: registers of VTL0 on the calling VP; 0 or -1. Atomic.
 * @pin_regs: have heki_core_register_write() asked from now on when VTL0 writes one of them on the
 *         calling VP; 0 or -1. Atomic. A host that cannot is asked by nobody.
 * @hash_begin: start a hash in @state; 0, or -1 when the algorithm is missing. Sleeps.
 * @hash_update: go on with @n bytes; 0 or -1, after which the state is of no use. Sleeps.
 * @hash_end: write the digest, hash_size() bytes; 0 or -1. The state is used up. Sleeps.
 * @hash_copy: make @to what @from is now; 0 or -1. Each goes on by itself. Sleeps.
 * @verify: does @sig sign @digest under the public key of the certificate @cert (DER)?
 *         RSA PKCS#1 v1.5 or ECDSA by the key's type. 0, or -HEKI_E_SIGNATURE,
 *         -HEKI_E_SIGNATURE_ALGORITHM (key type, curve or hash missing), -HEKI_E_CERT. Sleeps.
 * @cert_check: can this host's crypto use the certificate at all? 0, -HEKI_E_CERT, or
 *         -HEKI_E_SIGNATURE_ALGORITHM. Sleeps.
 * @fiber_start: let fiber @fiber begin with heki_core_fiber() at its next resume. Sleeps.
 * @fiber_resume: run the fiber until it suspends itself or its function returns. Any VP. Sleeps.
 *         True: it has returned.
 * @fiber_suspend: made on the fiber: its fiber_resume() returns false, this one returns when it is
 *         resumed. Sleeps.
 */
struct heki_host_ops {
	const char *name;
	enum heki_grade grade;
	int (*read)(void *host, struct gpa pa, void *to, size_t n);
	int (*write)(void *host, struct gpa pa, const void *from, size_t n);
	bool (*is_ram)(void *host, struct gpa pa, uint64_t n);
	bool (*is_kexec_target)(void *host, struct gpa pa, uint64_t n);
	bool (*ram)(void *host, uint32_t i, struct gpa *start, uint64_t *n);
	bool (*splits_exec)(void *host);
	int (*protect)(void *host, struct gpa pa, uint64_t pages, uint32_t attributes);
	void *(*alloc)(void *host, size_t n);
	void (*free)(void *host, void *p, size_t n);
	void (*lock)(void *host, enum heki_lock lock);
	void (*unlock)(void *host, enum heki_lock lock);
	uint64_t (*time_ns)(void *host);
	uint32_t (*vp)(void *host);
	int (*vp_enable)(void *host, uint32_t cpu);
	int (*vp_up)(void *host, uint32_t cpu);
	bool (*vp_restarted)(void *host, uint32_t vp);
	int (*read_regs)(void *host, struct heki_vp_regs *regs);
	int (*pin_regs)(void *host);
	int (*hash_begin)(void *host, enum heki_hash algorithm, struct heki_hash_state *state);
	int (*hash_update)(void *host, struct heki_hash_state *state, const void *bytes, size_t n);
	int (*hash_end)(void *host, struct heki_hash_state *state, uint8_t *digest);
	int (*hash_copy)(void *host, struct heki_hash_state *to,
			 const struct heki_hash_state *from);
	int (*verify)(void *host, struct span cert, enum heki_hash algorithm, struct span digest,
		      struct span sig);
	int (*cert_check)(void *host, struct span cert);
	void (*fiber_start)(void *host, uint32_t fiber);
	bool (*fiber_resume)(void *host, uint32_t fiber);
	void (*fiber_suspend)(void *host, uint32_t fiber);
};

/**
 * struct heki_limits - budgets, fixed at start
 * @modules: modules at a time
 * @frames:  pages that have an owner
 * @symbols: exports of the kernel and of modules
 * @patches: text patch sites
 * @certs:   certificates in all sets
 * @cert_bytes: bytes of their DER
 * @hashes:  blocklist records
 * @deps:    dependencies between modules
 * @functions: function starts of the kernel
 * @module_functions: blocks of up to 12 function starts of modules
 * @log_records: records in VTL1's own ring
 * @vps:     virtual processors
 * @slots:   long calls at a time; the host has as many fibers
 * @entry_pages: work of one entry into VTL1, in pages hashed or compared, > 0
 * @scratch_bytes: scratch memory of all running calls together
 */
struct heki_limits {
	uint32_t modules;
	uint32_t frames;
	uint32_t symbols;
	uint32_t patches;
	uint32_t certs;
	uint32_t cert_bytes;
	uint32_t hashes;
	uint32_t deps;
	uint32_t functions;
	uint32_t module_functions;
	uint32_t log_records;
	uint32_t vps;
	uint32_t slots;
	uint32_t entry_pages;
	uint64_t scratch_bytes;
};

/* Room for a desktop kernel with 300 modules. */
#define HEKI_LIMITS_DEFAULT                                                                        \
	((struct heki_limits){                                                                     \
		.modules = 512,                                                                    \
		.frames = 65536,                                                                   \
		.symbols = 65536,                                                                  \
		.patches = 262144,                                                                 \
		.certs = 64,                                                                       \
		.cert_bytes = 128 << 10,                                                           \
		.hashes = HEKI_BLOCKLIST_MAX,                                                      \
		.deps = 4096,                                                                      \
		.functions = 131072,                                                               \
		.module_functions = 16384,                                                         \
		.log_records = 1024,                                                               \
		.vps = 512,                                                                        \
		.slots = 8,                                                                        \
		.entry_pages = 64,                                                                 \
		.scratch_bytes = 512ull << 20,                                                     \
	})

struct heki_core;

/**
 * heki_core_size() - memory that a core with these limits needs
 * @limits: budgets
 *
 * Return: bytes, page aligned
 */
size_t heki_core_size(const struct heki_limits *limits);

/**
 * heki_core_init() - make a core in memory of the host's
 * @memory: heki_core_size() bytes, page aligned, zeroed; the core never moves
 * @limits: budgets
 * @ops:    host operations, which must outlive the core
 * @host:   passed to each of them
 * @seed:   16 unpredictable bytes: key of the symbol hash
 *
 * Return: the core; there is nothing to undo but to free @memory
 */
struct heki_core *heki_core_init(void *memory, const struct heki_limits *limits,
				 const struct heki_host_ops *ops, void *host,
				 const uint8_t seed[16]);

/**
 * heki_core_call() - serve one vtlcall
 * @core: the core
 * @regs: registers as VTL0 set them; r8 receives the result
 */
void heki_core_call(struct heki_core *core, struct heki_vtlcall_regs *regs);

/**
 * heki_core_fiber() - what a fiber does: serve the long call of its slot
 * @core:  the core
 * @fiber: index of the fiber and of the slot, below limits.slots
 */
void heki_core_fiber(struct heki_core *core, uint32_t fiber);

/**
 * heki_core_trust() - add a built-in trust anchor before VTL0 has run
 * @core: the core
 * @set:  HEKI_CERTS_SYSTEM or HEKI_CERTS_KEXEC
 * @der:  one DER certificate
 *
 * With one of HEKI_CERTS_SYSTEM, those that VTL0 sends as SYSTEM_CERTS are left out.
 *
 * Return: 0, or minus a named error
 */
int heki_core_trust(struct heki_core *core, enum heki_cert_set set, struct span der);

/* What becomes of VTL0's write of a register. */
enum heki_write {
	HEKI_WRITE_REFUSED,
	HEKI_WRITE_ALLOWED,
	HEKI_WRITE_UNPINNED /* nothing is pinned on the VP since its start */
};

/**
 * heki_core_register_write() - may VTL0 write a register that LOCK_REGS has recorded?
 * @core:  the core
 * @reg:   its offset in struct heki_vp_regs
 * @value: the new value
 *
 * For the calling VP. The host tells of a refusal, as it knows more of it.
 */
enum heki_write heki_core_register_write(struct heki_core *core, size_t reg, uint64_t value);

/**
 * heki_core_start_allowed() - may VTL0 start a VP at a page?
 * @core: the core
 * @pa:   the page
 *
 * Return: until end of boot always; then only in kernel text that nobody can write any more
 */
bool heki_core_start_allowed(struct heki_core *core, struct gpa pa);

/**
 * heki_core_log() - add a record of the host's to VTL1's log
 * @core:   the core
 * @record: sequence number, time and VP are filled in
 *
 * A record of HEKI_LOG_INTERCEPT is counted.
 */
void heki_core_log(struct heki_core *core, struct heki_log_record *record);

/* Names for logs and tools. NULL or "?" for what is not in the table. */
const char *heki_call_name(uint32_t id);
const char *heki_error_name(uint32_t error);
const char *heki_error_text(uint32_t error);
int heki_error_errno(uint32_t error);

#endif /* HEKI_CORE_HOST_H */
