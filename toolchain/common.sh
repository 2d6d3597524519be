# What toolchain/fetch and toolchain/build share: the pins table, the cache folder, messages, tool checks.
# SPDX-License-Identifier: MIT

toolchain_dir=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
pins_file=${BAREMETAL_PINS:-$toolchain_dir/pins}
cache_dir=${BAREMETAL_CACHE:-${XDG_CACHE_HOME:-${HOME:?set HOME or BAREMETAL_CACHE: the cache of downloads needs a folder}/.cache}/baremetal}

# say TEXT: one progress line. Everything for people goes to stderr, stdout carries results.
say() {
    printf -- '-- %s\n' "$*" >&2
}

# die TEXT: one sentence, then failure.
die() {
    printf 'error: %s: %s\n' "$(basename "$0")" "$*" >&2
    exit 1
}

# pin_rows NAME: the rows of the pins table for NAME.
pin_rows() {
    awk -v name="$1" '$1 == name && NF == 5' "$pins_file"
}

# pin_version NAME
pin_version() {
    pin_rows "$1" | awk 'NR == 1 { print $2 }'
}

# require_pin NAME: fails with the list of known names when NAME has no row.
require_pin() {
    [ -n "$(pin_rows "$1")" ] ||
        die "'$1' has no row in $pins_file; known are: $(awk '!/^#/ && NF == 5 { print $1 }' "$pins_file" | sort -u | xargs)"
}

# patches_of NAME: the files of its patch queue, in order; none is fine.
patches_of() {
    find "$toolchain_dir/$1" -maxdepth 1 -name '*.patch' 2>/dev/null | LC_ALL=C sort
}

# need_tool COMMAND REASON [PACKAGE]: fails with one sentence when COMMAND is missing, or notes it for tools_end.
need_tool() {
    local text="'$1' is missing; it is needed to $2 (package ${3:-$1} on Debian)."
    if command -v "$1" >/dev/null 2>&1; then
        return 0
    fi
    [ -n "${tools_noted+set}" ] || die "$text"
    tools_noted+=$text$'\n'
}

# tools_begin, tools_end: what is missing in between is told all at once.
tools_begin() {
    tools_noted=
}

tools_end() {
    local noted=$tools_noted line
    unset tools_noted
    [ -n "$noted" ] || return 0
    while read -r line; do
        printf 'error: %s: %s\n' "$(basename "$0")" "$line" >&2
    done <<<"${noted%$'\n'}"
    exit 1
}

# need_version COMMAND LEAST REASON: fails when the first version number that COMMAND --version prints is below LEAST.
need_version() {
    local have
    command -v "$1" >/dev/null 2>&1 || return 0 # need_tool tells
    have=$("$1" --version 2>/dev/null | grep -oE '[0-9]+(\.[0-9]+)+' | head -n 1)
    [ -n "$have" ] || die "'$1 --version' prints no version number; $3 needs $1 $2 or newer."
    [ "$(printf '%s\n%s\n' "$2" "$have" | sort -V | head -n 1)" = "$2" ] ||
        die "'$1' is version $have, but $3 needs $2 or newer."
}

# leave_out ARCHIVE MEMBER…: takes members out that libbaremetal/libc has its own of; one that is not there is an error.
leave_out() {
    local archive=$1 members member
    shift
    members=$(ar t "$archive")
    for member in "$@"; do
        grep -qxF "$member" <<<"$members" || die "$archive has no $member any more; look at what libbaremetal/libc has instead of it."
    done
    ar d "$archive" "$@"
}

sha256_of() {
    sha256sum "$1" | cut -d ' ' -f 1
}
