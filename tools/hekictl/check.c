// SPDX-License-Identifier: GPL-2.0-only
#include "out.h"
int command_module_check(struct run *run) { return fail(run, 3, "building"); }
