#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# 1000 cycles of loading and unloading.

export rounds=500
. "$(dirname "$0")/cycles.sh"
