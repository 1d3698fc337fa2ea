// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* Without a log. */
#include "core.h"

void __wrap_log_write(struct heki_core *core, struct heki_log_record *record);
void __wrap_log_write(struct heki_core *core, struct heki_log_record *record)
{
	(void)core;
	(void)record;
}

void __wrap_heki_core_log(struct heki_core *core, struct heki_log_record *record);
void __wrap_heki_core_log(struct heki_core *core, struct heki_log_record *record)
{
	(void)core;
	(void)record;
}
