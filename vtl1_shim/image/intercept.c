// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Intercepts.  All are refused, VTL0 meets a general protection fault at the instruction; but that a
 * VP starts again is permitted.
 *
 * Trust boundary: the message is the hypervisor's, on a page that VTL0 cannot reach; what it says
 * of registers and addresses is VTL0's doing. Locks: none.
 */
#include <hyperv/cpu.h>

#include "cpu.h"
#include "intercept.h"
#include "log.h"
#include "vsm.h"

static const char *const accesses[] = {
	[HV_INTERCEPT_READ] = "read",
	[HV_INTERCEPT_WRITE] = "write",
	[HV_INTERCEPT_EXECUTE] = "execution",
};

static void log_intercept(const struct vp *vp, const struct words *w, uint64_t address)
{
	struct heki_log_record record = {
		.address = address,
		.event = HEKI_LOG_INTERCEPT,
		.vp = vp->index,
	};

	memcpy(record.text, w->text, sizeof(record.text));
	log_write(&record);
}

static void words_header(struct words *w, const struct hv_intercept_header *header,
			 const char *what)
{
	words_str(w, what);
	words_str(w, header->access < HEKI_ARRAY_SIZE(accesses) ? accesses[header->access] :
								  "access");
	words_hex(w, " at RIP ", header->rip);
}

static void judge_memory(struct vp *vp, const struct hv_memory_intercept *m)
{
	struct words w = { .n = 0 };

	words_header(&w, &m->header, "memory ");
	if (m->info & HV_MEMORY_INTERCEPT_GVA_VALID)
		words_hex(&w, ", address ", m->gva);
	log_intercept(vp, &w, m->gpa);
}

static void judge_msr(struct vp *vp, const struct hv_msr_intercept *m)
{
	struct words w = { .n = 0 };

	words_header(&w, &m->header, "MSR ");
	words_hex(&w, ", value ", m->rdx << 32 | (uint32_t)m->rax);
	log_intercept(vp, &w, m->msr);
}

static void judge_register(struct vp *vp, const struct hv_register_intercept *m)
{
	struct words w = { .n = 0 };

	words_header(&w, &m->header, "register ");
	words_hex(&w, ", value ", m->value_low);
	log_intercept(vp, &w, m->name);
}

static void start_vp(struct vp *vp, const struct hv_startup_intercept *m)
{
	int status = vsm_start_vp(&vp->hypercall, m->target, (uint8_t)m->vector);
	struct words w = { .n = 0 };

	words_str(&w, "start of a VP");
	words_hex(&w, ", vector ", m->vector);
	words_hex(&w, ", hypercall status ", (uint64_t)status);
	log_intercept(vp, &w, m->target);
}

static void judge_unknown(struct vp *vp, uint32_t type)
{
	struct words w = { .n = 0 };

	vp->unknown++;
	words_str(&w, "unknown message");
	log_intercept(vp, &w, type);
}

/* Whether VTL0 was stopped at something, which is refused. */
static bool judge(struct vp *vp, const struct hv_message *message)
{
	const void *payload = message->payload;

	switch (message->type) {
	case HV_MESSAGE_UNMAPPED_GPA:
	case HV_MESSAGE_GPA_INTERCEPT:
		judge_memory(vp, payload);
		return true;
	case HV_MESSAGE_MSR_INTERCEPT:
		judge_msr(vp, payload);
		return true;
	case HV_MESSAGE_REGISTER_INTERCEPT:
		judge_register(vp, payload);
		return true;
	case HV_MESSAGE_STARTUP_INTERCEPT:
		start_vp(vp, payload);
		return false;
	default:
		judge_unknown(vp, message->type);
		return false;
	}
}

/* Without the fault VTL0 meets the same intercept again, and no more. */
static void refuse(struct vp *vp)
{
	struct words w = { .n = 0 };
	int status = vsm_inject_gp(&vp->hypercall);

	if (!status)
		return;
	words_str(&w, "no fault for VTL0: hypercall status");
	log_intercept(vp, &w, (uint64_t)status);
}

/* The slot is free before the hypervisor is told, as it may fill it at once. */
static void end_of_message(struct hv_message *message)
{
	__atomic_store_n(&message->type, HV_MESSAGE_NONE, __ATOMIC_SEQ_CST);
	wrmsr(HV_MSR_EOM, 0);
}

void intercept_enter(struct vp *vp)
{
	struct hv_message *message = &vp->messages[0];

	if (__atomic_load_n(&message->type, __ATOMIC_ACQUIRE) == HV_MESSAGE_NONE)
		return;
	if (judge(vp, message))
		refuse(vp);
	end_of_message(message);
}
