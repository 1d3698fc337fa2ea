#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# Policies can be tightened, never loosened, and enforce is not claimed where there is none.

. "$(dirname "$0")/lib.sh"
need_heki
plan 10

P=/sys/module/heki_client/parameters
set_to() {
	echo "$2" >"$P/$1"
}

equal "mode" audit "$(cat $P/mode)"
fails "mode cannot be loosened" 1 set_to mode off
fails "enforce is refused when VTL1 can only audit" 1 set_to mode enforce
fails "no unknown mode" 1 set_to mode strict
equal "mode is unchanged" audit "$(cat $P/mode)"
check "modules can be tightened" set_to modules enforce
fails "modules cannot be loosened" 1 set_to modules report
equal "modules is unchanged" enforce "$(cat $P/modules)"
fails "patches cannot be loosened" 1 set_to patches report
equal "patches is unchanged" strict "$(cat $P/patches)"
finish
