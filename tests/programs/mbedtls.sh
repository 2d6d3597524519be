# Mbed TLS: a Makefile, and its self-test; `entropy` reads /dev/urandom. Left out: `timing`, which wants setitimer.
# SPDX-License-Identifier: MIT
link=devfs image=programs/test/selftest expects=213

recipe_build() {
    make -j "$jobs" lib CC="$CC" AR="$AR" RLD="$CC"
    make -C programs -j "$jobs" test/selftest CC="$CC" AR="$AR"
}

recipe_test() {
    local said
    passes "selftest without timing" boot programs/test/selftest -x timing
    said=$(grep -acE ': *(passed|failed)' output || true)
    count "$(grep -acE ': *passed' output || true)" "$said"
}
