#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# unit: services and logins
# A round starts services whose limits systemd sets by BPF programs, namespaces and filters of system
# calls, and logs a user in, who gets a service manager of his own.

. /soak/lib.sh
count=$(amount 3 1)
for _ in $(seq "$count"); do
	systemd-run --quiet --wait --collect -p DynamicUser=yes -p ProtectSystem=strict \
		-p PrivateTmp=yes -p DevicePolicy=closed -p IPAddressDeny=any \
		-p SystemCallFilter=@system-service true || exit 1
done
runuser -l user -c true || exit 1
echo $((count + 1))
