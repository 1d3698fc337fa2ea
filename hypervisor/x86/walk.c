// SPDX-License-Identifier: GPL-2.0-only
/*
 * The guest's own page tables, and its memory.
 *
 * Trust boundary: tables, instructions and addresses are the guest's, and may change while they are
 * read; every step is checked against the memory map and against what the level may access.
 */
#include "insn.h"
#include "vp.h"

#define PTE_PRESENT BIT(0)
#define PTE_WRITE BIT(1)
#define PTE_USER BIT(2)
#define PTE_LARGE BIT(7)
#define PTE_NX BIT(63)
#define PTE_ADDRESS 0x000ffffffffff000ull
#define INSTRUCTION_MAX 15u /* and a mask */

void *guest_memory(uint32_t vtl, uint64_t gpa, uint64_t size, uint32_t access)
{
	const struct npt *npt = &partition.vtl[vtl].npt;

	if (size > PAGE_SIZE - (gpa & ~PAGE_MASK) || (gpa & PAGE_MASK) == npt->overlay)
		return NULL;
	if (!memory_is_guest(&partition.map, gpa, size) || access & ~npt_access(npt, gpa))
		return NULL;
	return (void *)gpa;
}

static bool user_access(const struct vmcb *vmcb, uint64_t flags)
{
	if (flags & (HV_TRANSLATE_USER | HV_TRANSLATE_SUPERVISOR))
		return flags & HV_TRANSLATE_USER;
	return vmcb->cpl == 3;
}

/* @rights: PTE bits of all levels together, NX inverted. */
static bool permitted(const struct vmcb *vmcb, uint64_t rights, uint64_t flags)
{
	bool user = user_access(vmcb, flags);

	if (flags & HV_TRANSLATE_PRIVILEGE_EXEMPT)
		return true;
	if (user && !(rights & PTE_USER))
		return false;
	if (flags & HV_TRANSLATE_WRITE && !(rights & PTE_WRITE) && (user || vmcb->cr0 & CR0_WP))
		return false;
	if (!user && flags & HV_TRANSLATE_ENFORCE_SMAP && vmcb->cr4 & CR4_SMAP && rights & PTE_USER)
		return false;
	if (!(flags & HV_TRANSLATE_EXECUTE))
		return true;
	return rights & PTE_NX && (user || !(vmcb->cr4 & CR4_SMEP) || !(rights & PTE_USER));
}

static bool canonical(uint64_t gva, uint32_t bits)
{
	return (uint64_t)((int64_t)(gva << (64 - bits)) >> (64 - bits)) == gva;
}

static enum walk_result walk_long(const struct vmcb *vmcb, uint32_t vtl, uint64_t gva,
				  uint64_t flags, uint64_t *gpa)
{
	uint32_t level = vmcb->cr4 & CR4_LA57 ? 5 : 4;
	uint64_t rights = PTE_WRITE | PTE_USER | PTE_NX;
	uint64_t entry = vmcb->cr3;
	uint64_t size;

	if (!canonical(gva, PAGE_SHIFT + 9 * level))
		return WALK_NOT_PRESENT;
	while (level--) {
		uint64_t at = (entry & PTE_ADDRESS) + (gva >> (PAGE_SHIFT + 9 * level) & 511) * 8;
		const uint64_t *p = guest_memory(vtl, at, sizeof(*p), HV_MAP_READ);

		if (!p)
			return WALK_UNMAPPED;
		entry = load_once(*p);
		if (!(entry & PTE_PRESENT))
			return WALK_NOT_PRESENT;
		rights &= entry ^ PTE_NX;
		if (!level || (level < 3 && entry & PTE_LARGE))
			break;
	}
	size = PAGE_SIZE << 9 * level;
	*gpa = (entry & PTE_ADDRESS & ~(size - 1)) | (gva & (size - 1));
	return permitted(vmcb, rights, flags) ? WALK_OK : WALK_PRIVILEGE;
}

enum walk_result walk(const struct vmcb *vmcb, uint32_t vtl, uint64_t gva, uint64_t flags,
		      uint64_t *gpa)
{
	if (!(vmcb->cr0 & CR0_PG)) {
		*gpa = gva & 0xffffffff;
		return WALK_OK;
	}
	if (!(vmcb->efer & EFER_LMA))
		return WALK_UNMAPPED;
	return walk_long(vmcb, vtl, gva, flags, gpa);
}

/* Copy from the linear addresses of the VP's current level; how many bytes there were. */
static uint32_t read_linear(struct vp *vp, uint64_t gva, uint8_t *to, uint32_t n)
{
	uint32_t done = 0;

	while (done < n) {
		uint64_t left = PAGE_SIZE - ((gva + done) & ~PAGE_MASK);
		uint32_t part = (uint32_t)min_u64(n - done, left);
		const void *from;
		uint64_t gpa;

		if (walk(vp_vmcb(vp), vp->level, gva + done, HV_TRANSLATE_PRIVILEGE_EXEMPT, &gpa))
			break;
		from = guest_memory(vp->level, gpa, part, HV_MAP_READ);
		if (!from)
			break;
		memcpy(to + done, from, part);
		done += part;
	}
	return done;
}

static enum insn_mode mode(const struct vmcb *vmcb)
{
	if (vmcb->efer & EFER_LMA && vmcb->cs.attributes & BIT(9))
		return INSN_64;
	return vmcb->cs.attributes & BIT(10) ? INSN_32 : INSN_16;
}

/**
 * struct code - bytes at an instruction pointer, all that decoding depends on
 * @rip: the instruction pointer
 * @mode: size of code
 * @n: how many bytes
 * @bytes: they themselves, then zeros
 */
struct code {
	uint64_t rip;
	uint8_t mode;
	uint8_t n;
	uint8_t bytes[INSTRUCTION_MAX + 7];
};
_Static_assert(sizeof(struct code) == 32, "no padding, it is compared whole");

/* Few places write to the local APIC, and decoding costs more than all the rest. */
#define DECODED 8u
static struct {
	struct code code[DECODED];
	struct insn insn[DECODED];
	uint32_t next;
} decoded[VPS_MAX];

static void read_code(struct vp *vp, struct code *code)
{
	const struct vmcb *vmcb = vp_vmcb(vp);
	enum insn_mode m = mode(vmcb);
	uint64_t at = vmcb->rip + (m == INSN_64 ? 0 : vmcb->cs.base);

	*code = (struct code){ .rip = vmcb->rip, .mode = (uint8_t)m };
	/* Only silicon: with decode assists the processor has kept what it executed. */
	if (partition.features & FEATURE_DECODE && vmcb->exit_code == VMCB_EXIT_NPF)
		code->n = vmcb->fetched & INSTRUCTION_MAX;
	memcpy(code->bytes, vmcb->bytes, code->n);
	if (!code->n)
		code->n = (uint8_t)read_linear(vp, at, code->bytes, INSTRUCTION_MAX);
}

bool guest_decode(struct vp *vp, struct insn *insn)
{
	uint32_t *next = &decoded[vp->index].next;
	struct code *known = decoded[vp->index].code;
	struct code code;

	read_code(vp, &code);
	if (!code.n)
		return false;
	for (uint32_t i = 0; i < DECODED; i++) {
		if (known[i].rip != code.rip || memcmp(&known[i], &code, sizeof(code)))
			continue;
		*insn = decoded[vp->index].insn[i];
		return true;
	}
	if (insn_decode(code.bytes, code.n, code.mode, code.rip, insn))
		return false;
	known[*next] = code;
	decoded[vp->index].insn[*next] = *insn;
	*next = (*next + 1) % DECODED;
	return true;
}

static uint64_t segment_base(const struct vmcb *vmcb, uint32_t segment, enum insn_mode m)
{
	static const uint16_t offsets[] = {
		offsetof(struct vmcb, es), offsetof(struct vmcb, cs), offsetof(struct vmcb, ss),
		offsetof(struct vmcb, ds), offsetof(struct vmcb, fs), offsetof(struct vmcb, gs),
	};
	const struct vmcb_segment *s = (const void *)((const uint8_t *)vmcb + offsets[segment]);

	/* The bases of FS and GS are in the processor while the level runs. */
	if (segment >= 4)
		return read_msr(segment == 4 ? MSR_FS_BASE : MSR_GS_BASE);
	return m == INSN_64 ? 0 : s->base;
}

bool guest_operand(struct vp *vp, const struct insn *insn, uint8_t *to)
{
	const struct vmcb *vmcb = vp_vmcb(vp);
	uint64_t at = (uint64_t)insn->displacement;

	if (!insn->memory)
		return false;
	if (insn->base != INSN_NO_REGISTER)
		at += vp_get(vp, insn->base);
	if (insn->index != INSN_NO_REGISTER)
		at += vp_get(vp, insn->index) * insn->scale;
	if (insn->address_size < 8)
		at &= BIT(insn->address_size * 8) - 1;
	at += segment_base(vmcb, insn->segment, mode(vmcb));
	return read_linear(vp, at, to, insn->size) == insn->size;
}
