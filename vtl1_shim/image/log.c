// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Records of the bare-metal half, in the core's log.
 *
 * Trust boundary: none. Locks: the core's log.
 */
#include "console.h"
#include "core_host.h"
#include "log.h"

void image_log(enum heki_log_event event, uint64_t address, const struct words *w)
{
	struct heki_log_record record = {
		.address = address,
		.event = event,
		.error = event == HEKI_LOG_FAULT ? HEKI_E_INTERNAL : HEKI_OK,
	};

	memcpy(record.text, w->text, sizeof(record.text));
	if (!core_host_log(&record))
		console_line(w->text);
}
