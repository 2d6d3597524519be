# Go: the tests of its own library, each package a static executable by the host's go (`go test -c`), which runs as a Linux program as it is, and on Linux here, too.
# Left out are those of go/left-out, most of which start processes. A test that fails on Linux or skips itself there does not count.
# SPDX-License-Identifier: MIT
image=http expects=817 patience=1500
needs="command:go|golang-go|compiles Go
command:ip|iproute2|network tests in a namespace
command:unshare|util-linux|network tests in a namespace"
packages="net/http runtime sync"

recipe_version() {
    go version | sed 's/.*go\([0-9.]*\) .*/\1/'
}

recipe_build() {
    local package root
    export CGO_ENABLED=0 GOFLAGS= GOCACHE=$PWD/cache
    root=$(go env GOROOT)/src
    for package in $packages; do
        go test -c -o "${package##*/}.test" "$package"
        mkdir -p "files/${package##*/}"
        cp -rL "$root/$package"/*.go "files/${package##*/}/"
        [ ! -d "$root/$package/testdata" ] || cp -rL "$root/$package/testdata" "files/${package##*/}/"
        baremetal-run-linux --only-image --image "${package##*/}" --files "files/${package##*/}" "${package##*/}.test"
    done
}

recipe_test() {
    local package short passed
    for package in $packages; do
        short=${package##*/}
        wanted=$(PATH=/nonexistent "./$short.test" -test.list '^(Test|Example)' | grep -vxF "$(left_out)" | paste -sd '|')
        (cd "files/$short" && timeout "$patience" unshare -rn sh -c 'ip link set lo up && exec "$@"' sh "../../$short.test" -test.short -test.v -test.run "^($wanted)\$") </dev/null >"$short.linux" 2>&1 || true
        boot --memory 1024 --cpus 2 "$short" -test.short -test.v -test.run "^($wanted)\$" >"$short.machine" 2>&1 || true
        { echo "== $package on Linux"; cat "$short.linux"; echo "== $package in the machine"; cat "$short.machine"; } >>"$log"
        passed_in "$short.linux" >linux
        passed_in "$short.machine" >machine
        passed=$(comm -12 linux machine | wc -l)
        count "$passed" "$(wc -l <linux)"
        say "$name: $package: $(wc -l <linux) passed on Linux, $passed of them in the machine; without: $(comm -23 linux machine | xargs)"
    done
}

left_out() {
    sed -n "s,^$package ,,p" "$recipes/go/left-out" | tr ' ' '\n'
}

# passed_in FILE: the names of its tests that passed.
passed_in() {
    sed -n 's/.*--- PASS: \([A-Za-z0-9_]*\) (.*/\1/p' "$1" | grep -v '^$' | sort -u
}
