#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR MIT
#
# anchors.sh FOLDER - assembly with the certificates of FOLDER, as anchors.c reads them; none when
# FOLDER is empty

set -eu

folder=${1-}
[ -z "$folder" ] || [ -d "$folder" ] || { echo "anchors: no folder $folder" >&2; exit 1; }
echo '	.section .note.GNU-stack, "", @progbits'
n=0
# set NUMBER SUBFOLDER
anchors() {
	local file
	for file in "$folder/$2"/*.der; do
		[ -e "$file" ] || continue
		openssl x509 -inform der -in "$file" -noout 2>/dev/null || {
			echo "anchors: $file is no DER certificate" >&2
			exit 1
		}
		cat <<-END
			# $(sha256sum "$file" | cut -c1-64)
			.section .rodata
			anchor_$n:
			.incbin "$(realpath "$file")"
			anchor_${n}_end:
			.section .image.anchors, "aw"
			.quad $1, anchor_${n}_end - anchor_$n, anchor_$n
		END
		n=$((n + 1))
	done
}
[ -z "$folder" ] || { anchors 0 system; anchors 2 kexec; }
