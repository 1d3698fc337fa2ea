// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Intercepts.  What VTL0 may not do it meets as a general protection fault at the instruction, and
 * there is one record of it.  Registers may be written as pins.c says, and a VP may start again at
 * a page that the core allows.
 *
 * Trust boundary: the message is the hypervisor's, on a page that VTL0 cannot reach; what it says
 * of registers and addresses is VTL0's doing. Locks: none.
 */
#include <hyperv/cpu.h>

#include "core_host.h"
#include "cpu.h"
#include "intercept.h"
#include "log.h"
#include "pins.h"
#include "vsm.h"

static const char *const accesses[] = {
	[HV_INTERCEPT_READ] = "read",
	[HV_INTERCEPT_WRITE] = "write",
	[HV_INTERCEPT_EXECUTE] = "execution",
};

static void log_intercept(const struct words *w, uint64_t address)
{
	image_log(HEKI_LOG_INTERCEPT, address, w);
}

static void words_header(struct words *w, const struct hv_intercept_header *header,
			 const char *what)
{
	words_str(w, what);
	words_str(w, header->access < HEKI_ARRAY_SIZE(accesses) ? accesses[header->access] :
								  "access");
	words_hex(w, " at RIP ", header->rip);
}

static void log_memory(const struct hv_memory_intercept *m)
{
	struct words w = { .n = 0 };

	words_header(&w, &m->header, "memory ");
	if (m->info & HV_MEMORY_INTERCEPT_GVA_VALID)
		words_hex(&w, ", address ", m->gva);
	log_intercept(&w, m->gpa);
}

static void log_msr(const struct hv_msr_intercept *m)
{
	struct words w = { .n = 0 };

	words_header(&w, &m->header, "MSR ");
	words_hex(&w, ", value ", m->rdx << 32 | (uint32_t)m->rax);
	log_intercept(&w, m->msr);
}

static void log_register(const struct hv_register_intercept *m)
{
	struct words w = { .n = 0 };

	words_header(&w, &m->header, "register ");
	words_hex(&w, ", value ", m->value_low);
	words_hex(&w, " ", m->value_high);
	log_intercept(&w, m->name);
}

static void start_failed(const struct hv_startup_intercept *m, const char *why, int status)
{
	struct words w = { .n = 0 };

	words_str(&w, why);
	words_hex(&w, ", vector ", m->vector);
	words_hex(&w, ", hypercall status ", (uint64_t)status);
	log_intercept(&w, m->target);
}

/* Its pins are gone from here on; it may be running before the hypercall has returned. */
static void start_vp(struct vp *vp, const struct hv_startup_intercept *m)
{
	struct vp *target = vp_at(m->target);
	int status;

	if (!core_host_start_allowed(gpa((uint64_t)m->vector << HEKI_PAGE_SHIFT))) {
		start_failed(m, "start of a VP refused", HV_STATUS_SUCCESS);
		return;
	}
	if (!target) {
		start_failed(m, "start of an unknown VP", HV_STATUS_INVALID_VP_INDEX);
		return;
	}
	__atomic_store_n(&target->restarted, true, __ATOMIC_RELEASE);
	status = vsm_start_vp(&vp->hypercall, m->target, (uint8_t)m->vector);
	if (!status)
		return;
	/* One that goes on as it is keeps its pins. */
	__atomic_store_n(&target->restarted, false, __ATOMIC_RELEASE);
	start_failed(m, "start of a VP failed", status);
}

static void judge_unknown(struct vp *vp, uint32_t type)
{
	struct words w = { .n = 0 };

	vp->unknown++;
	words_str(&w, "unknown message");
	log_intercept(&w, type);
}

/* Whether VTL0 was stopped at something, which is refused. */
static bool judge(struct vp *vp, const struct hv_message *message)
{
	const void *payload = message->payload;

	switch (message->type) {
	case HV_MESSAGE_UNMAPPED_GPA:
	case HV_MESSAGE_GPA_INTERCEPT:
		log_memory(payload);
		return true;
	case HV_MESSAGE_MSR_INTERCEPT:
		if (pins_judge_msr(vp, payload) != PINS_REFUSED)
			return false;
		log_msr(payload);
		return true;
	case HV_MESSAGE_REGISTER_INTERCEPT:
		if (pins_judge_register(vp, payload) != PINS_REFUSED)
			return false;
		log_register(payload);
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
	log_intercept(&w, (uint64_t)status);
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
