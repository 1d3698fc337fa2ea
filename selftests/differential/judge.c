// SPDX-License-Identifier: GPL-2.0-only
/*
 * The core's verdicts on certificates and signed modules, without a guest. Freestanding: it is part
 * of a program and of a kernel module. One request at a time.
 */
#include "judge.h"
#include "validate.h"

/* A set of certificates; of the rest the least that the core takes. */
static const struct heki_limits limits = {
	.modules = 1,
	.module_functions = 1,
	.frames = 16,
	.symbols = 16,
	.patches = 16,
	.certs = 64,
	.cert_bytes = 256 << 10,
	.hashes = 1,
	.deps = 1,
	.log_records = 16,
	.vps = 1,
	.scratch_bytes = 1 << 20,
};

int judge_read(void *host, struct gpa pa, void *to, size_t n)
{
	return -1;
}

int judge_write(void *host, struct gpa pa, const void *from, size_t n)
{
	return -1;
}

bool judge_is_ram(void *host, struct gpa pa, uint64_t n)
{
	return false;
}

int judge_protect(void *host, struct gpa pa, uint64_t pages, uint32_t attributes)
{
	return -1;
}

void *judge_alloc(void *host, size_t n)
{
	return NULL;
}

void judge_free(void *host, void *p, size_t n)
{
}

void judge_lock(void *host, enum heki_lock lock)
{
}

uint64_t judge_time_ns(void *host)
{
	return 0;
}

uint32_t judge_vp(void *host)
{
	return 0;
}

int judge_vp_up(void *host, uint32_t vp)
{
	return -1;
}

bool judge_vp_restarted(void *host, uint32_t vp)
{
	return false;
}

int judge_read_regs(void *host, struct heki_vp_regs *regs)
{
	return -1;
}

size_t judge_size(void)
{
	return heki_core_size(&limits);
}

static int judge_module(struct heki_core *core, struct span file)
{
	struct call c = { .core = core, .id = HEKI_CALL_VALIDATE_MODULE };
	struct span content, cms;
	uint8_t sha256[32];
	uint32_t signer;
	int result = signature_split(&c, file, &content, &cms);

	if (result)
		return result;
	return cms_verify_module(&c, file, content.n, cms, &signer, sha256);
}

uint32_t judge(void *memory, const struct heki_host_ops *ops, char kind, struct span bytes)
{
	static const uint8_t seed[16];
	struct heki_core *core = memory; /* it lives at the beginning of its memory */
	int result = 0;

	switch (kind) {
	case JUDGE_RESET:
		memset(memory, 0, judge_size());
		heki_core_init(memory, &limits, ops, NULL, seed);
		break;
	case JUDGE_TRUST:
		result = heki_core_trust(core, HEKI_CERTS_SYSTEM, bytes);
		break;
	case JUDGE_MODULE:
		result = judge_module(core, bytes);
		break;
	default:
		result = -HEKI_E_PARAMETER;
	}
	return (uint32_t)-result;
}
